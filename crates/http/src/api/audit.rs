//! The audit log: all that the caller may read, or that of a project; in Harbor's older form
//! and in its newer one. Both tell of the same entries.

use std::sync::Arc;

use axum::{Extension, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    audit::{self, Event, Readable, Shown},
    projects::ProjectRef,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Listed, Timestamp, Whole},
    request::{ListRequest, Path},
};
use crate::State;

/// The operations on all of the log.
pub(super) fn operations() -> Operations {
    let refusals = &[400, 401];
    let (logs, events) = ("/auditlog-exts", "/auditlog-exts/events");
    Operations::harbor("auditlog")
        .get("/audit-logs", "listAuditLogs", "The log, as it was.", list_as_it_was, refusals)
        .get(logs, "listAuditLogExts", "The log.", list, refusals)
        .get(events, "listAuditLogEventTypes", "What is logged.", list_events, &[401, 403])
}

/// The operations on the log of a project.
pub(super) fn project_operations() -> Operations {
    let (old, new) = ("/projects/{project_name}/logs", "/projects/{project_name}/auditlog-exts");
    let refusals = &[400, 401, 403, 404];
    Operations::harbor("project")
        .get(old, "getLogs", "A project's log, as it was.", list_of_project_as_it_was, refusals)
        .get(new, "getLogExts", "A project's log.", list_of_project, refusals)
}

/// A project in a path.
#[derive(Deserialize, IntoParams)]
struct ProjectPath {
    /// The name of the project.
    project_name: String,
}

/// An entry in the older form.
#[derive(Serialize, ToSchema)]
struct AuditLog {
    id: i64,
    username: String,
    resource: String,
    resource_type: String,
    operation: String,
    op_time: Timestamp,
}

/// An entry.
#[derive(Serialize, ToSchema)]
struct AuditLogExt {
    id: i64,
    username: String,
    resource: String,
    resource_type: String,
    operation: String,
    operation_description: String,
    operation_result: bool,
    op_time: Timestamp,
}

/// A kind of event.
#[derive(Serialize, ToSchema)]
struct AuditLogEventType {
    event_type: &'static str,
}

impl From<Shown> for AuditLog {
    fn from(entry: Shown) -> Self {
        Self {
            id: entry.id,
            username: entry.username,
            resource: entry.resource,
            resource_type: entry.resource_type,
            operation: entry.operation,
            op_time: entry.at.into(),
        }
    }
}

impl From<Shown> for AuditLogExt {
    fn from(entry: Shown) -> Self {
        Self {
            id: entry.id,
            username: entry.username,
            resource: entry.resource,
            resource_type: entry.resource_type,
            operation: entry.operation,
            operation_description: entry.description,
            operation_result: entry.succeeded,
            op_time: entry.at.into(),
        }
    }
}

async fn list_as_it_was(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<AuditLog>, ApiError> {
    let readable = access::on_logs(&state.domain, &caller).await?;
    page(&state, &readable, &request).await
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<AuditLogExt>, ApiError> {
    let readable = access::on_logs(&state.domain, &caller).await?;
    page(&state, &readable, &request).await
}

async fn list_of_project_as_it_was(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(ProjectPath { project_name }): Path<ProjectPath>,
    request: ListRequest,
) -> Result<Listed<AuditLog>, ApiError> {
    let project = ProjectRef::Name(&project_name);
    let readable = access::on_log(&state.domain, &caller, project).await?;
    page(&state, &readable, &request).await
}

async fn list_of_project(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(ProjectPath { project_name }): Path<ProjectPath>,
    request: ListRequest,
) -> Result<Listed<AuditLogExt>, ApiError> {
    let project = ProjectRef::Name(&project_name);
    let readable = access::on_log(&state.domain, &caller, project).await?;
    page(&state, &readable, &request).await
}

/// A page of what is asked for, in one of the forms.
async fn page<M: From<Shown>>(
    state: &State,
    readable: &Readable,
    request: &ListRequest,
) -> Result<Listed<M>, ApiError> {
    let found = audit::list(&state.domain, readable, &request.selection()?).await?;
    Ok(request.answer(found, M::from))
}

async fn list_events(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Whole<AuditLogEventType>, ApiError> {
    let right = Right::new(Resource::AuditLog, Action::List);
    access::on_system(&state.domain, &caller, right).await?;
    let shown = |event: Event| AuditLogEventType { event_type: event.name() };
    Ok(Whole(Event::ALL.into_iter().map(shown).collect()))
}
