//! podman: an image that it made here is pushed and pulled. No container runs.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole, layer};
use haven_tests::{
    Client, on_each_setup,
    tool::{Home, Output},
};

async fn podman(home: &Home, arguments: &[&str]) -> Output {
    let (root, run) = (home.path("storage"), home.path("run"));
    let folders = ["--root", root.to_str().unwrap(), "--runroot", run.to_str().unwrap()];
    // Nothing runs, so neither cgroups nor a journal are needed.
    let without = ["--cgroup-manager", "cgroupfs", "--events-backend", "none"];
    let all = [&folders[..], &["--storage-driver", "vfs"], &without, arguments].concat();
    home.run("podman", &all).await
}

async fn login(home: &Home, host: &str, user: &Client, password: &str) -> Output {
    let own = ["--cgroup-manager", "cgroupfs", "--events-backend", "none"];
    let login =
        ["login", "--tls-verify=false", "--username", user.name(), "--password-stdin", host];
    home.feed("podman", &[&own[..], &login].concat(), password).await
}

#[tokio::test]
async fn podman_pushes_and_pulls() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = Home::new();
        let tar = layer(&home).await;
        podman(&home, &["import", tar.to_str().unwrap(), "localhost/app:1"]).await.ok();
        let repository = scene.repository("app");
        let push = async |format: &str, tag: &str| {
            let target = format!("docker://{}:{tag}", scene.reference("app"));
            let how = ["push", "--tls-verify=false", "--digestfile", "digest", "--format", format];
            podman(&home, &[&how[..], &["localhost/app:1", &target]].concat()).await
        };
        push("oci", "oci").await.refused(WRONG_LOGIN);
        let developer = &scene.developer;
        login(&home, scene.host(), developer, "Wrong1Password").await.refused(WRONG_LOGIN);
        login(&home, scene.host(), developer, developer.password()).await.ok();
        for (format, tag) in [("oci", "oci"), ("v2s2", "docker")] {
            push(format, tag).await.ok();
            let digest = std::fs::read_to_string(home.path("digest")).unwrap();
            assert_eq!(assert_whole(&repository, tag).await, digest);
            let name = format!("{}:{tag}", scene.reference("app"));
            podman(&home, &["pull", "--tls-verify=false", &name]).await.ok();
            let inspect = ["image", "inspect", "--format", "{{.RepoDigests}}", &name];
            let known = podman(&home, &inspect).await.ok();
            assert!(known.contains(&digest), "{digest} is not in {known}");
        }
        login(&home, scene.host(), &scene.guest, scene.guest.password()).await.ok();
        push("oci", "guest").await.refused(NO_RIGHT);
    })
    .await;
}
