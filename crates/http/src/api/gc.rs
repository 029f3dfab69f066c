//! Garbage collection.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    gc,
    rights::{Allowed, System},
};
use kit::Error;
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
    let (one, schedule) = ("/system/gc/{gc_id}", "/system/gc/schedule");
    Operations::harbor("gc")
        .get("/system/gc", "getGCHistory", "The collections so far.", history, &[401, 403])
        .get(one, "getGC", "A collection.", show, &[401, 403, 404])
        .put(one, "stopGC", "Stops a collection.", stop, &[401, 403, 404])
        .get("/system/gc/{gc_id}/log", "getGCLog", "Its log.", log, &[400, 401, 403, 404])
        .get(schedule, "getGCSchedule", "When it is done by itself.", scheduled, &[401, 403])
        .post(
            schedule,
            "createGCSchedule",
            "Collects now, or says when.",
            create,
            &[400, 401, 403, 409],
        )
        .put(schedule, "updateGCSchedule", "Says when to collect.", update, &[400, 401, 403])
}

/// A collection in a path.
#[derive(Deserialize, IntoParams)]
struct GcPath {
    /// Its number.
    gc_id: i64,
}

// A collection as clients see it, or when collections are begun.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
struct GCHistory(#[schema(inline)] History);

/// The proof that a caller may do something with collections.
async fn may(state: &State, caller: &Caller, action: Action) -> Result<Allowed<System>, ApiError> {
    let right = Right::new(Resource::GarbageCollection, action);
    Ok(access::on_system(&state.domain, caller, right).await?)
}

async fn history(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<GCHistory>, ApiError> {
    let allowed = may(&state, &caller, Action::List).await?;
    let found = gc::history(&state.domain, &allowed, &request.selection()?).await?;
    Ok(request.answer(found, |one| GCHistory(one.into())))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<GcPath>,
) -> Result<Json<GCHistory>, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    let found = gc::get(&state.domain, &allowed, path.gc_id).await?;
    Ok(Json(GCHistory(found.into())))
}

async fn stop(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<GcPath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Stop).await?;
    gc::stop(&state.domain, &allowed, path.gc_id).await?;
    Ok(Done)
}

async fn log(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<GcPath>,
) -> Result<Text, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    Ok(Text(gc::log(&state.domain, &allowed, path.gc_id).await?))
}

async fn scheduled(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Perhaps<GCHistory>, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    let found = gc::scheduled(&state.domain, &allowed).await?;
    Ok(Perhaps(found.map(|schedule| GCHistory(schedule.into()))))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<Schedule>,
) -> Result<Created, ApiError> {
    let id = ask(&state, &caller, Action::Create, request).await?;
    // Of the collection, not of the schedule; there is none with the number 0.
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

/// Does what a client asks for, and gives the number of the collection that was begun, or 0.
async fn ask(
    state: &State,
    caller: &Caller,
    action: Action,
    request: Sent<Schedule>,
) -> Result<i64, ApiError> {
    let allowed = may(state, caller, action).await?;
    let Schedule { schedule, parameters, .. } = request.read().await?;
    let schedule = schedule.ok_or_else(|| Error::invalid("schedule cann't be empty"))?;
    let request = gc::Request::read(&parameters.unwrap_or_default())?;
    let when = schedule.when("invalid cron string for scheduled gc")?;
    let begun = gc::ask(&state.domain, &allowed, action, when, request).await?;
    Ok(begun.unwrap_or_default())
}
