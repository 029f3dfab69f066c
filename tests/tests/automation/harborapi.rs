//! `harborapi`, a client of Harbor's API from PyPI, as `program.py` and `curation.py` use it.

use haven_tests::{Image, on_each_setup, server::ADMIN_PASSWORD, tool::Home};

#[tokio::test]
async fn the_python_client_works_as_with_harbor() {
    on_each_setup(async |server| {
        let home = Home::new();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/automation/program.py");
        let url = format!("{}/api/v2.0", server.url);
        let said = home.run("harborapi-python", &[program, &url, ADMIN_PASSWORD]).await.ok();
        assert!(said.trim_end().ends_with("all is well"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn artifacts_are_curated_by_the_python_client_as_with_harbor() {
    on_each_setup(async |server| {
        let (project, other) =
            (server.admin.project(false).await, server.admin.project(false).await);
        let image = Image::random(&[1000]);
        project.repository(&server.admin, "team/app").push("v1", &image).await;
        let home = Home::new();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/automation/curation.py");
        let url = format!("{}/api/v2.0", server.url);
        let digest = &image.manifest.digest;
        let arguments = [program, &url, ADMIN_PASSWORD, &project.name, &other.name, digest];
        let said = home.run("harborapi-python", &arguments).await.ok();
        assert!(said.trim_end().ends_with("all is well"), "{said}");
    })
    .await;
}
