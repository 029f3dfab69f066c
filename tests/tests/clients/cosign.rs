//! cosign: signatures by a key, without any service beside the registry.

use crate::{NO_RIGHT, Scene, assert_whole};
use haven_tests::{Client, Image, on_each_setup, tool::Home};

/// Logs in for cosign, which reads docker's file.
async fn login(home: &Home, host: &str, user: &Client) {
    let arguments = ["auth", "login", host, "--username", user.name(), "--password-stdin"];
    home.feed("crane", &arguments, user.password()).await.ok();
}

#[tokio::test]
async fn cosign_signs_and_verifies() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let image = Image::random(&[1000]);
        let repository = scene.repository("app");
        repository.push("1", &image).await;
        let name = format!("{}@{}", scene.reference("app"), image.manifest.digest);
        let mut home = Home::new();
        home.set("COSIGN_PASSWORD", "");
        home.run("cosign", &["generate-key-pair"]).await.ok();
        std::fs::create_dir(home.path("other")).unwrap();
        let prefix = ["generate-key-pair", "--output-key-prefix", "other/key"];
        home.run("cosign", &prefix).await.ok();
        let sign = [
            "sign",
            "--yes",
            "--key",
            "cosign.key",
            "--tlog-upload=false",
            "--use-signing-config=false",
            "--allow-http-registry",
            &name,
        ];
        let verify = async |key: &str| {
            let offline = ["--insecure-ignore-tlog=true", "--allow-http-registry"];
            let arguments = ["verify", "--key", key, offline[0], offline[1], &name];
            home.run("cosign", &arguments).await
        };

        home.run("cosign", &sign).await.refused(&["unauthorized"]);
        login(&home, scene.host(), &scene.developer).await;
        verify("cosign.pub").await.refused(&["no signatures", "no matching"]);
        home.run("cosign", &sign).await.ok();
        let verified = verify("cosign.pub").await.ok();
        assert!(verified.contains(&image.manifest.digest), "{verified}");
        verify("other/key.pub").await.refused(&[
            "no matching",
            "invalid signature",
            "no signatures",
        ]);

        // The signature refers to the image, and the image is as it was.
        let referrers = repository.referrers(&image.manifest.digest, "").await;
        let referrers = referrers.expect(200).json();
        assert_eq!(referrers["manifests"].as_array().unwrap().len(), 1, "{referrers}");
        assert_eq!(assert_whole(&repository, "1").await, image.manifest.digest);

        // In the API it is an accessory of the image, and none of its own.
        let artifacts = scene.artifacts("app").await;
        assert_eq!(artifacts.len(), 1, "{artifacts:#?}");
        assert_eq!(artifacts[0]["digest"], image.manifest.digest);
        assert_eq!(artifacts[0]["accessories"][0]["type"], "signature.cosign");
        let accessories = scene.shown("app", "/1/accessories").await.json();
        assert_eq!(accessories, artifacts[0]["accessories"]);

        // A guest may verify and not sign.
        login(&home, scene.host(), &scene.guest).await;
        verify("cosign.pub").await.ok();
        home.run("cosign", &sign).await.refused(NO_RIGHT);
    })
    .await;
}
