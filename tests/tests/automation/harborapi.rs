//! `harborapi`, a client of Harbor's API from PyPI, as `program.py`, `curation.py` and `upkeep.py`
//! use it.

use haven_tests::{Blob, Image, Manifest, on_each_setup, server::ADMIN_PASSWORD, tool::Home};
use serde_json::json;

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

/// An image whose configuration tells how it was built.
fn built() -> Image {
    let layers = vec![Blob::random(1000)];
    let step = |by: &str| json!({"created": "2026-01-01T00:00:00Z", "created_by": by});
    let mut last = step("CMD run");
    last["empty_layer"] = true.into();
    let config = json!({"architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layers[0].digest]},
        "history": [step("ADD rootfs"), last]});
    let config = Blob::new(serde_json::to_vec(&config).unwrap());
    let manifest = Manifest::image(&config, &layers, json!({}));
    Image { config, layers, manifest }
}

#[tokio::test]
async fn upkeep_is_done_by_the_python_client_as_with_harbor() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let (image, repository) = (built(), project.repository(&server.admin, "team/app"));
        repository.push("v1", &image).await;
        let about = json!({"artifactType": "application/vnd.acme.report",
            "subject": image.manifest.descriptor()});
        let accessory = Manifest::image(&image.config, &[], about);
        repository.put(&accessory.digest, &accessory).await.expect(201);
        let home = Home::new();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/automation/upkeep.py");
        let url = format!("{}/api/v2.0", server.url);
        let (digest, accessory) = (&image.manifest.digest, &accessory.digest);
        let arguments = [program, &url, ADMIN_PASSWORD, &project.name, digest, accessory];
        let said = home.run("harborapi-python", &arguments).await.ok();
        assert!(said.trim_end().ends_with("all is well"), "{said}");
    })
    .await;
}
