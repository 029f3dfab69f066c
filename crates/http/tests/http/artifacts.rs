//! Repositories and artifacts, pushed through the registry and shown by the API.

use domain::testing::{add_project, add_user};
use oci::{Algorithm, Digest};
use serde_json::json;

use crate::server::{Server, both};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

async fn push_blob(server: &Server, repository: &str, content: &str) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
    let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
    let answer = server.ask("admin", "POST", &path, content).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    digest
}

async fn push_manifest(
    server: &Server,
    repository: &str,
    reference: &str,
    content: &str,
) -> Digest {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let answer = server.ask("admin", "PUT", &path, content).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.header("docker-content-digest").parse().unwrap()
}

fn image(config: &Digest, size: usize, note: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config,
            "size": size,
        },
        "layers": [],
        "annotations": {"note": note},
    })
    .to_string()
}

/// Pushes an image of its own.
pub async fn push_image(server: &Server, repository: &str, tag: &str, note: &str) -> Digest {
    let config = push_blob(server, repository, "{}").await;
    push_manifest(server, repository, tag, &image(&config, 2, note)).await
}

#[tokio::test]
async fn what_was_pushed_is_listed() {
    for server in both().await {
        let project = add_project(&server.domain, "p", false).await;
        let config = push_blob(&server, "p/a/b", "{}").await;
        let content = image(&config, 2, "first");
        let digest = push_manifest(&server, "p/a/b", "v1", &content).await;
        push_manifest(&server, "p/a/b", "latest", &content).await;

        let answer = server.get("admin", "/api/v2.0/projects/p/repositories").await;
        assert_eq!(answer.header("x-total-count"), "1");
        let repository = answer.json()[0].clone();
        assert_eq!(repository["name"], "p/a/b");
        assert_eq!(repository["project_id"], project);
        assert_eq!(repository["artifact_count"], 1);
        assert_eq!(repository["pull_count"], 0);
        // Slashes come encoded once or twice.
        for encoded in ["a%2Fb", "a%252Fb", "a%252fb"] {
            let path = format!("/api/v2.0/projects/p/repositories/{encoded}");
            assert_eq!(server.get("admin", &path).await.json(), repository);
            let list = server.get("admin", &format!("{path}/artifacts")).await;
            assert_eq!(list.header("x-total-count"), "1");
            let artifact = list.json()[0].clone();
            assert_eq!(artifact["type"], "IMAGE");
            assert_eq!(artifact["media_type"], "application/vnd.oci.image.config.v1+json");
            assert_eq!(artifact["manifest_media_type"], IMAGE);
            assert_eq!(artifact["digest"], digest.to_string());
            assert_eq!(artifact["repository_name"], "p/a/b");
            assert_eq!(artifact["size"], content.len() as i64 + 2);
            assert_eq!(artifact["annotations"], json!({"note": "first"}));
            assert_eq!(artifact["pull_time"], "0001-01-01T00:00:00.000Z");
            assert_eq!(artifact["tags"].as_array().unwrap().len(), 2);
            assert_eq!(artifact["tags"][0]["artifact_id"], artifact["id"]);
            for reference in ["v1", "latest", &digest.to_string()] {
                let shown = server.get("admin", &format!("{path}/artifacts/{reference}")).await;
                assert_eq!(shown.json(), artifact);
            }
            let missing = server.get("admin", &format!("{path}/artifacts/v2")).await;
            assert_eq!(missing.code(), (404, "NOT_FOUND".into()));
            let odd = server.get("admin", &format!("{path}/artifacts/sha256:x")).await;
            assert_eq!(odd.code(), (400, "BAD_REQUEST".into()));
        }
        let path = "/api/v2.0/projects/p/repositories/nothing/artifacts";
        assert_eq!(server.get("admin", path).await.code(), (404, "NOT_FOUND".into()));
        let path = "/api/v2.0/projects/p/repositories/%2e%2e/artifacts";
        assert_eq!(server.get("admin", path).await.code(), (400, "BAD_REQUEST".into()));
        let shown = server.get("admin", "/api/v2.0/projects/p").await.json();
        assert_eq!(shown["repo_count"], 1);
        let refused = server.ask("admin", "DELETE", "/api/v2.0/projects/p", "").await;
        assert_eq!(refused.code(), (412, "PRECONDITION".into()));
    }
}

#[tokio::test]
async fn parts_of_an_index_are_shown_within_it() {
    for server in both().await {
        let config = push_blob(&server, "library/x", "{}").await;
        let (one, two) = (image(&config, 2, "one"), image(&config, 2, "two"));
        let first = push_manifest(&server, "library/x", &of(&one), &one).await;
        let second = push_manifest(&server, "library/x", "two", &two).await;
        let entry = |digest: &Digest, content: &str, architecture: &str| {
            json!({"mediaType": IMAGE, "digest": digest, "size": content.len(),
                "platform": {"architecture": architecture, "os": "linux"}})
        };
        let index = json!({"schemaVersion": 2, "mediaType": INDEX,
            "manifests": [entry(&first, &one, "amd64"), entry(&second, &two, "arm64")]})
        .to_string();
        push_manifest(&server, "library/x", "all", &index).await;

        let path = "/api/v2.0/projects/library/repositories/x/artifacts";
        let answer = server.get("", path).await;
        assert_eq!(answer.header("x-total-count"), "2", "the one without a tag is a part only");
        let list = answer.json();
        let index =
            list.as_array().unwrap().iter().find(|a| a["tags"][0]["name"] == "all").unwrap();
        assert_eq!(index["type"], "IMAGE");
        assert_eq!(index["references"].as_array().unwrap().len(), 2);
        assert_eq!(index["references"][0]["child_digest"], first.to_string());
        assert_eq!(index["references"][0]["parent_id"], index["id"]);
        assert_eq!(index["references"][0]["platform"]["architecture"], "amd64");
        let child = server.get("", &format!("{path}/{first}")).await.json();
        assert_eq!(child["id"], index["references"][0]["child_id"]);
        assert_eq!(child["tags"], json!([]));
    }
}

#[tokio::test]
async fn repositories_of_closed_projects_are_not_listed() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        add_user(&server.domain, "alice").await;
        for repository in ["p/x", "library/x"] {
            push_blob(&server, repository, "{}").await;
        }
        let total = async |who: &str| {
            let answer = server.get(who, "/api/v2.0/repositories").await;
            answer.header("x-total-count").to_owned()
        };
        assert_eq!(total("").await, "1");
        assert_eq!(total("alice").await, "1");
        assert_eq!(total("admin").await, "2");
    }
}

fn of(content: &str) -> String {
    Digest::of(Algorithm::Sha256, content.as_bytes()).to_string()
}
