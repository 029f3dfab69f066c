//! The replicas and what they do just now, as Harbor shows its pools of workers.

use std::collections::HashMap;

use db::args;
use kit::{Error, Kind as ErrorKind, Result, Time};

use super::{Kind, log, sql, stop::stop_one};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System},
};

/// What stands for every pool, and for every job.
const ALL: &str = "all";

/// How many pools are shown, how many workers of each, and how much of what they do.
const MOST_POOLS: i64 = 100;
const MOST_WORKERS: i64 = 1000;
const MOST_DOING: i64 = 10_000;

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub id: String,
    /// The machine that it runs on.
    pub host: String,
    /// Its process.
    pub pid: i64,
    /// How many tasks it does at a time.
    pub workers: i64,
    /// When it started.
    pub started_at: Time,
    /// When it was last heard of.
    pub beat_at: Time,
}

/// One of the places in which a replica does tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its name.
    pub id: String,
    /// The replica.
    pub pool_id: String,
    /// What it does.
    pub doing: Option<Doing>,
}

/// What a worker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// The kind of work.
    pub kind: Kind,
    /// The number of the task.
    pub task_id: i64,
    /// When somebody first began with it.
    pub started_at: Time,
    /// How far it is.
    pub check_in: String,
    /// When it said so.
    pub checked_in_at: Option<Time>,
}

/// All replicas.
///
/// # Errors
/// None but the database's.
pub async fn pools(context: &Context, allowed: &Allowed<System>) -> Result<Vec<Pool>> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::List))?;
    let rows = context.db.all(sql::POOLS, args![MOST_POOLS]).await?;
    let read = |row: &db::Row| {
        Ok(Pool {
            id: row.get(0)?,
            host: row.get(1)?,
            pid: row.get(2)?,
            workers: row.get(3)?,
            started_at: row.get(4)?,
            beat_at: row.get(5)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The workers of a replica, or of all: those that do something, then the idle ones.
///
/// # Errors
/// None but the database's.
pub async fn workers(
    context: &Context,
    allowed: &Allowed<System>,
    pool_id: &str,
) -> Result<Vec<Worker>> {
    let all = pool_id.eq_ignore_ascii_case(ALL);
    let pools = pools(context, allowed).await?;
    let mut doing = doing(context, if all { "" } else { pool_id }).await?;
    let mut workers = Vec::new();
    for pool in pools.iter().filter(|pool| all || pool.id == pool_id) {
        let busy = doing.remove(&pool.id).unwrap_or_default();
        let places = usize::try_from(pool.workers.min(MOST_WORKERS)).unwrap_or_default();
        let idle = places.saturating_sub(busy.len());
        let places = busy.into_iter().map(Some).chain(std::iter::repeat_n(None, idle));
        workers.extend(places.enumerate().map(|(n, doing)| Worker {
            id: format!("{}-{}", pool.id, n + 1),
            pool_id: pool.id.clone(),
            doing,
        }));
    }
    Ok(workers)
}

/// What a replica does, or each of them, by their names.
async fn doing(context: &Context, replica: &str) -> Result<HashMap<String, Vec<Doing>>> {
    let mut doing: HashMap<String, Vec<Doing>> = HashMap::new();
    for row in context.db.all(sql::DOING, args![replica, MOST_DOING]).await? {
        // One that only a newer version knows is not shown.
        let Some(kind) = Kind::from_name(&row.get::<String>(1)?) else { continue };
        doing.entry(row.get(5)?).or_default().push(Doing {
            kind,
            task_id: row.get(0)?,
            started_at: row.get(2)?,
            check_in: row.get(3)?,
            checked_in_at: row.get(4)?,
        });
    }
    Ok(doing)
}

/// Stops a task, by its number as a text, or all that run. One that is not there may have
/// ended already.
///
/// # Errors
/// None but the database's.
pub async fn stop_task(context: &Context, allowed: &Allowed<System>, job_id: &str) -> Result<()> {
    if job_id.eq_ignore_ascii_case(ALL) {
        return stop_tasks(context, allowed).await;
    }
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::Stop))?;
    let Ok(task_id) = job_id.parse::<i64>() else { return Ok(()) };
    stop_these(context, allowed, vec![task_id]).await
}

/// Stops all tasks that run.
///
/// # Errors
/// None but the database's.
pub async fn stop_tasks(context: &Context, allowed: &Allowed<System>) -> Result<()> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::Stop))?;
    let rows = context.db.all(sql::RUNNING, args![MOST_WORKERS]).await?;
    let task_ids = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    stop_these(context, allowed, task_ids).await
}

async fn stop_these(
    context: &Context,
    allowed: &Allowed<System>,
    task_ids: Vec<i64>,
) -> Result<()> {
    let audit = audit::by(context, allowed.by()).await?;
    for task_id in task_ids {
        let (clock, audit) = (context.clock.clone(), audit.clone());
        context
            .db
            .write(move |tx| {
                let (clock, audit) = (clock.clone(), audit.clone());
                Box::pin(async move {
                    let now = super::now(tx, &clock).await?;
                    if stop_one(tx, now, task_id).await? {
                        let entry = Entry::new(Event::StopExecution, task_id.to_string());
                        let text = format!("stop job: {task_id}");
                        audit.record(tx, entry.described(text)).await?;
                    }
                    Ok(())
                })
            })
            .await?;
    }
    Ok(())
}

/// The log of a task, by its number as a text.
///
/// # Errors
/// NotFound when there is no such task; those of the database.
pub async fn log_of_task(
    context: &Context,
    allowed: &Allowed<System>,
    job_id: &str,
) -> Result<String> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::List))?;
    let task_id = job_id.parse::<i64>().ok();
    let found = match task_id {
        Some(task_id) => super::task(&context.db, task_id).await?,
        None => None,
    };
    match found {
        Some(task) => log::log(&context.db, task.id).await,
        None => Err(Error::new(ErrorKind::NotFound, format!("job {job_id} not found"))),
    }
}
