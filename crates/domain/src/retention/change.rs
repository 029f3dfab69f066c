//! Making, changing and deleting policies; beginning and stopping runs.

use std::collections::BTreeSet;

use db::{Args, Sql, Tx, args};
use kit::{Clock, Error, Kind, Result, Subject};
use serde_json::json;

use super::{NewPolicy, Policy, show, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    jobs::{self, Attributes, Cron, NewExecution, NewTask, Running, Trigger, schedules},
    projects::{self, Allowed, Project},
    rights::{Action, Resource, Right},
};

const JOB: jobs::Kind = jobs::Kind::Retention;

/// How many policies a sweep looks at together.
const SWEPT_TOGETHER: i64 = 200;

/// Gives a project a policy, and gives its number.
///
/// # Errors
/// Invalid when it is not well formed, or the project has one; Conflict when two rules are the
/// same.
pub async fn create(context: &Context, allowed: &Allowed, new: NewPolicy) -> Result<i64> {
    allowed.require(right(Action::Create))?;
    let cron = new.check()?;
    let text = new.to_stored()?;
    let (project, caches) = (allowed.project().clone(), context.caches.clone());
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    let made = context
        .db
        .write(move |tx| {
            let (project, caches, text) = (project.clone(), caches.clone(), text.clone());
            let (audit, clock, cron) = (audit.clone(), clock.clone(), cron.clone());
            Box::pin(async move {
                let row = tx.one(sql::INSERT, args![project.id, text, audit.now()]).await?;
                let Some(row) = row else { return Err(taken(tx, &project).await?) };
                let id = row.get(0)?;
                schedule(tx, &clock, id, cron.as_ref()).await?;
                projects::set_retention(tx, &caches, &project, Some(id)).await?;
                audit.record(tx, told(Event::CreateRetention, &project)).await?;
                Ok(id)
            })
        })
        .await;
    made.map_err(|error| gone(error, allowed.project()))
}

/// Changes a policy. A run that has begun goes on by what it was.
///
/// # Errors
/// As [`create`], and NotFound.
pub async fn update(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    new: NewPolicy,
) -> Result<()> {
    allowed.require(right(Action::Update))?;
    let cron = new.check()?;
    let (id, text) = (policy.id, new.to_stored()?);
    let project = allowed.project().clone();
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    context
        .db
        .write(move |tx| {
            let (project, text) = (project.clone(), text.clone());
            let (audit, clock, cron) = (audit.clone(), clock.clone(), cron.clone());
            Box::pin(async move {
                if tx.execute(sql::UPDATE, args![id, text, audit.now()]).await? == 0 {
                    return Err(absent(id));
                }
                schedule(tx, &clock, id, cron.as_ref()).await?;
                audit.record(tx, told(Event::UpdateRetention, &project)).await
            })
        })
        .await
}

/// Deletes a policy with its schedule and its runs. Those that have not ended are stopped, and go
/// with the next sweep.
///
/// # Errors
/// NotFound.
pub async fn delete(context: &Context, allowed: &Allowed, policy: &Policy) -> Result<()> {
    allowed.require(right(Action::Delete))?;
    let id = policy.id;
    let (project, caches) = (allowed.project().clone(), context.caches.clone());
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    context
        .db
        .write(move |tx| {
            let (project, caches) = (project.clone(), caches.clone());
            let (audit, clock) = (audit.clone(), clock.clone());
            Box::pin(async move {
                if tx.execute(sql::DELETE, args![id]).await? == 0 {
                    return Err(absent(id));
                }
                schedules::remove(tx, JOB, id).await?;
                jobs::stop_all_of(tx, &clock, JOB, id).await?;
                projects::set_retention(tx, &caches, &project, None).await?;
                audit.record(tx, told(Event::DeleteRetention, &project)).await
            })
        })
        .await?;
    if let Err(error) = jobs::forget(&context.db, JOB, id).await {
        tracing::warn!(%error, policy = id, "the runs of a policy go with the next sweep");
    }
    Ok(())
}

/// Removes the runs of policies that are gone, as when their project was deleted.
///
/// # Errors
/// Those of the database; what was removed until then stays removed.
pub(crate) async fn sweep(context: &Context, running: &Running) -> Result<()> {
    let (mut after, mut swept) = (0, 0);
    loop {
        let policies = jobs::vendors(&context.db, JOB, after, SWEPT_TOGETHER).await?;
        let Some(last) = policies.last() else { break };
        after = *last;
        let there = Sql::list(sql::THERE_BEFORE, policies.len(), sql::THERE_AFTER);
        let mut arguments = Args::new();
        arguments.extend(policies.iter().copied());
        let there = context.db.all(there, arguments).await?;
        let there: BTreeSet<i64> = there.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        for policy in policies.into_iter().filter(|policy| !there.contains(policy)) {
            if running.stops() {
                return Ok(());
            }
            swept += jobs::forget(&context.db, JOB, policy).await?;
        }
    }
    if swept > 0 {
        running.log(format!("removed {swept} executions of retention policies that are gone"));
    }
    Ok(())
}

/// Begins a run by hand, and gives its number. A dry run deletes nothing.
///
/// # Errors
/// NotFound when the policy is gone.
pub async fn begin(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    dry_run: bool,
) -> Result<i64> {
    allowed.require(right(Action::Update))?;
    let (id, project) = (policy.id, allowed.project().clone());
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    let is_empty = policy.what.rules.iter().all(|rule| rule.disabled);
    context
        .db
        .write(move |tx| {
            let (project, audit, clock) = (project.clone(), audit.clone(), clock.clone());
            Box::pin(async move {
                tx.one(sql::LOCK, args![id]).await?.ok_or_else(|| absent(id))?;
                let mut shown = attributes(dry_run);
                shown.insert("operator".to_owned(), json!(audit.who().display_name()));
                let mut new = NewExecution::new(JOB, id, Trigger::Manual).showing(shown);
                // Without a rule that counts there is nothing to do, as with Harbor.
                if !is_empty {
                    let task = NewTask::new(attributes(dry_run));
                    new = new.with(task.showing(attributes(dry_run)));
                }
                let execution = jobs::start(tx, &clock, new).await?;
                let entry =
                    Entry::new(Event::RunRetention, format!("{}/{execution}", project.name));
                audit.record(tx, entry.in_project(project.id)).await?;
                Ok(execution)
            })
        })
        .await
}

/// Stops a run. What it has deleted is gone; one that has ended stays as it is.
///
/// # Errors
/// NotFound when the run is none of the policy's.
pub async fn stop(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    execution_id: i64,
) -> Result<()> {
    allowed.require(right(Action::Update))?;
    show::execution(context, policy, execution_id).await?;
    let project = allowed.project().clone();
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    context
        .db
        .write(move |tx| {
            let (project, audit, clock) = (project.clone(), audit.clone(), clock.clone());
            Box::pin(async move {
                jobs::stop(tx, &clock, execution_id).await?;
                let name = format!("{}/{execution_id}", project.name);
                let entry = Entry::new(Event::StopRetention, name).in_project(project.id);
                audit.record(tx, entry).await
            })
        })
        .await
}

/// What a run and its tasks show from the start, and what the first task is told.
pub(super) fn attributes(dry_run: bool) -> Attributes {
    Attributes::from_iter([("dry_run".to_owned(), json!(dry_run))])
}

/// Sets or removes the schedule of a policy.
async fn schedule(tx: &mut Tx, clock: &Clock, id: i64, cron: Option<&Cron>) -> Result<()> {
    let Some(cron) = cron else { return schedules::remove(tx, JOB, id).await.map(drop) };
    let when = ("Custom", cron);
    schedules::set(tx, clock, (JOB, id), when, &attributes(false)).await.map(drop)
}

const fn right(action: Action) -> Right {
    Right::new(Resource::TagRetention, action)
}

fn told(event: Event, project: &Project) -> Entry {
    Entry::new(event, &*project.name).in_project(project.id)
}

fn absent(id: i64) -> Error {
    Error::not_found(Subject::Request, format!("no such Retention policy with id {id}"))
}

async fn taken(tx: &mut Tx, project: &Project) -> Result<Error> {
    let row = tx.one(sql::OF_PROJECT, args![project.id]).await?;
    let id: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    let message = format!("project {} already has retention policy {id}", project.id);
    Ok(Error::invalid(message))
}

fn gone(error: Error, project: &Project) -> Error {
    // A foreign key: the project was deleted meanwhile.
    if error.is(Kind::Precondition) {
        return Error::invalid(format!("invalid Project id {}", project.id));
    }
    error
}
