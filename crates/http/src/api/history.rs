//! The history of a job that is begun by hand and by schedule, as clients see it. Harbor has a
//! model of its own for each kind of such a job, all with the same fields.

use domain::jobs::{Execution, schedules};
use serde::Serialize;
use utoipa::ToSchema;

use super::{answer::Timestamp, schedules::ScheduleObj};

/// What was done, or when it is done.
#[derive(Serialize, ToSchema)]
pub(super) struct History {
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_name: Option<&'static str>,
    job_kind: String,
    /// What was asked for and what came of it: a JSON object, in a text.
    job_parameters: String,
    schedule: ScheduleObj,
    job_status: &'static str,
    deleted: bool,
    creation_time: Timestamp,
    update_time: Timestamp,
}

impl From<Execution> for History {
    fn from(execution: Execution) -> Self {
        Self {
            id: execution.id,
            job_name: Some(execution.kind.name()),
            job_kind: execution.trigger.name().to_owned(),
            job_parameters: serde_json::Value::Object(execution.extra_attrs).to_string(),
            schedule: ScheduleObj::begun_by(execution.trigger),
            job_status: execution.status.name(),
            deleted: false,
            creation_time: execution.started_at.into(),
            update_time: execution.updated_at.into(),
        }
    }
}

impl From<schedules::Schedule> for History {
    fn from(schedule: schedules::Schedule) -> Self {
        Self {
            id: schedule.id,
            job_name: None,
            job_kind: schedule.cron.clone(),
            job_parameters: serde_json::Value::Object(schedule.parameters.clone()).to_string(),
            // Harbor's schedules are jobs that never end.
            job_status: "Running",
            deleted: false,
            creation_time: schedule.created_at.into(),
            update_time: schedule.updated_at.into(),
            schedule: schedule.into(),
        }
    }
}
