//! Runs of retention as only Haven shows them: what goes, what stays, and why.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, Json, extract};
use domain::{
    access::{Action, Caller},
    jobs::Metrics,
    retention::{self, Found, Outcome, Run, Wanted},
};
use kit::{Error, Result, Selection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Listed, Timestamp},
    request::{PageRequest, Path, Query},
    retention::{ExecutionPath, PolicyPath, TaskPath, known},
    retention_policy::RetentionRule,
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, one) = ("/retentions/{id}/executions", "/retentions/{id}/executions/{eid}");
    let artifacts = "/retentions/{id}/executions/{eid}/artifacts";
    let of_task = "/retentions/{id}/executions/{eid}/tasks/{tid}/artifacts";
    let refusals = &[400, 401, 403, 404];
    let why = "What was decided about a repository's artifacts, and why.";
    Operations::haven("retention")
        .get(all, "listRetentionRuns", "A policy's runs, and what came of them.", list, refusals)
        .get(one, "getRetentionRun", "A run, and the rules that it goes by.", show, refusals)
        .get(artifacts, "listRunFindings", "What a run decided, and why.", findings, refusals)
        .get(of_task, "listRetentionFindings", why, findings_of_task, refusals)
}

/// How many repositories of a run are in which state.
#[derive(Serialize, ToSchema)]
struct RetentionRunTasks {
    pending: i64,
    running: i64,
    stopped: i64,
    error: i64,
    success: i64,
}

/// A run.
#[derive(Serialize, ToSchema)]
struct RetentionRun {
    id: i64,
    status: &'static str,
    /// Why it failed, if it did.
    status_message: String,
    trigger: &'static str,
    dry_run: bool,
    /// Who began it, if somebody did.
    operator: String,
    start_time: Timestamp,
    end_time: Timestamp,
    tasks: RetentionRunTasks,
    /// How many artifacts have which outcome so far: `delete`, or why they stay.
    outcomes: BTreeMap<&'static str, i64>,
}

/// A run, and the rules as they were when it began.
#[derive(Serialize, ToSchema)]
struct RetentionRunDetails {
    run: RetentionRun,
    rules: Vec<RetentionRule>,
}

impl From<Metrics> for RetentionRunTasks {
    fn from(metrics: Metrics) -> Self {
        let Metrics { pending, running, stopped, error, success } = metrics;
        Self { pending, running, stopped, error, success }
    }
}

impl From<Run> for RetentionRun {
    fn from(Run { execution, outcomes }: Run) -> Self {
        let shown = |name| execution.extra_attrs.get(name);
        Self {
            id: execution.id,
            status: execution.status.name(),
            trigger: execution.trigger.name(),
            dry_run: shown("dry_run").and_then(Value::as_bool).unwrap_or_default(),
            operator: shown("operator").and_then(Value::as_str).unwrap_or_default().to_owned(),
            start_time: execution.started_at.into(),
            end_time: Timestamp::or_never(execution.ended_at),
            tasks: execution.metrics.into(),
            outcomes: outcomes.into_iter().map(|(of, count)| (of.name(), count)).collect(),
            status_message: execution.status_message,
        }
    }
}

/// Which artifacts are shown.
#[derive(Deserialize, IntoParams)]
struct FindingsQuery {
    /// Those with one of some outcomes, with commas between them: `delete`, `immutable`,
    /// `in_use`, `retain`, `error`.
    outcome: Option<String>,
    /// Those whose repository, tags, labels or digest contain a text. Of a very large run the
    /// first 2,000 blocks are looked through, of up to a hundred artifacts each.
    text: Option<String>,
}

/// Of which repository artifacts are shown.
#[derive(Deserialize, IntoParams)]
struct OfTask {
    /// The number of the task that is about it.
    task: Option<i64>,
}

impl FindingsQuery {
    fn into_wanted(self, task_id: Option<i64>) -> Result<Wanted> {
        let read = |name: &str| {
            Outcome::from_name(name).ok_or_else(|| {
                let names = Outcome::ALL.map(Outcome::name).join(", ");
                Error::invalid(format!("an outcome is one of {names}"))
            })
        };
        let outcomes = self.outcome.iter().flat_map(|names| names.split(',')).map(read);
        let outcomes = outcomes.collect::<Result<_>>()?;
        Ok(Wanted { outcomes, task_id, text: self.text.unwrap_or_default() })
    }
}

/// What was decided about an artifact, and why.
#[derive(Serialize, ToSchema)]
struct RetentionFinding {
    /// The number of the task that decided it.
    task_id: i64,
    /// The repository, without its project.
    repository: String,
    digest: String,
    /// Its tags, or the first hundred of them.
    tags: Vec<String>,
    labels: Vec<String>,
    push_time: Timestamp,
    pull_time: Timestamp,
    signed: bool,
    /// `delete`, or why it stays.
    outcome: &'static str,
    /// The rules that keep it.
    kept_by: Vec<RetentionReason>,
    /// The rules that are about it and do not keep it.
    passed_over_by: Vec<RetentionReason>,
    /// What kept it from being deleted, if something did.
    message: String,
}

/// A rule as the reason for something.
#[derive(Serialize, ToSchema)]
struct RetentionReason {
    /// Its place among the rules of the policy, from 0.
    rule: usize,
    /// What it keeps.
    keeps: String,
}

impl From<Found> for RetentionFinding {
    fn from(Found { task_id, repository, finding: found }: Found) -> Self {
        let reasons = |rules: Vec<(usize, String)>| {
            let reason = |(rule, keeps)| RetentionReason { rule, keeps };
            rules.into_iter().map(reason).collect()
        };
        Self {
            task_id,
            repository,
            digest: found.digest,
            tags: found.tags,
            labels: found.labels,
            push_time: found.pushed_at.into(),
            pull_time: Timestamp::or_never(found.pulled_at),
            signed: found.is_signed,
            outcome: found.outcome.name(),
            kept_by: reasons(found.kept_by),
            passed_over_by: reasons(found.passed_over_by),
            message: found.message,
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
    request: PageRequest,
) -> Result<Listed<RetentionRun>, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::List).await?;
    let selection = Selection { page: request.page()?, ..Selection::default() };
    let found = retention::runs(&state.domain, &allowed, &policy, &selection).await?;
    Ok(request.answer(found, RetentionRun::from))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
    Path(ExecutionPath { eid }): Path<ExecutionPath>,
) -> Result<Json<RetentionRunDetails>, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Read).await?;
    let (run, rules) = retention::run_of(&state.domain, &allowed, &policy, eid).await?;
    let rules = rules.into_iter().map(RetentionRule::from).collect();
    Ok(Json(RetentionRunDetails { run: run.into(), rules }))
}

async fn findings(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PolicyPath { id }): Path<PolicyPath>,
    Path(ExecutionPath { eid }): Path<ExecutionPath>,
    Query(query): Query<FindingsQuery>,
    Query(of): Query<OfTask>,
    request: PageRequest,
) -> Result<Listed<RetentionFinding>, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Read).await?;
    let (wanted, page) = (query.into_wanted(of.task)?, request.page()?);
    let found = retention::findings(&state.domain, &allowed, &policy, eid, &wanted, page).await?;
    Ok(request.answer(found, RetentionFinding::from))
}

async fn findings_of_task(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(TaskPath { id, eid, tid }): Path<TaskPath>,
    Query(query): Query<FindingsQuery>,
    request: PageRequest,
) -> Result<Listed<RetentionFinding>, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Read).await?;
    let (wanted, page) = (query.into_wanted(Some(tid))?, request.page()?);
    let found = retention::findings(&state.domain, &allowed, &policy, eid, &wanted, page).await?;
    Ok(request.answer(found, RetentionFinding::from))
}
