//! Copying and deleting artifacts.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, Source},
    projects::ProjectRef,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    ApiError, Operations,
    answer::{Created, Done},
    artifacts::ArtifactPath,
    request::{Path, Query, Repository},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name}/repositories/{repository_name}/artifacts";
    let one = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}";
    let copying = &[400, 401, 403, 404, 405, 412];
    Operations::harbor("artifact")
        .post(all, "CopyArtifact", "Copies an artifact into the repository.", copy, copying)
        .delete(one, "deleteArtifact", "Deletes an artifact.", remove, &[400, 401, 403, 404, 412])
}

/// What is copied.
#[derive(Deserialize, IntoParams)]
struct CopyQuery {
    /// The artifact, as `project/repository:tag` or `project/repository@digest`.
    from: String,
}

async fn copy(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    repository: Repository,
    Query(CopyQuery { from }): Query<CopyQuery>,
) -> Result<Created, ApiError> {
    let right = |action| Right::new(Resource::Artifact, action);
    let project = repository.project();
    let create = access::on_project(&state.domain, &caller, project, right(Action::Create)).await?;
    let (name, source) = (repository.name()?, from.parse::<Source>()?);
    let project = ProjectRef::Name(source.name.project());
    let read = access::on_project(&state.domain, &caller, project, right(Action::Read)).await?;
    artifacts::copy(&state.domain, (&read, &source), (&create, &name)).await?;
    Ok(Created::below(&uri, &source.reference))
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Artifact, Action::Delete);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    artifacts::delete_artifact(&state.domain, &allowed, &name, &reference).await?;
    Ok(Done)
}
