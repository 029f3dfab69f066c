//! How much is pushed and pulled, by hour, day or week: what dashboards draw. Only Haven has it.

use std::sync::Arc;

use axum::{Extension, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    statistics::{self, Bucket, Range},
};
use kit::{Clock, Error, Result, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Timestamp, Whole},
    request::{Project, Query},
};
use crate::State;

/// How far back a series goes when nobody says from when.
const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, of_project) = ("/activity", "/projects/{project_name_or_id}/activity");
    let own = "/users/current/activity";
    let refusals = &[400, 401, 403, 404];
    Operations::haven("activity")
        .get(all, "getActivity", "What happens in all projects.", show_all, &[400, 401, 403])
        .get(own, "getOwnActivity", "What happens in one's projects.", show_own, &[400, 401, 403])
        .get(of_project, "getProjectActivity", "What happens in a project.", show, refusals)
}

/// What part of a series is asked for.
#[derive(Deserialize, IntoParams)]
struct Wanted {
    /// From which moment on, in RFC 3339; the last seven days if nothing is said.
    from: Option<String>,
    /// Before which moment; now if nothing is said.
    to: Option<String>,
    /// How long each part is: `hour`, `day` or `week`, in UTC. There are 1,000 at the most.
    #[param(default = "hour")]
    bucket: Option<String>,
}

impl Wanted {
    fn range(&self) -> Result<Range> {
        let now = Clock::System.now();
        let moment = |text: &Option<String>, default| match text {
            Some(text) => {
                let parsed: jiff::Timestamp = text.parse().map_err(|_| {
                    Error::invalid(format!("{text:?} is no moment such as 2026-11-26T15:00:00Z"))
                })?;
                Ok(Time(parsed.as_microsecond()))
            }
            None => Ok::<Time, Error>(default),
        };
        let to = moment(&self.to, now)?;
        let from = moment(&self.from, to.before(WEEK))?;
        Range::new(from, to, Bucket::from_name(self.bucket.as_deref().unwrap_or("hour"))?)
    }
}

/// What happened in one part of a series.
#[derive(Serialize, ToSchema)]
struct Activity {
    /// When the part begins.
    from: Timestamp,
    /// How many artifacts were pushed.
    pushes: i64,
    /// How many times artifacts were pulled.
    pulls: i64,
    /// How many artifacts were deleted.
    deletes: i64,
    /// How much was stored at its end, in bytes.
    stored: i64,
}

impl From<statistics::Activity> for Activity {
    fn from(activity: statistics::Activity) -> Self {
        Self {
            from: activity.from.into(),
            pushes: activity.pushes,
            pulls: activity.pulls,
            deletes: activity.deletes,
            stored: activity.stored,
        }
    }
}

/// What moved in one part of a series.
#[derive(Serialize, ToSchema)]
struct Moves {
    /// When the part begins.
    from: Timestamp,
    /// How many artifacts were pushed.
    pushes: i64,
    /// How many times artifacts were pulled.
    pulls: i64,
    /// How many artifacts were deleted.
    deletes: i64,
}

impl From<statistics::Moves> for Moves {
    fn from(moves: statistics::Moves) -> Self {
        Self {
            from: moves.from.into(),
            pushes: moves.pushes,
            pulls: moves.pulls,
            deletes: moves.deletes,
        }
    }
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Query(wanted): Query<Wanted>,
) -> Result<Whole<Activity>, ApiError> {
    let right = Right::new(Resource::Itself, Action::Read);
    let allowed = access::on_project(&state.domain, &caller, project.by(), right).await?;
    let series = statistics::activity(&state.domain, &allowed, wanted.range()?).await?;
    Ok(Whole(series.into_iter().map(Activity::from).collect()))
}

async fn show_all(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Whole<Activity>, ApiError> {
    let right = Right::new(Resource::Project, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let series = statistics::activity_of_all(&state.domain, &allowed, wanted.range()?).await?;
    Ok(Whole(series.into_iter().map(Activity::from).collect()))
}

async fn show_own(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Whole<Moves>, ApiError> {
    let user = access::user(&state.domain, &caller).await?;
    let series = statistics::activity_of_own(&state.domain, &user, wanted.range()?).await?;
    Ok(Whole(series.into_iter().map(Moves::from).collect()))
}
