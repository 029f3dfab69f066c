//! The dashboard of all jobs: who does them, what waits, and stopping it.

use std::sync::Arc;

use axum::{Extension, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    jobs,
    rights::{Allowed, System},
};
use kit::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Done, Text, Timestamp, Whole},
    request::{Path, Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (job, queue) = ("/jobservice/jobs/{job_id}", "/jobservice/queues/{job_type}");
    let workers = "/jobservice/pools/{pool_id}/workers";
    let (log, refusals) = ("/jobservice/jobs/{job_id}/log", &[401, 403, 404]);
    Operations::harbor("jobservice")
        .get("/jobservice/pools", "getWorkerPools", "Who does jobs.", pools, &[401, 403])
        .get(workers, "getWorkers", "What is done, and by whom.", list_workers, refusals)
        .put(job, "stopRunningJob", "Stops a job, or all that run.", stop, refusals)
        .get(log, "actionGetJobLog", "The log of a job.", show_log, refusals)
        .get("/jobservice/queues", "listJobQueues", "What waits.", queues, refusals)
        .put(
            queue,
            "actionPendingJobs",
            "Stops what waits in a queue, or pauses or resumes it.",
            act_on_queue,
            &[400, 401, 403, 404, 422],
        )
}

/// A pool in a path.
#[derive(Deserialize, IntoParams)]
struct PoolPath {
    /// The name of the pool, or `all`.
    pool_id: String,
}

/// A job in a path.
#[derive(Deserialize, IntoParams)]
struct JobPath {
    /// The name of the job, or `all`.
    job_id: String,
}

/// A queue in a path.
#[derive(Deserialize, IntoParams)]
struct QueuePath {
    /// The type of the jobs in it, or `all`.
    job_type: String,
}

/// A replica, which Harbor calls a pool of workers.
#[derive(Serialize, ToSchema)]
struct WorkerPool {
    pid: i64,
    worker_pool_id: String,
    start_at: Timestamp,
    heartbeat_at: Timestamp,
    concurrency: i64,
    host: String,
}

/// One of the places in which a replica does jobs.
#[derive(Serialize, ToSchema)]
struct Worker {
    id: String,
    pool_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    job_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Timestamp)]
    start_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    check_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Timestamp)]
    checkin_at: Option<Timestamp>,
}

/// A queue.
#[derive(Serialize, ToSchema)]
struct JobQueue {
    job_type: &'static str,
    count: i64,
    /// How long the first job in it could have run already, in seconds.
    latency: i64,
    paused: bool,
}

/// What is to be done with a queue, or with a job.
#[derive(Deserialize, ToSchema)]
struct ActionRequest {
    /// stop, pause or resume.
    #[serde(default, deserialize_with = "null_is_nothing")]
    action: String,
}

async fn may(state: &State, caller: &Caller, action: Action) -> Result<Allowed<System>> {
    access::on_system(&state.domain, caller, Right::new(Resource::JobserviceMonitor, action)).await
}

async fn pools(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Whole<WorkerPool>, ApiError> {
    let allowed = may(&state, &caller, Action::List).await?;
    let shown = |pool: jobs::Pool| WorkerPool {
        pid: pool.pid,
        worker_pool_id: pool.id,
        start_at: pool.started_at.into(),
        heartbeat_at: pool.beat_at.into(),
        concurrency: pool.workers,
        host: pool.host,
    };
    Ok(Whole(jobs::pools(&state.domain, &allowed).await?.into_iter().map(shown).collect()))
}

async fn list_workers(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(PoolPath { pool_id }): Path<PoolPath>,
) -> Result<Whole<Worker>, ApiError> {
    let allowed = may(&state, &caller, Action::List).await?;
    let found = jobs::workers(&state.domain, &allowed, &pool_id).await?;
    Ok(Whole(found.into_iter().map(Worker::from).collect()))
}

impl From<jobs::Worker> for Worker {
    fn from(worker: jobs::Worker) -> Self {
        let doing = worker.doing.as_ref();
        Self {
            job_name: doing.map(|doing| doing.kind.name()),
            job_id: doing.map(|doing| doing.task_id.to_string()),
            start_at: doing.map(|doing| doing.started_at.into()),
            check_in: doing.map(|doing| doing.check_in.clone()),
            checkin_at: doing.and_then(|doing| doing.checked_in_at).map(Timestamp::from),
            id: worker.id,
            pool_id: worker.pool_id,
        }
    }
}

async fn stop(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(JobPath { job_id }): Path<JobPath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Stop).await?;
    jobs::stop_task(&state.domain, &allowed, &job_id).await?;
    Ok(Done)
}

async fn show_log(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(JobPath { job_id }): Path<JobPath>,
) -> Result<Text, ApiError> {
    let allowed = may(&state, &caller, Action::List).await?;
    Ok(Text(jobs::log_of_task(&state.domain, &allowed, &job_id).await?))
}

async fn queues(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Whole<JobQueue>, ApiError> {
    let allowed = may(&state, &caller, Action::List).await?;
    let shown = |queue: jobs::Queue| JobQueue {
        job_type: queue.name,
        count: queue.waiting,
        latency: queue.latency,
        paused: queue.paused,
    };
    Ok(Whole(jobs::queues(&state.domain, &allowed).await?.into_iter().map(shown).collect()))
}

async fn act_on_queue(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(QueuePath { job_type }): Path<QueuePath>,
    request: Sent<ActionRequest>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Stop).await?;
    let action = request.read().await?.action;
    match action.to_ascii_lowercase().as_str() {
        "stop" => jobs::stop_waiting(&state.domain, &allowed, &job_type).await?,
        "pause" => jobs::pause(&state.domain, &allowed, &job_type).await?,
        "resume" => jobs::resume(&state.domain, &allowed, &job_type).await?,
        _ => return Err(Error::invalid("the action is not supported").into()),
    }
    Ok(Done)
}
