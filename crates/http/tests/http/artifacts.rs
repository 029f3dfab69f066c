//! Repositories and artifacts, pushed through the registry and shown by the API.

use domain::testing::{add_project, add_user};
use oci::{Algorithm, Digest};
use serde_json::json;

use crate::server::{Server, both};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub async fn push_blob(server: &Server, repository: &str, content: &str) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
    let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
    let answer = server.ask("admin", "POST", &path, content).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    digest
}

pub async fn push_manifest(
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

pub fn image(config: &Digest, size: usize, note: &str) -> String {
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
            let message = "artifact p/a/b:sha256:x not found".to_owned();
            assert_eq!(odd.error(), (404, "NOT_FOUND".into(), message));
        }
        // As with Harbor, a repository that is not there holds nothing.
        let path = "/api/v2.0/projects/p/repositories/nothing/artifacts";
        let nothing = server.get("admin", path).await;
        assert_eq!((nothing.header("x-total-count"), nothing.body.as_str()), ("0", "[]"));
        assert_eq!(server.get("admin", &format!("{path}?q=base=x")).await.status, 400);
        let one = server.get("admin", &format!("{path}/v1")).await;
        assert_eq!(one.code(), (404, "NOT_FOUND".into()));
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
async fn what_an_artifact_is_and_what_is_about_it_is_shown() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let config = r#"{"os":"linux","config":{"User":"me"}}"#;
        let blob = push_blob(&server, "p/a/b", config).await;
        let content = image(&blob, config.len(), "signed");
        let signed = push_manifest(&server, "p/a/b", "v1", &content).await;
        let layer = "application/vnd.dev.cosign.simplesigning.v1+json";
        let mut signature: serde_json::Value = serde_json::from_str(&content).unwrap();
        signature["layers"] = json!([{"mediaType": layer, "digest": blob, "size": config.len()}]);
        let tag = format!("{}.sig", signed.to_string().replace(':', "-"));
        let by = push_manifest(&server, "p/a/b", &tag, &signature.to_string()).await;

        let path = "/api/v2.0/projects/p/repositories/a%252Fb/artifacts";
        let answer = server.get("admin", path).await;
        assert_eq!(answer.header("x-total-count"), "1");
        let artifact = answer.json()[0].clone();
        assert_eq!(artifact["digest"], signed.to_string());
        assert_eq!(artifact["extra_attrs"]["os"], "linux");
        assert_eq!(artifact["extra_attrs"]["config"], json!({"User": "me"}));
        assert!(artifact["icon"].as_str().unwrap().starts_with("sha256:0048162a"));
        let link = &artifact["addition_links"]["build_history"];
        assert_eq!(link["absolute"], false);
        assert_eq!(link["href"], format!("{path}/{signed}/additions/build_history"));
        let accessory = artifact["accessories"][0].clone();
        assert_eq!(accessory["type"], "signature.cosign");
        assert_eq!(accessory["digest"], by.to_string());
        assert_eq!(accessory["subject_artifact_digest"], signed.to_string());
        assert_eq!(accessory["subject_artifact_repo"], "p/a/b");
        assert_eq!(accessory["subject_artifact_id"], artifact["id"]);
        assert_eq!(artifact["inherited_accessories"], json!(null));
        let list = server.get("admin", &format!("{path}/v1/accessories")).await;
        assert_eq!((list.header("x-total-count"), list.json()), ("1", json!([accessory])));
        let none = server.get("admin", &format!("{path}/{by}/accessories")).await;
        assert_eq!((none.header("x-total-count"), none.json()), ("0", json!([])));

        let flags = "with_tag=false&with_accessory=false&with_label=true\
            &with_scan_overview=true&with_sbom_overview=true&with_inherited_accessory=true";
        let bare = server.get("admin", &format!("{path}?{flags}")).await.json()[0].clone();
        assert_eq!((&bare["tags"], &bare["accessories"]), (&json!([]), &json!([])));
        for absent in ["scan_overview", "sbom_overview"] {
            assert_eq!(bare[absent], json!(null));
        }
        let wrong = server.get("admin", &format!("{path}?with_tag=perhaps")).await;
        assert_eq!(wrong.status, 422);
        for (q, status, total) in [
            ("type=IMAGE", 200, "1"),
            ("type=CHART", 200, "0"),
            ("tags=v1", 200, "1"),
            ("tags=~V", 200, "1"),
            ("tags=nil", 200, "0"),
            ("base=*", 200, "1"),
            ("base=x", 400, ""),
            ("tags={a b}", 400, ""),
            ("media_type=application/vnd.oci.image.config.v1%2Bjson", 200, "1"),
            ("repository_name=p/a/b", 200, "1"),
        ] {
            let answer = server.get("admin", &format!("{path}?q={}", q.replace(' ', "%20"))).await;
            assert_eq!(answer.status, status, "{q}: {}", answer.body);
            if status == 200 {
                assert_eq!(answer.header("x-total-count"), total, "{q}");
            }
        }
        // A repository counts what it shows.
        let repository = server.get("admin", "/api/v2.0/projects/p/repositories/a%252Fb").await;
        assert_eq!(repository.json()["artifact_count"], 1);
    }
}

#[tokio::test]
async fn additions_and_icons_are_sent_as_what_they_are() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let config = r#"{"history":[{"created_by":"RUN x"}]}"#;
        let blob = push_blob(&server, "p/a", config).await;
        push_manifest(&server, "p/a", "v1", &image(&blob, config.len(), "")).await;
        let path = "/api/v2.0/projects/p/repositories/a/artifacts/v1/additions";
        let added = async |which: &str| server.get("admin", &format!("{path}/{which}")).await;
        let history = added("build_history").await;
        assert_eq!(history.json(), json!([{"created_by": "RUN x"}]));
        assert_eq!(history.header("content-type"), "application/json; charset=utf-8");
        let refused = added("readme.md").await;
        assert_eq!(refused.code(), (400, "BAD_REQUEST".into()));
        assert!(refused.body.contains("README.MD isn't supported for IMAGE"), "{}", refused.body);
        assert_eq!(added("sbom").await.status, 400);
        assert_eq!(added("something").await.status, 422);
        let scanned = added("vulnerabilities").await;
        assert_eq!(scanned.status, 200);
        assert_eq!(scanned.json(), json!({}));
        let none = format!("{}/vulnerabilities", path.replace("artifacts/v1", "artifacts/v9"));
        assert_eq!(server.get("admin", &none).await.code(), (404, "NOT_FOUND".into()));
        assert_eq!(server.get("", &format!("{path}/build_history")).await.status, 401);

        let list = server.get("admin", "/api/v2.0/projects/p/artifacts").await.json();
        let digest = list[0]["icon"].as_str().unwrap().to_owned();
        let icon = server.get("", &format!("/api/v2.0/icons/{digest}")).await;
        assert_eq!(icon.json()["content-type"], "image/svg+xml", "{}", icon.body);
        assert!(icon.json()["content"].as_str().unwrap().len() > 100);
        let other = server.get("", &format!("/api/v2.0/icons/{blob}")).await;
        assert_eq!(other.code(), (404, "NOT_FOUND".into()));
        assert_eq!(server.get("", "/api/v2.0/icons/x").await.status, 400);
    }
}

#[tokio::test]
async fn a_project_shows_the_artifacts_of_all_its_repositories() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        for repository in ["p/a", "p/b"] {
            let config = push_blob(&server, repository, "{}").await;
            for note in ["one", "two"] {
                let content = image(&config, 2, &format!("{repository} {note}"));
                push_manifest(&server, repository, note, &content).await;
            }
        }
        let config = push_blob(&server, "library/c", "{}").await;
        push_manifest(&server, "library/c", "x", &image(&config, 2, "elsewhere")).await;
        let list = async |query: &str| {
            server.get("admin", &format!("/api/v2.0/projects/p/artifacts?{query}")).await
        };
        let all = list("").await;
        assert_eq!(all.header("x-total-count"), "4", "{}", all.body);
        let second = list("page=2&page_size=3").await.json();
        assert_eq!(second[0], all.json()[3]);
        assert_eq!(list("q=tags=two").await.header("x-total-count"), "2");
        assert_eq!(list("q=repository_name=p/b").await.header("x-total-count"), "2");
        let image = "application/vnd.oci.image.config.v1%2Bjson";
        let latest = list(&format!("latest_in_repository=true&q=media_type={image}")).await;
        assert_eq!(latest.header("x-total-count"), "2");
        let mut names: Vec<_> = latest
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|a| format!("{} {}", a["repository_name"], a["tags"][0]["name"]))
            .collect();
        names.sort();
        assert_eq!(names, [r#""p/a" "two""#, r#""p/b" "two""#]);
        let typed = list(&format!("latest_in_repository=true&q=artifact_type={image}")).await;
        assert_eq!(typed.header("x-total-count"), "2");
        for q in ["", "q=type=IMAGE", "q=media_type=a,artifact_type=b", "q=media_type=~a"] {
            assert_eq!(list(&format!("latest_in_repository=true&{q}")).await.status, 400, "{q}");
        }
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
