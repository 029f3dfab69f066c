//! Ping, health, systeminfo, and what no operation answers.

use axum::{body::Body, http::Request};
use domain::testing::add_user;
use serde_json::json;

use crate::server::{basic, both, sqlite};

#[tokio::test]
async fn ping_pongs() {
    let server = sqlite().await;
    let answer = server.get("", "/api/v2.0/ping").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "Pong"));
    let answer = server.get("", "/api/version").await;
    assert_eq!(answer.json(), json!({"version": "v2.0"}));
}

#[tokio::test]
async fn a_slash_at_the_end_does_not_matter() {
    let server = sqlite().await;
    for path in ["/api/v2.0/ping/", "/api//v2.0///ping//", "/api/version/"] {
        assert_eq!(server.get("", path).await.status, 200, "{path}");
    }
    // In the registry's protocol it does.
    assert_eq!(server.get("admin", "/v2/library/x/tags/list/").await.status, 404);
}

#[tokio::test]
async fn health_tells_of_the_database_and_stays_200() {
    for server in both().await {
        let answer = server.get("", "/api/v2.0/health").await.json();
        assert_eq!(answer["status"], "healthy");
        assert!(answer["components"].as_array().unwrap().iter().all(|c| c["status"] == "healthy"));
        server.domain.db.close().await;
        let answer = server.get("", "/api/v2.0/health").await;
        assert_eq!(answer.status, 200);
        let answer = answer.json();
        assert_eq!(answer["status"], "unhealthy");
        let database = json!({
            "name": "database",
            "status": "unhealthy",
            "error": "the database does not answer",
        });
        assert!(answer["components"].as_array().unwrap().contains(&database));
    }
}

#[tokio::test]
async fn strangers_are_told_less_of_the_system() {
    let server = sqlite().await;
    let answer = server.get("", "/api/v2.0/systeminfo").await.json();
    assert_eq!(answer["auth_mode"], "db_auth");
    assert!(answer.get("harbor_version").is_none() && answer.get("external_url").is_none());
    let answer = server.get("admin", "/api/v2.0/systeminfo").await.json();
    assert_eq!(answer["harbor_version"], "v2.16.0-haven.1.2.3");
    assert_eq!(answer["external_url"], "http://registry.example.org");
    assert_eq!(answer["registry_url"], "registry.example.org");
    assert_eq!(answer["read_only"], false);
}

#[tokio::test]
async fn what_is_not_served_is_said_in_json() {
    let server = sqlite().await;
    for path in ["/api/v2.0/nothing", "/api/v2.0", "/nothing", "/api/v2.0/projects/1/nothing"] {
        assert_eq!(server.get("admin", path).await.code(), (404, "NOT_FOUND".into()), "{path}");
    }
    let answer = server.ask("admin", "PATCH", "/api/v2.0/projects", "").await;
    assert_eq!(answer.code(), (405, "METHOD_NOT_ALLOWED".into()));
    assert!(answer.header("allow").contains("POST"), "{:?}", answer.headers);
    assert!(answer.body.ends_with('\n'));
}

#[tokio::test]
async fn a_wrong_password_counts_as_none_on_the_api() {
    let server = sqlite().await;
    let wrong = basic("admin", "Wrong12345");
    assert_eq!(server.get_as(&wrong, "/api/v2.0/projects").await.status, 200);
    assert_eq!(server.get_as(&wrong, "/api/v2.0/users/current").await.status, 401);
    for nonsense in ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Digest x", "Bearer x", "x"] {
        let answer = server.get_as(nonsense, "/api/v2.0/users/current").await;
        assert_eq!(answer.code(), (401, "UNAUTHORIZED".into()), "{nonsense}");
    }
    let answer = server.get("admin", "/api/v2.0/users/current").await;
    assert_eq!(answer.json()["username"], "admin");
}

#[tokio::test]
async fn without_its_database_it_says_try_again() {
    for server in both().await {
        server.domain.db.close().await;
        let answer = server.get("", "/api/v2.0/projects").await;
        assert_eq!(answer.code(), (503, "SERVICE_UNAVAILABLE".into()));
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
        assert_eq!(server.get("nobody", "/api/v2.0/projects").await.status, 503);
    }
}

#[tokio::test]
async fn bodies_are_bounded_and_must_be_right() {
    let server = sqlite().await;
    let post = |body: String| {
        let server = &server;
        async move { server.ask("admin", "POST", "/api/v2.0/projects", &body).await.code() }
    };
    assert_eq!(post("x".repeat(2 << 20)).await, (413, "REQUEST_ENTITY_TOO_LARGE".into()));
    let deep = format!(r#"{{"project_name":"p","x":{}"#, "[".repeat(100_000));
    for bad in [
        "",
        "null",
        "[]",
        "{",
        "p",
        r#"{"project_name":1}"#,
        r#"{"project_name":"p","metadata":{"public":true}}"#,
        r#"{"project_name":"p","project_name":"q"}"#,
        r#"{"project_name":"p","storage_limit":"1"}"#,
        &deep,
    ] {
        assert_eq!(post(bad.to_owned()).await, (400, "BAD_REQUEST".into()), "{bad:.60}");
    }
    // Who may not is told so before the body is looked at.
    assert_eq!(server.ask("", "POST", "/api/v2.0/projects", "{").await.status, 401);
    let cut = futures_util::stream::iter([
        Ok(bytes::Bytes::from_static(b"{\"project_name\"")),
        Err(std::io::Error::other("gone")),
    ]);
    let request = Request::post("/api/v2.0/projects")
        .header("authorization", basic("admin", domain::testing::PASSWORD))
        .body(Body::from_stream(cut));
    assert_eq!(server.send(request.unwrap()).await.code(), (400, "BAD_REQUEST".into()));
}

#[tokio::test]
async fn admin_gets_its_other_name_from_itself_only() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let path = "/api/internal/renameadmin";
        assert_eq!(server.ask("", "POST", path, "").await.code().0, 401);
        assert_eq!(server.ask("alice", "POST", path, "").await.code().0, 403);
        assert_eq!(server.ask("admin", "POST", path, "").await.status, 200);
        assert_eq!(server.get("admin", "/api/v2.0/users/current").await.status, 401);
        let renamed = server.get("admin@harbor.local", "/api/v2.0/users/current").await.json();
        assert_eq!((&renamed["user_id"], &renamed["sysadmin_flag"]), (&json!(1), &json!(true)));
        assert_eq!(server.ask("admin@harbor.local", "POST", path, "").await.status, 200);
    }
}
