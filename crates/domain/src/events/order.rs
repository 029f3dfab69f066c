//! The order of events.
//!
//! An event's number is drawn when it is written, which is before its commit, so numbers
//! appear in another order than they were drawn in: whoever asks for those after the last
//! one it saw skips what commits late. So events get their place in the order after their
//! commit: all that are visible and have none, by their numbers. One replica at a time does
//! so, by the lock of a row.
//!
//! That keeps the order in which the things of one repository happened. A deed records its
//! event last, when it holds the locks of what it changes. Of two deeds that change the same
//! thing, the second has waited for the commit of the first, and so has drawn the higher
//! number after it; and where the second is visible, the first is too.

use db::{Db, args};
use kit::Result;

use super::sql;

/// How many events get their place, or are removed, in one transaction.
const AT_ONCE: i64 = 1000;

/// The row whose lock is the right to order, and whose position is the last place given.
pub(super) const ORDER: &str = "order";

/// Gives events their places; how many. None while another replica does it.
///
/// # Errors
/// Those of the database.
pub(crate) async fn order(db: &Db) -> Result<u64> {
    let mut ordered = 0;
    loop {
        let some = db
            .write(|tx| {
                Box::pin(async move {
                    let Some(row) = tx.one(sql::LOCK_READER, args![ORDER]).await? else {
                        return Ok(0);
                    };
                    let last: i64 = row.get(0)?;
                    let some = tx.execute(sql::ORDER, args![last, AT_ONCE]).await?;
                    if some > 0 {
                        let count = i64::try_from(some).map_err(kit::Error::internal)?;
                        tx.execute(sql::MOVE_READER, args![ORDER, last + count]).await?;
                    }
                    Ok(some)
                })
            })
            .await?;
        ordered += some;
        if some < AT_ONCE as u64 {
            return Ok(ordered);
        }
    }
}

/// Removes the events that every subscriber had; how many.
///
/// # Errors
/// Those of the database; what was removed until then stays removed.
pub(crate) async fn forget(db: &Db) -> Result<u64> {
    let mut forgotten = 0;
    loop {
        let some = db
            .write(|tx| {
                Box::pin(async move { tx.execute(sql::FORGET, args![ORDER, AT_ONCE]).await })
            })
            .await?;
        forgotten += some;
        if some < AT_ONCE as u64 {
            return Ok(forgotten);
        }
    }
}
