//! Garbage collection while everybody works: 32 clients push the same content into a few
//! repositories, others mount, copy and delete it, and a collector with a window of seconds runs
//! in a loop. Now and then a server is killed in the middle of a collection, and started again.
//!
//! What was accepted must be there, what a client was told exists must not go within the
//! window, and in the end `haven verify` must be clean and counting anew must change no quota.
//! It takes `HAVEN_TEST_SECONDS`, 60 if nothing is said. `HAVEN_TEST_SEED` sets what chance does.
#![allow(clippy::unwrap_used)]

mod worker;

use haven_tests::{Blob, Client, Image, Project, Repository, Server, Settings, eventually};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use worker::{Counts, Life, Shared, Worker};

/// How many clients push.
const PUSHERS: usize = 32;

/// How many clients delete, how many mount, and how many copy.
const OTHERS: usize = 4;

/// How long what nothing needs stays on the server.
const WINDOW: Duration = Duration::from_secs(4);

/// How long after an answer it is sure to count: less than the window, by what a look at the
/// clock and a renewal cost.
const SURE: Duration = Duration::from_secs(2);

/// What all clients push.
const LAYERS: u64 = 12;

/// What one of the projects may store.
const LIMIT: i64 = 150_000;

/// A collection whose replica was killed goes on when the lease of the dead is over.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often a server is killed: seldom enough for collections to come in between.
const LIFETIME: Duration = Duration::from_secs(20);

fn duration() -> Duration {
    let seconds = std::env::var("HAVEN_TEST_SECONDS").map_or(60, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

fn seed() -> u64 {
    let seed = std::env::var("HAVEN_TEST_SEED")
        .map(|text| text.parse().expect("HAVEN_TEST_SEED is a number"))
        .unwrap_or_else(|_| rand::random());
    println!("HAVEN_TEST_SEED={seed}");
    seed
}

fn layer(n: u64) -> Blob {
    let length = 2_000 + 3_000 * usize::try_from(n).unwrap();
    let mut random = StdRng::seed_from_u64(n);
    Blob::new((0..length).map(|_| random.random()).collect::<Vec<u8>>())
}

/// Images of which many share layers.
fn images() -> Vec<Image> {
    let layers: Vec<Blob> = (0..LAYERS).map(layer).collect();
    let layer = |n: usize| layers[n % layers.len()].clone();
    (0..30).map(|n| Image::of(vec![layer(n), layer(n * 7 + 3)], json!({}))).collect()
}

/// Begins a collection, and gives where it is shown.
async fn begin(admin: &Client) -> String {
    let body = json!({"schedule": {"type": "Manual"},
        "parameters": {"delete_untagged": false, "workers": 3}});
    let begun = admin.request("POST", "/api/v2.0/system/gc/schedule").json(&body).send().await;
    begun.expect(201).location()
}

/// Waits for the end of a collection, and gives how many blobs it says went.
async fn ended(admin: &Client, location: &str) -> u64 {
    let mut status = Value::Null;
    eventually("a collection ends", PATIENCE, async || {
        let shown = admin.get(location).await.expect(200).json();
        status = shown["job_status"].clone();
        ["Success", "Error", "Stopped"].iter().any(|end| status == *end)
    })
    .await;
    let log = admin.get(&format!("{location}/log")).await.expect(200).text();
    assert_eq!(status, "Success", "{log}");
    assert!(log.contains("success to run gc in job."), "{log}");
    let shown = admin.get(location).await.expect(200).json();
    let parameters: Value =
        serde_json::from_str(shown["job_parameters"].as_str().unwrap()).unwrap();
    parameters["purged_blobs"].as_u64().unwrap()
}

/// What all projects use.
async fn usage(admin: &Client) -> Vec<(i64, i64)> {
    let listed = admin.get("/api/v2.0/quotas?page_size=100&sort=creation_time").await.expect(200);
    let used =
        |quota: &Value| (quota["id"].as_i64().unwrap(), quota["used"]["storage"].as_i64().unwrap());
    listed.json().as_array().unwrap().iter().map(used).collect()
}

/// Limits a project, and gives the number of its quota.
async fn limit(admin: &Client, project: &Project) -> i64 {
    let quotas = admin.get("/api/v2.0/quotas?page_size=100").await.expect(200).json();
    let of_project = quotas.as_array().unwrap().iter().find(|q| q["ref"]["name"] == project.name);
    let id = of_project.unwrap()["id"].as_i64().unwrap();
    let body = json!({"hard": {"storage": LIMIT}});
    let path = format!("/api/v2.0/quotas/{id}");
    admin.request("PUT", &path).json(&body).send().await.expect(200);
    id
}

/// Kills a server in the middle of a collection, starts it again, and waits for the
/// collection's end.
async fn kill(server: &mut Server, life: &Life, random: &mut StdRng) -> u64 {
    let location = begin(&server.admin).await;
    tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
    life.turn();
    server.kill();
    server.start_again().await;
    life.turn();
    ended(&server.admin, &location).await
}

async fn stress(settings: Settings, replicas: usize) {
    let mut random = StdRng::seed_from_u64(seed());
    let settings = settings.with("HAVEN_GC_WINDOW", format!("{}s", WINDOW.as_secs()));
    let mut servers = vec![Server::start(&settings).await];
    while servers.len() < replicas {
        servers.push(servers[0].replica().await);
    }
    let admin = servers[0].admin.clone();
    let (open, tight) = (admin.project(true).await, admin.project(true).await);
    let limited = limit(&admin, &tight).await;
    let repositories = [(&open, "a"), (&open, "b"), (&open, "c"), (&tight, "d"), (&tight, "e")];
    let shared = Arc::new(Shared {
        images: images(),
        repositories: repositories.map(|(project, name)| format!("{}/{name}", project.name)).into(),
        kept_in: format!("{}/kept", admin.project(true).await.name),
        kept: Mutex::default(),
        lives: (0..replicas).map(|_| Life::new()).collect(),
        over: AtomicBool::new(false),
        counts: Counts::default(),
    });
    let mut worker = |n: usize| Worker {
        random: StdRng::seed_from_u64(random.random()),
        shared: shared.clone(),
        client: servers[n % replicas].admin.clone(),
        at: n % replicas,
    };
    let mut tasks = Vec::new();
    tasks.extend((0..PUSHERS).map(|n| tokio::spawn(worker(n).push())));
    tasks.extend((0..OTHERS).map(|n| tokio::spawn(worker(n).delete())));
    tasks.extend((0..OTHERS).map(|n| tokio::spawn(worker(n).mount())));
    tasks.extend((0..OTHERS).map(|n| tokio::spawn(worker(n).copy())));

    let (began, mut runs, mut kills, mut freed) = (Instant::now(), 0, 0, 0);
    while began.elapsed() < duration() {
        assert!(!tasks.iter().any(|task| task.is_finished()), "a client gave up");
        let at = random.random_range(0..replicas);
        if began.elapsed() > LIFETIME * kills + LIFETIME / 4 {
            freed += kill(&mut servers[at], &shared.lives[at], &mut random).await;
            kills += 1;
        } else {
            // Two at once, perhaps of two replicas: one waits for the other.
            let other = &servers[random.random_range(0..replicas)].admin;
            let (one, another) = tokio::join!(begin(&servers[at].admin), begin(other));
            freed += ended(other, &one).await + ended(other, &another).await;
            runs += 1;
        }
        runs += 1;
    }
    shared.over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let count = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed);
    let Counts { pushed, deleted, mounted, copied, refused, broken } = &shared.counts;
    println!(
        "{runs} collections, {kills} kills, {freed} blobs gone; {} pushed, {} deleted, \
         {} mounted, {} copied, {} refused, {} unanswered",
        count(pushed),
        count(deleted),
        count(mounted),
        count(copied),
        count(refused),
        count(broken)
    );
    assert!(kills > 0 && freed > 0);
    assert!([pushed, deleted, mounted, copied].into_iter().all(|of| count(of) > 0));
    is_right(servers, &shared, limited).await;
}

/// What is left is needed, nothing that was acknowledged is lost, and nothing else stays.
async fn is_right(mut servers: Vec<Server>, shared: &Shared, limited: i64) {
    let admin = servers[0].admin.clone();
    tokio::time::sleep(WINDOW).await;
    let location = begin(&admin).await;
    ended(&admin, &location).await;
    let kept = std::mem::take(&mut *shared.kept.lock().unwrap());
    println!("{} copies are kept", kept.len());
    assert!(!kept.is_empty());
    let kept_in = Repository::new(&admin, &shared.kept_in);
    for image in &kept {
        kept_in.assert_holds(&image.manifest.digest, image).await;
    }
    let before = usage(&admin).await;
    admin.request("POST", "/api/internal/syncquota").send().await.expect(200);
    assert_eq!(usage(&admin).await, before);
    assert!(before.iter().all(|(id, used)| *used <= LIMIT || *id != limited), "{before:?}");
    for server in &mut servers {
        assert!(server.stop().await.success());
    }
    let verified = servers[0].run(&["verify"]).await;
    println!("{}", verified.describe());
    verified.ok();
    let wrong = BTreeSet::from_iter(servers.iter().flat_map(|server| faults(&server.log())));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a server has written about faults of its own.
fn faults(log: &str) -> Vec<String> {
    log.lines().filter(|line| line.contains("panic")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_needed_goes_on_sqlite_and_files() {
    stress(Settings::appliance(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_needed_goes_on_postgresql_and_s3() {
    stress(Settings::cluster(), 2).await;
}
