//! Quotas over the API.

use domain::testing::{add_project, add_user};
use serde_json::{Value, json};

use crate::server::both;

const QUOTAS: &str = "/api/v2.0/quotas";
const FOUND: &str = "/api/haven/v1/quotas";

#[tokio::test]
async fn a_quota_is_given_with_the_project_shown_and_set() {
    for server in both().await {
        let body = r#"{"project_name":"p","storage_limit":1000}"#;
        let made = server.ask("admin", "POST", "/api/v2.0/projects", body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let id = made.header("location").rsplit('/').next().unwrap().to_owned();

        let listed = server.get("admin", &format!("{QUOTAS}?reference_id={id}")).await;
        assert_eq!(listed.header("x-total-count"), "1");
        let quota = listed.json()[0].clone();
        let number: i64 = id.parse().unwrap();
        assert_eq!(quota["ref"], json!({"id": number, "name": "p", "owner_name": "admin"}));
        assert_eq!(quota["hard"], json!({"storage": 1000}));
        assert_eq!(quota["used"], json!({"storage": 0}));
        let one = format!("{QUOTAS}/{}", quota["id"]);
        assert_eq!(server.get("admin", &one).await.json(), quota);
        let summary = server.get("admin", "/api/v2.0/projects/p/summary").await.json();
        assert_eq!(summary["quota"], json!({"hard": quota["hard"], "used": quota["used"]}));

        let set = server.ask("admin", "PUT", &one, r#"{"hard":{"storage":2000}}"#).await;
        assert_eq!(set.status, 200, "{}", set.body);
        assert_eq!(server.get("admin", &one).await.json()["hard"]["storage"], 2000);
        for (body, message) in [
            ("{}", "hard required in body"),
            (r#"{"hard":{}}"#, "hard required in body"),
            (r#"{"hard":{"count":1}}"#, "resource count not support"),
            (r#"{"hard":{"storage":0}}"#, "invalid non-positive value for quota limit, value=0"),
        ] {
            let refused = server.ask("admin", "PUT", &one, body).await;
            assert_eq!(refused.error(), (400, "BAD_REQUEST".into(), message.into()), "{body}");
        }
        let nothing = format!("{QUOTAS}/99999");
        assert_eq!(server.get("admin", &nothing).await.code(), (404, "NOT_FOUND".into()));
        let body = r#"{"hard":{"storage":1}}"#;
        assert_eq!(server.ask("admin", "PUT", &nothing, body).await.code().0, 404);
        let names = async |query: &str| {
            let found = server.get("admin", &format!("{QUOTAS}?{query}")).await.json();
            let names = found.as_array().unwrap().iter().map(|quota| quota["ref"]["name"].clone());
            names.collect::<Vec<Value>>()
        };
        assert_eq!(names("reference=project&sort=hard.storage").await, ["p", "library"]);
        assert_eq!(names("sort=-hard.storage").await, ["library", "p"]);
        assert_eq!(names("reference=user").await, Vec::<Value>::new());
        let found = server.get("admin", &format!("{FOUND}?q=project%3D~ibr&sort=-project")).await;
        assert_eq!(found.header("x-total-count"), "1");
        assert_eq!(found.json()[0]["ref"]["name"], "library");
        let all = server.get("admin", &format!("{FOUND}?sort=-project&page_size=1")).await;
        assert_eq!(
            (all.header("x-total-count"), &all.json()[0]["ref"]["name"]),
            ("2", &json!("p"))
        );
    }
}

#[tokio::test]
async fn only_a_sysadmin_sees_sets_and_counts_anew() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let id = add_project(&server.domain, "p", true).await;
        for (method, path, body) in [
            ("GET", QUOTAS.to_owned(), ""),
            ("GET", FOUND.to_owned(), ""),
            ("GET", format!("{QUOTAS}/{id}"), ""),
            ("PUT", format!("{QUOTAS}/{id}"), r#"{"hard":{"storage":1}}"#),
            ("POST", "/api/internal/syncquota".to_owned(), ""),
        ] {
            assert_eq!(server.ask("", method, &path, body).await.status, 401, "{path}");
            assert_eq!(server.ask("alice", method, &path, body).await.status, 403, "{path}");
            assert_eq!(server.ask("admin", method, &path, body).await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_project_gets_what_the_settings_say() {
    for server in both().await {
        let body = r#"{"storage_per_project":5000}"#;
        assert_eq!(server.ask("admin", "PUT", "/api/v2.0/configurations", body).await.status, 200);
        let limit = async |body: Value| {
            let path = "/api/v2.0/projects";
            let made = server.ask("admin", "POST", path, &body.to_string()).await;
            let id = made.header("location").rsplit('/').next().unwrap().to_owned();
            server.get("admin", &format!("{QUOTAS}/{id}")).await.json()["hard"]["storage"].clone()
        };
        assert_eq!(limit(json!({"project_name": "a"})).await, 5000);
        assert_eq!(limit(json!({"project_name": "b", "storage_limit": 0})).await, 5000);
        assert_eq!(limit(json!({"project_name": "c", "storage_limit": -1})).await, -1);
        let body = r#"{"quota_per_project_enable":false}"#;
        assert_eq!(server.ask("admin", "PUT", "/api/v2.0/configurations", body).await.status, 200);
        assert_eq!(limit(json!({"project_name": "d", "storage_limit": 7})).await, -1);
        let summary = server.get("admin", "/api/v2.0/projects/a/summary").await.json();
        assert_eq!(summary.get("quota"), None);
        let refused = server.ask("admin", "POST", "/api/internal/syncquota", "").await;
        assert_eq!(refused.code().0, 403);
    }
}
