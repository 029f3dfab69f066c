//! Schedules: all that there are, and the form in which every job's schedule is sent and shown.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    jobs::{
        self, Attributes, Cron, Kind, Trigger,
        schedules::{self, When},
    },
    retention,
};
use kit::{Clock, Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Listed, Timestamp},
    request::{PageRequest, Path, null_is_nothing, whatever},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, paused) = ("/schedules", "/schedules/{job_type}/paused");
    Operations::harbor("schedule")
        .get(all, "listSchedules", "All schedules.", list, &[400, 401, 403, 404])
        .get(
            paused,
            "getSchedulePaused",
            "Whether no schedule begins anything.",
            show_paused,
            &[400, 401, 403, 404],
        )
}

/// The operations of this file that only Haven has: schedules with whose they are.
pub(super) fn haven_operations() -> Operations {
    Operations::haven("schedule").get(
        "/schedules",
        "findSchedules",
        "All schedules, each with its project and when it fires next.",
        list_with_projects,
        &[401, 403],
    )
}

/// The schedule of a job and what the job is to do, as clients send it. What they were shown
/// of it they may send back.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Schedule {
    #[serde(default, deserialize_with = "whatever")]
    #[schema(read_only, value_type = i64)]
    id: Option<i64>,
    #[serde(default, deserialize_with = "whatever")]
    #[schema(read_only, value_type = String)]
    status: Option<String>,
    #[serde(default, deserialize_with = "whatever")]
    #[schema(read_only, value_type = Timestamp)]
    creation_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "whatever")]
    #[schema(read_only, value_type = Timestamp)]
    update_time: Option<Timestamp>,
    #[serde(default)]
    #[schema(value_type = ScheduleObj)]
    pub(super) schedule: Option<ScheduleObj>,
    /// What the job is to do.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Object>)]
    pub(super) parameters: Option<Attributes>,
}

/// When a job is done.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct ScheduleObj {
    /// Hourly, Daily, Weekly, Custom, Manual, None or Schedule. Manual has it done at once,
    /// None removes the schedule.
    #[serde(default, rename = "type", deserialize_with = "null_is_nothing")]
    kind: String,
    /// Seconds, which are 0, minutes, hours, days of the month, months, days of the week.
    #[serde(default, deserialize_with = "null_is_nothing")]
    #[serde(skip_serializing_if = "String::is_empty")]
    cron: String,
    #[serde(default, deserialize_with = "whatever")]
    next_scheduled_time: Timestamp,
}

impl ScheduleObj {
    /// When a client asks for a job to be done; what begins the sentence about a wrong cron
    /// string.
    ///
    /// # Errors
    /// As [`When::read`].
    pub(super) fn when(&self, wrong: &str) -> Result<When> {
        When::read(&self.kind, &self.cron).map_err(|error| match error.is(kit::Kind::Invalid) {
            true => Error::invalid(format!("{wrong}: {}, error: {}", self.cron, error.message)),
            false => error,
        })
    }

    /// How the history of a job tells what began it.
    pub(super) fn begun_by(trigger: Trigger) -> Self {
        let kind = match trigger {
            Trigger::Manual => "Manual",
            Trigger::Schedule => "Schedule",
            Trigger::Event => "Event",
        };
        Self {
            kind: kind.to_owned(),
            cron: String::new(),
            next_scheduled_time: Timestamp::default(),
        }
    }
}

impl From<schedules::Schedule> for ScheduleObj {
    fn from(schedule: schedules::Schedule) -> Self {
        let now = Clock::System.now();
        let next = Cron::parse(&schedule.cron).ok().and_then(|cron| cron.after(now));
        Self {
            kind: schedule.cron_type,
            cron: schedule.cron,
            next_scheduled_time: Timestamp::or_never(next),
        }
    }
}

/// A schedule in the list of all.
#[derive(Serialize, ToSchema)]
struct ScheduleTask {
    id: i64,
    vendor_type: &'static str,
    vendor_id: i64,
    cron: String,
    update_time: Timestamp,
}

impl From<schedules::Schedule> for ScheduleTask {
    fn from(schedule: schedules::Schedule) -> Self {
        Self {
            id: schedule.id,
            vendor_type: schedule.kind.name(),
            vendor_id: schedule.vendor_id,
            cron: schedule.cron,
            update_time: schedule.updated_at.into(),
        }
    }
}

/// A schedule, whose it is and when it fires next.
#[derive(Serialize, ToSchema)]
struct ScheduleEntry {
    id: i64,
    vendor_type: &'static str,
    vendor_id: i64,
    /// The project that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    project_name: Option<String>,
    cron: String,
    next_time: Timestamp,
    update_time: Timestamp,
}

/// Whether schedules are paused.
#[derive(Serialize, ToSchema)]
struct SchedulerStatus {
    paused: bool,
}

/// A type of job in a path.
#[derive(Deserialize, IntoParams)]
struct TypePath {
    /// The type of job, which can only be `all`.
    job_type: String,
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: PageRequest,
) -> Result<Listed<ScheduleTask>, ApiError> {
    let right = Right::new(Resource::JobserviceMonitor, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let found = schedules::list(&state.domain, &allowed, request.page()?).await?;
    Ok(request.answer(found, ScheduleTask::from))
}

async fn list_with_projects(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: PageRequest,
) -> Result<Listed<ScheduleEntry>, ApiError> {
    let right = Right::new(Resource::JobserviceMonitor, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let found = schedules::list(&state.domain, &allowed, request.page()?).await?;
    let of_policies = found.items.iter().filter(|schedule| schedule.kind == Kind::Retention);
    let policies: Vec<i64> = of_policies.map(|schedule| schedule.vendor_id).collect();
    let mut projects = retention::projects_of(&state.domain, &allowed, &policies).await?;
    Ok(request.answer(found, |schedule| ScheduleEntry {
        id: schedule.id,
        vendor_type: schedule.kind.name(),
        vendor_id: schedule.vendor_id,
        project_name: match schedule.kind {
            Kind::Retention => projects.remove(&schedule.vendor_id),
            _ => None,
        },
        cron: schedule.cron,
        next_time: schedule.next_at.into(),
        update_time: schedule.updated_at.into(),
    }))
}

/// Everybody who is known may ask, as the portal does for whoever signs in.
async fn show_paused(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(TypePath { job_type }): Path<TypePath>,
) -> Result<Json<SchedulerStatus>, ApiError> {
    access::known(&state.domain, &caller).await?;
    Ok(Json(SchedulerStatus { paused: jobs::is_paused(&state.domain, &job_type).await? }))
}
