//! The programs people use, against a private project: a developer logs in,
//! pushes and pulls, and every byte comes back; a wrong password and a guest's
//! push are refused in words the program shows.
#![allow(clippy::unwrap_used)]

mod buildah;
mod containerd;
mod cosign;
mod crane;
mod docker;
mod helm;
mod notation;
mod oras;
mod podman;
mod regctl;
mod skopeo;

use haven_tests::{Client, Repository, Role, Server, api::Project, content, tool::Home};
use serde_json::Value;
use std::path::PathBuf;

/// How programs tell that they could not log in.
const WRONG_LOGIN: &[&str] =
    &["unauthorized", "invalid username/password", "401", "denied", "no basic auth credentials"];

/// How programs tell that they may not.
const NO_RIGHT: &[&str] = &["denied", "forbidden", "403", "unauthorized to access"];

/// A private project with people in it.
struct Scene {
    project: Project,
    developer: Client,
    guest: Client,
}

impl Scene {
    async fn on(server: &Server) -> Scene {
        let project = server.admin.project(false).await;
        let developer = project.member(Role::Developer).await;
        let guest = project.member(Role::Guest).await;
        Scene { project, developer, guest }
    }

    fn host(&self) -> &str {
        self.developer.host()
    }

    /// A repository of the project, seen by the developer.
    fn repository(&self, name: &str) -> Repository {
        self.project.repository(&self.developer, name)
    }

    /// What the API tells a guest below the artifacts of a repository.
    async fn shown(&self, name: &str, rest: &str) -> haven_tests::Answer {
        let (project, name) = (&self.project.name, name.replace('/', "%252F"));
        let path = format!("/api/v2.0/projects/{project}/repositories/{name}/artifacts{rest}");
        self.guest.get(&path).await.expect(200)
    }

    /// The artifacts that the API lists, by push: those that are not only about another one.
    async fn artifacts(&self, name: &str) -> Vec<Value> {
        let list = self.shown(name, "?sort=push_time&page_size=100").await;
        list.json().as_array().unwrap().clone()
    }

    /// `host:port/project/name`, as programs want it.
    fn reference(&self, name: &str) -> String {
        self.repository(name).reference()
    }
}

/// A layer that no other call gives, as a tar file.
async fn layer(home: &Home) -> PathBuf {
    home.write("layer/data", content::random(200_000));
    home.write("layer/etc/motd", content::unique("hello"));
    let path = home.path("layer.tar");
    let folder = home.path("layer");
    let arguments = ["-c", "-f", path.to_str().unwrap(), "-C", folder.to_str().unwrap(), "."];
    home.run("tar", &arguments).await.ok();
    path
}

/// Reads an image and everything it names over plain HTTP; panics unless each
/// digest is that of the bytes. Gives the manifest's digest.
async fn assert_whole(repository: &Repository, reference: &str) -> String {
    let answer = repository.manifest(reference).await.expect(200);
    let digest = content::sha256(&answer.body);
    assert_eq!(answer.header("docker-content-digest"), digest);
    let manifest = answer.json();
    let none = Vec::new();
    let layers = manifest["layers"].as_array().unwrap_or(&none);
    let config = Some(&manifest["config"]).filter(|config| config.is_object());
    for part in layers.iter().chain(config) {
        let name = part["digest"].as_str().unwrap();
        let blob = repository.blob(name).await.expect(200);
        assert_eq!(content::sha256(&blob.body), name);
        assert_eq!(part["size"], blob.body.len());
    }
    for child in manifest["manifests"].as_array().unwrap_or(&none) {
        let name = child["digest"].as_str().unwrap();
        let found = Box::pin(assert_whole(repository, name)).await;
        assert_eq!(found, name);
    }
    digest
}
