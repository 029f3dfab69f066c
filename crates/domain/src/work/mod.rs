//! Work: which room does which kind of job, and the runner that has it done.
//!
//! Owns no table. A kind of job has two arms here: [`carry_out`], which calls the room's verb
//! that does a task, and [`begin`], by which a schedule begins one. Only the binary calls.

mod hear;
mod runner;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use db::Tx;
use kit::{Clock, Result};

pub use hear::hear;
pub use runner::serve;

use crate::{
    Context, gc,
    jobs::{self, Cron, Kind, NewExecution, NewTask, Running, Trigger, schedules::Schedule},
    purges, retention, statistics,
};

/// When old executions are removed.
const SWEEP_AT: &str = "0 0 0 * * *";

/// Does a task. It stops early, with what it has done, when it is told to.
///
/// # Errors
/// Those of the verb; what may pass is tried again.
async fn carry_out(context: &Arc<Context>, running: &Running) -> Result<()> {
    match running.kind() {
        Kind::ExecutionSweep => {
            retention::sweep(context, running).await?;
            statistics::fold(context, running).await?;
            jobs::sweep(context, running).await
        }
        Kind::PurgeAuditLog => purges::run(context, running).await,
        Kind::GarbageCollection => gc::run(context, running).await,
        Kind::Retention => retention::run(context, running).await,
    }
}

/// Begins what a schedule is for, in the transaction in which it fires.
///
/// # Errors
/// Those of the database.
async fn begin(tx: &mut Tx, clock: &Clock, due: &Schedule) -> Result<()> {
    // What still runs is not begun beside itself: it would only pile up.
    if jobs::is_open(tx, due.kind, due.vendor_id).await? {
        tracing::info!(kind = %due.kind, vendor = due.vendor_id, "still runs, not begun again");
        return Ok(());
    }
    let shown = match due.kind {
        Kind::ExecutionSweep => jobs::kept_by_sweep(),
        Kind::GarbageCollection | Kind::Retention | Kind::PurgeAuditLog => due.parameters.clone(),
    };
    let task = NewTask::new(due.parameters.clone());
    let new = NewExecution::new(due.kind, due.vendor_id, Trigger::Schedule);
    jobs::start(tx, clock, new.showing(shown).with(task)).await.map(drop)
}

/// Makes the schedules that every installation has.
async fn make_ready(context: &Context) -> Result<()> {
    let sweep = (Kind::ExecutionSweep, jobs::NOBODY);
    let cron = Cron::parse(SWEEP_AT)?;
    let found = jobs::schedules::get(&context.db, sweep.0, sweep.1).await?;
    if found.is_some_and(|found| found.cron == cron.as_str()) {
        return Ok(());
    }
    let clock = context.clock.clone();
    context
        .db
        .write(move |tx| {
            let (clock, cron) = (clock.clone(), cron.clone());
            Box::pin(async move {
                let when = ("Custom", &cron);
                let nothing = jobs::Attributes::new();
                jobs::schedules::set(tx, &clock, sweep, when, &nothing).await.map(drop)
            })
        })
        .await
}
