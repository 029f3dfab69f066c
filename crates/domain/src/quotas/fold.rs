//! Adding up what changed, and counting everything anew.

use std::collections::BTreeMap;

use db::{Args, Sql, Tx, args};
use kit::{Error, Kind, Result, Time};

use super::sql;
use crate::{
    Context,
    rights::{Action, Allowed, Resource, Right, System},
    settings::{self, Key},
};

/// How many changes are added up in one transaction.
const BATCH: i64 = 500;

/// How many projects are asked for at a time.
const PROJECTS: i64 = 100;

/// Adds the changes up that wait for it. Any replica may do it at any time, several
/// together too; nothing that is shown depends on it.
///
/// # Errors
/// None but the database's.
pub async fn fold(context: &Context) -> Result<()> {
    let now = context.clock.now();
    loop {
        let folded =
            context.db.write(move |tx| Box::pin(async move { fold_some(tx, now).await })).await?;
        if folded < BATCH as usize {
            return Ok(());
        }
    }
}

async fn fold_some(tx: &mut Tx, now: Time) -> Result<usize> {
    let rows = tx.all(sql::CHANGES, args![BATCH]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let (mut ids, mut sums) = (Args::new(), BTreeMap::<i64, i64>::new());
    for row in &rows {
        ids.push(row.get::<i64>(0)?);
        *sums.entry(row.get(1)?).or_default() += row.get::<i64>(2)?;
    }
    let remove = Sql::list(sql::REMOVE_CHANGES_BEFORE, rows.len(), sql::REMOVE_CHANGES_AFTER);
    tx.execute(remove, ids).await?;
    // In the order of the projects, as everybody locks them.
    for (project_id, sum) in sums {
        tx.execute(sql::ADD_UP, args![project_id, sum, now]).await?;
    }
    Ok(rows.len())
}

/// Counts everything anew, project by project, while everybody goes on; gives the projects
/// whose usage was wrong, with what was missing.
///
/// # Errors
/// Forbidden, in Harbor's words, while there are no quotas; else the database's.
pub async fn sync(context: &Context, allowed: &Allowed<System>) -> Result<Vec<(i64, i64)>> {
    allowed.require(Right::new(Resource::Quota, Action::Update))?;
    if !settings::current(context).await?.flag(Key::QuotaPerProjectEnable) {
        return Err(Error::new(Kind::Forbidden, "quota per project is deactivated"));
    }
    let (mut last, mut mended) = (0_i64, Vec::new());
    loop {
        let rows = context.db.all(sql::PROJECTS, args![last, PROJECTS]).await?;
        for row in &rows {
            last = row.get(0)?;
            let missing = sync_one(context, last).await?;
            if missing != 0 {
                tracing::warn!(project = last, missing, "a project's usage was wrong");
                mended.push((last, missing));
            }
        }
        if rows.len() < PROJECTS as usize {
            return Ok(mended);
        }
    }
}

async fn sync_one(context: &Context, project_id: i64) -> Result<i64> {
    let now = context.clock.now();
    context
        .db
        .write(move |tx| {
            Box::pin(async move {
                for statement in [
                    sql::COUNT_NEEDED,
                    sql::REMOVE_ASTRAY,
                    sql::ADD_MISSING_BLOBS,
                    sql::ADD_MISSING_MANIFESTS,
                ] {
                    tx.execute(statement, args![project_id]).await?;
                }
                // Contents and changes are committed together, so one look sees both or none;
                // what is missing is added to the sum, whatever has been folded since.
                let row = tx.one(sql::DIFFERENCE, args![project_id]).await?;
                let missing: i64 = row.map_or(Ok(0), |row| row.get(0))?;
                if missing != 0 {
                    tx.execute(sql::ADD_UP, args![project_id, missing, now]).await?;
                }
                Ok(missing)
            })
        })
        .await
}
