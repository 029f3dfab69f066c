//! People of an OpenID provider over HTTP: a browser that goes there and comes back.

use axum::{body::Body, http::Request};
use domain::testing::{
    add_user,
    outside::{Provider, Proxy, sign_in},
};
use serde_json::json;
use url::Url;

use crate::server::{Answer, Server, basic, both_now, sqlite_now};

/// As much of a browser as the registry sees of one.
struct Browser<'s> {
    server: &'s Server,
    cookies: Vec<(String, String)>,
    csrf: String,
    accept: &'static str,
}

impl<'s> Browser<'s> {
    fn new(server: &'s Server) -> Self {
        Self { server, cookies: Vec::new(), csrf: String::new(), accept: "*/*" }
    }

    async fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "registry.example.org")
            .header("accept", self.accept)
            .header("cookie", cookies.join("; "));
        if !self.csrf.is_empty() {
            request = request.header("x-harbor-csrf-token", &self.csrf);
        }
        let answer = self.server.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(own, _)| own != name);
            if !rest.contains("Max-Age=0") {
                assert!(rest.contains("HttpOnly"), "{cookie:?}");
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        if let Some(token) = answer.headers.get("x-harbor-csrf-token") {
            self.csrf = token.to_str().unwrap().to_owned();
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    /// To the provider and back, as somebody; gives the path of the callback.
    async fn go(&mut self, login: &str, account: &str) -> String {
        let answer = self.get(login).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        let back = sign_in(&Url::parse(answer.header("location")).unwrap(), account).await;
        assert_eq!(back.host_str(), Some("registry.example.org"));
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    async fn name(&mut self) -> String {
        let current = self.get("/api/v2.0/users/current").await;
        if current.status == 200 {
            current.json()["username"].as_str().unwrap().into()
        } else {
            String::new()
        }
    }
}

async fn sign_in_by(server: &Server, provider: &Provider, auto_onboard: bool) {
    let settings = json!({
        "auth_mode": "oidc_auth", "oidc_endpoint": provider.url, "oidc_client_id": "haven",
        "oidc_client_secret": Provider::client_secret().reveal(), "oidc_name": "Provider",
        "oidc_scope": "openid,profile,email,groups,offline_access", "oidc_groups_claim": "groups",
        "oidc_admin_group": "admins", "oidc_user_claim": "preferred_username",
        "oidc_auto_onboard": auto_onboard, "oidc_logout": true,
        "oidc_extra_redirect_parms": r#"{"prompt":"consent"}"#,
    });
    let path = "/api/v2.0/configurations";
    let answer = server.ask("admin", "PUT", path, &settings.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_browser_signs_in_at_the_provider_and_out_again() {
    let provider = Provider::start();
    for server in both_now().await {
        let none = server.get("", "/c/oidc/login").await;
        assert_eq!(none.code(), (412, "PRECONDITION".to_owned()));
        sign_in_by(&server, &provider, true).await;
        let mut browser = Browser::new(&server);
        let back =
            browser.go("/c/oidc/login?redirect_url=%2Fharbor%2Fprojects%3Fx%3D1", "alice").await;
        assert_eq!(browser.name().await, "");
        let answer = browser.get(&back).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (302, "/harbor/projects?x=1")
        );
        assert_eq!(browser.name().await, "alice");
        let current = browser.get("/api/v2.0/users/current").await.json();
        assert_eq!(
            (&current["admin_role_in_auth"], &current["email"]),
            (&json!(true), &json!("alice@example.org"))
        );
        // For docker there is a secret that hangs on no token of the provider.
        let meta = &current["oidc_user_meta"];
        assert_eq!(meta["subiss"], format!("alice{}", provider.url));
        let shown = basic("alice", meta["secret"].as_str().unwrap());
        let token = "/service/token?service=harbor-registry&scope=repository:library/x:pull";
        assert_eq!(server.get_as(&shown, token).await.status, 200);
        assert_eq!(server.get_as(&basic("alice", "x"), token).await.status, 401);
        let seen = server.get("admin", &format!("/api/v2.0/users/{}", current["user_id"])).await;
        assert!(seen.json().get("oidc_user_meta").is_none(), "{}", seen.body);
        // The same again lets nobody in.
        let mut thief = Browser::new(&server);
        thief.cookies.clone_from(&browser.cookies);
        assert_eq!(thief.get(&back).await.code().0, 400);
        let answer = browser.get("/c/oidc/logout").await;
        assert_eq!(answer.status, 302);
        assert!(
            answer.header("location").starts_with(&provider.url),
            "{}",
            answer.header("location")
        );
        assert_eq!(browser.name().await, "");
        assert_eq!(Browser::new(&server).get("/c/oidc/logout").await.header("location"), "/");
    }
}

#[tokio::test]
async fn somebody_new_chooses_a_name_on_the_page_for_it() {
    let provider = Provider::start();
    for server in both_now().await {
        add_user(&server.domain, "taken").await;
        let source = json!({
            "name": "Provider", "type": "oidc", "secret": Provider::client_secret().reveal(),
            "settings": {
                "endpoint": provider.url, "client_id": "haven", "user_claim": "name",
                "scope": "openid,profile,email",
            },
        });
        let path = "/api/haven/v1/identity-sources";
        assert_eq!(server.ask("admin", "POST", path, &source.to_string()).await.status, 201);
        let mut browser = Browser::new(&server);
        let back = browser.go("/c/oidc/login?source=1&redirect_url=/x", "carol").await;
        let answer = browser.get(&back).await;
        let expected = "/oidc-onboard?username=Carol_Space&redirect_url=%2Fx";
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, expected));
        assert_eq!(browser.name().await, "");
        for (body, status) in [
            ("", 400),
            (r#"["other"]"#, 400),
            ("{}", 400),
            (r#"{"username":"a$b"}"#, 400),
            (r#"{"username":"*)(uid=*"}"#, 200),
            (r#"{"username":"other"}"#, 400),
        ] {
            let answer = browser.send("POST", "/c/oidc/onboard", body).await;
            assert_eq!(answer.status, status, "{body}: {}", answer.body);
        }
        assert_eq!(browser.name().await, "*)(uid=*");
        let mut again = Browser::new(&server);
        let back = again.go("/c/oidc/login?source=1", "carol").await;
        assert_eq!(again.get(&back).await.header("location"), "/");
        assert_eq!(again.name().await, "*)(uid=*");

        let mut other = Browser::new(&server);
        let back = other.go("/c/oidc/login", "bob").await;
        other.get(&back).await;
        let answer = other.send("POST", "/c/oidc/onboard", r#"{"username":"taken"}"#).await;
        assert_eq!(answer.code(), (409, "CONFLICT".to_owned()));
        other.csrf = String::new();
        let answer = other.send("POST", "/c/oidc/onboard", r#"{"username":"bob"}"#).await;
        assert_eq!(answer.code(), (403, "FORBIDDEN".to_owned()));
    }
}

#[tokio::test]
async fn what_comes_back_from_elsewhere_is_not_believed() {
    let provider = Provider::start();
    let server = sqlite_now().await;
    sign_in_by(&server, &provider, true).await;
    let mut browser = Browser::new(&server);
    for elsewhere in [
        "//evil.example.org",
        "https:%2F%2Fevil.example.org",
        "%2F%5Cevil",
        "%2F%2Fevil",
        "%2Fx%0d%0aSet-Cookie:%20sid=1",
        "javascript:alert(1)",
        "evil",
        "%2F%09%2Fevil",
    ] {
        let answer = browser.get(&format!("/c/oidc/login?redirect_url={elsewhere}")).await;
        let expected = (400, "BAD_REQUEST".into(), "cannot redirect to other site".into());
        assert_eq!(answer.error(), expected, "{elsewhere}");
    }
    assert_eq!(browser.get("/c/oidc/login?source=x").await.code().0, 400);
    assert_eq!(browser.get("/c/oidc/login?source=7").await.code().0, 412);
    let back = browser.go("/c/oidc/login", "bob").await;
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    for wrong in [
        "/c/oidc/callback".to_owned(),
        "/c/oidc/callback?code=x".to_owned(),
        "/c/oidc/callback?state=x&code=x".to_owned(),
        format!("/c/oidc/callback?state={}&code=x", "%0d%0a".repeat(10)),
        format!("/c/oidc/callback?state={}", "x".repeat(5000)),
    ] {
        let answer = browser.get(&wrong).await;
        let expected = (400, "BAD_REQUEST".into(), "State mismatch".into());
        assert_eq!(answer.error(), expected, "{wrong:.60}");
    }
    // Another browser brings what is this one's.
    let stolen = Browser::new(&server).get(&back).await;
    assert_eq!(stolen.code().0, 400);
    let denied =
        format!("/c/oidc/callback?state={state}&error=access_denied&error_description=%0d%0ano");
    let (status, _, message) = browser.get(&denied).await.error();
    assert_eq!(
        (status, message.as_str()),
        (400, "OIDC callback returned error: access_denied - no")
    );
    // That was the end of the attempt.
    assert_eq!(browser.get(&back).await.code().0, 400);
    assert_eq!(browser.name().await, "");
}

#[tokio::test]
async fn who_looks_at_a_page_is_led_to_where_they_can_try_again() {
    let mut provider = Provider::start();
    let server = sqlite_now().await;
    sign_in_by(&server, &provider, true).await;
    let mut browser = Browser::new(&server);
    browser.accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let back = browser.go("/c/oidc/login", "nobody").await;
    provider.stop();
    for path in [back.as_str(), "/c/oidc/callback?state=x&code=y", "/c/oidc/login?source=x"] {
        let answer = browser.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (302, "/sign-in?failed=provider"),
            "{path}"
        );
    }
    assert_eq!(browser.name().await, "");
}

#[tokio::test]
async fn a_name_of_the_provider_is_sent_there() {
    let provider = Provider::start();
    let server = sqlite_now().await;
    sign_in_by(&server, &provider, true).await;
    let mut browser = Browser::new(&server);
    let back = browser.go("/c/oidc/login", "bob").await;
    browser.get(&back).await;
    let mut other = Browser::new(&server);
    other.get("/c/oidc/logout").await;
    for name in ["bob", "nobody"] {
        let form = format!("principal={name}&password=x");
        let answer = other.send("POST", "/c/login", &form).await;
        assert_eq!(answer.status, 403, "{name}: {}", answer.body);
        let there = answer.json()["redirect_location"].as_str().unwrap().to_owned();
        assert_eq!(there, "http://registry.example.org/c/oidc/login");
    }
    assert_eq!(other.send("POST", "/c/login", "principal=admin&password=x").await.status, 401);
}

#[tokio::test]
async fn a_browser_comes_from_a_proxy() {
    let proxy = Proxy::start().await;
    let server = sqlite_now().await;
    let path = "/c/authproxy/redirect?token=of-alice&postURI=";
    assert_eq!(server.get("", path).await.code(), (412, "PRECONDITION".to_owned()));
    let settings = json!({
        "auth_mode": "http_auth", "http_authproxy_endpoint": format!("{}/login", proxy.url),
        "http_authproxy_tokenreview_endpoint": format!("{}/review", proxy.url),
    });
    let answer =
        server.ask("admin", "PUT", "/api/v2.0/configurations", &settings.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for (wanted, gone) in
        [("/harbor", "/harbor"), ("//evil", "/"), ("https://evil", "/"), ("", "/")]
    {
        let mut browser = Browser::new(&server);
        let answer = browser.get(&format!("{path}{wanted}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, gone));
        assert_eq!(browser.name().await, "alice");
    }
    let mut browser = Browser::new(&server);
    let answer = browser.get("/c/authproxy/redirect?token=nonsense&postURI=/harbor").await;
    assert_eq!(answer.header("location"), "/");
    assert_eq!(browser.name().await, "");
    let bearer = server.get_as("Bearer of-alice", "/api/v2.0/users/current").await;
    assert_eq!(bearer.json()["username"], "alice");
    assert_eq!(server.get_as("Bearer x", "/api/v2.0/users/current").await.status, 401);
}
