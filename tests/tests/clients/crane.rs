//! crane, and with it ko, kaniko and everything else on go-containerregistry.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole, layer};
use haven_tests::{Client, Role, on_each_setup, tool::Home};

async fn login(home: &Home, host: &str, user: &Client, password: &str) {
    let arguments = ["auth", "login", host, "--username", user.name(), "--password-stdin"];
    home.feed("crane", &arguments, password).await.ok();
}

#[tokio::test]
async fn crane_pushes_pulls_copies_and_deletes() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = Home::new();
        let tar = layer(&home).await;
        let tar = tar.to_str().unwrap();
        let name = format!("{}:1", scene.reference("app"));
        let crane = async |arguments: &[&str]| home.run("crane", arguments).await;
        let append = ["append", "--oci-empty-base", "--new_layer", tar, "--new_tag", &name];

        crane(&append).await.refused(WRONG_LOGIN);
        // crane believes a password until it is used.
        login(&home, scene.host(), &scene.developer, "Wrong1Password").await;
        crane(&append).await.refused(WRONG_LOGIN);
        login(&home, scene.host(), &scene.developer, scene.developer.password()).await;
        crane(&append).await.ok();
        let digest = crane(&["digest", &name]).await.ok().trim().to_owned();
        assert_eq!(assert_whole(&scene.repository("app"), "1").await, digest);
        crane(&["validate", "--remote", &name]).await.ok();

        let layout = home.path("layout");
        let layout = layout.to_str().unwrap();
        crane(&["pull", "--format", "oci", &name, layout]).await.ok();
        let pushed = format!("{}:1", scene.reference("pushed"));
        crane(&["push", layout, &pushed]).await.ok();
        assert_eq!(assert_whole(&scene.repository("pushed"), "1").await, digest);

        let copy = format!("{}:1", scene.reference("copy"));
        let copied = crane(&["copy", &name, &copy]).await;
        assert!(copied.stderr.contains("mounted blob"), "{}", copied.describe());
        copied.ok();
        assert_eq!(assert_whole(&scene.repository("copy"), "1").await, digest);
        crane(&["tag", &copy, "two"]).await.ok();
        let tags = crane(&["ls", &scene.reference("copy")]).await.ok();
        assert_eq!(tags.split_whitespace().collect::<Vec<_>>(), ["1", "two"]);

        let by_digest = format!("{}@{digest}", scene.reference("copy"));
        crane(&["delete", &by_digest]).await.refused(NO_RIGHT);
        let maintainer = scene.project.member(Role::Maintainer).await;
        login(&home, scene.host(), &maintainer, maintainer.password()).await;
        crane(&["delete", &by_digest]).await.ok();
        assert!(scene.repository("copy").tags().await.is_empty());

        login(&home, scene.host(), &scene.guest, scene.guest.password()).await;
        crane(&["manifest", &name]).await.ok();
        crane(&["tag", &name, "guest"]).await.refused(NO_RIGHT);
        crane(&["push", layout, &copy]).await.refused(NO_RIGHT);
    })
    .await;
}
