//! Garbage collection while everybody works: 32 clients push, mount, pull and delete the same
//! content in a few repositories, and a collector with a window of seconds runs in a loop.
//!
//! What was accepted must be there, what a client was told exists must not go within the
//! window, and in the end `haven verify` must be clean and counting anew must change no quota.
//! It takes `HAVEN_TEST_SECONDS`, 60 if nothing is said.
#![allow(clippy::unwrap_used)]

use haven_tests::{Answer, Blob, Client, Image, Repository, Server, Settings, eventually};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How many clients push.
const PUSHERS: u64 = 32;

/// How many clients delete, and how many mount.
const OTHERS: u64 = 4;

/// How long what nothing needs stays on the server.
const WINDOW: Duration = Duration::from_secs(4);

/// How long after an answer it is sure to count: less than the window, by what a look at the
/// clock and a renewal cost.
const SURE: Duration = Duration::from_secs(2);

/// What all clients push.
const LAYERS: u64 = 12;

fn duration() -> Duration {
    let seconds = std::env::var("HAVEN_TEST_SECONDS").map_or(60, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

/// What is shared by all clients.
struct Shared {
    images: Vec<Image>,
    repositories: Vec<Repository>,
    over: AtomicBool,
    pushed: AtomicU64,
    deleted: AtomicU64,
    mounted: AtomicU64,
    refused: AtomicU64,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

fn layer(n: u64) -> Blob {
    let length = 2_000 + 3_000 * usize::try_from(n).unwrap();
    let mut random = StdRng::seed_from_u64(n);
    Blob::new((0..length).map(|_| random.random()).collect::<Vec<u8>>())
}

/// A client with chance of its own.
struct Worker {
    random: StdRng,
    shared: Arc<Shared>,
}

impl Worker {
    fn repository(&mut self) -> Repository {
        let n = self.random.random_range(0..self.shared.repositories.len());
        self.shared.repositories[n].clone()
    }

    fn image(&mut self) -> Image {
        let n = self.random.random_range(0..self.shared.images.len());
        self.shared.images[n].clone()
    }

    /// Pushes as docker does: asks for each blob and uploads what is not there.
    async fn push(mut self) {
        while !self.shared.is_over() {
            let (repository, image) = (self.repository(), self.image());
            if self.random.random_bool(0.1) && !self.bring(&repository, &Blob::random(500)).await {
                continue;
            }
            if !self.bring_blobs(&repository, &image).await {
                continue;
            }
            let by_tag = self.random.random_bool(0.5);
            let tag = format!("t{}", self.random.random_range(0..20));
            let reference = if by_tag { &tag } else { &image.manifest.digest };
            let before = Instant::now();
            let answer = repository.put(reference, &image.manifest).await;
            match answer.status {
                201 => {
                    self.shared.pushed.fetch_add(1, Ordering::Relaxed);
                    self.is_there(&repository, &image, before).await;
                }
                // It took longer than the window since its blobs were brought.
                400 => assert_eq!(code(&answer), "MANIFEST_BLOB_UNKNOWN", "{}", answer.describe()),
                403 => self.is_denied(&answer),
                _ => is_busy(&answer),
            }
        }
    }

    /// Whether all blobs of an image are there; no if the quota is exhausted.
    async fn bring_blobs(&mut self, repository: &Repository, image: &Image) -> bool {
        for blob in image.blobs() {
            let before = Instant::now();
            let found = repository.head_blob(&blob.digest).await;
            if found.status == 200 {
                if self.random.random_bool(0.2) {
                    let read = repository.blob(&blob.digest).await;
                    if before.elapsed() < SURE {
                        assert!(read.expect(200).body == blob.bytes, "other bytes");
                    }
                }
                continue;
            }
            if found.status != 404 {
                is_busy(&found);
                continue;
            }
            if !self.bring(repository, blob).await {
                return false;
            }
        }
        true
    }

    /// Uploads a blob. False if the quota is exhausted, or the server is busy.
    async fn bring(&self, repository: &Repository, blob: &Blob) -> bool {
        let begun = repository.client.request("POST", &repository.path("blobs/uploads/"));
        let begun = begun.send().await;
        if begun.status != 202 {
            is_busy(&begun);
            return false;
        }
        let before = Instant::now();
        let answer = repository.finish(&begun.location(), &blob.digest, blob).await;
        match answer.status {
            201 => {
                let found = repository.head_blob(&blob.digest).await;
                if before.elapsed() < SURE {
                    found.expect(200);
                }
                return true;
            }
            403 => self.is_denied(&answer),
            _ => is_busy(&answer),
        }
        false
    }

    /// What was accepted is there, unless somebody deleted it since.
    async fn is_there(&self, repository: &Repository, image: &Image, before: Instant) {
        for blob in image.blobs() {
            let read = repository.blob(&blob.digest).await;
            if before.elapsed() < SURE {
                assert!(read.expect(200).body == blob.bytes, "other bytes");
            }
        }
    }

    fn is_denied(&self, answer: &Answer) {
        let message = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("will exceed the configured upper limit"), "{message}");
        self.shared.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Deletes what there is.
    async fn delete(mut self) {
        while !self.shared.is_over() {
            let (repository, image) = (self.repository(), self.image());
            let path = repository.path(&format!("manifests/{}", image.manifest.digest));
            let answer = repository.client.delete(&path).await;
            match answer.status {
                202 => drop(self.shared.deleted.fetch_add(1, Ordering::Relaxed)),
                404 => {}
                _ => is_busy(&answer),
            }
        }
    }

    /// Mounts blobs from one repository into another.
    async fn mount(mut self) {
        while !self.shared.is_over() {
            let (from, to, image) = (self.repository(), self.repository(), self.image());
            let digest = &image.layers[0].digest;
            let path = to.path(&format!("blobs/uploads/?mount={digest}&from={}", from.name));
            let before = Instant::now();
            let answer = to.client.request("POST", &path).send().await;
            match answer.status {
                201 => {
                    self.shared.mounted.fetch_add(1, Ordering::Relaxed);
                    let found = to.head_blob(digest).await;
                    if before.elapsed() < SURE {
                        found.expect(200);
                    }
                }
                202 => {}
                403 => self.is_denied(&answer),
                _ => is_busy(&answer),
            }
        }
    }
}

fn code(answer: &Answer) -> String {
    answer.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
}

/// Nothing else may come of overload than a wish to come back.
fn is_busy(answer: &Answer) {
    assert!([429, 503].contains(&answer.status), "{}", answer.describe());
}

/// Begins a collection, waits for its end, and gives what came of it.
async fn collect(admin: &Client) -> Value {
    let body = json!({"schedule": {"type": "Manual"},
        "parameters": {"delete_untagged": false, "workers": 3}});
    let begun = admin.request("POST", "/api/v2.0/system/gc/schedule").json(&body).send().await;
    let location = begun.expect(201).location();
    let mut status = Value::Null;
    eventually("a collection ends", Duration::from_secs(120), async || {
        let shown = admin.get(&location).await.expect(200).json();
        status = shown["job_status"].clone();
        ["Success", "Error", "Stopped"].iter().any(|end| status == *end)
    })
    .await;
    let log = admin.get(&format!("{location}/log")).await.expect(200).text();
    assert_eq!(status, "Success", "{log}");
    assert!(log.contains("success to run gc in job."), "{log}");
    let shown = admin.get(&location).await.expect(200).json();
    serde_json::from_str(shown["job_parameters"].as_str().unwrap()).unwrap()
}

/// What all projects use.
async fn usage(admin: &Client) -> Vec<(i64, i64)> {
    let listed = admin.get("/api/v2.0/quotas?page_size=100&sort=creation_time").await.expect(200);
    let used =
        |quota: &Value| (quota["id"].as_i64().unwrap(), quota["used"]["storage"].as_i64().unwrap());
    listed.json().as_array().unwrap().iter().map(used).collect()
}

async fn stress(settings: Settings) {
    let settings = settings.with("HAVEN_GC_WINDOW", format!("{}s", WINDOW.as_secs()));
    let mut server = Server::start(&settings).await;
    let admin = server.admin.clone();
    let (open, tight) = (admin.project(true).await, admin.project(true).await);
    let quotas = admin.get("/api/v2.0/quotas?page_size=100").await.expect(200).json();
    let of_tight = quotas.as_array().unwrap().iter().find(|q| q["ref"]["name"] == tight.name);
    let path = format!("/api/v2.0/quotas/{}", of_tight.unwrap()["id"]);
    let limit = 150_000;
    let body = json!({"hard": {"storage": limit}});
    admin.request("PUT", &path).json(&body).send().await.expect(200);

    let layers: Vec<Blob> = (0..LAYERS).map(layer).collect();
    let image = |n: usize| {
        let pair =
            vec![layers[n % layers.len()].clone(), layers[(n * 7 + 3) % layers.len()].clone()];
        Image::of(pair, json!({}))
    };
    let repositories = [(&open, "a"), (&open, "b"), (&open, "c"), (&tight, "d"), (&tight, "e")];
    let shared = Arc::new(Shared {
        images: (0..30).map(image).collect(),
        repositories: repositories.map(|(project, name)| project.repository(&admin, name)).into(),
        over: AtomicBool::new(false),
        pushed: AtomicU64::new(0),
        deleted: AtomicU64::new(0),
        mounted: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let worker = |seed| Worker { random: StdRng::seed_from_u64(seed), shared: shared.clone() };
    let mut tasks = Vec::new();
    tasks.extend((0..PUSHERS).map(|n| tokio::spawn(worker(n).push())));
    tasks.extend((0..OTHERS).map(|n| tokio::spawn(worker(100 + n).delete())));
    tasks.extend((0..OTHERS).map(|n| tokio::spawn(worker(200 + n).mount())));

    let (end, mut runs, mut freed) = (Instant::now() + duration(), 0, 0);
    while Instant::now() < end {
        assert!(!tasks.iter().any(|task| task.is_finished()), "a client gave up");
        freed += collect(&admin).await["purged_blobs"].as_u64().unwrap();
        runs += 1;
    }
    shared.over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    println!(
        "{runs} collections, {freed} blobs gone; {} pushed, {} deleted, {} mounted, {} refused",
        count(&shared.pushed),
        count(&shared.deleted),
        count(&shared.mounted),
        count(&shared.refused)
    );
    assert!(count(&shared.pushed) > 0 && count(&shared.deleted) > 0 && freed > 0);

    // What is left is needed; nothing else stays.
    tokio::time::sleep(WINDOW).await;
    collect(&admin).await;
    let before = usage(&admin).await;
    admin.request("POST", "/api/internal/syncquota").send().await.expect(200);
    assert_eq!(usage(&admin).await, before);
    assert!(
        before.iter().all(|(id, used)| *used <= limit || path != format!("/api/v2.0/quotas/{id}"))
    );
    assert!(server.stop().await.success());
    let verified = server.run(&["verify"]).await;
    println!("{}", verified.describe());
    verified.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_needed_goes_on_sqlite_and_files() {
    stress(Settings::appliance()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_needed_goes_on_postgresql_and_s3() {
    stress(Settings::cluster()).await;
}
