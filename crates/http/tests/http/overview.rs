//! What an installation looks like at a glance.

use domain::{
    projects::Role,
    testing::{add_project, add_user, join},
};
use serde_json::json;

use crate::server::both;

#[tokio::test]
async fn totals_are_an_administrators_to_know() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        add_user(&server.domain, "alice").await;
        let path = "/api/haven/v1/totals";
        let found = server.get("admin", path).await.json();
        let expected = json!({
            "projects": 2, "public_projects": 1, "repositories": 0, "artifacts": 0, "users": 2,
            "stored": 0,
        });
        assert_eq!(found, expected);
        assert_eq!(server.get("alice", path).await.status, 403);
        assert_eq!(server.get("", path).await.status, 401);
    }
}

#[tokio::test]
async fn everybody_may_ask_what_was_pushed_last() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let path = "/api/haven/v1/artifacts/newest";
        for who in ["admin", "alice", ""] {
            let found = server.get(who, path).await;
            assert_eq!((found.status.as_u16(), found.body.as_str()), (200, "[]"), "{who}");
        }
        for (limit, status) in [("1", 200), ("100", 200), ("", 200), ("0", 400), ("101", 400)] {
            let asked = server.get("admin", &format!("{path}?limit={limit}")).await;
            assert_eq!(asked.status, status, "{limit}: {}", asked.body);
        }
        for limit in ["-1", "x", "99999999999999999999"] {
            let asked = server.get("admin", &format!("{path}?limit={limit}")).await;
            assert_eq!(asked.status, 422, "{limit}: {}", asked.body);
        }
    }
}

#[tokio::test]
async fn failed_jobs_are_asked_for_by_days() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let path = "/api/haven/v1/jobs/failed";
        assert_eq!(server.get("admin", path).await.body, "[]");
        assert_eq!(server.get("alice", path).await.status, 403);
        assert_eq!(server.get("", path).await.status, 401);
        for (query, status) in [
            ("days=1&limit=1", 200),
            ("days=365&limit=100", 200),
            ("days=0", 400),
            ("days=366", 400),
            ("limit=0", 400),
            ("limit=101", 400),
            ("limit=-1", 400),
            ("days=-1", 422),
            ("days=x", 422),
        ] {
            let asked = server.get("admin", &format!("{path}?{query}")).await;
            assert_eq!(asked.status, status, "{query}: {}", asked.body);
        }
    }
}

#[tokio::test]
async fn a_user_asks_for_what_moves_in_its_own_projects() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let alice = add_user(&server.domain, "alice").await;
        join(&server.domain, "p", &alice, Role::Guest).await;
        let path = "/api/haven/v1/users/current/activity";
        let asked = format!("{path}?from=2026-11-25T00:00:00Z&to=2026-11-26T00:00:00Z");
        let found = server.get("alice", &asked).await.json();
        assert_eq!(found.as_array().unwrap().len(), 24);
        let empty = json!({
            "from": "2026-11-25T00:00:00.000Z", "pushes": 0, "pulls": 0, "deletes": 0,
        });
        assert_eq!(found[0], empty);
        assert_eq!(server.get("", path).await.status, 401);
        for wrong in ["bucket=year", "from=x", "from=2026-11-26T00:00:00Z&to=2026-11-25T00:00:00Z"]
        {
            assert_eq!(
                server.get("alice", &format!("{path}?{wrong}")).await.status,
                400,
                "{wrong}"
            );
        }
    }
}
