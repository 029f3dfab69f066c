//! Folding old hours into days, so that what is kept of a project grows by a row a day.

use std::time::Duration;

use db::{Tx, args};
use kit::Result;

use super::{
    series::{ALL, HOUR},
    sql,
};
use crate::{Context, jobs::Running};

/// How long each hour is kept by itself; of what is older, days.
const HOURS_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// How many projects are asked for at a time.
const PROJECTS: i64 = 200;

/// Folds the hours of each day that is old enough into its last one that is there, and removes
/// what is kept of projects that are gone. Done again, it does nothing.
///
/// # Errors
/// Those of the database; what was done until then stays done.
pub(crate) async fn fold(context: &Context, running: &Running) -> Result<()> {
    let hours = context.clock.now().before(HOURS_KEPT).0.div_euclid(HOUR);
    let end = hours - hours.rem_euclid(24);
    let (mut after, mut folded) = (ALL - 1, 0);
    loop {
        let rows = context.db.all(sql::ACTIVE_PROJECTS, args![after, PROJECTS]).await?;
        for row in &rows {
            if running.stops() {
                return Ok(());
            }
            after = row.get(0)?;
            let project_id = after;
            folded += context.db.write(move |tx| Box::pin(fold_one(tx, project_id, end))).await?;
        }
        if rows.len() < PROJECTS as usize {
            break;
        }
    }
    if folded > 0 {
        running.log(format!("folded {folded} hours of activity into days"));
    }
    Ok(())
}

/// How many hours are rows no more.
async fn fold_one(tx: &mut Tx, project_id: i64, end: i64) -> Result<u64> {
    if project_id != ALL {
        let gone = tx.execute(sql::FORGET_ACTIVITY, args![project_id]).await?;
        if gone > 0 {
            return Ok(gone);
        }
    }
    tx.execute(sql::FOLD_DAYS, args![project_id, end]).await?;
    tx.execute(sql::REMOVE_FOLDED, args![project_id, end]).await
}
