//! Labels, and artifacts that carry them.

use domain::testing::{add_project, add_user};
use serde_json::{Value, json};

use crate::{
    artifacts::push_image,
    server::{Server, both},
};

const LABELS: &str = "/api/v2.0/labels";

async fn make(server: &Server, label: Value) -> i64 {
    let answer = server.ask("admin", "POST", LABELS, &label.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let location = answer.header("location").to_owned();
    location.strip_prefix("/api/v2.0/labels/").unwrap().parse().unwrap()
}

#[tokio::test]
async fn labels_are_made_listed_changed_and_deleted() {
    for server in both().await {
        let project = add_project(&server.domain, "p", false).await;
        let global = make(
            &server,
            json!({"name": "stable", "color": "#00FF00", "description": "it runs", "scope": "g",
                "project_id": project}),
        )
        .await;
        let own = make(&server, json!({"name": "ours", "scope": "p", "project_id": project})).await;

        let shown = server.get("admin", &format!("{LABELS}/{global}")).await.json();
        assert_eq!(shown["scope"], "g");
        assert!(shown["project_id"].is_null());
        assert_eq!(
            (&shown["color"], &shown["description"]),
            (&json!("#00FF00"), &json!("it runs"))
        );
        let shown = server.get("admin", &format!("{LABELS}/{own}")).await.json();
        assert_eq!((&shown["scope"], &shown["project_id"]), (&json!("p"), &json!(project)));

        let list = async |query: &str| {
            let answer = server.get("admin", &format!("{LABELS}?{query}")).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let labels = answer.json();
            let ids: Vec<i64> =
                labels.as_array().unwrap().iter().map(|l| l["id"].as_i64().unwrap()).collect();
            assert_eq!(answer.header("x-total-count"), ids.len().to_string());
            ids
        };
        assert_eq!(list("scope=g").await, [global]);
        assert_eq!(list(&format!("scope=p&project_id={project}")).await, [own]);
        assert_eq!(list("scope=g&name=TAB").await, [global]);
        assert_eq!(list("scope=g&name=ours").await, [0; 0]);
        assert_eq!(list("scope=g&q=color%3D~ff&sort=-id").await, [global]);
        for (query, message) in [
            ("", "invalid scope: "),
            ("scope=x", "invalid scope: x"),
            ("scope=p", "must with project ID when to query project labels"),
            ("scope=p&project_id=0", "must with project ID when to query project labels"),
        ] {
            let refused = server.get("admin", &format!("{LABELS}?{query}")).await.error();
            assert_eq!(refused, (400, "BAD_REQUEST".into(), message.into()));
        }
        let odd = server.get("admin", &format!("{LABELS}?scope=p&project_id=x")).await;
        assert_eq!(odd.status, 422);

        let path = format!("{LABELS}/{own}");
        let whole = json!({"id": own, "name": "theirs", "color": "red", "scope": "g",
            "project_id": 0, "creation_time": "0001-01-01T00:00:00.000Z"});
        assert_eq!(server.ask("admin", "PUT", &path, &whole.to_string()).await.status, 200);
        let shown = server.get("admin", &path).await.json();
        assert_eq!((&shown["name"], &shown["color"]), (&json!("theirs"), &json!("red")));
        assert_eq!(shown["project_id"], project, "it stays where it is");
        make(&server, json!({"name": "b", "scope": "p", "project_id": project})).await;
        let taken = server.ask("admin", "PUT", &path, r#"{"name":"b"}"#).await;
        assert_eq!(taken.error(), (409, "CONFLICT".into(), "label b already exists".into()));
        for method in ["DELETE", "GET", "PUT", "DELETE"] {
            let answer = server.ask("admin", method, &path, r#"{"name":"c"}"#).await;
            if answer.status != 200 {
                assert_eq!(answer.code(), (404, "NOT_FOUND".into()));
            }
        }
        assert_eq!(server.get("admin", &path).await.code(), (404, "NOT_FOUND".into()));
    }
}

#[tokio::test]
async fn what_is_no_label_is_refused() {
    for server in both().await {
        for (body, expected) in [
            ("", 400),
            ("[]", 400),
            (r#"{"name":"x"}"#, 400),
            (r#"{"name":"x","scope":"x"}"#, 400),
            (r#"{"name":"","scope":"g"}"#, 400),
            (r#"{"name":"x","scope":"p"}"#, 404),
            (r#"{"name":"x","scope":"p","project_id":-1}"#, 404),
            (r#"{"name":"x","scope":"p","project_id":99999999999999999999}"#, 400),
            ("{\"name\":\"\\u0000\",\"scope\":\"g\"}", 400),
            (r#"{"name":1,"scope":"g"}"#, 400),
        ] {
            let answer = server.ask("admin", "POST", LABELS, body).await;
            assert_eq!(answer.status.as_u16(), expected, "{body}: {}", answer.body);
        }
        let whole = server.get("", &format!("{LABELS}?scope=g")).await;
        assert_eq!((whole.status.as_u16(), whole.body.as_str()), (200, "[]"));
        assert_eq!(server.ask("", "POST", LABELS, "{").await.status, 401);
    }
}

#[tokio::test]
async fn an_artifact_carries_the_labels_of_all_and_of_its_project() {
    for server in both().await {
        let project = add_project(&server.domain, "p", false).await;
        let other = add_project(&server.domain, "other", false).await;
        let digest = push_image(&server, "p/a/b", "v1", "one").await;
        let second = push_image(&server, "p/a/b", "v2", "two").await;
        let global = make(&server, json!({"name": "g", "scope": "g"})).await;
        let own = make(&server, json!({"name": "p", "scope": "p", "project_id": project})).await;
        let theirs = make(&server, json!({"name": "o", "scope": "p", "project_id": other})).await;

        let artifacts = "/api/v2.0/projects/p/repositories/a%252Fb/artifacts";
        let labels = format!("{artifacts}/v1/labels");
        let attach = async |path: &str, id: i64| {
            server.ask("admin", "POST", path, &json!({"id": id}).to_string()).await
        };
        assert_eq!(attach(&labels, global).await.status, 200);
        assert_eq!(attach(&format!("{artifacts}/{digest}/labels"), own).await.status, 200);
        assert_eq!(attach(&format!("{artifacts}/{second}/labels"), own).await.status, 200);
        assert_eq!(attach(&labels, own).await.code(), (409, "CONFLICT".into()));
        for nothing in [theirs, 0, 12345] {
            assert_eq!(attach(&labels, nothing).await.code(), (404, "NOT_FOUND".into()));
        }
        let absent = attach(&format!("{artifacts}/v3/labels"), own).await;
        let message = "artifact p/a/b:v3 not found".to_owned();
        assert_eq!(absent.error(), (404, "NOT_FOUND".into(), message));

        let carrying = async |pattern: &str| {
            let answer = server.get("admin", &format!("{artifacts}?q=labels%3D{pattern}")).await;
            answer.header("x-total-count").to_owned()
        };
        assert_eq!(carrying(&format!("({global}%20{own})")).await, "1");
        assert_eq!(carrying(&format!("({own})")).await, "2");
        assert_eq!(carrying(&format!("({own}%20{theirs})")).await, "0");

        let one = format!("{labels}/{global}");
        assert_eq!(server.ask("admin", "DELETE", &one, "").await.status, 200);
        assert_eq!(server.ask("admin", "DELETE", &one, "").await.code().0, 404);
        // Whoever may label here may still not there.
        add_user(&server.domain, "alice").await;
        assert_eq!(server.ask("alice", "POST", &labels, "{}").await.code().0, 403);
        assert_eq!(server.ask("", "POST", &labels, "{}").await.code().0, 401);

        // What carries a label neither keeps it nor is kept by it.
        let gone =
            server.ask("admin", "DELETE", &format!("/v2/p/a/b/manifests/{second}"), "").await;
        assert_eq!(gone.status, 202);
        let gone = server.ask("admin", "DELETE", &format!("{LABELS}/{own}"), "").await;
        assert_eq!(gone.status, 200);
        assert_eq!(carrying(&format!("({own})")).await, "0");
        assert_eq!(server.get("admin", &format!("{artifacts}/v1")).await.status, 200);
    }
}
