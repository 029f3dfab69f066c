//! Members of projects.

use domain::testing::{add_project, add_user};
use serde_json::json;

use crate::server::both;

#[tokio::test]
async fn members_are_made_shown_changed_and_removed() {
    for server in both().await {
        let id = add_project(&server.domain, "p", false).await;
        let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
        add_user(&server.domain, "bob").await;
        let members = "/api/v2.0/projects/p/members";
        let new = json!({"role_id": 2, "member_user": {"username": "alice"}}).to_string();
        let answer = server.ask("admin", "POST", members, &new).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let location = answer.header("location").to_owned();
        assert!(location.starts_with(members));

        let shown = server.get("alice", &location).await.json();
        assert_eq!(shown["entity_name"], "alice");
        assert_eq!(shown["entity_id"], alice);
        assert_eq!(shown["entity_type"], "u");
        assert_eq!(shown["role_id"], 2);
        assert_eq!(shown["role_name"], "developer");
        assert_eq!(shown["project_id"], id);

        assert_eq!(
            server.ask("admin", "POST", members, &new).await.code(),
            (409, "CONFLICT".into())
        );
        let by_id = json!({"role_id": 5, "member_user": {"user_id": alice + 1}}).to_string();
        assert_eq!(server.ask("admin", "POST", members, &by_id).await.status, 201);
        for (bad, status) in [
            (json!({"role_id": 9, "member_user": {"username": "bob"}}), 400),
            (json!({"role_id": 1}), 400),
            (json!({"role_id": 1, "member_user": {}}), 400),
            (json!({"role_id": 1, "member_user": {"username": "nobody"}}), 404),
            (json!({"role_id": 1, "member_group": {"id": 1}}), 404),
            (json!({"role_id": 0, "member_user": {"username": "bob"}}), 400),
            (json!({"role_id": 101, "member_user": {"username": "bob"}}), 400),
        ] {
            let answer = server.ask("admin", "POST", members, &bad.to_string()).await;
            assert_eq!(answer.status, status, "{bad}");
        }

        let answer = server.get("admin", &format!("{members}?entityname=LI")).await;
        assert_eq!(answer.header("x-total-count"), "1");
        assert_eq!(answer.json()[0], shown);

        let change = json!({"role_id": 4}).to_string();
        assert_eq!(server.ask("admin", "PUT", &location, &change).await.status, 200);
        assert_eq!(server.get("alice", &location).await.json()["role_name"], "maintainer");
        assert_eq!(server.ask("admin", "PUT", &location, "{}").await.status, 400);

        let project = json!(server.get("alice", "/api/v2.0/projects/p").await.status.as_u16());
        assert_eq!(project, 200);
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 200);
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 404);
        assert_eq!(server.get("alice", "/api/v2.0/projects/p").await.status, 403);
        let odd = server.get("admin", "/api/v2.0/projects/p/members/x").await;
        assert_eq!(odd.code(), (422, "UNPROCESSABLE_ENTITY".into()));
    }
}
