//! Users.

use domain::testing::{PASSWORD, add_user};
use serde_json::json;

use crate::server::{basic, both, sqlite};

fn body(username: &str, email: &str, password: &str) -> String {
    json!({
        "username": username,
        "email": email,
        "realname": "A User",
        "comment": "a comment",
        "password": password,
    })
    .to_string()
}

#[tokio::test]
async fn a_user_is_made_and_shown() {
    for server in both().await {
        let new = body("alice", "alice@example.org", "Alice12345");
        let answer = server.ask("admin", "POST", "/api/v2.0/users", &new).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let location = answer.header("location").to_owned();
        let id: i64 = location.strip_prefix("/api/v2.0/users/").unwrap().parse().unwrap();

        let shown = server.get("admin", &location).await.json();
        assert_eq!(shown["user_id"], id);
        assert_eq!(shown["username"], "alice");
        assert_eq!(shown["email"], "alice@example.org");
        assert_eq!(shown["realname"], "A User");
        assert_eq!(shown["comment"], "a comment");
        assert_eq!(shown["sysadmin_flag"], false);
        assert_eq!(shown["admin_role_in_auth"], false);
        assert!(shown["creation_time"].as_str().unwrap().ends_with('Z'));
        assert!(!shown.to_string().contains("password") && !shown.to_string().contains("argon2"));

        let own = basic("alice", "Alice12345");
        assert_eq!(server.get_as(&own, "/api/v2.0/users/current").await.json(), shown);
        assert_eq!(server.get_as(&own, &location).await.json(), shown);
        assert_eq!(
            server.get_as(&own, "/api/v2.0/users/1").await.code(),
            (403, "FORBIDDEN".into())
        );
        let missing = server.get_as(&own, "/api/v2.0/users/999").await;
        assert_eq!(missing.code(), (403, "FORBIDDEN".into()));
        let missing = server.get("admin", "/api/v2.0/users/999").await;
        assert_eq!(missing.code(), (404, "NOT_FOUND".into()));
        let odd = server.get("admin", "/api/v2.0/users/x").await;
        assert_eq!(odd.code(), (422, "UNPROCESSABLE_ENTITY".into()));

        let again = server.ask("admin", "POST", "/api/v2.0/users", &new).await;
        assert_eq!(again.code(), (409, "CONFLICT".into()));
    }
}

#[tokio::test]
async fn only_a_sysadmin_makes_and_lists_users() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    let new = body("bob", "bob@example.org", PASSWORD);
    for (who, code) in [("", (401, "UNAUTHORIZED")), ("alice", (403, "FORBIDDEN"))] {
        let code = (code.0, code.1.to_owned());
        assert_eq!(server.ask(who, "POST", "/api/v2.0/users", &new).await.code(), code);
        assert_eq!(server.get(who, "/api/v2.0/users").await.code(), code);
    }
    assert_eq!(server.get("", "/api/v2.0/users/current").await.status, 401);
    assert_eq!(server.get("", "/api/v2.0/users/search?username=a").await.status, 401);
    assert_eq!(server.get("", "/api/v2.0/users/1").await.status, 401);
}

#[tokio::test]
async fn null_is_nothing() {
    let server = sqlite().await;
    let new = json!({"username": "alice", "email": "a@example.org", "password": PASSWORD,
        "realname": null, "comment": null});
    assert_eq!(server.ask("admin", "POST", "/api/v2.0/users", &new.to_string()).await.status, 201);
    let new = json!({"username": null, "email": null, "password": null}).to_string();
    let answer = server.ask("admin", "POST", "/api/v2.0/users", &new).await;
    assert_eq!(answer.code(), (400, "BAD_REQUEST".into()));
}

#[tokio::test]
async fn rules_are_told() {
    let server = sqlite().await;
    for (username, email, password) in [
        ("", "a@example.org", PASSWORD),
        ("a,b", "a@example.org", PASSWORD),
        ("a", "nowhere", PASSWORD),
        ("a", "a@example.org", "simple"),
        ("nul\0", "a@example.org", PASSWORD),
    ] {
        let body = body(username, email, password);
        let (status, code, message) =
            server.ask("admin", "POST", "/api/v2.0/users", &body).await.error();
        assert_eq!((status, code.as_str()), (400, "BAD_REQUEST"), "{body}");
        assert!(!message.contains("simple"), "{message}");
    }
}

#[tokio::test]
async fn lists_are_paged() {
    for server in both().await {
        for name in ["alice", "bob", "carol"] {
            add_user(&server.domain, name).await;
        }
        let answer = server.get("admin", "/api/v2.0/users?page_size=3&sort=x").await;
        assert_eq!(answer.header("x-total-count"), "4");
        let next = "</api/v2.0/users?page=2&page_size=3&sort=x>; rel=\"next\"";
        assert_eq!(answer.header("link"), next);
        assert_eq!(answer.json().as_array().unwrap().len(), 3);
        let answer = server.get("admin", "/api/v2.0/users?page=2&page_size=3").await;
        assert_eq!(answer.json()[0]["username"], "carol");
        assert_eq!(answer.header("link"), "</api/v2.0/users?page=1&page_size=3>; rel=\"prev\"");
        let answer = server.get("admin", "/api/v2.0/users?q=username%3D~AR").await;
        assert_eq!(answer.json().as_array().unwrap().len(), 1);
        for bad in ["page_size=101", "page_size=0", "page=-1", "page=x", "page_size=1e9"] {
            let answer = server.get("admin", &format!("/api/v2.0/users?{bad}")).await;
            assert_eq!(answer.code(), (422, "UNPROCESSABLE_ENTITY".into()), "{bad}");
        }
        // Everybody who is known finds names, and no more than names.
        let answer = server.get("alice", "/api/v2.0/users/search?username=o").await;
        let found = answer.json();
        let names: Vec<_> =
            found.as_array().unwrap().iter().map(|u| u["username"].clone()).collect();
        assert_eq!(names, ["bob", "carol"]);
        assert_eq!(found[0].as_object().unwrap().len(), 2);
        let answer = server.get("alice", "/api/v2.0/users/search").await;
        assert_eq!(answer.status, 422);
    }
}
