//! Purges of the audit log: by schedule and by hand.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    purges::{self, Plan},
    rights::{Allowed, System},
};
use kit::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed, Perhaps, Text},
    history::History,
    request::{ListRequest, Path, Sent},
    schedules::Schedule,
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, one) = ("/system/purgeaudit", "/system/purgeaudit/{purge_id}");
    let (log, schedule) = ("/system/purgeaudit/{purge_id}/log", "/system/purgeaudit/schedule");
    let (show_schedule, refusals) = ("The schedule of purges.", &[401, 403, 404]);
    Operations::harbor("purge")
        .get(all, "getPurgeHistory", "The purges that there were.", list, &[401, 403])
        .get(one, "getPurgeJob", "A purge.", show, refusals)
        .put(one, "stopPurge", "Stops a purge.", stop, refusals)
        .get(log, "getPurgeJobLog", "The log of a purge.", show_log, &[400, 401, 403, 404])
        .get(schedule, "getPurgeSchedule", show_schedule, schedule_of, &[401, 403])
        .post(
            schedule,
            "createPurgeSchedule",
            "Begins a purge, or sets the schedule.",
            create,
            &[400, 401, 403],
        )
        .put(
            schedule,
            "updatePurgeSchedule",
            "Changes the schedule, or begins a purge.",
            update,
            &[400, 401, 403],
        )
}

/// A purge in a path.
#[derive(Deserialize, IntoParams)]
struct PurgePath {
    /// The number of the purge.
    purge_id: i64,
}

// A purge, or the schedule of purges, as clients see it.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
struct ExecHistory(#[schema(inline)] History);

async fn may(state: &State, caller: &Caller, action: Action) -> Result<Allowed<System>> {
    access::on_system(&state.domain, caller, Right::new(Resource::PurgeAudit, action)).await
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<ExecHistory>, ApiError> {
    let allowed = may(&state, &caller, Action::List).await?;
    let found = purges::history(&state.domain, &allowed, &request.selection()?).await?;
    Ok(request.answer(found, |one| ExecHistory(one.into())))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PurgePath { purge_id }): Path<PurgePath>,
) -> Result<Json<ExecHistory>, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    let found = purges::find(&state.domain, &allowed, purge_id).await?;
    Ok(Json(ExecHistory(found.into())))
}

async fn stop(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PurgePath { purge_id }): Path<PurgePath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Stop).await?;
    purges::stop(&state.domain, &allowed, purge_id).await?;
    Ok(Done)
}

async fn show_log(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PurgePath { purge_id }): Path<PurgePath>,
) -> Result<Text, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    Ok(Text(purges::log(&state.domain, &allowed, purge_id).await?))
}

async fn schedule_of(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Perhaps<ExecHistory>, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    let found = purges::schedule(&state.domain, &allowed).await?;
    Ok(Perhaps(found.map(|schedule| ExecHistory(schedule.into()))))
}

/// Begins what a client asks for, and gives the number of the purge, 0 where none was begun.
async fn ask(
    state: &State,
    caller: &Caller,
    action: Action,
    request: Sent<Schedule>,
) -> Result<i64> {
    let allowed = may(state, caller, action).await?;
    let Schedule { schedule, parameters, .. } = request.read().await?;
    let schedule = schedule.ok_or_else(|| Error::invalid("schedule cann't be empty"))?;
    let plan = Plan::read(&parameters.unwrap_or_default())?;
    let when = schedule.when("invalid cron string for scheduled log rotation purge")?;
    let begun = purges::ask(&state.domain, &allowed, action, when, plan).await?;
    Ok(begun.unwrap_or_default())
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<Schedule>,
) -> Result<Created, ApiError> {
    let id = ask(&state, &caller, Action::Create, request).await?;
    Ok(Created::beside(&uri, id))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<Schedule>,
) -> Result<Done, ApiError> {
    ask(&state, &caller, Action::Update, request).await?;
    Ok(Done)
}
