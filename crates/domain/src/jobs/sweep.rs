//! Removing old executions, which is a job itself.

use std::time::Duration;

use db::{Db, args};
use kit::{Clock, Result};
use serde_json::json;

use super::{Attributes, Kind, Running, sql};
use crate::Context;

/// How many executions are removed in one transaction.
const AT_ONCE: i64 = 50;

/// How long it is remembered that a schedule fired: longer than a clock is set back.
const FIRINGS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Removes executions that have ended, but for the newest of each vendor; how many are kept
/// depends on their kind.
///
/// # Errors
/// Those of the database; what was removed until then stays removed.
pub(crate) async fn sweep(context: &Context, running: &Running) -> Result<()> {
    let mut swept = 0;
    for kind in Kind::ALL {
        let before = swept;
        loop {
            if running.stops() {
                running.log("stopped");
                return Ok(());
            }
            let some = sweep_some(context, kind).await?;
            swept += some;
            if some < AT_ONCE as u64 {
                break;
            }
        }
        if swept > before {
            let (removed, kept) = (swept - before, kind.kept());
            running.log(format!("removed {removed} executions of {kind}, keeping {kept} each"));
        }
    }
    forget_firings(context).await?;
    running.log(format!("removed {swept} executions in total"));
    running.set_of_execution("swept", swept);
    Ok(())
}

/// Removes all executions of a vendor that is gone; how many. Those that have not ended stay.
///
/// # Errors
/// Those of the database; what was removed until then stays removed.
pub(crate) async fn forget(db: &Db, kind: Kind, vendor_id: i64) -> Result<u64> {
    let mut forgotten = 0;
    loop {
        let of_vendor = args![kind.name(), vendor_id, AT_ONCE];
        let some = db
            .write(move |tx| {
                let of_vendor = of_vendor.clone();
                Box::pin(async move { tx.execute(sql::FORGET, of_vendor).await })
            })
            .await?;
        forgotten += some;
        if some < AT_ONCE as u64 {
            return Ok(forgotten);
        }
    }
}

/// The vendors of a kind that have executions, by number, after one; how many at the most.
///
/// # Errors
/// Those of the database.
pub(crate) async fn vendors(db: &Db, kind: Kind, after: i64, most: i64) -> Result<Vec<i64>> {
    let rows = db.all(sql::VENDORS, args![kind.name(), after, most]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn sweep_some(context: &Context, kind: Kind) -> Result<u64> {
    context
        .db
        .write(move |tx| {
            Box::pin(async move {
                tx.execute(sql::SWEEP, args![kind.name(), kind.kept(), AT_ONCE]).await
            })
        })
        .await
}

async fn forget_firings(context: &Context) -> Result<()> {
    let clock: Clock = context.clock.clone();
    context
        .db
        .write(move |tx| {
            let clock = clock.clone();
            Box::pin(async move {
                let now = super::now(tx, &clock).await?;
                tx.execute(sql::FORGET_FIRINGS, args![now.before(FIRINGS_KEPT)]).await.map(drop)
            })
        })
        .await
}

/// What the sweep tells of itself: how many executions of each kind are kept.
pub(crate) fn kept() -> Attributes {
    let counts: Attributes =
        Kind::ALL.into_iter().map(|kind| (kind.name().to_owned(), json!(kind.kept()))).collect();
    Attributes::from_iter([("execution_retain_counts".to_owned(), counts.into())])
}
