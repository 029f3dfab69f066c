//! Collections as jobs: begun by hand and by schedule, shown, stopped.

use kit::{Error, Kind as ErrorKind, Result, Selection};
use serde_json::{Value, json};

use super::{Orders, Outcome, Overseer, collect};
use crate::{
    Context,
    audit::{self, Entry},
    events::{self, Happened},
    jobs::{
        self, Attributes, Execution, Kind, Running,
        schedules::{self, Schedule, When},
    },
    listing::Listing,
    rights::{Action, Allowed, Resource, Right, System, Who},
};

const KIND: Kind = Kind::GarbageCollection;

/// The most workers that Harbor allows.
const MOST_WORKERS: u64 = 10;

/// What is asked of a collection, in Harbor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether artifacts without a tag go.
    delete_untagged: bool,
    /// Whether tags go from the store; Haven keeps none there.
    delete_tag: bool,
    /// Whether only to tell what would go.
    dry_run: bool,
    /// How many batches are deleted at a time.
    workers: u64,
}

impl Request {
    /// What a client asks for; what it does not say is false, and one worker.
    ///
    /// # Errors
    /// Invalid when a value is not what it should be, in Harbor's words.
    pub fn read(parameters: &Attributes) -> Result<Self> {
        let flag = |name: &str| match parameters.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Error::invalid(format!("{name} should be true or false"))),
        };
        let workers = match parameters.get("workers") {
            None | Some(Value::Null) => 1,
            Some(workers) => workers
                .as_u64()
                .or_else(|| workers.as_i64().map(|_| 0))
                .ok_or_else(|| Error::invalid("workers should be integer format"))?,
        };
        if !(1..=MOST_WORKERS).contains(&workers) {
            return Err(Error::invalid(format!(
                "Error: Invalid number of workers:{}. Workers must be greater than 0 and less \
                 than or equal to {MOST_WORKERS}.",
                parameters.get("workers").unwrap_or(&Value::Null)
            )));
        }
        Ok(Self {
            delete_untagged: flag("delete_untagged")?,
            delete_tag: flag("delete_tag")?,
            dry_run: flag("dry_run")?,
            workers,
        })
    }

    /// As it is kept and shown.
    fn attributes(self) -> Attributes {
        Attributes::from_iter([
            ("delete_untagged".to_owned(), json!(self.delete_untagged)),
            ("delete_tag".to_owned(), json!(self.delete_tag)),
            ("dry_run".to_owned(), json!(self.dry_run)),
            ("workers".to_owned(), json!(self.workers)),
        ])
    }
}

/// Begins a collection, and gives its number, or says when they are begun by themselves. While
/// another one runs, one that was begun waits.
///
/// # Errors
/// Invalid when it would never be; else the database's.
pub async fn ask(
    context: &Context,
    allowed: &Allowed<System>,
    action: Action,
    when: When,
    request: Request,
) -> Result<Option<i64>> {
    allowed.require(Right::new(Resource::GarbageCollection, action))?;
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    let (parameters, mut shown) = (request.attributes(), request.attributes());
    shown.insert("time_window".to_owned(), json!(hours(context)));
    let asked = (parameters, shown);
    context
        .db
        .write(move |tx| {
            let (audit, clock) = (audit.clone(), clock.clone());
            let (when, (parameters, shown)) = (when.clone(), asked.clone());
            Box::pin(async move {
                jobs::ask(tx, (&clock, &audit), KIND, &when, (&parameters, &shown)).await
            })
        })
        .await
}

/// When collections are begun, if they are by themselves.
///
/// # Errors
/// None but the database's.
pub async fn scheduled(context: &Context, allowed: &Allowed<System>) -> Result<Option<Schedule>> {
    allowed.require(Right::new(Resource::GarbageCollection, Action::Read))?;
    schedules::get(&context.db, KIND, jobs::NOBODY).await
}

/// A page of the collections that were begun.
///
/// # Errors
/// Invalid when a value to look for is none of its field's; else the database's.
pub async fn history(
    context: &Context,
    allowed: &Allowed<System>,
    selection: &Selection,
) -> Result<Listing<Execution>> {
    allowed.require(Right::new(Resource::GarbageCollection, Action::List))?;
    jobs::list(&context.db, KIND, None, selection).await
}

/// A collection.
///
/// # Errors
/// Not found, in Harbor's words.
pub async fn get(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<Execution> {
    allowed.require(Right::new(Resource::GarbageCollection, Action::Read))?;
    find(context, id).await
}

async fn find(context: &Context, id: i64) -> Result<Execution> {
    let found = jobs::find(&context.db, KIND, None, id).await?;
    found.ok_or_else(|| {
        let message = format!("garbage collection execution {id} not found");
        Error::new(ErrorKind::NotFound, message)
    })
}

/// What a collection has written into its log.
///
/// # Errors
/// Not found, in Harbor's words.
pub async fn log(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<String> {
    allowed.require(Right::new(Resource::GarbageCollection, Action::Read))?;
    jobs::log_of_execution(&context.db, KIND, id).await?.ok_or_else(|| {
        let message = format!("garbage collection {id} log is not found");
        Error::new(ErrorKind::NotFound, message)
    })
}

/// Stops a collection; one that has ended stays as it is.
///
/// # Errors
/// Not found, in Harbor's words.
pub async fn stop(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::GarbageCollection, Action::Stop))?;
    find(context, id).await?;
    let (audit, clock) = (audit::by(context, allowed.by()).await?, context.clock.clone());
    context
        .db
        .write(move |tx| {
            let (audit, clock) = (audit.clone(), clock.clone());
            Box::pin(async move {
                if jobs::stop(tx, &clock, id).await? {
                    let entry = Entry::new(audit::Event::StopExecution, format!("{KIND}/{id}"));
                    audit.record(tx, entry).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Collects, as a task.
///
/// # Errors
/// Those of the database and the store; begun again, it finishes what was half done.
pub(crate) async fn run(context: &Context, running: &Running) -> Result<()> {
    let request = Request::read(running.parameters())?;
    running.set_of_execution("time_window", hours(context));
    running.log(format!(
        "Garbage Collection parameters: [delete_untagged: {}, delete_tag: {}, dry_run: {}, \
         time_window: {}, workers: {}]",
        request.delete_untagged,
        request.delete_tag,
        request.dry_run,
        hours(context),
        request.workers
    ));
    let orders = Orders {
        delete_untagged: request.delete_untagged,
        dry_run: request.dry_run,
        workers: usize::try_from(request.workers).unwrap_or(1),
        window: context.settings.gc_window,
    };
    let outcome = collect(context, orders, running).await?;
    tell(context, running, outcome, request.dry_run).await
}

/// Shows what came of it, and lets whoever listens know.
async fn tell(context: &Context, running: &Running, outcome: Outcome, dry_run: bool) -> Result<()> {
    running.set_of_execution("freed_space", outcome.freed);
    running.set_of_execution("purged_blobs", outcome.blobs);
    running.set_of_execution("purged_manifests", outcome.manifests);
    if dry_run {
        return Ok(());
    }
    let freed = i64::try_from(outcome.freed).unwrap_or(i64::MAX);
    let event = events::Event::GarbageCollected { execution_id: running.execution_id(), freed };
    let happened = Happened::new(event, &Who::system(), context.clock.now());
    context
        .db
        .write(move |tx| {
            let happened = happened.clone();
            Box::pin(async move { events::record(tx, &happened).await })
        })
        .await
}

/// The window in hours, as Harbor shows it.
fn hours(context: &Context) -> f64 {
    context.settings.gc_window.as_secs_f64() / 3600.0
}

impl Overseer for Running {
    fn log(&self, line: String) {
        Self::log(self, line);
    }

    fn stops(&self) -> bool {
        Self::stops(self)
    }
}
