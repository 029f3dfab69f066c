//! Projects.

use axum::{body::Body, http::Request};
use domain::testing::{PASSWORD, add_project, add_user};
use serde_json::json;

use crate::server::{basic, both, sqlite};

const PROJECTS: &str = "/api/v2.0/projects";

#[tokio::test]
async fn a_project_is_made_shown_changed_and_deleted() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let new = json!({"project_name": "p", "metadata": {"public": "true", "auto_scan": "true"},
            "storage_limit": -1, "registry_id": null,
            "cve_allowlist": {"items": [{"cve_id": "CVE-1"}], "expires_at": 1800000000}});
        let answer = server.ask("alice", "POST", PROJECTS, &new.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let location = answer.header("location").to_owned();
        let id: i64 = location.strip_prefix("/api/v2.0/projects/").unwrap().parse().unwrap();

        let shown = server.get("alice", &location).await.json();
        assert_eq!(shown["project_id"], id);
        assert_eq!(shown["name"], "p");
        assert_eq!(shown["owner_name"], "alice");
        assert_eq!(shown["repo_count"], 0);
        assert_eq!(shown["metadata"], json!({"public": "true", "auto_scan": "true"}));
        assert_eq!(shown["current_user_role_id"], 1);
        assert_eq!(shown["current_user_role_ids"], json!([1]));
        assert_eq!(shown["cve_allowlist"]["items"], json!([{"cve_id": "CVE-1"}]));
        assert_eq!(shown["cve_allowlist"]["project_id"], id);
        assert_eq!(shown["cve_allowlist"]["expires_at"], 1_800_000_000);
        assert_eq!(shown["togglable"], true);
        assert_eq!(server.get("alice", "/api/v2.0/projects/p").await.json(), shown);
        let anonymous = server.get("", "/api/v2.0/projects/p").await.json();
        assert_eq!(anonymous["name"], "p");
        assert!(anonymous.get("current_user_role_id").is_none());

        // What is shown can be sent back.
        assert_eq!(server.ask("alice", "PUT", &location, &shown.to_string()).await.status, 200);
        let change = json!({"metadata": {"public": "false", "severity": "high"},
            "cve_allowlist": {"items": []}})
        .to_string();
        assert_eq!(server.ask("alice", "PUT", &location, &change).await.status, 200);
        let shown = server.get("alice", &location).await.json();
        let metadata = json!({"public": "false", "auto_scan": "true", "severity": "high"});
        assert_eq!(shown["metadata"], metadata);
        assert_eq!(shown["cve_allowlist"]["items"], json!([]));
        for bad in [
            json!({"cve_allowlist": {"project_id": id + 1, "items": []}}),
            json!({"cve_allowlist": {"items": [{"cve_id": "x"}, {"cve_id": "x"}]}}),
            json!({"metadata": {"retention_id": "7"}}),
            json!({"metadata": {"severity": "worst"}}),
        ] {
            let answer = server.ask("alice", "PUT", &location, &bad.to_string()).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{bad}");
        }
        assert_eq!(server.get("", &location).await.status, 401);

        let again = server.ask("admin", "POST", PROJECTS, r#"{"project_name":"p"}"#).await;
        assert_eq!(again.code(), (409, "CONFLICT".into()));
        assert_eq!(server.ask("alice", "DELETE", &location, "").await.status, 200);
        assert_eq!(server.get("alice", &location).await.status, 403);
        assert_eq!(server.get("admin", &location).await.code(), (404, "NOT_FOUND".into()));
    }
}

#[tokio::test]
async fn what_this_version_does_not_do_is_refused() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    for (body, code) in [
        (json!({"project_name": "p", "storage_limit": -2}), "BAD_REQUEST"),
        (json!({"project_name": "p", "storage_limit": 1125899906842625_i64}), "BAD_REQUEST"),
        (json!({"project_name": "p", "registry_id": 1}), "UNSUPPORTED"),
        (json!({"project_name": "p", "cve_allowlist": {"items": [{"cve_id": ""}]}}), "BAD_REQUEST"),
        (json!({"project_name": "P"}), "BAD_REQUEST"),
        (json!({"project_name": "a/b"}), "BAD_REQUEST"),
        (json!({"project_name": ""}), "BAD_REQUEST"),
        (json!({}), "BAD_REQUEST"),
        (json!({"project_name": "p", "metadata": {"public": "yes"}}), "BAD_REQUEST"),
        (json!({"project_name": "p", "metadata": {"auto_scan": "perhaps"}}), "BAD_REQUEST"),
    ] {
        let answer = server.ask("admin", "POST", PROJECTS, &body.to_string()).await;
        assert_eq!(answer.code(), (400, code.into()), "{body}");
    }
    // Which retention policy a project has is not said by who makes it.
    let body = json!({"project_name": "m", "metadata": {"retention_id": "1"}}).to_string();
    assert_eq!(server.ask("admin", "POST", PROJECTS, &body).await.status, 201);
    let made = server.get("admin", &format!("{PROJECTS}/m")).await.json();
    assert_eq!(made["metadata"]["retention_id"], json!(null));
    // Who is no sysadmin gets the default limit, whatever it asks for; null is nothing;
    // and what was once outside of the metadata still counts.
    let proxy = json!({"project_name": "p", "registry_id": 1}).to_string();
    let expected = "Only system admin can create proxy cache project".to_owned();
    let answer = server.ask("alice", "POST", PROJECTS, &proxy).await;
    assert_eq!(answer.error(), (403, "FORBIDDEN".into(), expected));
    let body = json!({"project_name": "p", "storage_limit": 1000, "public": true,
        "metadata": {"auto_scan": null, "severity": "", "proxy_speed_kb": "3", "nonsense": "x"}});
    assert_eq!(server.ask("alice", "POST", PROJECTS, &body.to_string()).await.status, 201);
    let shown = server.get("alice", "/api/v2.0/projects/p").await.json();
    assert_eq!(shown["metadata"], json!({"public": "true"}));
}

#[tokio::test]
async fn head_tells_only_who_may_know() {
    let server = sqlite().await;
    add_project(&server.domain, "closed", false).await;
    add_user(&server.domain, "alice").await;
    let head = |who: &'static str, name: &'static str| {
        let server = &server;
        let path = format!("{PROJECTS}?project_name={name}");
        async move { server.ask(who, "HEAD", &path, "").await.status.as_u16() }
    };
    assert_eq!((head("admin", "closed").await, head("admin", "nothing").await), (200, 404));
    assert_eq!((head("alice", "closed").await, head("alice", "nothing").await), (403, 403));
    assert_eq!((head("", "closed").await, head("", "nothing").await), (401, 401));
    assert_eq!(head("", "library").await, 200);
    assert_eq!(server.ask("admin", "HEAD", PROJECTS, "").await.status, 422);
}

#[tokio::test]
async fn digits_are_a_number_unless_the_client_says_otherwise() {
    let server = sqlite().await;
    add_project(&server.domain, "2026", false).await;
    assert_eq!(server.get("admin", "/api/v2.0/projects/2026").await.status, 404);
    let by_name = Request::get("/api/v2.0/projects/2026")
        .header("authorization", basic("admin", PASSWORD))
        .header("x-is-resource-name", "true")
        .body(Body::empty());
    assert_eq!(server.send(by_name.unwrap()).await.json()["name"], "2026");
    let new = Request::post(PROJECTS)
        .header("authorization", basic("admin", PASSWORD))
        .header("x-resource-name-in-location", "true")
        .body(Body::from(r#"{"project_name":"p"}"#));
    assert_eq!(server.send(new.unwrap()).await.header("location"), "/api/v2.0/projects/p");
}

#[tokio::test]
async fn lists_hide_what_is_closed() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        add_project(&server.domain, "closed", false).await;
        add_project(&server.domain, "open", true).await;
        let names = |who: &'static str, query: &'static str| {
            let server = &server;
            async move {
                let answer = server.get(who, &format!("{PROJECTS}{query}")).await;
                assert_eq!(answer.status, 200);
                let names: Vec<String> = (answer.json().as_array().unwrap().iter())
                    .map(|project| project["name"].as_str().unwrap().to_owned())
                    .collect();
                (names.join(" "), answer.header("x-total-count").to_owned())
            }
        };
        assert_eq!(names("", "").await, ("library open".into(), "2".into()));
        assert_eq!(names("alice", "").await, ("library open".into(), "2".into()));
        assert_eq!(names("admin", "").await, ("closed library open".into(), "3".into()));
        assert_eq!(names("admin", "?name=o").await, ("closed open".into(), "2".into()));
        assert_eq!(names("admin", "?public=false").await, ("closed".into(), "1".into()));
        assert_eq!(names("admin", "?sort=-name&page_size=2").await.0, "open library");
        assert_eq!(names("admin", "?owner=alice").await.0, "");
        let odd = server.get("admin", "/api/v2.0/projects?public=perhaps").await;
        assert_eq!(odd.code(), (422, "UNPROCESSABLE_ENTITY".into()));
    }
}
