//! What somebody means who types a few characters: projects, repositories, artifacts and
//! users, the first few of each. Only Haven has it.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, RepositoryDetails, Sought},
    projects, users,
};
use kit::{Page, Result, Selection, query::Pattern};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ApiError, Operations, answer::Timestamp, request::Query};
use crate::State;

/// How many of each kind are found at the most.
const MOST: u8 = 8;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let summary = "Looks for names, tags and digests.";
    Operations::haven("search").get("/search", "find", summary, find, &[400, 401])
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
struct FindQuery {
    /// A part of a name, the beginning of a tag, that of a digest from six digits on, or what
    /// one would pull: `project/repository:tag`, `project/repository@digest`, with or without
    /// a host. Nothing is found by nothing.
    #[serde(default)]
    #[param(required = true)]
    q: String,
}

/// What was found.
#[derive(Default, Serialize, ToSchema)]
struct Findings {
    projects: Vec<FoundProject>,
    repositories: Vec<FoundRepository>,
    artifacts: Vec<FoundArtifact>,
    /// For those who may list users; others find none.
    users: Vec<FoundUser>,
}

/// A project that was found.
#[derive(Serialize, ToSchema)]
struct FoundProject {
    project_id: i64,
    name: String,
    public: bool,
}

/// A repository that was found.
#[derive(Serialize, ToSchema)]
struct FoundRepository {
    project_id: i64,
    /// Its full name.
    repository_name: String,
    artifact_count: i64,
    pull_count: i64,
}

/// An artifact that was found.
#[derive(Serialize, ToSchema)]
struct FoundArtifact {
    /// The full name of its repository.
    repository_name: String,
    digest: String,
    #[serde(rename = "type")]
    kind: String,
    /// The tag that was looked for, or else the newest that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    push_time: Timestamp,
}

/// A user that was found.
#[derive(Serialize, ToSchema)]
struct FoundUser {
    user_id: i64,
    username: String,
}

async fn find(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(FindQuery { q }): Query<FindQuery>,
) -> Result<Json<Findings>, ApiError> {
    let sight = access::sight(&state.domain, &caller).await?;
    let sought = Sought::parse(&q)?;
    if q.trim().is_empty() {
        return Ok(Json(Findings::default()));
    }
    let (projects, found, users) = tokio::try_join!(
        projects_named(&state, &caller, sought.name()),
        artifacts::search(&state.domain, &sight, &sought, MOST),
        users_named(&state, &caller, q.trim()),
    )?;
    Ok(Json(Findings {
        projects,
        repositories: found.repositories.into_iter().map(FoundRepository::from).collect(),
        artifacts: found.artifacts.into_iter().map(FoundArtifact::from).collect(),
        users,
    }))
}

/// Projects by a part of their name, as far as they are seen.
async fn projects_named(state: &State, caller: &Caller, name: &str) -> Result<Vec<FoundProject>> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let view = access::view(&state.domain, caller).await?;
    let mut selection = Selection::from(few());
    selection.filter.set("name", Pattern::Fuzzy(name.to_owned()));
    let found = projects::list(&state.domain, view, &selection).await?;
    let shown = |details: projects::Details| FoundProject {
        project_id: details.project.id,
        name: details.project.name.to_string(),
        public: details.project.public,
    };
    Ok(found.items.into_iter().map(shown).collect())
}

/// Users by a part of their name, for those who may list all.
async fn users_named(state: &State, caller: &Caller, name: &str) -> Result<Vec<FoundUser>> {
    let rights = access::rights_on_system(&state.domain, caller).await?;
    if !rights.has(Right::new(Resource::User, Action::List)) {
        return Ok(Vec::new());
    }
    let found = users::search(&state.domain, name, few()).await?;
    let shown =
        |user: users::User| FoundUser { user_id: user.id, username: user.username.to_string() };
    Ok(found.items.into_iter().map(shown).collect())
}

fn few() -> Page {
    Page { page: 1, page_size: MOST.into() }
}

impl From<RepositoryDetails> for FoundRepository {
    fn from(found: RepositoryDetails) -> Self {
        Self {
            project_id: found.project_id,
            repository_name: found.name,
            artifact_count: found.artifact_count,
            pull_count: found.pull_count,
        }
    }
}

impl From<artifacts::Found> for FoundArtifact {
    fn from(found: artifacts::Found) -> Self {
        Self {
            repository_name: found.repository_name,
            digest: found.digest,
            kind: found.kind,
            tag: found.tag,
            push_time: found.pushed_at.into(),
        }
    }
}
