//! helm: charts in the registry.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole};
use haven_tests::{
    Client, on_each_setup,
    tool::{Home, Output},
};

async fn login(home: &Home, host: &str, user: &Client, password: &str) -> Output {
    let arguments =
        ["registry", "login", "--plain-http", "--username", user.name(), "--password-stdin", host];
    home.feed("helm", &arguments, password).await
}

#[tokio::test]
async fn helm_pushes_and_pulls_charts() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let home = Home::new();
        let helm = async |arguments: &[&str]| home.run("helm", arguments).await;
        helm(&["create", "chart"]).await.ok();
        // A version with a plus: helm writes it as an underscore in the tag.
        helm(&["package", "chart", "--version", "1.2.3+build.4"]).await.ok();
        let package = home.path("chart-1.2.3+build.4.tgz");
        let charts = format!("oci://{}", scene.reference("charts"));
        let push = ["push", "--plain-http", package.to_str().unwrap(), &charts];

        helm(&push).await.refused(WRONG_LOGIN);
        let developer = &scene.developer;
        login(&home, scene.host(), developer, "Wrong1Password").await.refused(WRONG_LOGIN);
        login(&home, scene.host(), developer, developer.password()).await.ok();
        let pushed = helm(&push).await;
        let repository = scene.repository("charts/chart");
        assert_eq!(repository.tags().await, ["1.2.3_build.4"]);
        let digest = assert_whole(&repository, "1.2.3_build.4").await;
        assert!(pushed.describe().contains(&digest), "{}", pushed.describe());
        pushed.ok();

        let chart = format!("{charts}/chart");
        std::fs::create_dir(home.path("pulled")).unwrap();
        let pull = [
            "pull",
            "--plain-http",
            &chart,
            "--version",
            "1.2.3+build.4",
            "--destination",
            "pulled",
        ];
        helm(&pull).await.ok();
        let pulled = std::fs::read(home.path("pulled/chart-1.2.3+build.4.tgz")).unwrap();
        assert!(pulled == std::fs::read(&package).unwrap());
        let shown = helm(&["show", "chart", "--plain-http", &chart]).await.ok();
        assert!(shown.contains("version: 1.2.3+build.4"), "{shown}");

        // The API knows what it is, and what is in it.
        let artifacts = scene.artifacts("charts/chart").await;
        assert_eq!(artifacts.len(), 1);
        assert_eq!(artifacts[0]["type"], "CHART");
        assert_eq!(artifacts[0]["extra_attrs"]["version"], "1.2.3+build.4");
        let added = async |which: &str| {
            scene.shown("charts/chart", &format!("/1.2.3_build.4/additions/{which}")).await
        };
        let values = std::fs::read_to_string(home.path("chart/values.yaml")).unwrap();
        assert_eq!(added("values.yaml").await.text(), values);
        assert_eq!(added("dependencies").await.json(), serde_json::json!([]));
        assert_eq!(added("readme.md").await.text(), "");

        login(&home, scene.host(), &scene.guest, scene.guest.password()).await.ok();
        helm(&["show", "chart", "--plain-http", &chart]).await.ok();
        helm(&["package", "chart", "--version", "2.0.0"]).await.ok();
        let newer = home.path("chart-2.0.0.tgz");
        let push = ["push", "--plain-http", newer.to_str().unwrap(), &charts];
        helm(&push).await.refused(NO_RIGHT);
    })
    .await;
}
