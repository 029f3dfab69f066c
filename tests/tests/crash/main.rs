//! `kill -9` at random moments while many clients push and pull.
//!
//! Each client writes down what was acknowledged and tries again what was not.
//! Afterwards everything acknowledged must be there and right, no upload may be
//! stuck, and `haven verify` must find nothing to complain about. The moments
//! come from a seed, which is printed; `HAVEN_TEST_SEED` sets it.
#![allow(clippy::unwrap_used)]

mod damage;
mod deeds;
mod journal;
mod worker;

use haven_tests::{Role, Server, Settings};
use journal::Journal;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use worker::Worker;

/// How many clients push and pull at once.
const CLIENTS: u64 = 10;

fn seed() -> u64 {
    let seed = std::env::var("HAVEN_TEST_SEED")
        .map(|text| text.parse().expect("HAVEN_TEST_SEED is a number"))
        .unwrap_or_else(|_| rand::random());
    println!("HAVEN_TEST_SEED={seed}");
    seed
}

async fn kill_and_check(settings: &Settings, kills: usize) {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = Server::start(settings).await;
    let project = server.admin.project(false).await;
    let journal = Arc::new(Journal::default());
    let mut workers = Vec::new();
    for id in 0..CLIENTS {
        let user = project.member(Role::Maintainer).await;
        let repository = project.repository(&user, &format!("client-{id}"));
        let worker = Worker::new(seed ^ (id + 1), repository, journal.clone());
        workers.push(tokio::spawn(worker.work()));
    }
    for kill in 0..kills {
        let moment = Duration::from_millis(random.random_range(5..500));
        tokio::time::sleep(moment).await;
        let failed = workers.iter().any(|worker| worker.is_finished());
        assert!(!failed, "a client gave up before kill {kill}");
        server.kill();
        server.start_again().await;
    }
    journal.over.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    println!("{kills} kills, acknowledged: {}", journal.summary());
    journal.assert_kept(&server.admin).await;

    assert!(server.stop().await.success());
    let verified = server.run(&["verify"]).await;
    println!("{}", verified.describe());
    verified.ok();
    server.start_again().await;
    journal.assert_kept(&server.admin).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_on_sqlite_and_files_lose_nothing() {
    kill_and_check(&Settings::appliance(), 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_kills_on_postgresql_and_s3_lose_nothing() {
    kill_and_check(&Settings::cluster(), 12).await;
}
