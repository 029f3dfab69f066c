//! Taking tasks: which are due, and who does them.

use std::time::Duration;

use db::{Args, Row, Sql, Tx, args};
use kit::{Result, Time};

use super::{Attributes, Kind, LONGEST_WAIT, Trigger, attributes, sql};

/// A task that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// Its number.
    pub(crate) id: i64,
    /// How often it was taken, this time included: who comes with another number is too late.
    pub(crate) epoch: i64,
    /// What kind of work it is.
    pub(crate) kind: Kind,
    /// What it belongs to.
    pub(crate) execution_id: i64,
    /// Whose work it is.
    pub(crate) vendor_id: i64,
    /// What began it.
    pub(crate) trigger: Trigger,
    /// What is to be done.
    pub(crate) parameters: Attributes,
    /// How often it was tried, this time included.
    pub(crate) attempt: i64,
    /// How long ago it could have been taken.
    pub(crate) waited: Duration,
}

/// Whether a task waits whose time has come, by a statement that is cheap when none does.
///
/// # Errors
/// Those of the database.
pub(crate) async fn is_due(tx: &mut Tx, now: Time) -> Result<bool> {
    let row = tx.one(sql::ANY_DUE, args![now, now.after(LONGEST_WAIT)]).await?;
    Ok(row.is_some())
}

/// Whether a vendor has an execution that has not ended.
///
/// # Errors
/// Those of the database.
pub(crate) async fn is_open(tx: &mut Tx, kind: Kind, vendor_id: i64) -> Result<bool> {
    Ok(tx.one(sql::ANY_OPEN_OF_VENDOR, args![kind.name(), vendor_id]).await?.is_some())
}

/// Takes tasks for a replica, as many as it asks for at the most, and of each kind no more
/// than may run at a time. Those of a kind that is paused wait.
///
/// # Errors
/// Those of the database.
pub(crate) async fn take(
    tx: &mut Tx,
    replica_id: &str,
    now: Time,
    most: i64,
) -> Result<Vec<Taken>> {
    let mut taken = Vec::new();
    for kind in Kind::ALL {
        let left = most - i64::try_from(taken.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let due = args![kind.name(), now, now.after(LONGEST_WAIT)];
        if tx.one(sql::ANY_DUE_OF_KIND, due).await?.is_some() {
            taken.extend(take_of_kind(tx, replica_id, kind, now, left).await?);
        }
    }
    Ok(taken)
}

/// The row of the queue is locked, so what is counted stays so.
async fn take_of_kind(
    tx: &mut Tx,
    replica_id: &str,
    kind: Kind,
    now: Time,
    most: i64,
) -> Result<Vec<Taken>> {
    tx.execute(sql::ADD_QUEUE, args![kind.name()]).await?;
    let Some(queue) = tx.one(sql::LOCK_QUEUE, args![kind.name()]).await? else {
        return Ok(Vec::new());
    };
    if queue.get::<bool>(0)? {
        return Ok(Vec::new());
    }
    let running = tx.one(sql::COUNT_RUNNING, args![kind.name()]).await?;
    let running: i64 = running.map_or(Ok(0), |row| row.get(0))?;
    let most = most.min(kind.at_once() - running);
    if most <= 0 {
        return Ok(Vec::new());
    }
    let due = args![kind.name(), now, now.after(LONGEST_WAIT), most];
    let ids: Vec<i64> =
        tx.all(sql::DUE, due).await?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut arguments: Args = args![replica_id, now];
    arguments.extend(ids.iter().copied());
    tx.execute(Sql::list(sql::TAKE_BEFORE, ids.len(), sql::TAKE_AFTER), arguments).await?;
    let mut arguments = Args::new();
    arguments.extend(ids.iter().copied());
    let rows = tx.all(Sql::list(sql::TAKEN_BEFORE, ids.len(), sql::TAKEN_AFTER), arguments).await?;
    rows.iter().map(|row| read(row, now)).collect()
}

fn read(row: &Row, now: Time) -> Result<Taken> {
    let could_at: Time = row.get(8)?;
    Ok(Taken {
        id: row.get(0)?,
        epoch: row.get(1)?,
        kind: Kind::read(&row.get::<String>(2)?)?,
        execution_id: row.get(3)?,
        vendor_id: row.get(4)?,
        trigger: Trigger::read(&row.get::<String>(5)?)?,
        parameters: attributes(&row.get::<String>(6)?)?,
        attempt: row.get(7)?,
        waited: Duration::from_micros(u64::try_from(now.0 - could_at.0).unwrap_or_default()),
    })
}
