//! Retention: which artifacts of projects stay.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right},
    jobs::{Execution, Task},
    projects::ProjectRef,
    retention::{self, Policy},
};
use kit::{Error, Kind, Result, Selection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed, Timestamp},
    describe::{Description, Output},
    request::{PageRequest, Path, Sent, null_is_nothing},
    retention_policy::RetentionPolicy,
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, one) = ("/retentions", "/retentions/{id}");
    let executions = "/retentions/{id}/executions";
    let execution = "/retentions/{id}/executions/{eid}";
    let tasks = "/retentions/{id}/executions/{eid}/tasks";
    let log = "/retentions/{id}/executions/{eid}/tasks/{tid}";
    let (about, refusals) = (&[401][..], &[400, 401, 403, 404][..]);
    Operations::harbor("Retention")
        .get(
            "/retentions/metadatas",
            "getRentenitionMetadata",
            "What rules are made of.",
            super::retention_metadata::show,
            about,
        )
        .post(all, "createRetention", "Gives a project a policy.", create, &[400, 401, 403, 409])
        .get(one, "getRetention", "A policy.", show, &[401, 403, 404])
        .put(one, "updateRetention", "Changes a policy.", update, &[400, 401, 403, 404, 409])
        .delete(one, "deleteRetention", "Deletes a policy.", remove, refusals)
        .get(executions, "listRetentionExecutions", "A policy's runs.", list_executions, refusals)
        .post(executions, "triggerRetentionExecution", "Runs a policy.", trigger, refusals)
        .patch(execution, "operateRetentionExecution", "Stops a run.", operate, refusals)
        .get(tasks, "listRetentionTasks", "A run's repositories.", list_tasks, refusals)
        .get(log, "getRetentionTaskLog", "What was done in a repository.", show_log, refusals)
}

/// A policy in a path.
#[derive(Deserialize, IntoParams)]
pub(super) struct PolicyPath {
    /// The number of the policy.
    pub(super) id: i64,
}

/// A run in a path.
#[derive(Deserialize, IntoParams)]
pub(super) struct ExecutionPath {
    /// The number of the run.
    pub(super) eid: i64,
}

/// A task in a path.
#[derive(Deserialize, IntoParams)]
pub(super) struct TaskPath {
    /// The number of the policy.
    pub(super) id: i64,
    /// The number of the run.
    pub(super) eid: i64,
    /// The number of the task.
    pub(super) tid: i64,
}

/// A run to be begun.
#[derive(Default, Deserialize, ToSchema)]
struct Run {
    /// Whether nothing is to be deleted.
    #[serde(default, deserialize_with = "null_is_nothing")]
    dry_run: bool,
}

/// What is to be done with a run.
#[derive(Deserialize, ToSchema)]
struct Operate {
    /// `stop`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    action: String,
}

/// A run as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = RetentionExecution)]
struct ExecutionModel {
    id: i64,
    policy_id: i64,
    #[schema(value_type = String)]
    start_time: Timestamp,
    #[schema(value_type = String)]
    end_time: Timestamp,
    status: &'static str,
    trigger: &'static str,
    dry_run: bool,
}

impl From<Execution> for ExecutionModel {
    fn from(execution: Execution) -> Self {
        let dry_run = execution.extra_attrs.get("dry_run").and_then(Value::as_bool);
        Self {
            id: execution.id,
            policy_id: execution.vendor_id,
            start_time: execution.started_at.into(),
            end_time: Timestamp::or_never(execution.ended_at),
            status: execution.status.name(),
            trigger: execution.trigger.name(),
            dry_run: dry_run.unwrap_or_default(),
        }
    }
}

/// What a run does in a repository, as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = RetentionExecutionTask)]
struct TaskModel {
    id: i64,
    execution_id: i64,
    repository: String,
    job_id: String,
    status: &'static str,
    status_code: i64,
    status_revision: i64,
    #[schema(value_type = String)]
    start_time: Timestamp,
    #[schema(value_type = String)]
    end_time: Timestamp,
    total: i64,
    retained: i64,
}

impl From<Task> for TaskModel {
    fn from(task: Task) -> Self {
        let number = |name| task.extra_attrs.get(name).and_then(Value::as_i64).unwrap_or_default();
        let repository = task.extra_attrs.get("repository").and_then(Value::as_str);
        let status_code = match task.status.name() {
            "Pending" => 0,
            "Running" => 2,
            _ => 3,
        };
        Self {
            id: task.id,
            execution_id: task.execution_id,
            repository: repository.unwrap_or_default().to_owned(),
            job_id: task.id.to_string(),
            status: task.status.name(),
            status_code,
            status_revision: task.run_count,
            start_time: Timestamp::or_never(task.started_at),
            end_time: Timestamp::or_never(task.ended_at),
            total: number("total"),
            retained: number("retained"),
        }
    }
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<RetentionPolicy>,
) -> Result<Created, ApiError> {
    // The project is in the body: nobody unknown is told anything of it.
    access::known(&state.domain, &caller).await?;
    let sent = request.read().await?;
    let frame = sent.frame();
    let project_id = frame.project_id()?;
    let right = Right::new(Resource::TagRetention, Action::Create);
    let project = ProjectRef::Id(project_id);
    let allowed = access::on_project(&state.domain, &caller, project, right).await;
    let allowed = allowed.map_err(|error| match error.kind {
        Kind::NotFound => Error::invalid(format!("invalid Project id {project_id}")),
        _ => error,
    })?;
    frame.check_trigger()?;
    let id = retention::create(&state.domain, &allowed, sent.into_new()?).await?;
    Ok(Created::below(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
) -> Result<Json<RetentionPolicy>, ApiError> {
    let (policy, _) = retention::known(&state.domain, &caller, id, Action::Read).await?;
    Ok(Json(policy.into()))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
    request: Sent<RetentionPolicy>,
) -> Result<Done, ApiError> {
    let (policy, allowed) = retention::known(&state.domain, &caller, id, Action::Update).await?;
    let sent = request.read().await?;
    let frame = sent.frame();
    if frame.project_id()? != policy.project_id {
        let message = format!("the retention policy id {id} does not match");
        return Err(Error::new(Kind::NotFound, message).into());
    }
    frame.check_trigger()?;
    retention::update(&state.domain, &allowed, &policy, sent.into_new()?).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
) -> Result<Done, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Delete).await?;
    retention::delete(&state.domain, &allowed, &policy).await?;
    Ok(Done)
}

async fn list_executions(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
    request: PageRequest,
) -> Result<Listed<ExecutionModel>, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::List).await?;
    let selection = Selection { page: request.page()?, ..Selection::default() };
    let found = retention::executions(&state.domain, &allowed, &policy, &selection).await?;
    Ok(request.answer(found, ExecutionModel::from))
}

async fn trigger(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    Path(PolicyPath { id }): Path<PolicyPath>,
    request: Sent<Run>,
) -> Result<Created, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Update).await?;
    let run = request.read().await?;
    let execution = retention::begin(&state.domain, &allowed, &policy, run.dry_run).await?;
    Ok(Created::below(&uri, execution))
}

async fn operate(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
    Path(ExecutionPath { eid }): Path<ExecutionPath>,
    request: Sent<Operate>,
) -> Result<Done, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Update).await?;
    if request.read().await?.action != "stop" {
        return Err(Error::invalid("action should be 'stop'").into());
    }
    retention::stop(&state.domain, &allowed, &policy, eid).await?;
    Ok(Done)
}

async fn list_tasks(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
    Path(ExecutionPath { eid }): Path<ExecutionPath>,
    request: PageRequest,
) -> Result<Listed<TaskModel>, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::List).await?;
    let selection = Selection { page: request.page()?, ..Selection::default() };
    let found = retention::tasks(&state.domain, &allowed, &policy, eid, &selection).await?;
    Ok(request.answer(found, TaskModel::from))
}

/// The log of a task, as text.
struct Log(String);

impl IntoResponse for Log {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "text/plain; charset=utf-8")], self.0).into_response()
    }
}

impl Output for Log {
    fn describe(description: &mut Description) {
        description.answers_text(axum::http::StatusCode::OK, "text/plain", &[]);
    }
}

async fn show_log(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(TaskPath { id, eid, tid }): Path<TaskPath>,
) -> Result<Log, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Read).await?;
    retention::log(&state.domain, &allowed, &policy, (eid, tid)).await.map(Log).map_err(Into::into)
}

/// The policy of a number, for operations that Harbor answers with 400 when there is none.
pub(super) async fn known(
    state: &State,
    caller: &Caller,
    id: i64,
    action: Action,
) -> Result<(Policy, Allowed)> {
    let known = retention::known(&state.domain, caller, id, action).await;
    known.map_err(|error| match error.kind {
        Kind::NotFound => Error::invalid(error.message),
        _ => error,
    })
}

/// Facts by name.
pub(super) type Facts = BTreeMap<String, Value>;
