//! Repositories.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, RepositoryDetails},
    projects::ProjectRef,
    repositories,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Done, Listed, Timestamp},
    request::{ListRequest, Path, Repository, Sent, null_is_nothing, whatever},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name}/repositories";
    let one = "/projects/{project_name}/repositories/{repository_name}";
    let refusals = &[400, 401, 403, 404];
    Operations::harbor("repository")
        .get("/repositories", "listAllRepositories", "All that the caller sees.", list_all, &[])
        .get(all, "listRepositories", "A project's repositories.", list, refusals)
        .get(one, "getRepository", "A repository.", show, refusals)
        .put(one, "updateRepository", "Writes something about a repository.", update, refusals)
        .delete(
            one,
            "deleteRepository",
            "Deletes a repository.",
            remove,
            &[400, 401, 403, 404, 412],
        )
}

/// A project in a path.
#[derive(Deserialize, IntoParams)]
struct ProjectPath {
    /// The name of the project.
    project_name: String,
}

/// A repository as clients see it and send it. Of what is sent only the description matters.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = Repository)]
struct RepositoryModel {
    #[serde(deserialize_with = "whatever")]
    id: i64,
    #[serde(deserialize_with = "whatever")]
    project_id: i64,
    #[serde(deserialize_with = "whatever")]
    name: String,
    #[serde(deserialize_with = "null_is_nothing", skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(deserialize_with = "whatever")]
    artifact_count: i64,
    #[serde(deserialize_with = "whatever")]
    pull_count: i64,
    #[serde(deserialize_with = "whatever")]
    creation_time: Timestamp,
    #[serde(deserialize_with = "whatever")]
    update_time: Timestamp,
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
            creation_time: repository.created_at.into(),
            update_time: repository.updated_at.into(),
        }
    }
}

async fn list_all(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<RepositoryModel>, ApiError> {
    let sight = access::sight(&state.domain, &caller).await?;
    let found = artifacts::all_repositories(&state.domain, &sight, &request.selection()?).await?;
    Ok(request.answer(found, RepositoryModel::from))
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(ProjectPath { project_name }): Path<ProjectPath>,
    request: ListRequest,
) -> Result<Listed<RepositoryModel>, ApiError> {
    let right = Right::new(Resource::Repository, Action::List);
    let project = ProjectRef::Name(&project_name);
    let allowed = access::on_project(&state.domain, &caller, project, right).await?;
    let selection = request.selection()?;
    let found = artifacts::list_repositories(&state.domain, &allowed, &selection).await?;
    Ok(request.answer(found, RepositoryModel::from))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
) -> Result<Json<RepositoryModel>, ApiError> {
    let right = Right::new(Resource::Repository, Action::Read);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let found = artifacts::repository(&state.domain, &allowed, &repository.name()?).await?;
    Ok(Json(RepositoryModel::from(found)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    request: Sent<RepositoryModel>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Repository, Action::Update);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let (name, sent) = (repository.name()?, request.read().await?);
    repositories::describe(&state.domain, &allowed, &name, &sent.description).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
) -> Result<Done, ApiError> {
    let project = repository.project();
    let allowed = access::on_project(&state.domain, &caller, project, Right::DELETE).await?;
    artifacts::delete_repository(&state.domain, &allowed, &repository.name()?).await?;
    Ok(Done)
}
