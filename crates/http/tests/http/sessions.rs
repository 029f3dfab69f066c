//! Signing in and out as the portal does: sessions, their cookies, and requests that must come
//! from a page of ours.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    http::{Request, header::SET_COOKIE},
};
use domain::testing::{PASSWORD, add_user};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    browser::Browser,
    server::{Answer, Server, basic, both, sqlite},
};

fn cookies_set(answer: &Answer) -> Vec<String> {
    let set = answer.headers.get_all(SET_COOKIE).iter();
    set.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn harbors_portal_signs_in_and_out() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let mut browser = Browser::new(&server);
        assert_eq!(browser.user().await, None);
        let answer = browser.log_in("alice", PASSWORD).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        assert_eq!(browser.user().await.as_deref(), Some("alice"));

        // What changes something goes on with the token of the last answer, and without one
        // nowhere.
        let project = json!({"project_name": "one"}).to_string();
        let made = browser.send("POST", "/api/v2.0/projects", &project).await;
        assert_eq!(made.status, 201, "{}", made.body);
        browser.token = None;
        let other = json!({"project_name": "two"}).to_string();
        let refused = browser.send("POST", "/api/v2.0/projects", &other).await;
        let told = (403, "FORBIDDEN".to_owned(), "CSRF token not found in request".to_owned());
        assert_eq!(refused.error(), told);
        browser.token = Some("forged".to_owned());
        let refused = browser.send("POST", "/api/v2.0/projects", &other).await;
        assert_eq!(refused.error(), (403, "FORBIDDEN".into(), "CSRF token invalid".into()));
        let path = "/api/v2.0/projects?project_name=two";
        let found = server.ask("admin", "HEAD", path, "").await;
        assert_eq!(found.status, 404, "nothing was done");
        assert_eq!(browser.send("POST", "/api/v2.0/projects", &other).await.status, 201);

        let before = browser.cookie("sid").unwrap().to_owned();
        let answer = browser.send("GET", "/c/log_out", "").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        assert_eq!(browser.cookie("sid"), None);
        browser.set_cookie("sid", &before);
        assert_eq!(browser.user().await, None, "the old cookie opens nothing");
    }
}

#[tokio::test]
async fn wrong_names_and_passwords_begin_no_session() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    let mut browser = Browser::new(&server);
    for (name, password) in [
        ("alice", "Wrong12345"),
        ("nobody", PASSWORD),
        ("", ""),
        ("al%00ice", PASSWORD),
        ("%ff", "x"),
    ] {
        let answer = browser.log_in(name, password).await;
        assert_eq!(answer.code(), (401, "UNAUTHORIZED".into()), "{name}");
        assert_eq!(browser.cookie("sid"), None);
    }
    for body in ["", "principal", "&&&===", "{}", "principal=a&principal=b", "\u{0}"] {
        let answer = browser.send("POST", "/c/login", body).await;
        assert_eq!(answer.status, 401, "{body:?}");
    }
    let long = format!("principal=alice&password={}", "x".repeat(2_000_000));
    assert_eq!(browser.send("POST", "/c/login", &long).await.status, 413);
}

#[tokio::test]
async fn the_cookies_are_kept_from_scripts_and_from_others() {
    let server = sqlite().await;
    for https in [false, true] {
        let mut browser = Browser::new(&server);
        browser.https = https;
        browser.send("POST", "/c/login", "").await;
        let answer = browser.log_in("admin", PASSWORD).await;
        let set = cookies_set(&answer);
        let sid = set.iter().find(|cookie| cookie.starts_with("sid=")).unwrap();
        let csrf = set.iter().find(|cookie| cookie.starts_with("_gorilla_csrf=")).unwrap();
        let secure = if https { "; Secure" } else { "" };
        assert!(sid.ends_with(&format!("; Path=/; HttpOnly; SameSite=Lax{secure}")), "{sid}");
        let attributes = format!("; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age=43200");
        assert!(csrf.ends_with(&attributes), "{csrf}");
        let out = browser.send("GET", "/c/log_out", "").await;
        assert!(cookies_set(&out)[0].starts_with("sid=; Path=/; HttpOnly; SameSite=Lax"));
    }
    let place = domain::testing::sqlite();
    let server = Server::reached_by(place, Some("https://registry.example.org/")).await;
    let answer = Browser::new(&server).send("GET", "/c/log_out", "").await;
    assert!(cookies_set(&answer).iter().all(|cookie| cookie.contains("; Secure")));
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_not_the_one_that_begins() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let mut attacker = Browser::new(&server);
        attacker.log_in("alice", PASSWORD).await;
        let planted = attacker.cookie("sid").unwrap().to_owned();
        let mut victim = Browser::new(&server);
        victim.set_cookie("sid", &planted);
        assert_eq!(victim.log_in("admin", PASSWORD).await.status, 200);
        assert_ne!(victim.cookie("sid"), Some(planted.as_str()));
        assert_eq!(victim.user().await.as_deref(), Some("admin"));
        assert_eq!(attacker.user().await, None, "what the client had before has ended");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_session_only() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    let (mut alice, mut mallory) = (Browser::new(&server), Browser::new(&server));
    alice.log_in("alice", PASSWORD).await;
    mallory.log_in("admin", PASSWORD).await;
    let project = json!({"project_name": "p"}).to_string();
    // Another's token, then another's cookie and token together, as a neighbouring host could
    // plant them.
    let own = alice.cookie("_gorilla_csrf").unwrap().to_owned();
    alice.token = mallory.token.clone();
    let refused = alice.send("POST", "/api/v2.0/projects", &project).await;
    assert_eq!(refused.error().2, "CSRF token invalid");
    let planted = mallory.cookie("_gorilla_csrf").unwrap().to_owned();
    alice.set_cookie("_gorilla_csrf", &planted);
    alice.token = mallory.token.clone();
    let refused = alice.send("POST", "/api/v2.0/projects", &project).await;
    assert_eq!(refused.error().2, "CSRF token invalid");
    assert_ne!(alice.cookie("_gorilla_csrf"), Some(planted.as_str()), "it is replaced");
    assert_ne!(alice.cookie("_gorilla_csrf"), Some(own.as_str()));
    // A token of before the sign-in is stale.
    let stale = Browser::new(&server).send("POST", "/c/login", "").await;
    alice.token = Some(stale.header("x-harbor-csrf-token").to_owned());
    let refused = alice.send("POST", "/api/v2.0/projects", &project).await;
    assert_eq!(refused.error().2, "CSRF token invalid");
    for odd in ["", "A", "====", "AAAA", &"A".repeat(88), &"x".repeat(5000)] {
        alice.token = Some(odd.to_owned());
        let refused = alice.send("POST", "/api/v2.0/projects", &project).await;
        assert_eq!(refused.error().2, "CSRF token invalid", "{odd}");
    }
    assert_eq!(alice.send("POST", "/api/v2.0/projects", &project).await.status, 201);
    // Each answer masks it anew.
    let tokens: Vec<String> = [
        alice.send("GET", "/api/v2.0/users/current", "").await,
        alice.send("GET", "/api/v2.0/users/current", "").await,
    ]
    .map(|answer| answer.header("x-harbor-csrf-token").to_owned())
    .into();
    assert!(!tokens[0].is_empty() && tokens[0] != tokens[1]);
}

#[tokio::test]
async fn clients_without_a_session_are_not_asked_for_tokens() {
    let server = sqlite().await;
    let project = json!({"project_name": "p"}).to_string();
    let answer = server.ask("admin", "POST", "/api/v2.0/projects", &project).await;
    assert_eq!(answer.status, 201);
    assert!(answer.header("x-harbor-csrf-token").is_empty() && cookies_set(&answer).is_empty());
    // With any session's cookie they are, whoever else they say they are.
    let request = |name: &str| {
        Request::post("/api/v2.0/projects")
            .header("authorization", basic("admin", PASSWORD))
            .header("cookie", format!("{name}=x"))
            .body(Body::from(project.clone()))
            .unwrap()
    };
    let refused = server.send(request("sid")).await;
    assert_eq!(refused.error().2, "CSRF token not found in request");
    assert_eq!(server.send(request("side")).await.status, 409);
    // The registry takes no sessions, so it asks for no tokens.
    let mut browser = Browser::new(&server);
    browser.log_in("admin", PASSWORD).await;
    browser.token = None;
    let answer = browser.send("POST", "/v2/p/x/blobs/uploads/", "").await;
    assert_eq!(answer.status, 401);
    assert_eq!(browser.send("GET", "/service/token?service=harbor-registry", "").await.status, 401);
}

/// Asks over a connection of its own who has a session, with one header more; says the status.
async fn who(address: SocketAddr, sid: &str, header: &str) -> u16 {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /api/v2.0/users/current HTTP/1.1\r\nHost: {address}\r\nCookie: sid={sid}\r\n\
         {header}Connection: close\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap()
}

#[tokio::test]
async fn a_page_that_asks_by_itself_keeps_no_session_alive() {
    const HEADERS: [(&str, u16); 5] = [
        ("X-Harbor-No-Session-Renewal: true\r\n", 401),
        ("x-harbor-no-session-renewal: true\r\n", 401),
        ("X-Harbor-No-Session-Renewal: false\r\n", 200),
        ("X-Harbor-No-Session-Renewal: \r\n", 200),
        ("", 200),
    ];
    for server in both().await {
        let address = server.listen().await;
        let mut sessions = Vec::new();
        for (header, in_the_end) in HEADERS {
            let mut browser = Browser::new(&server);
            browser.log_in("admin", PASSWORD).await;
            sessions.push((browser.cookie("sid").unwrap().to_owned(), header, in_the_end));
        }
        // Each page asks every twenty minutes; a session that is not used ends after an hour.
        for _ in 0..2 {
            server.domain.clock.advance(Duration::from_secs(20 * 60));
            for (sid, header, _) in &sessions {
                assert_eq!(who(address, sid, header).await, 200, "{header:?}");
            }
        }
        server.domain.clock.advance(Duration::from_secs(20 * 60));
        for (sid, header, in_the_end) in &sessions {
            assert_eq!(who(address, sid, header).await, *in_the_end, "{header:?}");
        }
    }
}

#[tokio::test]
async fn odd_cookies_are_nobody() {
    let server = sqlite().await;
    let mut browser = Browser::new(&server);
    browser.log_in("admin", PASSWORD).await;
    let sid = browser.cookie("sid").unwrap().to_owned();
    let ask = async |cookie: String| {
        let request = Request::get("/api/v2.0/users/current").header("cookie", cookie);
        server.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!(ask(format!("sid={sid}")).await, 200);
    for odd in ["", "x", &"A".repeat(64), &"A".repeat(20_000), "' OR 1=1 --", "%00", "\u{fc}"] {
        assert_eq!(ask(format!("sid={odd}")).await, 401, "{odd}");
    }
    assert_eq!(ask(format!("sid={}", &sid[1..])).await, 401);
    assert_eq!(ask(format!("sid=x; sid={sid}")).await, 401, "the first one counts");
    assert_eq!(ask(format!("{}sid={sid}", "a=b; ".repeat(500))).await, 401, "too many");
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_it() {
    for server in both().await {
        let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
        let (mut here, mut there) = (Browser::new(&server), Browser::new(&server));
        there.address = "[2001:db8::1]:9";
        here.log_in("alice", PASSWORD).await;
        there.log_in("alice", PASSWORD).await;
        let path = "/api/haven/v1/users/current/sessions";
        let listed = here.send("GET", path, "").await.json();
        let (own, other): (Vec<_>, Vec<_>) =
            listed.as_array().unwrap().iter().partition(|session| session["current"] == true);
        assert_eq!((own.len(), other.len()), (1, 1));
        assert_eq!(own[0]["address"], "192.0.2.1");
        assert_eq!(other[0]["address"], "2001:db8::1");
        assert_eq!(own[0]["agent"], "Browser/1.0");
        assert!(!listed.to_string().contains(here.cookie("sid").unwrap()));

        let unknown = here.send("DELETE", &format!("{path}/999999"), "").await;
        assert_eq!(unknown.code(), (404, "NOT_FOUND".into()));
        let ended = here.send("DELETE", &format!("{path}/{}", other[0]["id"]), "").await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        assert_eq!(there.user().await, None);

        there.log_in("alice", PASSWORD).await;
        assert_eq!(here.send("DELETE", path, "").await.status, 200);
        assert_eq!(there.user().await, None);
        assert_eq!(here.user().await.as_deref(), Some("alice"));

        let of_alice = format!("/api/haven/v1/users/{alice}/sessions");
        let listed = server.get("admin", &of_alice).await.json();
        assert_eq!(listed.as_array().unwrap().len(), 1);
        let one = format!("{of_alice}/{}", listed[0]["id"]);
        add_user(&server.domain, "bob").await;
        for (method, path) in [("GET", &of_alice), ("DELETE", &of_alice), ("DELETE", &one)] {
            assert_eq!(server.ask("bob", method, path, "").await.status, 403);
            assert_eq!(server.ask("", method, path, "").await.status, 401);
        }
        assert_eq!(server.ask("admin", "DELETE", &one, "").await.status, 200);
        assert_eq!(here.user().await, None);
        let unknown = server.get("admin", "/api/haven/v1/users/999/sessions").await;
        assert_eq!(unknown.code(), (404, "NOT_FOUND".into()));
    }
}

async fn set(server: &Server, settings: serde_json::Value) {
    let body = settings.to_string();
    let answer = server.ask("admin", "PUT", "/api/v2.0/configurations", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn people_register_from_the_page_where_that_is_on() {
    for server in both().await {
        let new = |name: &str| {
            let email = format!("{name}@example.org");
            json!({"username": name, "email": email, "password": PASSWORD, "realname": "x"})
                .to_string()
        };
        let mut browser = Browser::new(&server);
        let path = "/api/v2.0/users";
        let exists = async |browser: &mut Browser<'_>, target: &str, value: &str| {
            let form = format!("target={target}&value={value}");
            browser.persist("POST", "/c/userExists", &form).await
        };
        let refused = exists(&mut browser, "username", "admin").await;
        assert_eq!(refused.status, 412);
        assert_eq!(browser.persist("POST", path, &new("alice")).await.status, 401);

        set(&server, json!({"self_registration": true})).await;
        assert_eq!(exists(&mut browser, "username", "admin").await.body, "true");
        assert_eq!(exists(&mut browser, "username", "alice").await.body, "false");
        assert_eq!(exists(&mut browser, "email", "alice%40example.org").await.body, "false");
        assert_eq!(exists(&mut browser, "username", "%00").await.body, "false");
        assert_eq!(exists(&mut browser, "id", "1").await.status, 400);
        let made = browser.persist("POST", path, &new("alice")).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(exists(&mut browser, "email", "alice%40example.org").await.body, "true");
        assert_eq!(browser.log_in("alice", PASSWORD).await.status, 200);
        let shown = browser.send("GET", "/api/v2.0/users/current", "").await.json();
        assert_eq!(shown["sysadmin_flag"], false);

        // Not by a program, which shows no page's token.
        let refused = server.ask("", "POST", path, &new("bob")).await;
        assert_eq!(refused.error().2, "self-registration cannot be triggered via API");
        assert_eq!(server.ask("alice", "POST", path, &new("bob")).await.status, 403);
        set(&server, json!({"self_registration": false})).await;
        let mut other = Browser::new(&server);
        other.send("GET", "/c/log_out", "").await;
        assert_eq!(other.send("POST", path, &new("bob")).await.status, 401);
    }
}
