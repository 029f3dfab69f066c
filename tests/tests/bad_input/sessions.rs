//! Sessions that somebody else planted, requests that another page sends, forms and addresses
//! that are not as they should be.

use haven_tests::{Answer, Server, content::unique, on_each_setup, portal::Browser};
use serde_json::json;

const MAKE: &str = "/api/v2.0/projects";

async fn signed_in(server: &Server) -> Browser {
    let user = server.admin.user().await;
    let browser = Browser::at(&server.anonymous);
    browser.log_in(user.name(), user.password()).await.expect(200);
    browser
}

fn project() -> serde_json::Value {
    json!({"project_name": unique("project")})
}

#[track_caller]
fn cookie<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let cookies = answer.all("set-cookie");
    let found = cookies.into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no cookie {name}: {}", answer.describe()))
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_taken_over() {
    on_each_setup(async |server| {
        let user = server.admin.user().await;
        let thief = Browser::at(&server.anonymous);
        thief.log_in(user.name(), user.password()).await.expect(200);
        let own = thief.cookie("sid").unwrap();
        let other = server.admin.user().await;
        for planted in [own.as_str(), "x", "00000000000000000000000000000000", "%00", "a b"] {
            let victim = Browser::at(&server.anonymous);
            victim.plant("sid", planted);
            let answer = victim.log_in(other.name(), other.password()).await.expect(200);
            let begun = cookie(&answer, "sid");
            for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(begun.contains(flag), "{begun}");
            }
            let sid = victim.cookie("sid").unwrap();
            assert_ne!(sid, planted);
            let shown = victim.get("/api/v2.0/users/current").await.expect(200).json();
            assert_eq!(shown["username"], other.name());
        }
        // What was there before is not the new user's.
        let late = Browser::at(&server.anonymous);
        late.plant("sid", &own);
        let answer = late.get("/api/v2.0/users/current").await;
        assert!(answer.status == 401 || answer.json()["username"] == user.name());
    })
    .await;
}

#[tokio::test]
async fn what_another_page_sends_is_refused() {
    on_each_setup(async |server| {
        let browser = signed_in(server).await;
        let make = |token: Option<&str>| {
            let request = browser.bare("POST", MAKE).json(&project());
            match token {
                Some(token) => request.header("x-harbor-csrf-token", token),
                None => request,
            }
        };
        // The session alone does nothing, and neither does a token of somebody else's.
        let other = signed_in(server).await;
        let foreign = other.token().unwrap();
        let stale = browser.token().unwrap();
        let short = "AAAA";
        let zeros = "A".repeat(86) + "==";
        let long = "A".repeat(10_000);
        for token in [None, Some(""), Some(short), Some(&*zeros), Some(&*long), Some(&*foreign)] {
            let answer = make(token).send().await.expect(403);
            answer.assert_error_format();
            assert_eq!(answer.json()["errors"][0]["code"], "FORBIDDEN");
        }
        // Its own, more than once, and masked anew by each answer.
        make(Some(&stale)).send().await.expect(201);
        make(Some(&stale)).send().await.expect(201);
        browser.get("/api/v2.0/users/current").await.expect(200);
        assert_ne!(browser.token().unwrap(), stale);
        // Of a session that ended it is worth nothing, also where another one begins.
        browser.get("/c/log_out").await.expect(200);
        let user = server.admin.user().await;
        browser.log_in(user.name(), user.password()).await.expect(200);
        make(Some(&stale)).send().await.expect(403);
        // A form of another page does not sign anybody in.
        let victim = Browser::at(&server.anonymous);
        let form = [("principal", user.name()), ("password", user.password())];
        victim.bare("POST", "/c/login").form(&form).send().await.expect(403);
        // Programs with a password have no cookie, and need no token.
        user.request("POST", MAKE).json(&project()).send().await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn an_ended_session_opens_nothing() {
    on_each_setup(async |server| {
        let browser = signed_in(server).await;
        let before = Browser::at(&server.anonymous);
        before.plant("sid", &browser.cookie("sid").unwrap());
        before.get("/api/v2.0/users/current").await.expect(200);
        browser.get("/c/log_out").await.expect(200);
        before.get("/api/v2.0/users/current").await.expect(401);
        browser.get("/api/v2.0/users/current").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn no_page_sends_a_browser_elsewhere() {
    on_each_setup(async |server| {
        let configuration = json!({
            "auth_mode": "oidc_auth", "oidc_name": "x", "oidc_endpoint": "http://127.0.0.1:1",
            "oidc_client_id": "x", "oidc_client_secret": "x", "oidc_scope": "openid",
        });
        let put = server.admin.request("PUT", "/api/v2.0/configurations");
        put.json(&configuration).send().await.expect(200);
        for elsewhere in [
            "https%3A%2F%2Fexample.org",
            "%2F%2Fexample.org",
            "%2F%5Cexample.org",
            "%5C%2Fexample.org",
            "%2F%09%2Fexample.org",
            "javascript%3Aalert(1)",
            "%2Fx%0D%0ASet-Cookie%3A%20sid%3Dx",
            "%2Fx%00",
        ] {
            let browser = Browser::at(&server.anonymous);
            let path = format!("/c/oidc/login?redirect_url={elsewhere}");
            let answer = browser.get(&path).await.expect(400);
            answer.assert_error_format();
            assert!(answer.maybe("location").is_none());
        }
        for path in [
            "/c/oidc/callback",
            "/c/oidc/callback?code=x&state=y",
            "/c/oidc/callback?error=x&error_description=%3Cscript%3E&state=y",
            "/c/oidc/callback?state=%0d%0a&code=%00",
            "/c/authproxy/redirect?token=x&postURI=%2F%2Fexample.org",
            "/c/oidc/login?source=99999999999999999999",
            "/c/oidc/login?source=x",
        ] {
            let answer = server.anonymous.get(path).await;
            assert!((400..500).contains(&answer.status), "{}", answer.describe());
            answer.assert_error_format();
            assert!(answer.maybe("location").is_none(), "{}", answer.describe());
        }
    })
    .await;
}

#[tokio::test]
async fn odd_forms_are_refused() {
    on_each_setup(async |server| {
        let browser = Browser::at(&server.anonymous);
        browser.get("/c/log_out").await.expect(200);
        for body in [
            "",
            "principal=admin",
            "principal=&password=",
            "principal=admin&password=%00",
            "principal=%ff%fe&password=%ff",
            "principal=*)(uid=*&password=*",
            "principal=admin'--&password='%20OR%20'1'%3D'1",
            "{\"principal\":\"admin\"}",
            "principal[]=admin&password[]=x",
        ] {
            let request = browser.request("POST", "/c/login").body(body.as_bytes().to_vec());
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer = browser.send(request).await;
            assert!([400, 401, 429].contains(&answer.status), "{body}: {}", answer.describe());
            assert!(browser.cookie("sid").is_none());
        }
        let huge = format!("principal=admin&password={}", "a".repeat(900_000));
        let answer = browser.send(browser.request("POST", "/c/login").body(huge)).await;
        assert!([400, 401, 413, 429].contains(&answer.status), "{}", answer.describe());
        for (target, value) in [("", ""), ("password", "x"), ("username", "\0"), ("email", "%")] {
            let form = [("target", target), ("value", value)];
            let answer = browser.send(browser.request("POST", "/c/userExists").form(&form)).await;
            assert!((400..500).contains(&answer.status), "{}", answer.describe());
        }
    })
    .await;
}
