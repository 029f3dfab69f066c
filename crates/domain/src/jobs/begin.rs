//! Beginning executions: in the transaction of whoever asks.

use std::time::Duration;

use db::{Change, Tx, args};
use kit::{Clock, Error, Result, Time};

use super::{Attributes, Kind, LONGEST_WAIT, Status, TOPIC, Trigger, sql, text_of};

/// An execution to be begun.
#[derive(Clone, Debug)]
pub struct NewExecution {
    kind: Kind,
    vendor_id: i64,
    trigger: Trigger,
    extra_attrs: Attributes,
    tasks: Vec<NewTask>,
}

/// A task to be done.
#[derive(Clone, Debug, Default)]
pub struct NewTask {
    parameters: Attributes,
    extra_attrs: Attributes,
    priority: i64,
    dedupe: Option<String>,
    delay: Duration,
}

impl NewExecution {
    /// Work of a kind for a vendor: the policy it is about, or -1 where there is but one.
    pub fn new(kind: Kind, vendor_id: i64, trigger: Trigger) -> Self {
        Self { kind, vendor_id, trigger, extra_attrs: Attributes::new(), tasks: Vec::new() }
    }

    /// What is shown of it.
    #[must_use]
    pub fn showing(mut self, extra_attrs: Attributes) -> Self {
        self.extra_attrs = extra_attrs;
        self
    }

    /// One more task. An execution without any has ended well already.
    #[must_use]
    pub fn with(mut self, task: NewTask) -> Self {
        self.tasks.push(task);
        self
    }
}

impl NewTask {
    /// A task that is told what to do.
    pub fn new(parameters: Attributes) -> Self {
        Self { parameters, ..Self::default() }
    }

    /// What is shown of it.
    #[must_use]
    pub fn showing(mut self, extra_attrs: Attributes) -> Self {
        self.extra_attrs = extra_attrs;
        self
    }

    /// Before others of its kind, if above 0.
    #[must_use]
    pub fn priority(mut self, priority: i64) -> Self {
        self.priority = priority;
        self
    }

    /// Not if one of its kind with the same key waits or runs.
    #[must_use]
    pub fn unless_another(mut self, key: impl Into<String>) -> Self {
        self.dedupe = Some(key.into());
        self
    }

    /// Not before a while is over; a quarter of an hour at the most.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay.min(LONGEST_WAIT);
        self
    }
}

/// Begins an execution, and gives its number. What keeps its tasks from being added leaves it
/// with fewer; with none it has ended well.
///
/// # Errors
/// Those of the database.
pub(crate) async fn start(tx: &mut Tx, clock: &Clock, new: NewExecution) -> Result<i64> {
    let now = super::now(tx, clock).await?;
    let arguments = args![
        new.kind.name(),
        new.vendor_id,
        Status::Running.name(),
        new.trigger.name(),
        text_of(&new.extra_attrs)?,
        now,
    ];
    let row = tx.one(sql::BEGIN, arguments).await?;
    let id: i64 = row.ok_or_else(|| Error::internal("an execution without a number"))?.get(0)?;
    let added = add(tx, now, id, new.kind, &new.tasks).await?;
    if added.is_empty() {
        tx.execute(sql::ENDED, args![id, Status::Success.name(), "", now]).await?;
    }
    Ok(id)
}

/// Adds tasks to an execution, and gives their numbers; one that is like another that waits
/// or runs has none. An execution that has ended takes no more.
///
/// # Errors
/// Precondition when the execution has ended; those of the database.
pub(crate) async fn add_tasks(
    tx: &mut Tx,
    clock: &Clock,
    execution_id: i64,
    tasks: &[NewTask],
) -> Result<Vec<i64>> {
    let now = super::now(tx, clock).await?;
    let row = tx.one(sql::LOCK_EXECUTION, args![execution_id]).await?;
    let unknown = || Error::new(kit::Kind::Precondition, "the execution has ended");
    let row = row.ok_or_else(unknown)?;
    let (kind, status): (String, String) = (row.get(0)?, row.get(1)?);
    if Status::read(&status)?.is_final() {
        return Err(unknown());
    }
    add(tx, now, execution_id, Kind::read(&kind)?, tasks).await
}

async fn add(
    tx: &mut Tx,
    now: Time,
    execution_id: i64,
    kind: Kind,
    tasks: &[NewTask],
) -> Result<Vec<i64>> {
    let mut added = Vec::new();
    for task in tasks {
        let arguments = args![
            execution_id,
            kind.name(),
            text_of(&task.parameters)?,
            text_of(&task.extra_attrs)?,
            task.priority,
            now.after(task.delay),
            kind.attempts(),
            task.dedupe.clone(),
            now,
        ];
        if let Some(row) = tx.one(sql::ADD_TASK, arguments).await? {
            added.push(row.get(0)?);
        }
    }
    tx.announce(Change::new(TOPIC, ""));
    Ok(added)
}
