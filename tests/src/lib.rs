//! What the black-box suites stand on: the real binary on a free port, a plain
//! HTTP client, content to push, and the programs real users hold in their hands.
//!
//! Nothing here knows Haven's code: a suite sees what a client sees. Helpers
//! panic with the request and the answer in the message, because in a test that
//! is the most useful thing an error can do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

pub mod api;
pub mod client;
pub mod content;
pub mod daemons;
pub mod mount;
pub mod portal;
pub mod proxy;
pub mod raw;
pub mod repository;
pub mod server;
pub mod services;
pub mod tool;

pub use api::{Project, Role};
pub use client::{Answer, Auth, Client, Request};
pub use content::{Blob, Image, Manifest};
pub use repository::Repository;
pub use server::{Server, Settings, on_each_setup};

use std::time::{Duration, Instant};

/// Asks again until the condition holds; panics with `what` once `limit` is over.
pub async fn eventually(what: &str, limit: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
