//! buildah, which pushes and pulls as podman does.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole, layer};
use haven_tests::{
    Client, on_each_setup,
    tool::{Home, Output},
};

async fn buildah(home: &Home, arguments: &[&str]) -> Output {
    let (root, run) = (home.path("storage"), home.path("run"));
    let own = ["--root", root.to_str().unwrap(), "--runroot", run.to_str().unwrap()];
    let all = [&own[..], &["--storage-driver", "vfs"], arguments].concat();
    home.run("buildah", &all).await
}

async fn login(home: &Home, host: &str, user: &Client, password: &str) -> Output {
    let arguments =
        ["login", "--tls-verify=false", "--username", user.name(), "--password-stdin", host];
    home.feed("buildah", &arguments, password).await
}

#[tokio::test]
async fn buildah_pushes_and_pulls() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = Home::new();
        let tar = layer(&home).await;
        let container = buildah(&home, &["from", "scratch"]).await.ok();
        let container = container.trim();
        buildah(&home, &["add", container, tar.to_str().unwrap(), "/"]).await.ok();
        for (format, tag) in [("oci", "1"), ("docker", "2")] {
            let commit = ["commit", "--quiet", "--format", format, container, tag];
            buildah(&home, &commit).await.ok();
        }
        let target = |tag: &str| format!("docker://{}:{tag}", scene.reference("app"));
        let push = async |local: &str, tag: &str| {
            let arguments =
                ["push", "--tls-verify=false", "--digestfile", "digest", local, &target(tag)];
            buildah(&home, &arguments).await
        };
        push("1", "1").await.refused(WRONG_LOGIN);
        let developer = &scene.developer;
        login(&home, scene.host(), developer, "Wrong1Password").await.refused(WRONG_LOGIN);
        login(&home, scene.host(), developer, developer.password()).await.ok();
        for tag in ["1", "2"] {
            push(tag, tag).await.ok();
            let digest = std::fs::read_to_string(home.path("digest")).unwrap();
            assert_eq!(assert_whole(&scene.repository("app"), tag).await, digest);
            buildah(&home, &["rmi", "--force", tag]).await.ok();
            let name = format!("{}:{tag}", scene.reference("app"));
            buildah(&home, &["pull", "--tls-verify=false", &name]).await.ok();
            let shown = buildah(&home, &["images", "--digests"]).await.ok();
            assert!(shown.contains(&digest), "{digest} is not in {shown}");
            buildah(&home, &["tag", &name, tag]).await.ok();
        }
        for artifact in scene.artifacts("app").await {
            assert_eq!(artifact["type"], "IMAGE");
            assert_eq!(artifact["extra_attrs"]["os"], "linux");
        }
        login(&home, scene.host(), &scene.guest, scene.guest.password()).await.ok();
        push("1", "guest").await.refused(NO_RIGHT);
    })
    .await;
}
