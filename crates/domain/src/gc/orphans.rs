//! Bytes in the store that no row names.

use std::{collections::BTreeSet, pin::pin};

use blobs::{Entry, Key};
use db::Sql;
use futures_util::StreamExt;
use kit::{Result, Time};

use super::{Outcome, Overseer, sql, sweep::values};
use crate::Context;

/// How many objects are looked at together; a bulk request of a bucket takes so many.
const BATCH: usize = 1000;

/// Deletes what no row names and nobody has written since a moment, or only counts it.
pub(super) async fn sweep(
    context: &Context,
    before: Time,
    only_count: bool,
    overseer: &impl Overseer,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut listed = pin!(context.blobs.list());
    let mut is_end = false;
    while !is_end && !overseer.stops() {
        let mut batch = Vec::new();
        while batch.len() < BATCH && !is_end {
            match listed.next().await {
                Some(entry) => batch.extend(Some(entry?).filter(|entry| entry.modified < before)),
                None => is_end = true,
            }
        }
        let orphans = orphans(context, batch).await?;
        outcome.blobs += orphans.len() as u64;
        outcome.freed += orphans.iter().map(|entry| entry.size).sum::<u64>();
        if !only_count && !orphans.is_empty() {
            overseer.log(format!("{} objects that no row names are deleted", orphans.len()));
            let keys: Vec<Key> = orphans.into_iter().map(|entry| entry.key).collect();
            context.blobs.delete(&keys).await?;
        }
    }
    Ok(outcome)
}

/// Those of some objects that no row leads to. They were listed before; what was on its way to
/// a row then has one by now, or is still an open upload. A place that nothing leads to can
/// get no row any more: places are drawn, and never twice.
async fn orphans(context: &Context, mut entries: Vec<Entry>) -> Result<Vec<Entry>> {
    let uploads: Vec<&str> = entries.iter().filter_map(|entry| entry.upload.as_deref()).collect();
    // The uploads before the blobs: one may become the other in between.
    let open = Sql::list(sql::OPEN_BEFORE, uploads.len(), sql::OPEN_AFTER);
    let rows = context.db.all(open, values(uploads.into_iter())).await?;
    let open: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    let places = Sql::list(sql::PLACES_BEFORE, entries.len(), sql::PLACES_AFTER);
    let keys = values(entries.iter().map(|entry| entry.key.as_str()));
    let rows = context.db.all(places, keys).await?;
    let known: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    entries.retain(|entry| {
        let is_open = entry.upload.as_ref().is_some_and(|upload| open.contains(upload));
        !is_open && !known.contains(entry.key.as_str())
    });
    Ok(entries)
}
