//! Settings over HTTP: what is shown and taken, and what takes effect.

use domain::{
    settings::Key,
    testing::{add_project, add_user, eventually, join},
};
use serde_json::{Value, json};

use crate::server::{Server, both, sqlite};

const PATH: &str = "/api/v2.0/configurations";

async fn set(server: &Server, body: &Value) {
    let answer = server.ask("admin", "PUT", PATH, &body.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""), "{body}");
}

#[tokio::test]
async fn what_is_set_is_shown_but_for_secrets() {
    for server in both().await {
        let shown = server.get("admin", PATH).await.json();
        assert_eq!(shown["token_expiration"], json!({"value": 30, "editable": true}));
        assert_eq!(shown["auth_mode"], json!({"value": "db_auth", "editable": true}));
        assert_eq!(shown["read_only"]["value"], false);
        for key in Key::all().filter(|key| key.kind() != domain::settings::Kind::Map) {
            assert_eq!(shown.get(key.name()).is_some(), key.is_shown(), "{}", key.name());
        }
        set(
            &server,
            &json!({
                "token_expiration": 5, "session_timeout": 1e2, "banner_message": "{\"message\":\"ü\"}",
                "oidc_client_secret": "hunter2", "uaa_client_secret": "hunter2",
                "storage_per_project": 1024, "read_only": null, "nothing": {"of": "interest"},
            }),
        )
        .await;
        let shown = server.get("admin", PATH).await;
        assert!(!shown.body.contains("hunter2"));
        let shown = shown.json();
        assert_eq!(shown["token_expiration"]["value"], 5);
        assert_eq!(shown["session_timeout"]["value"], 100);
        assert_eq!(shown["banner_message"]["value"], "{\"message\":\"ü\"}");
        assert_eq!(shown["storage_per_project"]["value"], 1024);
        add_user(&server.domain, "alice").await;
        assert_eq!(server.get("admin", PATH).await.json()["auth_mode"]["editable"], false);
    }
}

#[tokio::test]
async fn what_is_not_allowed_changes_nothing() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    let before = server.get("admin", PATH).await.body;
    for (body, status) in [
        (r#"{"auth_mode":"ldap_auth"}"#, 400),
        (r#"{"auth_mode":"none"}"#, 400),
        (r#"{"token_expiration":0}"#, 400),
        (r#"{"token_expiration":-1,"read_only":true}"#, 400),
        (r#"{"session_timeout":99999999999}"#, 400),
        (r#"{"storage_per_project":0}"#, 400),
        (r#"{"ldap_scope":7}"#, 400),
        (r#"{"ldap_url":" "}"#, 400),
        (r#"{"project_creation_restriction":"'; DROP TABLE users; --"}"#, 400),
        (r#"{"oidc_extra_redirect_parms":"{"}"#, 400),
        (r#"{"skip_audit_log_database":true}"#, 400),
        (r#"{"banner_message":"\u0000"}"#, 400),
        (r#"{"read_only":"true"}"#, 422),
        (r#"{"token_expiration":"5"}"#, 422),
        (r#"{"token_expiration":1.5}"#, 422),
        (r#"{"ldap_url":5}"#, 422),
        (r#"[]"#, 422),
        (r#"{"#, 422),
        ("", 422),
    ] {
        let answer = server.ask("admin", "PUT", PATH, body).await;
        assert_eq!(answer.code().0, status, "{body}: {}", answer.body);
    }
    assert_eq!(server.get("admin", PATH).await.body, before);
    let long = json!({ "banner_message": "x".repeat(100_000) }).to_string();
    assert_eq!(server.ask("admin", "PUT", PATH, &long).await.code().0, 400);
    for (who, status) in [("", 401), ("alice", 403)] {
        assert_eq!(server.get(who, PATH).await.code().0, status);
        assert_eq!(server.ask(who, "PUT", PATH, "{}").await.code().0, status);
        assert_eq!(server.get(who, "/api/v2.0/internalconfig").await.code().0, status);
    }
    assert_eq!(server.get("admin", "/api/v2.0/internalconfig").await.code().0, 403);
}

#[tokio::test]
async fn read_only_keeps_everything_as_it_is() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let alice = add_user(&server.domain, "alice").await;
        join(&server.domain, "p", &alice, domain::projects::Role::Developer).await;
        set(&server, &json!({"read_only": true})).await;
        let denied = (
            403,
            "DENIED".to_owned(),
            "The system is in read only mode. Any modification is prohibited.".to_owned(),
        );
        for (method, path) in [
            ("POST", "/api/v2.0/projects"),
            ("DELETE", "/api/v2.0/projects/p"),
            ("PUT", "/api/v2.0/projects/p"),
            ("POST", "/api/v2.0/users"),
            ("POST", "/v2/p/x/blobs/uploads/"),
            ("PUT", "/v2/p/x/manifests/latest"),
            ("DELETE", "/v2/p/x/manifests/latest"),
        ] {
            for who in ["admin", "alice"] {
                let answer = server.ask(who, method, path, "{}").await;
                assert_eq!(answer.error(), denied, "{method} {path}");
            }
        }
        assert_eq!(server.get("alice", "/api/v2.0/projects").await.status, 200);
        assert_eq!(server.get("alice", "/v2/p/x/tags/list").await.status, 404);
        let token = "/service/token?service=harbor-registry&scope=repository:p/x:pull";
        assert_eq!(server.get("alice", token).await.status, 200);
        assert_eq!(server.get("admin", "/api/v2.0/systeminfo").await.json()["read_only"], true);
        set(&server, &json!({"read_only": false})).await;
        let answer = server.ask("alice", "POST", "/v2/p/x/blobs/uploads/", "").await;
        assert_eq!(answer.status, 202);
    }
}

#[tokio::test]
async fn only_sysadmins_make_projects_when_it_is_so_set() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    set(&server, &json!({"project_creation_restriction": "adminonly"})).await;
    let body = r#"{"project_name":"p"}"#;
    let answer = server.ask("alice", "POST", "/api/v2.0/projects", body).await;
    let expected = (403, "FORBIDDEN".into(), "Only system admin can create project".into());
    assert_eq!(answer.error(), expected);
    assert_eq!(server.ask("admin", "POST", "/api/v2.0/projects", body).await.status, 201);
    eventually(async || server.get("admin", "/api/v2.0/projects/p").await.status == 200).await;
}

#[tokio::test]
async fn tokens_live_as_long_as_set() {
    let server = sqlite().await;
    set(&server, &json!({"token_expiration": 5})).await;
    let path = "/service/token?service=harbor-registry&scope=repository:library/x:pull";
    assert_eq!(server.get("admin", path).await.json()["expires_in"], 300);
}
