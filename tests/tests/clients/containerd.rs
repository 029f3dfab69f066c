//! containerd, as Kubernetes' nodes pull with it: HEAD first, then parallel GETs.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole, layer};
use haven_tests::{Blob, Client, Image, daemons::Daemon, on_each_setup};
use serde_json::json;

#[tokio::test]
async fn containerd_pulls_and_pushes() {
    let daemon = Daemon::containerd().await;
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = daemon.home();
        let tar = std::fs::read(layer(&home).await).unwrap();
        let image = Image::of(vec![Blob::new(tar)], json!({}));
        scene.repository("app").push("1", &image).await;
        let name = format!("{}:1", scene.reference("app"));
        let images = async |verb: &str, user: &Client, password: &str, name: &str| {
            let login = format!("{}:{password}", user.name());
            let arguments = ["images", verb, "--plain-http", "--user", &login, name];
            home.run("ctr", &arguments).await
        };
        let developer = &scene.developer;
        images("pull", developer, "Wrong1Password", &name).await.refused(WRONG_LOGIN);
        images("pull", developer, developer.password(), &name).await.ok();
        let content = home.run("ctr", &["content", "ls"]).await.ok();
        assert!(content.contains(&image.manifest.digest), "{content}");
        for blob in image.blobs() {
            assert!(content.contains(&blob.digest), "{content}");
        }
        let copy = format!("{}:1", scene.reference("copy"));
        home.run("ctr", &["images", "tag", &name, &copy]).await.ok();
        images("push", developer, developer.password(), &copy).await.ok();
        let digest = assert_whole(&scene.repository("copy"), "1").await;
        assert_eq!(digest, image.manifest.digest);
        let refused = format!("{}:guest", scene.reference("copy"));
        home.run("ctr", &["images", "tag", &name, &refused]).await.ok();
        let guest = &scene.guest;
        let pushed = images("push", guest, guest.password(), &refused).await;
        pushed.refused(NO_RIGHT);
    })
    .await;
}
