//! What is pushed, pulled and deleted is counted by project and hour, and a stop loses nothing
//! of it, nor of how often and when something was pulled; a kill the last second's at the most.

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

/// How often something was pulled from the repository of a project, whether its artifact knows
/// of it, and how many pulls the project's log tells of.
async fn pulled(server: &Server, project: &str) -> (i64, bool, i64) {
    let of_project = format!("/api/v2.0/projects/{project}");
    let repository = format!("{of_project}/repositories/app");
    let shown = server.admin.get(&repository).await.expect(200).json();
    let artifact = server.admin.get(&format!("{repository}/artifacts/kept")).await.expect(200);
    let never = artifact.json()["pull_time"] == "0001-01-01T00:00:00.000Z";
    let log = format!("{of_project}/auditlog-exts?q=operation%3Dpull");
    let told = server.admin.get(&log).await.expect(200).header("x-total-count").parse().unwrap();
    (shown["pull_count"].as_i64().unwrap(), !never, told)
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
        let pull = async |times| {
            for _ in 0..times {
                repository.manifest("kept").await.expect(200);
            }
        };
        pull(3).await;
        // What was not counted yet is counted after the start.
        assert!(server.stop().await.success());
        server.start_again().await;
        assert_eq!(pulled(&server, &project.name).await, (3, true, 3));
        eventually("everything is counted", Duration::from_secs(20), async || {
            let (pushes, pulls, deletes, stored) = series(&server).await;
            (pushes, pulls, deletes) == (2, 3, 1) && stored < both
        })
        .await;
        // What is shown is written.
        pull(2).await;
        eventually("the pulls are written", Duration::from_secs(20), async || {
            pulled(&server, &project.name).await == (5, true, 5) && series(&server).await.1 == 5
        })
        .await;
        server.kill();
        server.start_again().await;
        assert_eq!(pulled(&server, &project.name).await, (5, true, 5));
        assert_eq!(series(&server).await.1, 5);
    }
}
