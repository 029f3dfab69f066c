//! The OCI distribution specification, endpoint by endpoint: what any client may
//! rely on, asked of the running server on both setups.
//!
//! `uploads` pushes blobs in every way there is, `contents` pushes manifests of
//! every kind, `listing` asks for tags, referrers and deletes, and `official`
//! runs the specification's own program.
#![allow(clippy::unwrap_used)]

mod contents;
mod listing;
mod official;
mod uploads;

use haven_tests::{Repository, Role, Server};

/// A repository in a private project, seen by an administrator of the project.
async fn repository(server: &Server) -> Repository {
    let project = server.admin.project(false).await;
    let user = project.member(Role::ProjectAdmin).await;
    project.repository(&user, "conformance/repo1")
}

/// Another repository of the same project.
fn sibling(repository: &Repository) -> Repository {
    let name = repository.name.replace("repo1", "repo2");
    Repository::new(&repository.client, &name)
}
