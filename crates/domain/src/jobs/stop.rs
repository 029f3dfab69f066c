//! Stopping: what waits at once, what runs when it next asks whether it is to go on.

use db::{Change, Tx, args};
use kit::{Clock, Result, Time};

use super::{Kind, Status, TOPIC, end::refresh, sql};

/// Stops what has not ended of an execution; false when all of it has, which then stays as it
/// is.
///
/// # Errors
/// Those of the database.
pub(crate) async fn stop(tx: &mut Tx, clock: &Clock, execution_id: i64) -> Result<bool> {
    let now = super::now(tx, clock).await?;
    let Some(row) = tx.one(sql::LOCK_EXECUTION, args![execution_id]).await? else {
        return Ok(false);
    };
    if Status::read(&row.get::<String>(1)?)?.is_final() {
        return Ok(false);
    }
    tx.execute(sql::STOP_WAITING_OF_EXECUTION, args![execution_id, now]).await?;
    tx.execute(sql::ASK_TO_STOP, args![execution_id]).await?;
    refresh(tx, execution_id, now).await?;
    tx.announce(Change::new(TOPIC, ""));
    Ok(true)
}

/// Stops all that a vendor has begun.
///
/// # Errors
/// Those of the database.
pub(crate) async fn stop_all_of(
    tx: &mut Tx,
    clock: &Clock,
    kind: Kind,
    vendor_id: i64,
) -> Result<()> {
    for row in tx.all(sql::OPEN_OF_VENDOR, args![kind.name(), vendor_id]).await? {
        stop(tx, clock, row.get(0)?).await?;
    }
    Ok(())
}

/// Stops one task. False when it has ended, or there is none.
pub(super) async fn stop_one(tx: &mut Tx, now: Time, task_id: i64) -> Result<bool> {
    let Some(row) = tx.one(sql::EXECUTION_OF, args![task_id]).await? else { return Ok(false) };
    let execution_id: i64 = row.get(0)?;
    tx.one(sql::LOCK_EXECUTION, args![execution_id]).await?;
    if tx.execute(sql::STOP_WAITING_TASK, args![task_id, now]).await? > 0 {
        refresh(tx, execution_id, now).await?;
        return Ok(true);
    }
    let asked = tx.execute(sql::ASK_TASK_TO_STOP, args![task_id]).await?;
    tx.announce(Change::new(TOPIC, ""));
    Ok(asked > 0)
}
