//! Tags of an artifact, and what pulls leave behind.

use domain::testing::{add_project, add_user};
use serde_json::json;

use crate::{
    artifacts::push_image,
    server::{Server, both},
};

const ARTIFACTS: &str = "/api/v2.0/projects/p/repositories/a%252Fb/artifacts";

async fn make(server: &Server, reference: &str, body: &str) -> crate::server::Answer {
    server.ask("admin", "POST", &format!("{ARTIFACTS}/{reference}/tags"), body).await
}

fn called(name: &str) -> String {
    json!({"name": name}).to_string()
}

#[tokio::test]
async fn tags_are_made_listed_and_deleted() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let digest = push_image(&server, "p/a/b", "v1", "one").await;
        push_image(&server, "p/a/b", "other", "two").await;

        let made = make(&server, "v1", &called("stable")).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.header("location"), format!("{ARTIFACTS}/v1/tags/stable"));
        let by_digest = make(&server, &digest.to_string(), &called("best")).await;
        assert_eq!(by_digest.status, 201);
        for taken in ["v1", "stable", "other"] {
            let answer = make(&server, "v1", &called(taken)).await;
            assert_eq!(answer.code(), (409, "CONFLICT".into()), "{taken}");
        }
        let long = "x".repeat(129);
        for bad in ["", "a/b", "a b", "-x", "ä", &long] {
            let answer = make(&server, "v1", &called(bad)).await;
            let message = format!("invalid tag name: {bad}");
            assert_eq!(answer.error(), (400, "BAD_REQUEST".into(), message));
        }
        for bad in ["", "{}", "[]", r#"{"name":null}"#, r#"{"name":1}"#] {
            assert_eq!(make(&server, "v1", bad).await.code().0, 400, "{bad}");
        }
        let absent = make(&server, "v9", &called("x")).await;
        let message = "artifact p/a/b:v9 not found".to_owned();
        assert_eq!(absent.error(), (404, "NOT_FOUND".into(), message));
        // The registry knows it at once.
        let pulled = server.get("admin", "/v2/p/a/b/manifests/stable").await;
        assert_eq!(pulled.header("docker-content-digest"), digest.to_string());

        let list = async |query: &str| {
            let answer = server.get("admin", &format!("{ARTIFACTS}/v1/tags?{query}")).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let tags = answer.json();
            let names: Vec<String> = tags
                .as_array()
                .unwrap()
                .iter()
                .map(|tag| tag["name"].as_str().unwrap().to_owned())
                .collect();
            (names, answer.header("x-total-count").to_owned())
        };
        let expect = |names: &[&str], total: &str| {
            (names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(), total.to_owned())
        };
        assert_eq!(list("sort=name").await, expect(&["best", "stable", "v1"], "3"));
        assert_eq!(list("sort=-name&page_size=1&page=2").await, expect(&["stable"], "3"));
        assert_eq!(list("q=name%3D~ST&sort=name").await, expect(&["best", "stable"], "2"));
        assert_eq!(list("with_immutable_status=true&q=name%3Dv1").await, expect(&["v1"], "1"));
        let shown = server.get("admin", &format!("{ARTIFACTS}/v1/tags?q=name%3Dv1")).await.json();
        assert_eq!(shown[0]["immutable"], false);
        assert_eq!(shown[0]["pull_time"], "0001-01-01T00:00:00.000Z");
        let artifact = server.get("admin", &format!("{ARTIFACTS}/v1")).await.json();
        assert_eq!(shown[0]["artifact_id"], artifact["id"]);
        assert_eq!(shown[0]["repository_id"], artifact["repository_id"]);

        let delete = async |path: &str| server.ask("admin", "DELETE", path, "").await;
        let other = delete(&format!("{ARTIFACTS}/v1/tags/other")).await;
        let message = format!("tag other attached to artifact {} not found", artifact["id"]);
        assert_eq!(other.error(), (404, "NOT_FOUND".into(), message));
        let stable = format!("{ARTIFACTS}/{digest}/tags/stable");
        assert_eq!(delete(&stable).await.status, 200);
        assert_eq!(delete(&stable).await.code().0, 404);
        assert_eq!(server.get("admin", "/v2/p/a/b/manifests/stable").await.status, 404);
        let none = delete(&format!("{ARTIFACTS}/v1/tags/a%20b")).await;
        assert_eq!(none.code(), (404, "NOT_FOUND".into()));
        // A tag may go by its own name, and the artifact stays without any.
        assert_eq!(delete(&format!("{ARTIFACTS}/best/tags/best")).await.status, 200);
        assert_eq!(delete(&format!("{ARTIFACTS}/v1/tags/v1")).await.status, 200);
        assert_eq!(server.get("admin", &format!("{ARTIFACTS}/{digest}")).await.status, 200);
    }
}

#[tokio::test]
async fn ten_thousand_tags_of_one_artifact_are_paged() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        push_image(&server, "p/a/b", "v1", "one").await;
        let id = server.get("admin", &format!("{ARTIFACTS}/v1")).await.json()["id"].clone();
        domain::testing::add_tags(&server.domain, id.as_i64().unwrap(), 10_000).await;
        let began = std::time::Instant::now();
        for page in [1, 50, 100] {
            let path = format!("{ARTIFACTS}/v1/tags?page={page}&page_size=100&sort=name");
            let answer = server.get("admin", &path).await;
            assert_eq!(answer.header("x-total-count"), "10001");
            assert_eq!(answer.json().as_array().unwrap().len(), 100);
        }
        assert!(began.elapsed().as_millis() < 3000, "{:?}", began.elapsed());
        let gone = server.ask("admin", "DELETE", &format!("{ARTIFACTS}/v1/tags/t777"), "").await;
        assert_eq!(gone.status, 200);
        let taken = make(&server, "v1", &called("t778")).await;
        assert_eq!(taken.code().0, 409);
    }
}

#[tokio::test]
async fn pulls_are_marked_together_and_looks_are_not() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        add_user(&server.domain, "alice").await;
        let digest = push_image(&server, "p/a/b", "v1", "one").await;
        make(&server, "v1", &called("unpulled")).await;
        let repository = "/api/v2.0/projects/p/repositories/a%252Fb";
        let never = "0001-01-01T00:00:00.000Z";
        let marked = async || {
            domain::artifacts::write_pulls(&server.domain).await.unwrap();
            let artifact = server.get("admin", &format!("{ARTIFACTS}/v1")).await.json();
            let tag = server.get("admin", &format!("{ARTIFACTS}/v1/tags?q=name%3Dv1")).await.json();
            let count = server.get("admin", repository).await.json()["pull_count"].clone();
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (count.as_i64().unwrap(), text(&artifact["pull_time"]), text(&tag[0]["pull_time"]))
        };
        server.ask("admin", "HEAD", "/v2/p/a/b/manifests/v1", "").await;
        assert_eq!(server.get("alice", "/v2/p/a/b/manifests/v1").await.status, 403);
        assert_eq!(server.get("admin", "/v2/p/a/b/manifests/v2").await.status, 404);
        assert_eq!(marked().await, (0, never.to_owned(), never.to_owned()));

        server.get("admin", &format!("/v2/p/a/b/manifests/{digest}")).await;
        let (count, pulled, tag_pulled) = marked().await;
        assert_eq!((count, tag_pulled.as_str()), (1, never), "a tag that nobody named");
        assert_ne!(pulled, never);
        server.domain.clock.advance(std::time::Duration::from_secs(90));
        for _ in 0..3 {
            server.get("admin", "/v2/p/a/b/manifests/v1").await;
        }
        let (count, later, tag_pulled) = marked().await;
        assert_eq!((count, &tag_pulled), (4, &later));
        assert!(later > pulled, "{later} {pulled}");
        assert_eq!(marked().await, (4, later.clone(), later));
        let tag = server.get("admin", &format!("{ARTIFACTS}/v1/tags?q=name%3Dunpulled")).await;
        assert_eq!(tag.json()[0]["pull_time"], never);
        let updated = server.get("admin", repository).await.json()["update_time"].clone();
        assert_eq!(updated, tag_pulled);
    }
}
