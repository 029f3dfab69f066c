//! The registry's behaviour to the letter, where clients rely on more than the
//! specification's own suite asks.
//!
//! `reading`: ranges, conditions, headers. `writing`: uploads and manifests.
//! `referring`: referrers, fallback tags, pages. `rights`: who may, and what a
//! refusal may tell. `tokens`: the token endpoint and what its tokens open.
//! `settings`: behaviour that an operator turns on or limits. `activity`: what is counted of it.
#![allow(clippy::unwrap_used)]

mod activity;
mod reading;
mod referring;
mod rights;
mod settings;
mod tokens;
mod writing;

use haven_tests::{Repository, Role, Server};

/// A repository in a private project, seen by a developer.
async fn repository(server: &Server) -> Repository {
    let project = server.admin.project(false).await;
    let user = project.member(Role::Developer).await;
    project.repository(&user, "app")
}
