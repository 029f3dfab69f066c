//! What is shown of executions and tasks.

use std::collections::HashMap;

use db::{Args, Db, Row, Sql, args};
use kit::{Result, Selection, Time, query::Direction};

use super::{Attributes, Kind, Status, Trigger, attributes, sql};
use crate::listing::{Field, List, Listing};

/// The executions of a vendor: few are kept.
pub(super) const EXECUTIONS: List = List {
    id: "e.id",
    shown: sql::EXECUTIONS_SHOWN,
    fields: &[
        Field::number("id", "e.id"),
        Field::text("status", "e.status"),
        Field::text("trigger", "e.begun_by"),
        Field::number("vendor_id", "e.vendor_id"),
        Field::time("start_time", "e.started_at"),
        Field::time("end_time", "e.ended_at"),
        Field::time("update_time", "e.updated_at"),
    ],
    order: ("e.started_at", Direction::Descending),
};

/// The tasks of an execution, which the index of these finds.
pub(super) const TASKS: List = List {
    id: "t.id",
    shown: sql::TASKS_SHOWN,
    fields: &[
        Field::number("id", "t.id"),
        Field::text("status", "t.status"),
        Field::number("run_count", "t.runs"),
        Field::time("creation_time", "t.created_at"),
        Field::time("start_time", "t.started_at"),
        Field::time("end_time", "t.ended_at"),
        Field::time("update_time", "t.updated_at"),
    ],
    order: ("t.id", Direction::Descending),
};

/// An execution as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Its number.
    pub id: i64,
    /// What kind of work it is.
    pub kind: Kind,
    /// Whose work it is.
    pub vendor_id: i64,
    /// Its state.
    pub status: Status,
    /// Why it failed, if it did.
    pub status_message: String,
    /// What began it.
    pub trigger: Trigger,
    /// What is told of it.
    pub extra_attrs: Attributes,
    /// When it began.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// When it was last changed.
    pub updated_at: Time,
    /// How many tasks it has in which state.
    pub metrics: Metrics,
}

/// How many tasks an execution has in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Those that wait.
    pub pending: i64,
    /// Those that run.
    pub running: i64,
    /// Those that were stopped.
    pub stopped: i64,
    /// Those that failed.
    pub error: i64,
    /// Those that were done.
    pub success: i64,
}

impl Metrics {
    /// How many tasks there are.
    pub fn total(&self) -> i64 {
        self.pending + self.running + self.stopped + self.error + self.success
    }
}

/// A task as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its number.
    pub id: i64,
    /// The execution it belongs to.
    pub execution_id: i64,
    /// What kind of work it is.
    pub kind: Kind,
    /// Its state.
    pub status: Status,
    /// Why it failed, if it did.
    pub status_message: String,
    /// How often it was tried.
    pub run_count: i64,
    /// What is told of it.
    pub extra_attrs: Attributes,
    /// When it was added.
    pub created_at: Time,
    /// When somebody first began with it.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A page of the executions of a kind, or of those of one vendor of it.
///
/// # Errors
/// Invalid when a value to look for is none of its field's; those of the database.
pub(crate) async fn list(
    db: &Db,
    kind: Kind,
    vendor_id: Option<i64>,
    selection: &Selection,
) -> Result<Listing<Execution>> {
    let (from, arguments) = match vendor_id {
        Some(id) => (sql::EXECUTIONS_OF_VENDOR_FROM, args![kind.name(), id]),
        None => (sql::EXECUTIONS_FROM, args![kind.name()]),
    };
    let mut found = EXECUTIONS.page(db, from, arguments, selection, read_execution).await?;
    count_tasks(db, &mut found.items).await?;
    Ok(found)
}

/// An execution of a kind, and of a vendor if one is named.
///
/// # Errors
/// Those of the database.
pub(crate) async fn find(
    db: &Db,
    kind: Kind,
    vendor_id: Option<i64>,
    id: i64,
) -> Result<Option<Execution>> {
    let Some(row) = db.one(sql::EXECUTION, args![id]).await? else { return Ok(None) };
    if row.get::<String>(1)? != kind.name()
        || vendor_id.is_some_and(|of| row.get(2).ok() != Some(of))
    {
        return Ok(None);
    }
    let mut found = [read_execution(&row)?];
    count_tasks(db, &mut found).await?;
    let [found] = found;
    Ok(Some(found))
}

/// A page of the tasks of an execution.
///
/// # Errors
/// As [`list`].
pub(crate) async fn tasks(
    db: &Db,
    execution_id: i64,
    selection: &Selection,
) -> Result<Listing<Task>> {
    TASKS.page(db, sql::TASKS_FROM, args![execution_id], selection, read_task).await
}

/// A task by its number.
///
/// # Errors
/// Those of the database.
pub(crate) async fn task(db: &Db, id: i64) -> Result<Option<Task>> {
    db.one(sql::TASK, args![id]).await?.as_ref().map(read_task).transpose()
}

/// Counts the tasks of some executions, all with one statement.
async fn count_tasks(db: &Db, executions: &mut [Execution]) -> Result<()> {
    if executions.is_empty() {
        return Ok(());
    }
    let mut arguments = Args::new();
    arguments.extend(executions.iter().map(|execution| execution.id));
    let statement = Sql::list(sql::METRICS_BEFORE, executions.len(), sql::METRICS_AFTER);
    let mut metrics: HashMap<i64, Metrics> = HashMap::new();
    for row in db.all(statement, arguments).await? {
        let (id, status, count): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let of = metrics.entry(id).or_default();
        *match Status::read(&status)? {
            Status::Pending => &mut of.pending,
            Status::Running => &mut of.running,
            Status::Stopped => &mut of.stopped,
            Status::Error => &mut of.error,
            Status::Success => &mut of.success,
        } = count;
    }
    for execution in executions {
        execution.metrics = metrics.remove(&execution.id).unwrap_or_default();
    }
    Ok(())
}

/// Reads the columns of [`sql::EXECUTIONS_SHOWN`].
fn read_execution(row: &Row) -> Result<Execution> {
    Ok(Execution {
        id: row.get(0)?,
        kind: Kind::read(&row.get::<String>(1)?)?,
        vendor_id: row.get(2)?,
        status: Status::read(&row.get::<String>(3)?)?,
        status_message: row.get(4)?,
        trigger: Trigger::read(&row.get::<String>(5)?)?,
        extra_attrs: attributes(&row.get::<String>(6)?)?,
        started_at: row.get(7)?,
        ended_at: row.get(8)?,
        updated_at: row.get(9)?,
        metrics: Metrics::default(),
    })
}

/// Reads the columns of [`sql::TASKS_SHOWN`].
fn read_task(row: &Row) -> Result<Task> {
    Ok(Task {
        id: row.get(0)?,
        execution_id: row.get(1)?,
        kind: Kind::read(&row.get::<String>(2)?)?,
        status: Status::read(&row.get::<String>(3)?)?,
        status_message: row.get(4)?,
        run_count: row.get(5)?,
        extra_attrs: attributes(&row.get::<String>(6)?)?,
        created_at: row.get(7)?,
        started_at: row.get(8)?,
        ended_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}
