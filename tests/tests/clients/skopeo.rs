//! skopeo: the library of podman, buildah and CRI-O.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole};
use haven_tests::{Image, Role, on_each_setup, tool::Home};
use serde_json::Value;

#[tokio::test]
async fn skopeo_copies_inspects_and_deletes() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = Home::new();
        let image = Image::random(&[1000, 300_000]);
        scene.repository("source").push("1", &image).await;
        let source = format!("docker://{}:1", scene.reference("source"));
        let target = format!("docker://{}:1", scene.reference("target"));
        let skopeo = async |arguments: &[&str]| home.run("skopeo", arguments).await;

        skopeo(&["inspect", "--tls-verify=false", &source]).await.refused(WRONG_LOGIN);
        let login = async |user: &str, password: &str| {
            let arguments = [
                "login",
                "--tls-verify=false",
                "--username",
                user,
                "--password-stdin",
                scene.host(),
            ];
            home.feed("skopeo", &arguments, password).await
        };
        login(scene.developer.name(), "Wrong1Password").await.refused(WRONG_LOGIN);
        login(scene.developer.name(), scene.developer.password()).await.ok();

        let shown = skopeo(&["inspect", "--tls-verify=false", &source]).await.ok();
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["Digest"], image.manifest.digest);
        assert_eq!(shown["RepoTags"], serde_json::json!(["1"]));
        let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", &source]).await.ok();
        assert!(raw.as_bytes() == image.manifest.bytes);

        // From the registry to a folder, and from the folder to another repository.
        let folder = format!("dir:{}", home.path("folder").display());
        skopeo(&["copy", "--src-tls-verify=false", &source, &folder]).await.ok();
        skopeo(&["copy", "--dest-tls-verify=false", &folder, &target]).await.ok();
        scene.repository("target").assert_holds("1", &image).await;
        // And within the registry, where blobs are mounted.
        let mounted = format!("docker://{}:1", scene.reference("mounted"));
        let flags = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        skopeo(&["copy", flags[0], flags[1], &source, &mounted]).await.ok();
        assert_eq!(assert_whole(&scene.repository("mounted"), "1").await, image.manifest.digest);

        let tags = format!("docker://{}", scene.reference("target"));
        let tags = skopeo(&["list-tags", "--tls-verify=false", &tags]).await.ok();
        assert!(tags.contains("\"1\""), "{tags}");

        // A developer may not delete; a maintainer may.
        skopeo(&["delete", "--tls-verify=false", &target]).await.refused(NO_RIGHT);
        let maintainer = scene.project.member(Role::Maintainer).await;
        login(maintainer.name(), maintainer.password()).await.ok();
        skopeo(&["delete", "--tls-verify=false", &target]).await.ok();
        scene.repository("target").manifest("1").await.refused(404, "MANIFEST_UNKNOWN");

        login(scene.guest.name(), scene.guest.password()).await.ok();
        let refused = format!("docker://{}:2", scene.reference("target"));
        skopeo(&["copy", "--dest-tls-verify=false", &folder, &refused]).await.refused(NO_RIGHT);
    })
    .await;
}
