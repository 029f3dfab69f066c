//! What is pushed, pulled and deleted is counted by project and hour, and a stop loses nothing.

use haven_tests::{Image, Role, Server, Settings, eventually};
use serde_json::Value;
use std::time::Duration;

/// The sums of a series: pushes, pulls, deletes; and what was stored at its end.
fn sums(series: &Value) -> (i64, i64, i64, i64) {
    let parts = series.as_array().unwrap();
    let sum = |name: &str| parts.iter().map(|part| part[name].as_i64().unwrap()).sum();
    let stored = parts.last().unwrap()["stored"].as_i64().unwrap();
    (sum("pushes"), sum("pulls"), sum("deletes"), stored)
}

#[tokio::test]
async fn activity_is_counted_and_outlasts_a_stop() {
    for settings in [Settings::appliance(), Settings::cluster()] {
        let mut server = Server::start(&settings).await;
        let project = server.admin.project(false).await;
        let user = project.member(Role::Maintainer).await;
        let repository = project.repository(&user, "app");
        let (kept, gone) = (Image::random(&[10_000]), Image::random(&[20_000]));
        repository.push("kept", &kept).await;
        repository.push("gone", &gone).await;
        let path = format!("/api/haven/v1/projects/{}/activity", project.name);
        let series =
            async |server: &Server| sums(&server.admin.get(&path).await.expect(200).json());
        eventually("the pushes are counted", Duration::from_secs(20), async || {
            series(&server).await.0 == 2
        })
        .await;
        let (_, _, _, both) = series(&server).await;
        assert!(both > 30_000, "{both} bytes are stored");
        let path_of_gone = repository.path(&format!("manifests/{}", gone.manifest.digest));
        user.delete(&path_of_gone).await.expect(202);
        for _ in 0..3 {
            repository.manifest("kept").await.expect(200);
        }
        // What was not counted yet is counted after the start.
        assert!(server.stop().await.success());
        server.start_again().await;
        eventually("everything is counted", Duration::from_secs(20), async || {
            let (pushes, pulls, deletes, stored) = series(&server).await;
            (pushes, pulls, deletes) == (2, 3, 1) && stored < both
        })
        .await;
    }
}
