//! What it costs to find out who may, when everything is in memory:
//! `cargo bench -p haven-domain --features testing`.

#![allow(clippy::unwrap_used)]

use std::{
    future::Future,
    time::{Duration, Instant},
};

use domain::{
    access::{self, Caller, Right},
    projects::Role,
    testing::{self, PASSWORD},
    tokens, users,
};
use oci::{RepositoryName, Scope};

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let place = testing::sqlite();
    let context = place.open().await;
    testing::add_project(&context, "closed", false).await;
    let alice = testing::add_user(&context, "alice").await;
    testing::join(&context, "closed", &alice, Role::Developer).await;
    let scopes = Scope::parse_list("repository:closed/some/name:pull,push").unwrap();
    let name: RepositoryName = "closed/some/name".parse().unwrap();
    let token = tokens::issue(&context, &alice, &scopes).await.unwrap().token;

    measure("a token seen before, and its right", async || {
        let caller = tokens::verify(&context, &token).await.unwrap();
        access::on_repository(&context, &caller, &name, Right::PUSH).await.unwrap();
    })
    .await;
    measure("a password verified before", async || {
        users::verify(&context, "alice", PASSWORD).await.unwrap();
    })
    .await;
    measure("a new token", async || {
        tokens::issue(&context, &alice, &scopes).await.unwrap();
    })
    .await;
    measure("a password verified before, and a new token", async || {
        let user = users::verify(&context, "alice", PASSWORD).await.unwrap();
        tokens::issue(&context, &Caller::user(&user), &scopes).await.unwrap();
    })
    .await;
    measure("a token seen for the first time", async || {
        let token = tokens::issue(&context, &alice, &scopes).await.unwrap().token;
        tokens::verify(&context, &token).await.unwrap();
    })
    .await;
    measure("a wrong password", async || {
        users::verify(&context, "alice", "Wrong12345").await.err().unwrap();
    })
    .await;
}

/// Tells the time of this thread's processor that a deed takes, which other work on the
/// machine does not change, and the time that passes.
async fn measure<F: Future<Output = ()>>(what: &str, deed: impl Fn() -> F) {
    deed().await;
    let (begin, busy) = (Instant::now(), processor_time());
    let mut rounds = 0;
    while begin.elapsed() < MEASURED {
        for _ in 0..10 {
            deed().await;
        }
        rounds += 10;
    }
    let (busy, passed) = ((processor_time() - busy) / rounds, begin.elapsed() / rounds);
    println!("{what}: {busy:?} of processor, {passed:?} in all");
}

/// How long this thread has run so far, as Linux counts it.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
