//! Garbage collection, as Harbor's clients ask for it.

use std::time::Duration;

use domain::{testing::eventually, work};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    artifacts::{push_blob, push_image},
    server::{Server, both, sqlite},
};

const GC: &str = "/api/v2.0/system/gc";
const SCHEDULE: &str = "/api/v2.0/system/gc/schedule";

fn asked(schedule: &Value, parameters: &Value) -> String {
    json!({"schedule": schedule, "parameters": parameters}).to_string()
}

/// Begins a collection and gives where it is shown.
async fn begin(server: &Server, parameters: &Value) -> String {
    let body = asked(&json!({"type": "Manual"}), parameters);
    let answer = server.ask("admin", "POST", SCHEDULE, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.header("location").to_owned()
}

async fn parameters(server: &Server, place: &str) -> Value {
    let shown = server.get("admin", place).await.json();
    serde_json::from_str(shown["job_parameters"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_collection_runs_and_tells_of_it() {
    for server in both().await {
        let digest = oci::Digest::of(oci::Algorithm::Sha256, b"young");
        let push = format!("/v2/library/app/blobs/uploads/?digest={digest}");
        assert_eq!(server.ask("admin", "POST", &push, "young").await.status, 201);
        let (_stop, stopping) = watch::channel(false);
        tokio::spawn(work::serve(server.domain.clone(), 2, stopping));
        for dry_run in [true, false] {
            let sent = json!({"dry_run": dry_run, "delete_untagged": true, "workers": 2});
            let place = begin(&server, &sent).await;
            assert!(place.starts_with(&format!("{GC}/")), "{place}");
            eventually(async || {
                server.get("admin", &place).await.json()["job_status"] == "Success"
            })
            .await;
            let told = parameters(&server, &place).await;
            let expected = json!({
                "delete_tag": false, "delete_untagged": true, "dry_run": dry_run, "workers": 2,
                "time_window": 2.0, "freed_space": 0, "purged_blobs": 0, "purged_manifests": 0,
            });
            assert_eq!(told, expected);
            let log = server.get("admin", &format!("{place}/log")).await;
            assert_eq!((log.status.as_u16(), log.header("content-type")), (200, "text/plain"));
            assert!(log.body.contains("0 blobs and 0 manifests eligible for deletion"));
            assert!(log.body.contains("success to run gc in job."), "{}", log.body);
        }
        let history = server.get("admin", GC).await;
        assert_eq!(history.header("x-total-count"), "2");
        let newest = &history.json()[0];
        assert_eq!(newest["job_name"], "GARBAGE_COLLECTION");
        assert_eq!((&newest["job_kind"], &newest["deleted"]), (&json!("MANUAL"), &json!(false)));
        let page = server.get("admin", &format!("{GC}?page_size=1&page=2")).await;
        assert_eq!(page.json().as_array().unwrap().len(), 1);
        // What was just pushed stays, though nothing needs it.
        let blob = format!("/v2/library/app/blobs/{digest}");
        assert_eq!(server.get("admin", &blob).await.body, "young");
    }
}

/// As in Harbor, nobody is refused because somebody else collects: one waits for the other.
#[tokio::test]
async fn two_at_once_run_one_after_the_other_and_lose_nothing() {
    for server in both().await {
        let kept = push_image(&server, "library/app", "v1", "kept").await;
        let gone = push_blob(&server, "library/app", "nobody's").await;
        server.domain.clock.advance(Duration::from_secs(3 * 3600));
        let late = push_blob(&server, "library/app", "in the window").await;
        let sent = json!({"delete_untagged": true, "workers": 2});
        let (one, other) = tokio::join!(begin(&server, &sent), begin(&server, &sent));
        assert_ne!(one, other);
        let (_stop, stopping) = watch::channel(false);
        for _replica in 0..2 {
            tokio::spawn(work::serve(server.domain.clone(), 2, stopping.clone()));
        }
        let (mut blobs, mut freed) = (0, 0);
        for place in [&one, &other] {
            eventually(async || server.get("admin", place).await.json()["job_status"] == "Success")
                .await;
            let told = parameters(&server, place).await;
            blobs += told["purged_blobs"].as_u64().unwrap();
            freed += told["freed_space"].as_u64().unwrap();
            let log = server.get("admin", &format!("{place}/log")).await;
            assert!(log.body.contains("success to run gc in job."), "{}", log.body);
        }
        // What went, one of them freed and the other did not find.
        assert_eq!((blobs, freed), (1, 8));
        let blob = async |digest: &oci::Digest| {
            server.get("admin", &format!("/v2/library/app/blobs/{digest}")).await
        };
        assert_eq!(blob(&gone).await.status, 404);
        assert_eq!(blob(&late).await.body, "in the window");
        let manifest = server.get("admin", &format!("/v2/library/app/manifests/{kept}")).await;
        assert_eq!(manifest.status, 200);
        assert_eq!(blob(&oci::Digest::of(oci::Algorithm::Sha256, b"{}")).await.body, "{}");
    }
}

#[tokio::test]
async fn one_that_waits_is_stopped() {
    let server = sqlite().await;
    let place = begin(&server, &json!({})).await;
    assert_eq!(server.get("admin", &place).await.json()["job_status"], "Running");
    for _ in 0..2 {
        assert_eq!(server.ask("admin", "PUT", &place, "").await.status, 200);
        assert_eq!(server.get("admin", &place).await.json()["job_status"], "Stopped");
    }
    let unknown = server.get("admin", &format!("{GC}/4711")).await;
    let said = "garbage collection execution 4711 not found".to_owned();
    assert_eq!(unknown.error(), (404, "NOT_FOUND".into(), said));
    assert_eq!(server.get("admin", &format!("{GC}/4711/log")).await.status, 404);
    assert_eq!(server.ask("admin", "PUT", &format!("{GC}/4711"), "").await.status, 404);
}

#[tokio::test]
async fn collections_are_begun_by_a_schedule() {
    for server in both().await {
        assert_eq!(server.get("admin", SCHEDULE).await.body, "");
        let weekly = json!({"type": "Weekly", "cron": "0 0 0 * * 0"});
        let body = asked(&weekly, &json!({"delete_untagged": true, "workers": 3}));
        assert_eq!(server.ask("admin", "POST", SCHEDULE, &body).await.status, 201);
        let shown = server.get("admin", SCHEDULE).await.json();
        assert_eq!(shown["job_kind"], "0 0 0 * * 0");
        assert_eq!(shown["schedule"]["type"], "Weekly");
        let kept: Value = serde_json::from_str(shown["job_parameters"].as_str().unwrap()).unwrap();
        assert_eq!((&kept["workers"], &kept["delete_untagged"]), (&json!(3), &json!(true)));
        let never = asked(&json!({"type": "None"}), &json!({}));
        assert_eq!(server.ask("admin", "PUT", SCHEDULE, &never).await.status, 200);
        assert_eq!(server.get("admin", SCHEDULE).await.body, "");
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_begins_nothing() {
    let server = sqlite().await;
    let manual = json!({"type": "Manual"});
    for (status, body) in [
        (400, json!({}).to_string()),
        (400, asked(&manual, &json!({"workers": 0}))),
        (400, asked(&manual, &json!({"workers": 11}))),
        (400, asked(&manual, &json!({"workers": "many"}))),
        (400, asked(&manual, &json!({"dry_run": "perhaps"}))),
        (400, asked(&json!({"type": "Custom", "cron": "* * * * * *"}), &json!({}))),
        (400, asked(&json!({"type": "Custom", "cron": "0 0 0 31 2 *"}), &json!({}))),
        (422, asked(&json!({"type": "Often"}), &json!({}))),
    ] {
        let answer = server.ask("admin", "POST", SCHEDULE, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    assert_eq!(server.get("admin", GC).await.body, "[]");
    assert_eq!(server.get("admin", SCHEDULE).await.body, "");
    domain::testing::add_user(&server.domain, "alice").await;
    for (who, status) in [("", 401), ("alice", 403)] {
        assert_eq!(server.get(who, GC).await.status, status);
        let body = asked(&manual, &json!({}));
        assert_eq!(server.ask(who, "POST", SCHEDULE, &body).await.status, status);
    }
}
