//! Jobs: what is done once a request is over, by whichever replica is free.
//!
//! Owns the tables `executions`, `tasks`, `task_logs`, `replicas`, `queues`, `schedules` and
//! `firings`. An execution is one thing that was asked for, by a person, a schedule or an
//! event; its tasks are the pieces of work that a replica takes one by one. Promises:
//! - What is begun in a transaction is there with it, and never without it ([`start`]).
//! - A task runs once at a time, and ends exactly once in a final state. Who takes it counts
//!   its epoch up, and only who holds the newest epoch can end it ([`end`], and
//!   [`Running::fence`] for what a task writes). A task whose replica died is done again.
//! - A schedule fires once for each of its moments, however many replicas look.
//! - Leases, pauses and schedules go by the database's clock.
//!
//! How a room has work done, here `gc`:
//! - a [`Kind`] for it, and an arm in `work`, which calls `gc::run(context, running)`;
//! - `jobs::start(tx, clock, NewExecution::new(Kind::GarbageCollection, -1, Trigger::Manual)
//!   .with(NewTask::new(parameters)))` in the transaction of the deed, which gives the number
//!   of the execution; [`add_tasks`] for more tasks of it;
//! - `run` writes lines with [`Running::log`], asks [`Running::stops`] between two pieces of
//!   its work and returns `Ok(())` early when it is so, and tells what came of it with
//!   [`Running::set`]. It may be begun again after a half of it was done;
//! - [`schedules::set`], [`schedules::get`] and [`schedules::remove`] for what is done again
//!   and again;
//! - [`list`], [`find`], [`tasks`], [`log`] and [`stop`] to show and to stop.
//!
//! The verbs here take no proof: the rooms whose jobs they are ask for it. The dashboard of
//! all jobs (`queues`, `pools`) does take one.

mod ask;
mod begin;
mod counted;
mod cron;
mod end;
mod kind;
mod list;
mod log;
mod pools;
mod queues;
mod replica;
mod running;
pub mod schedules;
mod sql;
mod stop;
mod sweep;
mod take;
#[cfg(test)]
mod tests;

use db::Tx;
use kit::{Clock, Error, Result, Time};
use serde_json::Value;

pub(crate) use ask::{NOBODY, ask};
pub use begin::{NewExecution, NewTask};
pub(crate) use begin::{add_tasks, start};
pub(crate) use counted::Try;
pub use counted::{Counted, OfKind, Standing, Tries, standing};
pub use cron::Cron;
pub(crate) use end::{Ended, Hold, end};
pub use kind::{Kind, Status, Trigger};
pub use list::{Execution, Metrics, Task};
pub(crate) use list::{find, list, task, tasks};
pub(crate) use log::{log, log_of_execution};
pub use pools::{Pool, Worker, log_of_task, pools, stop_task, stop_tasks, workers};
pub use queues::{Queue, is_paused, pause, queues, resume, stop_waiting};
pub(crate) use replica::{Beat, LEASE, Replica, Watch, bury, inherit};
pub use running::Running;
pub(crate) use running::{Order, write_news};
pub(crate) use stop::{stop, stop_all_of};
pub(crate) use sweep::{forget, kept as kept_by_sweep, sweep, vendors};
pub(crate) use take::{Taken, is_due, is_open, take};

/// Facts by name, a JSON object: what a task is to do, and what is told of it.
pub type Attributes = serde_json::Map<String, Value>;

/// What tells replicas that there is something to do, or to stop.
pub(crate) const TOPIC: &str = "jobs";

/// The longest that a task waits because of its time to run: longer than that is the work of
/// a clock that was set back, which must not block anything.
pub(crate) const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// Wakes the runner of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bell(std::sync::Arc<tokio::sync::Notify>);

impl Bell {
    /// Rings if a change is about jobs, or may be.
    pub(crate) fn hear(&self, change: &db::Change) {
        if change.topic() == TOPIC || change.is_everything() {
            self.0.notify_one();
        }
    }

    /// Waits until it rings.
    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}

/// What time it is for jobs: by the database's clock, or by the one that a test turns.
pub(crate) async fn now(tx: &mut Tx, clock: &Clock) -> Result<Time> {
    match clock {
        Clock::System => tx.now().await,
        Clock::Manual(_) => Ok(clock.now()),
    }
}

/// Attributes as they are stored.
fn text_of(attributes: &Attributes) -> Result<String> {
    serde_json::to_string(attributes).map_err(Error::internal)
}

/// Attributes as they were stored.
pub(crate) fn attributes(text: &str) -> Result<Attributes> {
    serde_json::from_str(text).map_err(Error::internal)
}
