//! The steps that a blob goes through: release, doom, deletion.

use std::collections::BTreeMap;

use blobs::Key;
use db::{Args, Sql, Tx, args};
use futures_util::future::try_join_all;
use kit::{Error, Result, Time};
use oci::Digest;

use super::{Outcome, Overseer, sql};
use crate::{Context, cache::Pair, context::Caches, quotas};

/// How many blobs are let go, or doomed, in one transaction: few enough for it to take some
/// milliseconds, for which pushes wait where the database has one writer, and no more than a bulk
/// request of a bucket takes.
const BATCH: usize = 250;

/// How many empty places are forgotten in one transaction. That takes a small part of what
/// dooming takes, and a run waits behind pushes for each transaction.
const MANY: usize = 1000;

/// How many blobs are looked at with one question.
const RANGE: i64 = 5000;

/// Repositories let go what no manifest has needed since before a moment.
pub(super) async fn release(
    context: &Context,
    before: Time,
    overseer: &impl Overseer,
) -> Result<()> {
    while !overseer.stops() {
        let caches = context.caches.clone();
        let found = context
            .db
            .write(move |tx| {
                let caches = caches.clone();
                Box::pin(async move { release_some(tx, &caches, before).await })
            })
            .await?;
        if found == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// How many were looked at. What somebody else is at is passed by, and found by the next run.
async fn release_some(tx: &mut Tx, caches: &Caches, before: Time) -> Result<usize> {
    let rows = tx.all(sql::EXPIRED, args![before, BATCH as i64]).await?;
    let mut repositories: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        repositories.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    let (mut released, mut counted) = (0, BTreeMap::<i64, Vec<i64>>::new());
    for (repository_id, mut blobs) in repositories {
        blobs.sort_unstable();
        let mut arguments: Args = args![repository_id, before];
        for blob in &blobs {
            arguments.push(*blob);
        }
        let release = Sql::list(sql::RELEASE_BEFORE, blobs.len(), sql::RELEASE_AFTER);
        for row in tx.all(release, arguments).await? {
            released += 1;
            let digest: Digest = row.get::<String>(2)?.parse().map_err(Error::internal)?;
            caches.blobs.changes(tx, &Pair(repository_id, digest));
            if let Some(project_id) = row.get::<Option<i64>>(1)? {
                counted.entry(project_id).or_default().push(row.get(0)?);
            }
        }
    }
    for (project_id, blobs) in counted {
        quotas::remove(tx, project_id, &blobs, &[]).await?;
    }
    // None of a whole batch: a mark is wrong, which `verify` tells. Not to be tried for ever.
    Ok(if released == 0 { 0 } else { rows.len() })
}

/// The last blob of the range that begins after one; none behind the last of all.
async fn end_of_range(context: &Context, last: i64) -> Result<Option<i64>> {
    let row = context.db.one(sql::END_OF_RANGE, args![last, RANGE]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// How many blobs would go and how large they are.
pub(super) async fn eligible(
    context: &Context,
    before: Time,
    overseer: &impl Overseer,
) -> Result<Outcome> {
    let (mut outcome, mut last) = (Outcome::default(), 0);
    while !overseer.stops() {
        let Some(end) = end_of_range(context, last).await? else { break };
        let row = context.db.one(sql::ELIGIBLE, args![last, end, before]).await?;
        let row = row.ok_or_else(|| Error::internal("a count gave no row"))?;
        outcome.blobs += size(row.get(0)?)?;
        outcome.freed += size(row.get(1)?)?;
        last = end;
    }
    Ok(outcome)
}

/// Blobs that no repository holds cease to be, and their bytes go: those of some blobs while the
/// next are doomed.
pub(super) async fn sweep(
    context: &Context,
    workers: usize,
    overseer: &impl Overseer,
) -> Result<Outcome> {
    let (mut outcome, mut last) = (Outcome::default(), 0);
    let (mut going, mut emptied) = (Vec::new(), Vec::new());
    while !overseer.stops() {
        let Some(end) = end_of_range(context, last).await? else { break };
        let rows = context.db.all(sql::UNHELD, args![last, end]).await?;
        let unheld: Vec<i64> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        for together in unheld.chunks(BATCH * workers.max(1)) {
            if overseer.stops() {
                break;
            }
            let dooming = together.chunks(BATCH).map(|batch| doom(context, batch.to_vec()));
            let dooming = try_join_all(dooming);
            let (doomed, ()) = tokio::try_join!(dooming, empty(context, &going))?;
            outcome.add(freed(&going)?);
            emptied.append(&mut going);
            going = doomed.concat();
            if emptied.len() >= MANY {
                forget(context, std::mem::take(&mut emptied)).await?;
            }
        }
        last = end;
    }
    outcome.add(delete(context, going).await?);
    forget(context, emptied).await?;
    Ok(outcome)
}

/// Bytes that are to go, and how many.
type Doomed = (String, i64);

async fn doom(context: &Context, batch: Vec<i64>) -> Result<Vec<Doomed>> {
    context
        .db
        .write(move |tx| {
            let batch = batch.clone();
            Box::pin(async move { doom_some(tx, &batch).await })
        })
        .await
}

/// Dooms those of some blobs that nobody is at and no repository holds.
pub(super) async fn doom_some(tx: &mut Tx, blobs: &[i64]) -> Result<Vec<Doomed>> {
    let lock = Sql::list(sql::LOCK_BEFORE, blobs.len(), sql::LOCK_AFTER);
    let locked = tx.all(lock, values(blobs.iter().copied())).await?;
    let locked: Vec<i64> = locked.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    if locked.is_empty() {
        return Ok(Vec::new());
    }
    // Who holds one of them has committed by now: nobody can begin to while they are locked.
    let doom = Sql::list(sql::DOOM_BEFORE, locked.len(), sql::DOOM_AFTER);
    let rows = tx.all(doom, values(locked.iter().copied())).await?;
    let remove = Sql::list(sql::REMOVE_BEFORE, locked.len(), sql::REMOVE_AFTER);
    tx.execute(remove, values(locked.iter().copied())).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Deletes the bytes of doomed places, and forgets these.
pub(super) async fn delete(context: &Context, doomed: Vec<Doomed>) -> Result<Outcome> {
    empty(context, &doomed).await?;
    let outcome = freed(&doomed)?;
    forget(context, doomed).await?;
    Ok(outcome)
}

/// Deletes the bytes of doomed places.
async fn empty(context: &Context, doomed: &[Doomed]) -> Result<()> {
    let keys = doomed.iter().map(|(place, _)| Key::new(place.as_str()));
    context.blobs.delete(&keys.collect::<Result<Vec<_>>>()?).await
}

/// What comes of deleting the bytes of doomed places.
fn freed(doomed: &[Doomed]) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for (_, bytes) in doomed {
        outcome.blobs += 1;
        outcome.freed += size(*bytes)?;
    }
    Ok(outcome)
}

/// Forgets doomed places whose bytes are deleted. If it does not come to that, the next run
/// deletes them once more.
async fn forget(context: &Context, emptied: Vec<Doomed>) -> Result<()> {
    for some in emptied.chunks(MANY) {
        let places: Vec<String> = some.iter().map(|(place, _)| place.clone()).collect();
        context
            .db
            .write(move |tx| {
                let bury = Sql::list(sql::BURY_BEFORE, places.len(), sql::BURY_AFTER);
                let places = values(places.iter().map(String::as_str));
                Box::pin(async move { tx.execute(bury, places).await.map(drop) })
            })
            .await?;
    }
    Ok(())
}

/// Deletes the bytes that an earlier run doomed and did not come to delete.
pub(super) async fn finish(context: &Context, overseer: &impl Overseer) -> Result<Outcome> {
    let (mut outcome, mut last) = (Outcome::default(), String::new());
    while !overseer.stops() {
        let rows = context.db.all(sql::DOOMED, args![last, BATCH as i64]).await?;
        let doomed: Vec<Doomed> =
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?;
        let Some((place, _)) = doomed.last() else { return Ok(outcome) };
        last = place.clone();
        outcome.add(delete(context, doomed).await?);
    }
    Ok(outcome)
}

impl Outcome {
    /// Takes another one in.
    pub(super) fn add(&mut self, other: Self) {
        self.freed += other.freed;
        self.blobs += other.blobs;
        self.manifests += other.manifests;
    }
}

pub(super) fn values<V: Into<db::Value>>(values: impl Iterator<Item = V>) -> Args {
    let mut arguments = Args::new();
    values.for_each(|value| arguments.push(value));
    arguments
}

fn size(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(Error::internal)
}
