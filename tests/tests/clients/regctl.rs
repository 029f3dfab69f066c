//! regctl: tries an anonymous mount for every blob, resumes by what a 416 says,
//! cancels uploads and deletes tags.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole};
use haven_tests::{
    Client, Image, Role, on_each_setup,
    tool::{Home, Output},
};

async fn login(home: &Home, host: &str, user: &Client, password: &str) -> Output {
    let arguments = ["registry", "login", "--user", user.name(), "--pass-stdin", host];
    home.feed("regctl", &arguments, password).await
}

#[tokio::test]
async fn regctl_copies_tags_and_deletes() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = Home::new();
        let image = Image::random(&[1000, 5_000_000]);
        scene.repository("app").push("1", &image).await;
        let name = format!("{}:1", scene.reference("app"));
        let regctl = async |arguments: &[&str]| home.run("regctl", arguments).await;
        regctl(&["registry", "set", "--skip-check", "--tls", "disabled", scene.host()]).await.ok();

        let developer = &scene.developer;
        login(&home, scene.host(), developer, "Wrong1Password").await.refused(WRONG_LOGIN);
        regctl(&["image", "digest", &name]).await.refused(WRONG_LOGIN);
        login(&home, scene.host(), developer, developer.password()).await.ok();
        let digest = regctl(&["image", "digest", &name]).await.ok();
        assert_eq!(digest.trim(), image.manifest.digest);

        // Out to a folder, in again in chunks, and across by mounts.
        regctl(&[
            "registry",
            "set",
            "--skip-check",
            "--blob-chunk",
            "700000",
            "--blob-max",
            "1000000",
            scene.host(),
        ])
        .await
        .ok();
        regctl(&["image", "copy", &name, "ocidir://layout:1"]).await.ok();
        for target in ["chunked", "mounted"] {
            let source = if target == "chunked" { "ocidir://layout:1" } else { &name };
            let copy = format!("{}:1", scene.reference(target));
            regctl(&["image", "copy", source, &copy]).await.ok();
            let digest = assert_whole(&scene.repository(target), "1").await;
            assert_eq!(digest, image.manifest.digest);
        }
        let copy = format!("{}:1", scene.reference("chunked"));
        regctl(&["tag", "delete", &copy]).await.refused(NO_RIGHT);
        let maintainer = scene.project.member(Role::Maintainer).await;
        login(&home, scene.host(), &maintainer, maintainer.password()).await.ok();
        regctl(&["tag", "delete", &copy]).await.ok();
        assert!(scene.repository("chunked").tags().await.is_empty());
        let kept = scene.repository("chunked").manifest(&image.manifest.digest).await;
        kept.expect(200);

        login(&home, scene.host(), &scene.guest, scene.guest.password()).await.ok();
        let guests = format!("{}:guest", scene.reference("app"));
        regctl(&["image", "copy", "ocidir://layout:1", &guests]).await.refused(NO_RIGHT);
    })
    .await;
}
