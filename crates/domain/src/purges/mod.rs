//! Purges of the audit log, as jobs: by hand, by a schedule, and what came of them.
//!
//! Owns no table. Promises: who begins one or changes the schedule is audited in the same
//! transaction; what a purge takes is what `audit` gives, and leaves its chain whole.

mod plan;
mod run;
#[cfg(test)]
mod tests;

use kit::{Error, Kind as ErrorKind, Result, Selection};

pub use plan::Plan;
pub(crate) use run::run;

use crate::{
    Context, Listing,
    audit::{self, Entry, Event},
    jobs::{
        self, Execution, Kind,
        schedules::{self, Schedule, When},
    },
    rights::{Action, Allowed, Resource, Right, System},
};

const KIND: Kind = Kind::PurgeAuditLog;

const fn right(action: Action) -> Right {
    Right::new(Resource::PurgeAudit, action)
}

/// Begins a purge, or sets or removes the schedule; the action is Create or Update, as the
/// caller was granted. Gives the number of the execution that was begun.
///
/// # Errors
/// Those of the database.
pub async fn ask(
    context: &Context,
    allowed: &Allowed<System>,
    action: Action,
    when: When,
    plan: Plan,
) -> Result<Option<i64>> {
    allowed.require(right(action))?;
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    context
        .db
        .write(move |tx| {
            let (audit, clock) = (audit.clone(), clock.clone());
            let (when, asked) = (when.clone(), plan.parameters());
            Box::pin(
                async move { jobs::ask(tx, (&clock, &audit), KIND, &when, (&asked, &asked)).await },
            )
        })
        .await
}

/// The schedule, if there is one.
///
/// # Errors
/// None but the database's.
pub async fn schedule(context: &Context, allowed: &Allowed<System>) -> Result<Option<Schedule>> {
    allowed.require(right(Action::Read))?;
    schedules::get(&context.db, KIND, jobs::NOBODY).await
}

/// A page of the purges, the newest first if nothing else is asked for.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn history(
    context: &Context,
    allowed: &Allowed<System>,
    selection: &Selection,
) -> Result<Listing<Execution>> {
    allowed.require(right(Action::List))?;
    jobs::list(&context.db, KIND, None, selection).await
}

/// A purge by its number.
///
/// # Errors
/// NotFound.
pub async fn find(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<Execution> {
    allowed.require(right(Action::Read))?;
    known(context, id).await
}

/// The log of a purge.
///
/// # Errors
/// NotFound.
pub async fn log(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<String> {
    allowed.require(right(Action::Read))?;
    jobs::log_of_execution(&context.db, KIND, id).await?.ok_or_else(|| {
        let message = format!("purge job with execution ID: {id} taskLog is not found");
        Error::new(ErrorKind::NotFound, message)
    })
}

/// Stops a purge. One that has ended stays as it is.
///
/// # Errors
/// NotFound.
pub async fn stop(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<()> {
    allowed.require(right(Action::Stop))?;
    known(context, id).await?;
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    context
        .db
        .write(move |tx| {
            let (audit, clock) = (audit.clone(), clock.clone());
            Box::pin(async move {
                if jobs::stop(tx, &clock, id).await? {
                    let entry = Entry::new(Event::StopExecution, format!("{KIND}/{id}"));
                    audit.record(tx, entry).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn known(context: &Context, id: i64) -> Result<Execution> {
    let unknown = || Error::new(ErrorKind::NotFound, format!("purge job with id {id} not found"));
    jobs::find(&context.db, KIND, None, id).await?.ok_or_else(unknown)
}
