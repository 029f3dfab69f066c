//! Repositories.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{self, OriginalUri, Path},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, RepositoryDetails},
    projects::ProjectRef,
};
use serde::Serialize;

use super::{
    ApiError,
    glue::{listed, page, repository_name, timestamp},
    named,
};
use crate::State;

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/repositories", named("api_repositories_list_all", get(list_all)))
        .route("/projects/{project}/repositories", named("api_repositories_list", get(list)))
        .route(
            "/projects/{project}/repositories/{repository}",
            named("api_repositories_get", get(show)),
        )
}

/// A repository as clients see it.
#[derive(Serialize)]
struct RepositoryModel {
    id: i64,
    project_id: i64,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    artifact_count: i64,
    pull_count: i64,
    creation_time: String,
    update_time: String,
}

impl From<RepositoryDetails> for RepositoryModel {
    fn from(repository: RepositoryDetails) -> Self {
        Self {
            id: repository.id,
            project_id: repository.project_id,
            name: repository.name,
            description: repository.description,
            artifact_count: repository.artifact_count,
            pull_count: repository.pull_count,
            creation_time: timestamp(repository.created_at),
            update_time: timestamp(repository.updated_at),
        }
    }
}

async fn list_all(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, ApiError> {
    let sight = access::sight(&state.domain, &caller).await?;
    let page = page(&uri)?;
    let found = artifacts::all_repositories(&state.domain, &sight, None, page).await?;
    Ok(listed(&uri, page, found, RepositoryModel::from))
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, ApiError> {
    let right = Right::new(Resource::Repository, Action::List);
    let project = ProjectRef::Name(&project);
    let allowed = access::on_project(&state.domain, &caller, project, right).await?;
    let page = page(&uri)?;
    let found = artifacts::list_repositories(&state.domain, &allowed, None, page).await?;
    Ok(listed(&uri, page, found, RepositoryModel::from))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path((project, repository)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let right = Right::new(Resource::Repository, Action::Read);
    let allowed =
        access::on_project(&state.domain, &caller, ProjectRef::Name(&project), right).await?;
    let name = repository_name(&project, &repository)?;
    let found = artifacts::repository(&state.domain, &allowed, &name).await?;
    Ok(Json(RepositoryModel::from(found)).into_response())
}
