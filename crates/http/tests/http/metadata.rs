//! What is set for a project, one by one; what there is in it; whether it can be deleted.

use domain::{
    projects::Role,
    testing::{add_project, add_user, join, robot_of},
};
use serde_json::json;

use crate::server::{Server, both};

const ALL: &str = "/api/v2.0/projects/p/metadatas/";

async fn fill(server: &Server) {
    add_project(&server.domain, "p", true).await;
    for (name, role) in [
        ("alice", Role::ProjectAdmin),
        ("bob", Role::Maintainer),
        ("carol", Role::Developer),
        ("dave", Role::LimitedGuest),
    ] {
        join(&server.domain, "p", &add_user(&server.domain, name).await, role).await;
    }
}

#[tokio::test]
async fn metadata_are_set_one_by_one() {
    for server in both().await {
        fill(&server).await;
        let ask = async |who: &str, method: &str, path: &str, body: serde_json::Value| {
            let path = format!("{ALL}{path}");
            server.ask(who, method, &path, &body.to_string()).await
        };
        // No role lists them all, only a sysadmin may.
        assert_eq!(server.get("alice", ALL).await.code().0, 403);
        assert_eq!(server.get("admin", ALL).await.json(), json!({"public": "true"}));
        assert_eq!(server.get("admin", ALL.trim_end_matches('/')).await.status, 200);

        let answer = ask("alice", "POST", "", json!({"severity": "High"})).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        let answer = ask("alice", "POST", "", json!({"severity": "low"})).await;
        assert_eq!(answer.code(), (409, "CONFLICT".into()));
        assert_eq!(
            server.get("bob", &format!("{ALL}severity")).await.json(),
            json!({"severity": "high"})
        );
        assert_eq!(server.get("bob", &format!("{ALL}auto_scan")).await.json(), json!({}));
        assert_eq!(server.get("carol", &format!("{ALL}severity")).await.code().0, 403);
        let answer = ask("alice", "PUT", "auto_scan", json!({"auto_scan": "true", "x": "y"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(ask("alice", "PUT", "public", json!({"public": "false"})).await.status, 200);
        assert_eq!(server.get("", "/api/v2.0/projects/p").await.status, 401);
        assert_eq!(ask("alice", "DELETE", "severity", json!(null)).await.status, 200);
        let set = json!({"public": "false", "auto_scan": "true"});
        assert_eq!(server.get("admin", ALL).await.json(), set);
        assert_eq!(server.get("alice", "/api/v2.0/projects/p").await.json()["metadata"], set);

        for (method, path, body, message) in [
            ("POST", "", json!({}), "only allow one key/value pair"),
            (
                "POST",
                "",
                json!({"auto_scan": "1", "severity": "low"}),
                "only allow one key/value pair",
            ),
            ("POST", "", json!({"nonsense": "x"}), "invalid key: nonsense"),
            ("POST", "", json!({"retention_id": "1"}), "invalid key: retention_id"),
            ("PUT", "severity", json!({"severity": "worst"}), "invalid value: worst"),
            ("PUT", "severity", json!({}), "invalid value: "),
            ("PUT", "nonsense", json!({"nonsense": "x"}), "invalid key: nonsense"),
            ("DELETE", "nonsense", json!(null), "invalid key: nonsense"),
        ] {
            let answer = ask("alice", method, path, body.clone()).await;
            assert_eq!(answer.error(), (400, "BAD_REQUEST".into(), message.into()), "{body}");
        }
        for (who, status) in [("bob", 403), ("", 401)] {
            for (method, path) in [("POST", ""), ("PUT", "severity"), ("DELETE", "severity")] {
                let answer = ask(who, method, path, json!({"severity": "low"})).await;
                assert_eq!(answer.code().0, status, "{who} {method}");
            }
        }
        let nothing = server.get("admin", "/api/v2.0/projects/nothing/metadatas/").await;
        assert_eq!(nothing.code(), (404, "NOT_FOUND".into()));
    }
}

#[tokio::test]
async fn a_summary_tells_as_much_as_one_may_know() {
    for server in both().await {
        fill(&server).await;
        let path = "/api/v2.0/projects/p/summary";
        let full = json!({"repo_count": 0, "project_admin_count": 2, "maintainer_count": 1,
            "developer_count": 1, "limited_guest_count": 1,
            "quota": {"hard": {"storage": -1}, "used": {"storage": 0}}});
        for who in ["admin", "alice", "carol"] {
            assert_eq!(server.get(who, path).await.json(), full, "{who}");
        }
        let some = json!({"repo_count": 0, "quota": full["quota"]});
        assert_eq!(server.get("dave", path).await.json(), some);
        assert_eq!(server.get("", path).await.json(), json!({"repo_count": 0}));
        assert_eq!(server.get("admin", "/api/v2.0/projects/nothing/summary").await.code().0, 404);
    }
}

#[tokio::test]
async fn a_project_tells_whether_it_can_be_deleted() {
    for server in both().await {
        fill(&server).await;
        let path = "/api/v2.0/projects/p/_deletable";
        assert_eq!(server.get("alice", path).await.json(), json!({"deletable": true}));
        assert_eq!(server.get("bob", path).await.code().0, 403);
        robot_of(&server.domain, Some("p"), "ci", &["repository:pull"]).await;
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let push = format!("/v2/p/x/blobs/uploads/?digest={digest}");
        assert_eq!(server.ask("alice", "POST", &push, "").await.status, 201);
        let message = "the project contains repositories, can not be deleted";
        let kept = json!({"deletable": false, "message": message});
        assert_eq!(server.get("alice", path).await.json(), kept);
        let refused = server.ask("alice", "DELETE", "/api/v2.0/projects/p", "").await;
        assert_eq!(refused.error(), (412, "PRECONDITION".into(), message.into()));
    }
}
