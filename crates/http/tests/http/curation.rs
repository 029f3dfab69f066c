//! Copying and deleting artifacts, and repositories with what is written about them.

use axum::{body::Body, http::Request};
use domain::projects::Role;
use domain::testing::{add_project, add_user, join, robot_of, set_limit};
use serde_json::json;

use crate::{
    artifacts::{image, push_blob, push_image, push_manifest},
    server::{Answer, Server, basic, both},
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn artifacts(project: &str, repository: &str) -> String {
    format!("/api/v2.0/projects/{project}/repositories/{repository}/artifacts")
}

async fn copy(server: &Server, who: &str, to: &str, from: &str) -> Answer {
    server.ask(who, "POST", &format!("{to}?from={from}"), "").await
}

/// Pushes an index of one image, which has no tag.
async fn push_index(server: &Server, repository: &str, tag: &str) -> (String, String) {
    let config = push_blob(server, repository, "{}").await;
    let content = image(&config, 2, tag);
    let digest = oci::Digest::of(oci::Algorithm::Sha256, content.as_bytes()).to_string();
    let part = push_manifest(server, repository, &digest, &content).await.to_string();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": part,
            "size": content.len()}]});
    let index = push_manifest(server, repository, tag, &index.to_string()).await;
    (index.to_string(), part)
}

#[tokio::test]
async fn artifacts_are_copied_by_tag_and_by_digest() {
    for server in both().await {
        let project = add_project(&server.domain, "p", false).await;
        add_project(&server.domain, "q", false).await;
        let (index, part) = push_index(&server, "p/a/b", "v1").await;
        let to = artifacts("q", "c%252Fd");

        let made = copy(&server, "admin", &to, "p/a/b:v1").await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.header("location"), format!("{to}/v1"));
        let shown = server.get("admin", &format!("{to}/v1")).await.json();
        assert_eq!(shown["digest"], index);
        assert_eq!(shown["repository_name"], "q/c/d");
        assert_eq!(shown["references"][0]["child_digest"], part);
        assert_eq!(server.get("admin", &format!("/v2/q/c/d/manifests/{part}")).await.status, 200);
        let blob = oci::Digest::of(oci::Algorithm::Sha256, b"{}");
        assert_eq!(server.get("admin", &format!("/v2/q/c/d/blobs/{blob}")).await.body, "{}");

        let again = copy(&server, "admin", &to, &format!("p/a/b@{index}")).await;
        assert_eq!(again.status, 201);
        assert_eq!(again.header("location"), format!("{to}/{index}"));
        let itself = copy(&server, "admin", &artifacts("p", "a%252Fb"), "p/a/b:v1").await;
        assert_eq!(itself.status, 201, "{}", itself.body);

        for bad in ["p/a/b", "p/a/b:", "p/a/b:v1:v2", "p/a/b@sha256:x", "P/a:v1", "%00:v1"] {
            let answer = copy(&server, "admin", &to, bad).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{bad}");
        }
        assert_eq!(server.ask("admin", "POST", &to, "").await.status, 422);
        for absent in ["p/a/b:v2", "p/none:v1", "none/x:v1"] {
            let answer = copy(&server, "admin", &to, absent).await;
            assert_eq!(answer.code(), (404, "NOT_FOUND".into()), "{absent}");
        }

        // It takes the right to make artifacts there and the right to read them here.
        let alice = add_user(&server.domain, "alice").await;
        assert_eq!(copy(&server, "", &to, "p/a/b:v1").await.code().0, 401);
        assert_eq!(copy(&server, "alice", &to, "p/a/b:v1").await.code().0, 403);
        join(&server.domain, "q", &alice, Role::Developer).await;
        for hidden in ["p/a/b:v1", "p/none:v1", "none/x:v1"] {
            assert_eq!(copy(&server, "alice", &to, hidden).await.code().0, 403, "{hidden}");
        }
        join(&server.domain, "p", &alice, Role::Guest).await;
        assert_eq!(copy(&server, "alice", &to, "p/a/b:v1").await.status, 201);
        let back = artifacts("p", "new");
        assert_eq!(copy(&server, "alice", &back, "q/c/d:v1").await.code().0, 403);

        set_limit(&server.domain, project, 1).await;
        push_image(&server, "q/e", "v1", "large").await;
        let full = copy(&server, "admin", &back, "q/e:v1").await;
        let (status, code, message) = full.error();
        assert_eq!((status, code.as_str()), (403, "DENIED"));
        assert!(message.contains("will exceed the configured upper limit of"), "{message}");
    }
}

/// Harbor's own test of robots' rights copies with these and no others.
#[tokio::test]
async fn a_robot_copies_what_it_may_read_and_not_what_it_may_only_pull() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        push_image(&server, "p/a", "v1", "one").await;
        let path = format!("{}?from=p/a:v1", artifacts("p", "b"));
        let copied_by = async |name: &str, right: &str| {
            let rights = ["artifact:create", right];
            let (_, secret) = robot_of(&server.domain, Some("p"), name, &rights).await;
            let request = Request::post(&path)
                .header("authorization", basic(&format!("robot$p+{name}"), secret.reveal()))
                .header("host", "registry.example.org");
            server.send(request.body(Body::empty()).unwrap()).await
        };
        let refused = copied_by("puller", "repository:pull").await;
        assert_eq!(refused.code(), (403, "FORBIDDEN".into()));
        let made = copied_by("reader", "artifact:read").await;
        assert_eq!(made.status, 201, "{}", made.body);
        let shown = server.get("admin", &format!("{}/v1", artifacts("p", "b"))).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
    }
}

#[tokio::test]
async fn accessories_are_not_copied_alone_and_parts_are_not_deleted_alone() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let (index, part) = push_index(&server, "p/a", "v1").await;
        let config = push_blob(&server, "p/a", "{}").await;
        let mut signature: serde_json::Value =
            serde_json::from_str(&image(&config, 2, "signature")).unwrap();
        signature["artifactType"] = json!("application/vnd.cncf.notary.signature");
        signature["subject"] = json!({"mediaType": INDEX, "digest": index, "size": 1});
        push_manifest(&server, "p/a", "sig", &signature.to_string()).await;
        let refused = copy(&server, "admin", &artifacts("p", "b"), "p/a:sig").await;
        let message = "the operation isn't supported for an artifact accessory".to_owned();
        assert_eq!(refused.error(), (403, "DENIED".into(), message));

        let all = artifacts("p", "a");
        let delete = async |reference: &str| {
            server.ask("admin", "DELETE", &format!("{all}/{reference}"), "").await
        };
        let listed = delete(&part).await;
        let message = "the deleting artifact is referenced by others".to_owned();
        assert_eq!(listed.error(), (412, "VIOLATE_FOREIGN_KEY_CONSTRAINT".into(), message));
        assert_eq!(delete("v1").await.status, 200);
        let gone = delete("v1").await;
        let message = "artifact p/a:v1 not found".to_owned();
        assert_eq!(gone.error(), (404, "NOT_FOUND".into(), message));
        for reference in [part.as_str(), "sig"] {
            let gone = server.get("admin", &format!("{all}/{reference}")).await;
            assert_eq!(gone.code().0, 404, "{reference} goes with what it belongs to");
        }
        assert_eq!(delete("sha256:x").await.code(), (404, "NOT_FOUND".into()));
        assert_eq!(server.get("admin", &all).await.body, "[]");
    }
}

#[tokio::test]
async fn repositories_are_described_and_deleted() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        add_user(&server.domain, "alice").await;
        push_index(&server, "p/a/b", "v1").await;
        let path = "/api/v2.0/projects/p/repositories/a%252Fb";
        let shown = server.get("admin", path).await.json();
        assert!(shown["description"].is_null());

        let mut whole = shown.clone();
        whole["description"] = json!("<b>mine & yours</b>");
        whole["name"] = json!("p/other");
        let put = async |body: &str| server.ask("admin", "PUT", path, body).await;
        assert_eq!(put(&whole.to_string()).await.status, 200);
        let shown = server.get("admin", path).await.json();
        assert_eq!(shown["description"], "&lt;b&gt;mine &amp; yours&lt;/b&gt;");
        assert_eq!(shown["name"], "p/a/b");
        let found = "/api/v2.0/projects/p/repositories?q=description%3D~MINE";
        assert_eq!(server.get("admin", found).await.header("x-total-count"), "1");
        for bad in ["", "x", r#"{"description":1}"#, "{\"description\":\"\\u0000\"}"] {
            assert_eq!(put(bad).await.code().0, 400, "{bad}");
        }
        assert_eq!(
            put(&json!({"description": "x".repeat(65_537)}).to_string()).await.code().0,
            400
        );
        assert_eq!(put(r#"{"description":null}"#).await.status, 200);
        assert!(server.get("admin", path).await.json()["description"].is_null());
        let none = "/api/v2.0/projects/p/repositories/none";
        for method in ["PUT", "DELETE"] {
            let absent = server.ask("admin", method, none, "{}").await;
            let message = "repository p/none not found".to_owned();
            assert_eq!(absent.error(), (404, "NOT_FOUND".into(), message));
            for hidden in [path, none] {
                assert_eq!(server.ask("alice", method, hidden, "{}").await.code().0, 403);
                assert_eq!(server.ask("", method, hidden, "{}").await.code().0, 401);
            }
        }
        assert_eq!(server.ask("admin", "DELETE", path, "").await.status, 200);
        assert_eq!(server.get("admin", path).await.code().0, 404);
        assert_eq!(server.get("admin", "/v2/p/a/b/manifests/v1").await.status, 404);
        assert_eq!(server.get("admin", "/api/v2.0/projects/p").await.json()["repo_count"], 0);
        assert_eq!(server.ask("admin", "DELETE", "/api/v2.0/projects/p", "").await.status, 200);
    }
}
