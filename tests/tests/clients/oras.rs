//! oras: artifacts, what is attached to them, and copies with all of it.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole};
use haven_tests::{
    Client, content, on_each_setup,
    tool::{Home, Output},
};
use serde_json::Value;

async fn login(home: &Home, host: &str, user: &Client, password: &str) -> Output {
    let arguments = ["login", "--plain-http", "--username", user.name(), "--password-stdin", host];
    home.feed("oras", &arguments, password).await
}

#[tokio::test]
async fn oras_pushes_attaches_discovers_and_copies() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = Home::new();
        let bytes = content::random(100_000);
        home.write("file.bin", &bytes);
        home.write("empty.bin", b"");
        home.write("signature.txt", b"signed");
        let name = format!("{}:1", scene.reference("app"));
        let oras = async |arguments: &[&str]| home.run("oras", arguments).await;
        let push = [
            "push",
            "--plain-http",
            "--artifact-type",
            "application/vnd.example.thing",
            &name,
            "file.bin:application/octet-stream",
            "empty.bin:application/octet-stream",
        ];

        oras(&push).await.refused(WRONG_LOGIN);
        let developer = &scene.developer;
        login(&home, scene.host(), developer, "Wrong1Password").await.refused(WRONG_LOGIN);
        login(&home, scene.host(), developer, developer.password()).await.ok();
        oras(&push).await.ok();
        let digest = oras(&["resolve", "--plain-http", &name]).await.ok();
        assert_eq!(assert_whole(&scene.repository("app"), "1").await, digest.trim());

        let attach = [
            "attach",
            "--plain-http",
            "--artifact-type",
            "application/vnd.example.signature",
            &name,
            "signature.txt:text/plain",
        ];
        oras(&attach).await.ok();
        let discover = async |name: &str| -> Value {
            let shown = oras(&["discover", "--plain-http", "--format", "json", name]).await.ok();
            serde_json::from_str(&shown).unwrap()
        };
        let shown = discover(&name).await;
        assert_eq!(shown["referrers"].as_array().unwrap().len(), 1);
        assert_eq!(shown["referrers"][0]["artifactType"], "application/vnd.example.signature");
        // The API was there, so no fallback tag was needed.
        assert_eq!(scene.repository("app").tags().await, ["1"]);

        let artifacts = scene.artifacts("app").await;
        assert_eq!(artifacts.len(), 1, "{artifacts:#?}");
        assert_eq!(artifacts[0]["type"], "UNKNOWN");
        assert_eq!(artifacts[0]["artifact_type"], "application/vnd.example.thing");
        assert_eq!(artifacts[0]["accessories"][0]["type"], "subject.accessory");

        oras(&["pull", "--plain-http", "--output", "pulled", &name]).await.ok();
        assert!(std::fs::read(home.path("pulled/file.bin")).unwrap() == bytes);
        assert!(std::fs::read(home.path("pulled/empty.bin")).unwrap().is_empty());

        let copy = format!("{}:1", scene.reference("copy"));
        oras(&["copy", "--recursive", "--from-plain-http", "--to-plain-http", &name, &copy])
            .await
            .ok();
        assert_eq!(assert_whole(&scene.repository("copy"), "1").await, digest.trim());
        let copied = discover(&copy).await;
        assert_eq!(copied["referrers"][0]["digest"], shown["referrers"][0]["digest"]);

        login(&home, scene.host(), &scene.guest, scene.guest.password()).await.ok();
        oras(&["manifest", "fetch", "--plain-http", &name]).await.ok();
        home.write("signature.txt", b"signed by a guest");
        oras(&attach).await.refused(NO_RIGHT);
    })
    .await;
}
