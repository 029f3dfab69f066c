//! Long deeds that are broken off, by a kill or by a stop: what is left is whole, what was done
//! stays, and the next one finishes.

use futures_util::{StreamExt as _, stream};
use haven_tests::{Blob, Client, Manifest, Project, Repository, Server, Settings, eventually};
use serde_json::{Value, json};
use std::time::Duration;

/// How many artifacts there are: enough for somebody to come in between.
const MANY: usize = 800;

/// How many are pushed at a time.
const PUSHED_TOGETHER: usize = 16;

/// A job whose replica died is begun anew when the lease of the dead is over.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long artifacts without a tag stay in the test of the collector.
const WINDOW: Duration = Duration::from_secs(1);

const ENDS: [&str; 3] = ["Success", "Error", "Stopped"];

/// A repository with many artifacts that share their blobs.
struct Full {
    server: Server,
    project: Project,
    repository: Repository,
    blobs: [Blob; 2],
}

impl Full {
    /// Each artifact has a tag of its own, or none has.
    async fn new(settings: &Settings, tagged: bool) -> Full {
        let server = Server::start(settings).await;
        let project = server.admin.project(false).await;
        let repository = project.repository(&server.admin, "many");
        let blobs = [Blob::new("{}"), Blob::random(3000)];
        for blob in &blobs {
            repository.upload(blob).await;
        }
        let [config, layer] = &blobs;
        let pushes = (0..MANY).map(async |n| {
            let more = json!({"annotations": {"n": n.to_string()}});
            let manifest = Manifest::image(config, std::slice::from_ref(layer), more);
            let tag = format!("t{n}");
            let reference = if tagged { &tag } else { &manifest.digest };
            repository.put(reference, &manifest).await.expect(201);
        });
        stream::iter(pushes).buffer_unordered(PUSHED_TOGETHER).collect::<Vec<()>>().await;
        assert_eq!(count(&server.admin, &project).await, MANY);
        Full { server, project, repository, blobs }
    }

    fn admin(&self) -> &Client {
        &self.server.admin
    }

    async fn count(&self) -> usize {
        count(self.admin(), &self.project).await
    }

    /// Waits until some artifacts have gone.
    async fn until_some_went(&self) {
        eventually("some artifacts go", PATIENCE, async || self.count().await < MANY).await;
    }

    /// How many are left, if it was broken off in the middle.
    async fn left(&self) -> usize {
        let left = self.count().await;
        assert!((2..MANY).contains(&left), "{left} of {MANY}: not in the middle");
        left
    }

    /// Everything that is left can be pulled.
    async fn is_whole(&self) {
        let tags = self.repository.tags().await;
        for tag in &tags {
            self.repository.manifest(tag).await.expect(200);
        }
        for blob in &self.blobs {
            let read = self.repository.blob(&blob.digest).await.expect(200);
            assert!(read.body == blob.bytes, "other bytes");
        }
        assert_eq!(tags.len(), self.count().await);
    }

    /// Everything is checked by `haven verify`.
    async fn is_sound(&mut self) {
        assert!(self.server.stop().await.success());
        self.server.run(&["verify"]).await.ok();
        self.server.start_again().await;
    }

    /// How much the project stores.
    async fn used(&self) -> i64 {
        let quotas = self.admin().get("/api/v2.0/quotas?page_size=100").await.expect(200).json();
        let mut quotas = quotas.as_array().unwrap().iter();
        let quota = quotas.find(|quota| quota["ref"]["name"] == self.project.name).unwrap();
        quota["used"]["storage"].as_i64().unwrap()
    }
}

/// How many artifacts the repository shows.
async fn count(admin: &Client, project: &Project) -> usize {
    let path = format!("/api/v2.0/projects/{}/repositories/many", project.name);
    let answer = admin.get(&format!("{path}/artifacts?page_size=1")).await;
    if answer.status == 404 {
        return 0;
    }
    answer.expect(200).header("x-total-count").parse().unwrap()
}

async fn both(test: impl AsyncFn(Settings)) {
    for settings in [Settings::appliance(), Settings::cluster()] {
        test(settings).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_was_half_deleted_is_whole_and_goes_when_it_is_deleted_again() {
    both(async |settings| {
        let mut full = Full::new(&settings, true).await;
        let path = format!("/api/v2.0/projects/{}/repositories/many", full.project.name);
        let deleting = tokio::spawn(full.admin().request("DELETE", &path).try_send());
        full.until_some_went().await;
        full.server.kill();
        assert!(deleting.await.unwrap().is_err(), "nobody was told that it has gone");
        full.server.start_again().await;
        println!("{} of {MANY} artifacts are left", full.left().await);
        full.is_whole().await;
        full.is_sound().await;

        full.admin().delete(&path).await.expect(200);
        full.admin().get(&path).await.expect(404);
        full.admin().delete(&path).await.expect(404);
        assert_eq!(full.used().await, 0);
        full.is_sound().await;
    })
    .await;
}

/// Begins a run that keeps one artifact, and gives where policy and run are shown.
async fn begin_retention(full: &Full) -> (String, String) {
    let admin = full.admin();
    let project = admin.get(&format!("/api/v2.0/projects/{}", full.project.name)).await;
    let id = project.expect(200).json()["project_id"].as_i64().unwrap();
    let selector = |decoration: &str| json!([{"kind": "doublestar", "decoration": decoration, "pattern": "**"}]);
    let policy = json!({
        "algorithm": "or",
        "rules": [{
            "disabled": false, "action": "retain", "template": "latestPushedK",
            "params": {"latestPushedK": 1},
            "scope_selectors": {"repository": selector("repoMatches")},
            "tag_selectors": selector("matches"),
        }],
        "trigger": {"kind": "Schedule", "settings": {"cron": ""}, "references": {}},
        "scope": {"level": "project", "ref": id},
    });
    let made = admin.request("POST", "/api/v2.0/retentions").json(&policy).send().await;
    let policy = made.expect(201).location();
    (policy.clone(), run_retention(admin, &policy).await)
}

async fn run_retention(admin: &Client, policy: &str) -> String {
    let path = format!("{policy}/executions");
    let begun = admin.request("POST", &path).json(&json!({"dry_run": false})).send().await;
    begun.expect(201).location()
}

/// What came of a policy's newest run.
async fn retention_ended(admin: &Client, policy: &str) -> String {
    let mut status = String::new();
    eventually("the run ends", PATIENCE, async || {
        let runs = admin.get(&format!("{policy}/executions")).await.expect(200).json();
        status = runs[0]["status"].as_str().unwrap().to_owned();
        ENDS.contains(&status.as_str())
    })
    .await;
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_retention_is_stopped_in_the_middle_and_the_next_finishes() {
    both(async |settings| {
        let mut full = Full::new(&settings, true).await;
        let (policy, run) = begin_retention(&full).await;
        full.until_some_went().await;
        let stop = full.admin().request("PATCH", &run).json(&json!({"action": "stop"}));
        stop.send().await.expect(200);
        assert_eq!(retention_ended(full.admin(), &policy).await, "Stopped");
        println!("{} of {MANY} artifacts are left", full.left().await);
        let tasks = full.admin().get(&format!("{run}/tasks")).await.expect(200).json();
        assert_eq!(tasks[0]["status"], "Stopped");
        let log = full.admin().get(&format!("{run}/tasks/{}", tasks[0]["id"])).await;
        let log = log.expect(200).text();
        assert!(log.contains("Retention job is stopped"), "{log}");
        full.is_whole().await;
        full.is_sound().await;

        run_retention(full.admin(), &policy).await;
        assert_eq!(retention_ended(full.admin(), &policy).await, "Success");
        assert_eq!(full.count().await, 1);
        full.is_whole().await;
        full.is_sound().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_retention_whose_replica_dies_is_finished_by_another() {
    both(async |settings| {
        let mut full = Full::new(&settings, true).await;
        let (policy, _run) = begin_retention(&full).await;
        full.until_some_went().await;
        full.server.kill();
        // A process of its own: the lease of the dead one has to be over first.
        full.server.start_again().await;
        println!("{} of {MANY} artifacts are left", full.left().await);
        assert_eq!(retention_ended(full.admin(), &policy).await, "Success");
        assert_eq!(full.count().await, 1);
        full.is_whole().await;
        full.is_sound().await;
    })
    .await;
}

/// Begins a collection that takes artifacts without a tag too, and gives where it is shown.
async fn begin_collection(admin: &Client) -> String {
    let body = json!({"schedule": {"type": "Manual"}, "parameters": {"delete_untagged": true}});
    let begun = admin.request("POST", "/api/v2.0/system/gc/schedule").json(&body).send().await;
    begun.expect(201).location()
}

/// What came of a collection, and its log.
async fn collection_ended(admin: &Client, run: &str) -> (Value, String) {
    let mut status = Value::Null;
    eventually("the collection ends", PATIENCE, async || {
        status = admin.get(run).await.expect(200).json()["job_status"].clone();
        ENDS.iter().any(|end| status == *end)
    })
    .await;
    (status, admin.get(&format!("{run}/log")).await.expect(200).text())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_is_stopped_in_the_middle_and_the_next_finishes() {
    both(async |settings| {
        let settings = settings.with("HAVEN_GC_WINDOW", format!("{}s", WINDOW.as_secs()));
        let mut full = Full::new(&settings, false).await;
        // The youngest has to be older than the window.
        tokio::time::sleep(WINDOW * 2).await;
        let run = begin_collection(full.admin()).await;
        full.until_some_went().await;
        full.admin().request("PUT", &run).send().await.expect(200);
        let (status, log) = collection_ended(full.admin(), &run).await;
        assert_eq!(status, "Stopped", "{log}");
        assert!(log.contains("received the stop signal, quit GC job."), "{log}");
        println!("{} of {MANY} artifacts are left", full.left().await);
        // What has ended stays as it is.
        full.admin().request("PUT", &run).send().await.expect(200);
        assert_eq!(collection_ended(full.admin(), &run).await.0, "Stopped");
        full.is_sound().await;

        let run = begin_collection(full.admin()).await;
        let (status, log) = collection_ended(full.admin(), &run).await;
        assert_eq!(status, "Success", "{log}");
        assert_eq!(full.count().await, 0);
        full.is_sound().await;
    })
    .await;
}
