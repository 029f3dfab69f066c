//! Two replicas on one PostgreSQL and one S3: either takes over from the other,
//! what is new shows at once, what is taken away within a second, and when the
//! database or the store is away the answer is 503 until it is back.
#![allow(clippy::unwrap_used)]

mod jobs;
mod outages;
mod people;
mod together;

use haven_tests::{Client, Repository};

/// The same person at another server.
fn at(client: &Client, other: &Client) -> Client {
    other.with(client.auth.clone())
}

/// The same repository, seen by the same person at another server.
fn seen_at(repository: &Repository, other: &Client) -> Repository {
    repository.seen_by(&at(&repository.client, other))
}
