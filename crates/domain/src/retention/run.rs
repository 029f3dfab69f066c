//! Doing a run: first it is planned, a task for each repository that a rule is about; then each
//! of these is looked at.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use db::{Engine, args};
use kit::{Error, Kind, Result};
use oci::{Digest, RepositoryName};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{
    NewPolicy, Outcome,
    change::attributes,
    evaluate::{Facts, Verdict, evaluate},
    policy::Ready,
    show, sql,
    tell::{Judged, tell},
};
use crate::{
    Context,
    access::{self, Action, Caller, Resource, Right},
    artifacts, immutability,
    jobs::{self, NewTask, Running, schedules},
    repositories,
};

/// How many repositories are planned in one transaction.
const PLANNED_TOGETHER: i64 = 200;

/// How many artifacts and tags of theirs are deleted in one transaction: few enough for nobody
/// who pushes to wait for long. Where the database has one writer, everybody waits.
const DELETED_TOGETHER: usize = 200;
const DELETED_TOGETHER_BY_ONE_WRITER: usize = 100;

/// A repository that a task is about.
pub(super) struct Place {
    pub(super) project_id: i64,
    id: i64,
    pub(super) name: RepositoryName,
}

/// Does a task.
///
/// # Errors
/// Those of the database.
pub(crate) async fn run(context: &Arc<Context>, running: &Running) -> Result<()> {
    let Some((project_id, policy)) = show::find(context, running.vendor_id()).await? else {
        running.log("the policy is gone");
        return forget(context, running.vendor_id()).await;
    };
    let execution = running.execution_id();
    let name = match running.parameters().get("repository").and_then(|name| name.as_str()) {
        Some(name) => Some(name.to_owned()),
        None => plan(context, running, project_id, &policy).await?,
    };
    let Some(name) = name else {
        running.log("no resources for retention");
        return Ok(());
    };
    let row = context.db.one(sql::RUN, args![execution]).await?;
    let row = row.ok_or_else(|| Error::internal("a run that has not begun"))?;
    let policy = NewPolicy::from_stored(&row.get::<String>(0)?)?;
    let name: RepositoryName = name.parse().map_err(Error::internal)?;
    match repositories::find(context, &name).await? {
        Some(found) if found.project_id == project_id => {
            let place = Place { project_id, id: found.id, name };
            look_at(context, running, &policy, &place).await
        }
        _ => {
            running.log(format!("the repository {name} is gone"));
            Ok(())
        }
    }
}

/// A policy that went with its project leaves its schedule behind.
async fn forget(context: &Context, id: i64) -> Result<()> {
    context
        .db
        .write(move |tx| {
            Box::pin(
                async move { schedules::remove(tx, jobs::Kind::Retention, id).await.map(drop) },
            )
        })
        .await
}

/// Adds a task for each repository that a rule is about, but for the first: that is for the
/// planning task itself, and is what is given. Goes on where it was broken off.
async fn plan(
    context: &Context,
    running: &Running,
    project_id: i64,
    policy: &NewPolicy,
) -> Result<Option<String>> {
    let (execution, text) = (running.execution_id(), policy.to_stored()?);
    let begun = running.clone();
    context
        .db
        .write(move |tx| {
            let (text, begun) = (text.clone(), begun.clone());
            Box::pin(async move {
                begun.fence(tx).await?;
                tx.execute(sql::BEGIN_RUN, args![execution, text]).await
            })
        })
        .await?;
    let row = context.db.one(sql::RUN, args![execution]).await?;
    let row = row.ok_or_else(|| Error::internal("a run that has not begun"))?;
    let rules = NewPolicy::from_stored(&row.get::<String>(0)?)?.ready()?;
    let (mut after, mut first): (String, Option<String>) = (row.get(1)?, row.get(2)?);
    let dry_run = is_dry(running);
    loop {
        let names = repositories::names(context, project_id, &after, PLANNED_TOGETHER).await?;
        let Some(last) = names.last() else { return Ok(first) };
        after = last.clone();
        let is_last = i64::try_from(names.len()).map_err(Error::internal)? < PLANNED_TOGETHER;
        let mut meant: Vec<String> =
            names.into_iter().filter(|name| covers(&rules, name)).collect();
        if first.is_none() && !meant.is_empty() {
            first = Some(meant.remove(0));
        }
        let tasks: Vec<NewTask> = meant.iter().map(|name| task(name, dry_run)).collect();
        let (clock, running, done) = (context.clock.clone(), running.clone(), after.clone());
        let planned = first.clone();
        let stops = running.clone();
        let added = context
            .db
            .write(move |tx| {
                let (clock, running, tasks) = (clock.clone(), running.clone(), tasks.clone());
                let (done, planned) = (done.clone(), planned.clone());
                Box::pin(async move {
                    jobs::add_tasks(tx, &clock, execution, &tasks).await?;
                    running.fence(tx).await?;
                    tx.execute(sql::PLANNED, args![execution, done, planned]).await
                })
            })
            .await;
        match added {
            // It was stopped.
            Err(error) if error.is(Kind::Precondition) => return Ok(None),
            other => other.map(drop)?,
        }
        if is_last || stops.stops() {
            return Ok(first);
        }
    }
}

/// Whether a rule is about a repository, by its full name.
fn covers(rules: &[Ready], name: &str) -> bool {
    let rest = name.split_once('/').map_or("", |(_, rest)| rest);
    rules.iter().any(|rule| rule.covers(rest))
}

fn task(name: &str, dry_run: bool) -> NewTask {
    let mut parameters = attributes(dry_run);
    parameters.insert("repository".to_owned(), json!(name));
    let mut shown = attributes(dry_run);
    let rest = name.split_once('/').map_or("", |(_, rest)| rest);
    shown.insert("repository".to_owned(), json!(rest));
    NewTask::new(parameters).showing(shown)
}

pub(super) fn is_dry(running: &Running) -> bool {
    // Whoever does not say so does not mean a dry run; but nothing but `true` and `false` is
    // ever stored.
    running.parameters().get("dry_run").and_then(serde_json::Value::as_bool).unwrap_or_default()
}

/// Decides about all artifacts of a repository, and deletes those that go.
async fn look_at(
    context: &Arc<Context>,
    running: &Running,
    policy: &NewPolicy,
    place: &Place,
) -> Result<()> {
    let (name, dry_run) = (&place.name, is_dry(running));
    let rest = name.rest().unwrap_or_default().to_owned();
    running.set("repository", rest.as_str());
    running.log(format!(
        "Run retention process.\n Repository: {name} \n Rule Algorithm: or \n Dry Run: {dry_run}"
    ));
    let mut rules = policy.ready()?;
    rules.retain(|rule| rule.covers(&rest));
    let found = artifacts::survey(context, place.id, || running.stops()).await?;
    let Some(artifacts) = found else { return stopped(running) };
    running.log(format!("Load {} candidates from repository {name}", artifacts.len()));
    let kept = immutability::known(context, place.project_id).await?;
    let now = context.clock.now();
    let (artifacts, mut verdicts) = spawn_blocking(move || {
        let is_immutable =
            |artifact: &Facts| artifact.tags.iter().any(|tag| kept.cover(&rest, tag));
        let verdicts = evaluate(&rules, &artifacts, now, is_immutable);
        (artifacts, verdicts)
    })
    .await
    .map_err(Error::internal)?;
    if running.stops() {
        return stopped(running);
    }
    let mut failed = HashMap::new();
    if !dry_run {
        remove(context, running, place, &artifacts, &mut verdicts, &mut failed).await?;
    }
    tell(context, running, place, Judged { artifacts, verdicts, failed }).await
}

fn stopped(running: &Running) -> Result<()> {
    running.log("Retention job is stopped");
    Ok(())
}

/// Deletes what goes: many together, and those of which one cannot go in halves, down to that
/// one; indexes before what they list, which is deleted one by one. What could not be deleted
/// is an error of its own, and so is what a stop comes before.
async fn remove(
    context: &Arc<Context>,
    running: &Running,
    place: &Place,
    artifacts: &[Facts],
    verdicts: &mut [Verdict],
    failed: &mut HashMap<Digest, String>,
) -> Result<()> {
    let system = Caller::system();
    let right = Right::new(Resource::Artifact, Action::Delete);
    let allowed = access::on_repository(context, &system, &place.name, right).await?;
    let going = (0..artifacts.len()).filter(|at| verdicts[*at].outcome == Outcome::Delete);
    let (parts, whole): (Vec<usize>, Vec<usize>) =
        going.partition(|at| !artifacts[*at].parents.is_empty());
    let mut waiting: VecDeque<Vec<usize>> = VecDeque::new();
    let most = match context.db.engine() {
        Engine::Sqlite => DELETED_TOGETHER_BY_ONE_WRITER,
        Engine::Postgres => DELETED_TOGETHER,
    };
    let mut room = 0;
    for at in whole {
        let taken = 1 + artifacts[at].tags.len();
        match waiting.back_mut() {
            Some(together) if taken <= room => together.push(at),
            _ => {
                waiting.push_back(vec![at]);
                room = most;
            }
        }
        room = room.saturating_sub(taken);
    }
    waiting.extend(parts.iter().map(|at| vec![*at]));
    // A part may be the index of other parts: it is tried again as long as others go.
    let mut tries_left = parts.len() * 2;
    while let Some(some) = waiting.pop_front() {
        if running.stops() {
            running.log("Retention job is stopped");
            for at in some.into_iter().chain(waiting.into_iter().flatten()) {
                verdicts[at].outcome = Outcome::Error;
                failed.insert(artifacts[at].digest, "the run was stopped before".to_owned());
            }
            return Ok(());
        }
        let deleted = match some.as_slice() {
            [at] => {
                let artifact = &artifacts[*at];
                artifacts::delete_surveyed(context, &allowed, &place.name, artifact).await
            }
            many => {
                let together = many.iter().map(|at| artifacts[*at].clone()).collect();
                artifacts::delete_together(context, &allowed, &place.name, together).await
            }
        };
        let Err(error) = deleted else { continue };
        if error.kind == Kind::Unavailable {
            return Err(error);
        }
        let (half, other) = some.split_at(some.len() / 2);
        if !half.is_empty() {
            waiting.push_front(other.to_vec());
            waiting.push_front(half.to_vec());
            continue;
        }
        let at = other[0];
        let (artifact, verdict) = (&artifacts[at], &mut verdicts[at]);
        match error.kind {
            // Somebody else deleted it.
            Kind::NotFound => {}
            Kind::Immutable => verdict.outcome = Outcome::Immutable,
            Kind::Precondition if !artifact.parents.is_empty() && tries_left > 0 => {
                tries_left -= 1;
                waiting.push_back(vec![at]);
            }
            _ => {
                verdict.outcome = Outcome::Error;
                failed.insert(artifact.digest, error.message.into_owned());
            }
        }
    }
    Ok(())
}
