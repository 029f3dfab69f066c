//! The queues, one for each kind of job: how much waits in them, and whether they are paused.

use std::collections::HashMap;

use db::{Change, Db, args};
use kit::{Error, Kind as ErrorKind, Result, Time};

use super::{Kind, TOPIC, end::refresh, sql};
use crate::{
    Context,
    audit::{self, Audit, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System},
};

/// The queue that Harbor has for what schedules begin: while it is paused none fires.
const SCHEDULER: &str = "SCHEDULER";

/// What stands for every queue.
const ALL: &str = "all";

/// How many tasks are stopped in one transaction.
const AT_ONCE: i64 = 200;

/// A queue as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Harbor's name of its kind.
    pub name: &'static str,
    /// How many tasks wait in it.
    pub waiting: i64,
    /// Since how many seconds the first of them could run.
    pub latency: i64,
    /// Whether none of them is begun.
    pub paused: bool,
}

/// Which queues a caller names.
fn named(name: &str) -> Result<Vec<&'static str>> {
    if name.eq_ignore_ascii_case(ALL) {
        return Ok(names().collect());
    }
    let found = names().find(|own| own.eq_ignore_ascii_case(name));
    let unknown = || Error::new(ErrorKind::NotFound, format!("job type {name} not found"));
    found.map(|name| vec![name]).ok_or_else(unknown)
}

fn names() -> impl Iterator<Item = &'static str> {
    Kind::ALL.into_iter().map(Kind::name).chain([SCHEDULER])
}

/// All queues.
///
/// # Errors
/// None but the database's.
pub async fn queues(context: &Context, allowed: &Allowed<System>) -> Result<Vec<Queue>> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::List))?;
    all(context).await
}

pub(super) async fn all(context: &Context) -> Result<Vec<Queue>> {
    let clock = context.clock.clone();
    context
        .db
        .read(move |tx| {
            let clock = clock.clone();
            Box::pin(async move {
                let now = super::now(tx, &clock).await?;
                let mut waiting: HashMap<String, (i64, Time)> = HashMap::new();
                for row in tx.all(sql::WAITING, args![now]).await? {
                    waiting.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
                }
                let mut paused = HashMap::new();
                for row in tx.all(sql::QUEUES, args![]).await? {
                    paused.insert(row.get::<String>(0)?, row.get::<bool>(1)?);
                }
                let queue = |name| {
                    let (count, since) = waiting.get(name).copied().unwrap_or((0, now));
                    Queue {
                        name,
                        waiting: count,
                        latency: (now.seconds() - since.seconds()).max(0),
                        paused: paused.get(name).copied().unwrap_or_default(),
                    }
                };
                Ok(names().map(queue).collect())
            })
        })
        .await
}

/// Lets nothing of a queue begin, or of all; what runs goes on.
///
/// # Errors
/// NotFound when there is no such queue; those of the database.
pub async fn pause(context: &Context, allowed: &Allowed<System>, name: &str) -> Result<()> {
    set_paused(context, allowed, name, true).await
}

/// Ends a pause.
///
/// # Errors
/// As [`pause`].
pub async fn resume(context: &Context, allowed: &Allowed<System>, name: &str) -> Result<()> {
    set_paused(context, allowed, name, false).await
}

async fn set_paused(
    context: &Context,
    allowed: &Allowed<System>,
    name: &str,
    paused: bool,
) -> Result<()> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::Stop))?;
    let names = named(name)?;
    let audit = audit::by(context, allowed.by()).await?;
    context
        .db
        .write(move |tx| {
            let (names, audit) = (names.clone(), audit.clone());
            Box::pin(async move {
                for name in names {
                    tx.execute(sql::SET_PAUSED, args![name, paused]).await?;
                    let deed = if paused { "pause queue" } else { "resume queue" };
                    let entry = Entry::new(Event::UpdateQueue, name);
                    audit.record(tx, entry.described(format!("{deed}: {name}"))).await?;
                }
                tx.announce(Change::new(TOPIC, ""));
                Ok(())
            })
        })
        .await
}

/// Stops all that waits in a queue, or in all; what runs goes on.
///
/// # Errors
/// As [`pause`]; what was stopped until an error stays stopped.
pub async fn stop_waiting(context: &Context, allowed: &Allowed<System>, name: &str) -> Result<()> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::Stop))?;
    let names = named(name)?;
    let audit = audit::by(context, allowed.by()).await?;
    for name in names {
        while stop_some(context, &audit, name).await? == AT_ONCE as usize {}
    }
    Ok(())
}

async fn stop_some(context: &Context, audit: &Audit, name: &'static str) -> Result<usize> {
    let (clock, audit) = (context.clock.clone(), audit.clone());
    context
        .db
        .write(move |tx| {
            let (clock, audit) = (clock.clone(), audit.clone());
            Box::pin(async move {
                let now = super::now(tx, &clock).await?;
                let waiting = tx.all(sql::WAITING_OF_KIND, args![name, AT_ONCE]).await?;
                let mut executions = Vec::new();
                for row in &waiting {
                    let (id, execution_id): (i64, i64) = (row.get(0)?, row.get(1)?);
                    if executions.last() != Some(&execution_id) {
                        tx.one(sql::LOCK_EXECUTION, args![execution_id]).await?;
                        executions.push(execution_id);
                    }
                    tx.execute(sql::STOP_WAITING_TASK, args![id, now]).await?;
                }
                for execution_id in executions {
                    refresh(tx, execution_id, now).await?;
                }
                if !waiting.is_empty() {
                    let text = format!("stop {} waiting jobs of {name}", waiting.len());
                    let entry = Entry::new(Event::StopExecution, name).described(text);
                    audit.record(tx, entry).await?;
                }
                Ok(waiting.len())
            })
        })
        .await
}

/// Whether no schedule fires. Harbor knows this of all of them only.
///
/// # Errors
/// Invalid for anything but `all`; those of the database.
pub async fn is_paused(context: &Context, job_type: &str) -> Result<bool> {
    if !job_type.eq_ignore_ascii_case(ALL) {
        return Err(Error::invalid("job_type can only be 'all'"));
    }
    are_schedules_paused(&context.db).await
}

pub(super) async fn are_schedules_paused(db: &Db) -> Result<bool> {
    let row = db.one(sql::IS_PAUSED, args![SCHEDULER]).await?;
    row.map_or(Ok(false), |row| row.get(0))
}
