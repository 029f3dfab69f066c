//! The audit log over HTTP.

use domain::{
    projects::Role,
    testing::{add_project, add_user, join},
};
use serde_json::json;

use crate::server::{Server, both};

async fn fill(server: &Server) {
    add_project(&server.domain, "p", false).await;
    add_project(&server.domain, "q", false).await;
    let alice = add_user(&server.domain, "alice").await;
    let bob = add_user(&server.domain, "bob").await;
    join(&server.domain, "p", &alice, Role::ProjectAdmin).await;
    join(&server.domain, "p", &bob, Role::Maintainer).await;
    for (who, path) in [("alice", "p"), ("admin", "q"), ("admin", "p")] {
        let body = json!({"metadata": {"auto_scan": "true"}}).to_string();
        let path = format!("/api/v2.0/projects/{path}");
        assert_eq!(server.ask(who, "PUT", &path, &body).await.status, 200);
    }
}

/// Who did what to what, of a list, and how many there are.
async fn told(server: &Server, who: &str, path: &str) -> (Vec<String>, String) {
    let answer = server.get(who, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    let items = answer.json();
    let line = |item: &serde_json::Value| {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        let (username, operation) = (text("username"), text("operation"));
        format!("{username} {operation} {} {}", text("resource_type"), text("resource"))
    };
    let lines = items.as_array().unwrap().iter().map(line).collect();
    (lines, answer.header("x-total-count").to_owned())
}

#[tokio::test]
async fn the_log_tells_who_did_what() {
    for server in both().await {
        fill(&server).await;
        let update = "q=operation%3Dupdate,resource_type%3Dproject";
        let path = format!("/api/v2.0/auditlog-exts?{update}");
        let all = ["admin update project p", "admin update project q", "alice update project p"];
        assert_eq!(
            told(&server, "admin", &path).await,
            (all.map(str::to_owned).to_vec(), "3".into())
        );
        let old = format!("/api/v2.0/audit-logs?{update}");
        assert_eq!(told(&server, "admin", &old).await.0, all);
        // Who administers a project reads its log and no other; a maintainer none.
        let own = ["admin update project p", "alice update project p"];
        assert_eq!(told(&server, "alice", &path).await.0, own);
        assert_eq!(told(&server, "bob", &path).await, (vec![], "0".into()));
        for list in ["logs", "auditlog-exts"] {
            let path = format!("/api/v2.0/projects/p/{list}");
            assert_eq!(told(&server, "alice", &format!("{path}?{update}")).await.0, own);
            let first = format!("{path}?{update}&sort=op_time&page_size=1&page=2");
            assert_eq!(told(&server, "alice", &first).await, (vec![own[0].into()], "2".into()));
            assert_eq!(server.get("bob", &path).await.code().0, 403);
            assert_eq!(server.get("", &path).await.code().0, 401);
            let other = format!("/api/v2.0/projects/q/{list}");
            assert_eq!(server.get("alice", &other).await.code().0, 403);
            let nothing = format!("/api/v2.0/projects/nothing/{list}");
            assert_eq!(server.get("alice", &nothing).await.code().0, 403);
            assert_eq!(server.get("admin", &nothing).await.code().0, 404);
        }
        let first = &server.get("admin", &path).await.json()[0];
        assert_eq!(first["operation_result"], true);
        assert_eq!(first["operation_description"], "update project: p");
        assert_eq!(first["op_time"], "2027-01-15T08:00:00.000Z");
        assert!(first.get("address").is_none());
        assert!(server.get("admin", &old).await.json()[0].get("operation_result").is_none());
        for path in ["/api/v2.0/audit-logs", "/api/v2.0/auditlog-exts"] {
            assert_eq!(server.get("", path).await.code().0, 401);
            let bad = format!("{path}?q=op_time%3Dyesterday");
            assert_eq!(server.get("admin", &bad).await.code().0, 400);
            assert_eq!(server.get("admin", &format!("{path}?page_size=101")).await.code().0, 422);
            let links = server.get("admin", &format!("{path}?page_size=1&page=2")).await;
            let link = links.header("link").to_owned();
            assert!(link.contains("rel=\"prev\"") && link.contains("rel=\"next\""), "{link}");
        }
    }
}

#[tokio::test]
async fn what_is_logged_is_told_to_administrators() {
    let [server, _] = both().await;
    add_user(&server.domain, "alice").await;
    let path = "/api/v2.0/auditlog-exts/events";
    let events = server.get("admin", path).await.json();
    let events = events.as_array().unwrap();
    assert!(events.contains(&json!({"event_type": "create_robot"})) && events.len() >= 19);
    assert_eq!(server.get("alice", path).await.code().0, 403);
    assert_eq!(server.get("", path).await.code().0, 401);
}
