//! What an installation looks like at a glance: how much there is, what was pushed last, which
//! jobs failed. Only Haven has it.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, MOST_NEWEST},
    statistics,
};
use kit::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Timestamp, Whole},
    request::Query,
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (newest, failed) = ("/artifacts/newest", "/jobs/failed");
    let summary = "What was pushed last of all that the caller sees.";
    Operations::haven("overview")
        .get("/totals", "getTotals", "How much there is everywhere.", show_totals, &[401, 403])
        .get(newest, "listNewestArtifacts", summary, list_newest, &[400])
        .get(failed, "listFailedJobs", "Jobs that failed.", list_failed, &[400, 401, 403])
}

/// How much there is everywhere.
#[derive(Serialize, ToSchema)]
struct Totals {
    /// Projects.
    projects: i64,
    /// Those of them that are public.
    public_projects: i64,
    /// Repositories.
    repositories: i64,
    /// Artifacts, without accessories and mere parts of indexes.
    artifacts: i64,
    /// Users.
    users: i64,
    /// How much the projects store, in bytes, as their quotas count it.
    stored: i64,
}

async fn show_totals(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Totals>, ApiError> {
    let right = Right::new(Resource::Project, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let found = statistics::totals(&state.domain, &allowed).await?;
    Ok(Json(Totals {
        projects: found.projects,
        public_projects: found.public_projects,
        repositories: found.repositories,
        artifacts: found.artifacts,
        users: found.users,
        stored: found.stored,
    }))
}

/// How many are asked for.
#[derive(Deserialize, IntoParams)]
struct Most {
    /// How many at the most.
    #[param(default = 10, minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// An artifact that was pushed.
#[derive(Serialize, ToSchema)]
struct NewestArtifact {
    id: i64,
    /// The full name of its repository.
    repository_name: String,
    digest: String,
    /// What it is, such as `IMAGE`.
    #[serde(rename = "type")]
    kind: String,
    size: i64,
    push_time: Timestamp,
    /// The last pushed of its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// How many tags it has.
    tag_count: i64,
}

impl From<artifacts::Newest> for NewestArtifact {
    fn from(artifact: artifacts::Newest) -> Self {
        Self {
            id: artifact.id,
            repository_name: artifact.repository_name,
            digest: artifact.digest,
            kind: artifact.kind,
            size: artifact.size,
            push_time: artifact.pushed_at.into(),
            tag: artifact.tag,
            tag_count: artifact.tags,
        }
    }
}

async fn list_newest(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(Most { limit }): Query<Most>,
) -> Result<Whole<NewestArtifact>, ApiError> {
    let sight = access::sight_of_artifacts(&state.domain, &caller).await?;
    let most = limit.unwrap_or(10);
    if !(1..=MOST_NEWEST).contains(&most) {
        let message = format!("limit must be between 1 and {MOST_NEWEST}");
        return Err(Error::invalid(message).into());
    }
    let found = artifacts::newest(&state.domain, &sight, most).await?;
    Ok(Whole(found.into_iter().map(NewestArtifact::from).collect()))
}

/// Which failures are asked for.
#[derive(Deserialize, IntoParams)]
struct WhichFailed {
    /// Of how many days, at most 365.
    #[param(default = 7, minimum = 1, maximum = 365)]
    days: Option<u64>,
    /// How many at the most.
    #[param(default = 10, minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// A job that failed.
#[derive(Serialize, ToSchema)]
struct FailedJob {
    /// The number of its execution.
    id: i64,
    /// What kind of job it is, by Harbor's name, such as `GARBAGE_COLLECTION`.
    vendor_type: String,
    /// Whose job it is; -1 where there is but one.
    vendor_id: i64,
    /// Why it failed.
    status_message: String,
    /// `MANUAL`, `SCHEDULE` or `EVENT`.
    trigger: &'static str,
    start_time: Timestamp,
    end_time: Timestamp,
    /// The project that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_name: Option<String>,
}

impl From<statistics::Failed> for FailedJob {
    fn from(failed: statistics::Failed) -> Self {
        let (project_id, project_name) = failed.project.unzip();
        Self {
            id: failed.id,
            vendor_type: failed.kind,
            vendor_id: failed.vendor_id,
            status_message: failed.message,
            trigger: failed.trigger.name(),
            start_time: failed.started_at.into(),
            end_time: failed.ended_at.into(),
            project_id,
            project_name,
        }
    }
}

async fn list_failed(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<WhichFailed>,
) -> Result<Whole<FailedJob>, ApiError> {
    let right = Right::new(Resource::JobserviceMonitor, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let days = which.days.unwrap_or(7);
    if !(1..=365).contains(&days) {
        return Err(Error::invalid("days must be between 1 and 365").into());
    }
    let since = state.domain.clock.now().before(Duration::from_secs(days * 24 * 3600));
    let found = statistics::failures(&state.domain, &allowed, since, which.limit.unwrap_or(10));
    Ok(Whole(found.await?.into_iter().map(FailedJob::from).collect()))
}
