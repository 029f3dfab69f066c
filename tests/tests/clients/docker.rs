//! docker: the daemon pushes in streamed chunks and pulls with many connections.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole, layer};
use haven_tests::{Blob, Client, Image, daemons::Daemon, on_each_setup, tool::Home};
use serde_json::json;

async fn login(home: &Home, host: &str, user: &Client) {
    let arguments = ["login", "--username", user.name(), "--password-stdin", host];
    home.feed("docker", &arguments, user.password()).await.ok();
}

#[tokio::test]
async fn docker_pushes_and_pulls() {
    let daemon = Daemon::docker().await;
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = daemon.home();
        let name = scene.reference("app");
        let (amd64, arm64) = (format!("{name}:amd64"), format!("{name}:arm64"));
        let tar = layer(&home).await;
        let tar = tar.to_str().unwrap();
        let docker = async |arguments: &[&str]| home.run("docker", arguments).await;

        docker(&["import", "--platform", "linux/amd64", tar, &amd64]).await.ok();
        docker(&["import", "--platform", "linux/arm64", tar, &arm64]).await.ok();
        docker(&["push", &amd64]).await.refused(WRONG_LOGIN);
        let wrong =
            ["login", "--username", scene.developer.name(), "--password-stdin", scene.host()];
        home.feed("docker", &wrong, "Wrong1Password").await.refused(WRONG_LOGIN);

        login(&home, scene.host(), &scene.developer).await;
        docker(&["push", &amd64]).await.ok();
        docker(&["push", &arm64]).await.ok();
        let repository = scene.repository("app");
        let pushed = assert_whole(&repository, "amd64").await;

        // Both platforms under one tag.
        let multi = format!("{name}:multi");
        docker(&["manifest", "create", "--insecure", &multi, &amd64, &arm64]).await.ok();
        docker(&["manifest", "annotate", "--arch", "arm64", &multi, &arm64]).await.ok();
        docker(&["manifest", "push", "--insecure", &multi]).await.ok();
        let shown = docker(&["manifest", "inspect", "--insecure", &multi]).await.ok();
        assert!(shown.contains("arm64") && shown.contains(&pushed), "{shown}");
        let index = assert_whole(&repository, "multi").await;

        // The API shows images, and the platforms of the index.
        let artifacts = scene.artifacts("app").await;
        let kinds: Vec<_> = artifacts.iter().map(|artifact| &artifact["type"]).collect();
        assert_eq!(kinds, ["IMAGE", "IMAGE", "IMAGE"]);
        let shown = scene.shown("app", "/amd64").await.json();
        assert_eq!(shown["extra_attrs"]["architecture"], "amd64");
        assert_eq!(shown["extra_attrs"]["os"], "linux");
        let steps = scene.shown("app", "/amd64/additions/build_history").await.json();
        assert_eq!(steps.as_array().unwrap().len(), 1, "{steps}");
        let shown = scene.shown("app", "/multi").await.json();
        let size = |artifact: &serde_json::Value| artifact["size"].as_u64().unwrap();
        assert_eq!(shown["references"][1]["platform"]["architecture"], "arm64");
        let parts = size(&artifacts[0]) + size(&artifacts[1]);
        assert!(size(&shown) > parts && size(&shown) < parts + 10_000, "{shown}");

        let ids = docker(&["images", "--quiet"]).await.ok();
        let ids: Vec<&str> = ids.split_whitespace().collect();
        docker(&[&["rmi", "--force"], &ids[..]].concat()).await.ok();
        let pulled = docker(&["pull", &multi]).await.ok();
        assert!(pulled.contains(&index), "{pulled}");
        let by_digest = format!("{name}@{pushed}");
        let pulled = docker(&["pull", &by_digest]).await.ok();
        assert!(pulled.contains(&pushed), "{pulled}");

        // What was pulled is what was imported: the same layer, byte for byte.
        let inspected = docker(&["image", "inspect", &by_digest]).await.ok();
        let tar = std::fs::read(tar).unwrap();
        let diff = haven_tests::content::sha256(&tar);
        assert!(inspected.contains(&diff), "{diff} is not in {inspected}");

        let guests = daemon.home();
        login(&guests, scene.host(), &scene.guest).await;
        guests.run("docker", &["pull", &multi]).await.ok();
        let other = format!("{name}:guest");
        guests.run("docker", &["tag", &multi, &other]).await.ok();
        guests.run("docker", &["push", &other]).await.refused(NO_RIGHT);
        assert!(!repository.tags().await.contains(&"guest".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn docker_pulls_public_images_without_a_login() {
    let daemon = Daemon::docker().await;
    on_each_setup(async |server| {
        let home = daemon.home();
        let project = server.admin.project(true).await;
        let repository = project.repository(&server.admin, "app");
        let tar = std::fs::read(layer(&home).await).unwrap();
        let image = Image::of(vec![Blob::new(tar)], json!({}));
        repository.push("1", &image).await;
        let name = format!("{}:1", repository.reference());
        let pulled = home.run("docker", &["pull", &name]).await.ok();
        assert!(pulled.contains(&image.manifest.digest), "{pulled}");
        home.run("docker", &["push", &name]).await.refused(WRONG_LOGIN);
    })
    .await;
}
