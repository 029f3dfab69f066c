//! Projects and repositories by a part of their names, as far as the caller sees them.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Caller},
    artifacts::{self, RepositoryDetails},
    projects,
};
use kit::{Page, Selection, query::Pattern};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ApiError, Operations, projects::ProjectModel, request::Query};
use crate::State;

/// How many projects and how many repositories are found at the most: a search has no pages.
const MOST: u64 = 1000;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("search").get("/search", "search", "Looks for names.", search, &[])
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
struct SearchQuery {
    /// A part of the name; all names have an empty one.
    #[serde(default)]
    #[param(required = true)]
    q: String,
}

/// What was found.
#[derive(Serialize, ToSchema)]
struct Search {
    project: Vec<ProjectModel>,
    repository: Vec<SearchRepository>,
}

/// A repository that was found.
#[derive(Serialize, ToSchema)]
struct SearchRepository {
    project_id: i64,
    project_name: String,
    project_public: bool,
    repository_name: String,
    pull_count: i64,
    artifact_count: i64,
}

impl From<RepositoryDetails> for SearchRepository {
    fn from(found: RepositoryDetails) -> Self {
        let project_name = found.name.split_once('/').map_or("", |(project, _)| project);
        Self {
            project_id: found.project_id,
            project_name: project_name.to_owned(),
            project_public: found.public,
            repository_name: found.name,
            pull_count: found.pull_count,
            artifact_count: found.artifact_count,
        }
    }
}

async fn search(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(SearchQuery { q }): Query<SearchQuery>,
) -> Result<Json<Search>, ApiError> {
    let sight = access::sight(&state.domain, &caller).await?;
    let view = access::view(&state.domain, &caller).await?;
    let mut selection = Selection::from(Page { page: 1, page_size: MOST });
    if !q.is_empty() {
        selection.filter.set("name", Pattern::Fuzzy(q));
    }
    let projects = projects::list(&state.domain, view, &selection).await?;
    let repositories = artifacts::all_repositories(&state.domain, &sight, &selection).await?;
    let project = |details| ProjectModel::seen(details, view);
    Ok(Json(Search {
        project: projects.items.into_iter().map(project).collect(),
        repository: repositories.items.into_iter().map(SearchRepository::from).collect(),
    }))
}
