//! Personal access tokens and CLI secrets, made in the portal and shown by clients.

use domain::{
    projects::Role,
    testing::{PASSWORD, add_project, add_user, join},
};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    server::{basic, both, sqlite},
};

const PATH: &str = "/api/haven/v1/users/current/tokens";
const SERVICE: &str = "/service/token?service=harbor-registry&offline_token=true";

async fn make(browser: &mut Browser<'_>, new: Value) -> (String, String) {
    let answer = browser.send("POST", PATH, &new.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let location = answer.header("location").to_owned();
    (location, answer.json()["token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_token_serves_wherever_a_password_does() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let alice = add_user(&server.domain, "alice").await;
        join(&server.domain, "p", &alice, Role::Maintainer).await;
        let mut browser = Browser::new(&server);
        browser.log_in("alice", PASSWORD).await;
        let (pull, token) = make(&mut browser, json!({"name": "ci", "scope": "pull"})).await;
        assert!(pull.starts_with(&format!("{PATH}/")), "{pull}");
        let shown = basic("alice", &token);
        let asked = format!("{SERVICE}&scope=repository:p/x:pull,push");
        let answer = server.get_as(&shown, &asked).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.json().get("refresh_token").is_none(), "nothing outlives the token");
        let bearer = format!("Bearer {}", answer.json()["token"].as_str().unwrap());
        for authorization in [&shown, &bearer] {
            assert_eq!(server.get_as(authorization, "/v2/p/x/manifests/y").await.status, 404);
        }
        let direct = format!("Bearer {token}");
        for authorization in [&shown, &direct] {
            let current = server.get_as(authorization, "/api/v2.0/users/current").await;
            assert_eq!(current.json()["username"], "alice");
            let found = server.get_as(authorization, "/api/v2.0/projects/p/repositories").await;
            assert_eq!(found.status, 200);
            let members = server.get_as(authorization, "/api/v2.0/projects/p/members").await;
            assert_eq!(members.code(), (403, "FORBIDDEN".into()), "beyond its scope");
            // It makes no other, and does not see them.
            let own = server.get_as(authorization, PATH).await;
            assert_eq!(own.code(), (403, "FORBIDDEN".into()));
        }

        let listed = browser.send("GET", PATH, "").await.json();
        assert_eq!(listed[0]["name"], "ci");
        assert_eq!(listed[0]["scope"], "pull");
        assert!(listed[0]["last_used"].is_string());
        assert!(!listed.to_string().contains("hvp_"), "it is shown once");

        assert_eq!(browser.send("DELETE", &pull, "").await.status, 200);
        assert_eq!(browser.send("DELETE", &pull, "").await.status, 404);
        assert_eq!(server.get_as(&shown, SERVICE).await.status, 401);
        assert_eq!(server.get_as(&bearer, "/v2/p/x/manifests/y").await.status, 401);
        assert_eq!(server.get_as(&direct, "/api/v2.0/users/current").await.status, 401);
    }
}

#[tokio::test]
async fn administrators_see_and_revoke_those_of_others() {
    let server = sqlite().await;
    let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
    let mut browser = Browser::new(&server);
    browser.log_in("alice", PASSWORD).await;
    let (_, token) = make(&mut browser, json!({"name": "ci", "scope": "all"})).await;
    let path = format!("/api/haven/v1/users/{alice}/tokens");
    let listed = server.get("admin", &path).await.json();
    let one = format!("{path}/{}", listed[0]["id"]);
    add_user(&server.domain, "bob").await;
    for (who, status) in [("", 401), ("bob", 403)] {
        assert_eq!(server.get(who, &path).await.status, status);
        assert_eq!(server.ask(who, "DELETE", &one, "").await.status, status);
    }
    assert_eq!(server.ask("admin", "DELETE", &one, "").await.status, 200);
    assert_eq!(server.get_as(&basic("alice", &token), SERVICE).await.status, 401);
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let server = sqlite().await;
    add_project(&server.domain, "closed", false).await;
    add_user(&server.domain, "alice").await;
    for new in [
        json!({}),
        json!({"name": "a"}),
        json!({"name": "a", "scope": "root"}),
        json!({"name": "", "scope": "all"}),
        json!({"name": "a\u{0}", "scope": "all"}),
        json!({"name": "x".repeat(256), "scope": "all"}),
        json!({"name": "a", "scope": "all", "projects": []}),
        json!({"name": "a", "scope": "all", "projects": ["closed"]}),
        json!({"name": "a", "scope": "all", "projects": ["nothing"]}),
        json!({"name": "a", "scope": "all", "projects": ["x\u{0}"]}),
        json!({"name": "a", "scope": "all", "projects": vec!["library"; 101]}),
        json!({"name": "a", "scope": "all", "expires_at": "2001-01-01T00:00:00Z"}),
        json!({"name": "a", "scope": "all", "expires_at": "tomorrow"}),
        json!({"name": 7, "scope": "all"}),
    ] {
        let answer = server.ask("alice", "POST", PATH, &new.to_string()).await;
        assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{new}: {}", answer.body);
    }
    assert_eq!(server.get("alice", PATH).await.json(), json!([]));
    let good = json!({"name": "a", "scope": "pull", "projects": ["library"]}).to_string();
    assert_eq!(server.ask("alice", "POST", PATH, &good).await.status, 201);
    let taken = server.ask("alice", "POST", PATH, &good).await;
    assert_eq!(taken.code(), (409, "CONFLICT".into()));
    assert_eq!(server.ask("", "POST", PATH, &good).await.status, 401);
}

#[tokio::test]
async fn a_cli_secret_is_for_those_who_have_no_password() {
    let server = sqlite().await;
    let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
    let path = format!("/api/v2.0/users/{alice}/cli_secret");
    let body = json!({"secret": "Secret12345"}).to_string();
    let refused = server.ask("alice", "PUT", &path, &body).await;
    assert_eq!(refused.code(), (412, "PRECONDITION".into()));
    assert_eq!(server.ask("", "PUT", &path, &body).await.status, 401);
    add_user(&server.domain, "bob").await;
    assert_eq!(server.ask("bob", "PUT", &path, &body).await.status, 403);
    let unknown = server.ask("admin", "PUT", "/api/v2.0/users/999/cli_secret", &body).await;
    assert_eq!(unknown.status, 404);
}
