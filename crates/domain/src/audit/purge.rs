//! Purging: old entries go, and the chain stays.
//!
//! Where all kinds of events go, whole blocks go and their heads stay. Where only some kinds
//! do, a block keeps the numbers and proofs of what went, and the proof that it was Haven who
//! removed them: so its content is still known to be what was sealed.

use std::collections::{BTreeMap, BTreeSet};

use db::{Args, Sql, Tx, args};
use kit::{Error, Result, Time};

use super::{AuditKey, Event, chain::Counts, proof, sql};
use crate::{
    Context,
    rights::{Action, Allowed, Resource, Right, System},
};

/// How many blocks are looked at together, each purged in a transaction of its own.
const PURGED_AT_ONCE: i64 = 100;

/// How many entries are looked at together to find the blocks that they are in.
const LOOKED_AT: i64 = 2000;

/// How many bytes stand for an entry that was removed from a block: its number and its proof.
const REMOVED: usize = 8 + 32;

/// What is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// What happened before this moment.
    pub before: Time,
    /// Which kinds of events.
    pub events: BTreeSet<Event>,
}

impl Old {
    /// Everything before a moment.
    pub fn everything(before: Time) -> Self {
        Self { before, events: Event::ALL.into_iter().collect() }
    }

    fn is_everything(&self) -> bool {
        Event::ALL.iter().all(|event| self.events.contains(event))
    }
}

/// How many entries would go.
///
/// # Errors
/// None but the database's.
pub async fn count_old(context: &Context, allowed: &Allowed<System>, old: &Old) -> Result<u64> {
    allowed.require(Right::new(Resource::PurgeAudit, Action::Create))?;
    let mut count = 0;
    for event in &old.events {
        let arguments = args![event.resource_type(), event.operation(), old.before];
        let row = context.db.one(sql::COUNT_OLD, arguments).await?;
        let some: i64 = row.map_or(Ok(0), |row| row.get(0))?;
        count += u64::try_from(some).unwrap_or_default();
    }
    Ok(count)
}

/// Purges old entries, block by block, and gives how many went. It is told after each block how
/// many went so far, and goes on as long as it is told to.
///
/// # Errors
/// Those of the database; what was purged until then stays purged.
pub async fn purge(
    context: &Context,
    allowed: &Allowed<System>,
    old: &Old,
    mut goes_on: impl FnMut(u64) -> bool,
) -> Result<u64> {
    allowed.require(Right::new(Resource::PurgeAudit, Action::Create))?;
    let mut purged = 0;
    if old.is_everything() {
        loop {
            let blocks = context.db.all(sql::OLD_BLOCKS, args![old.before, PURGED_AT_ONCE]).await?;
            for row in &blocks {
                if !goes_on(purged) {
                    return Ok(purged);
                }
                purged += purge_whole(context, row.get(0)?, row.get(1)?).await?;
            }
            if blocks.len() < PURGED_AT_ONCE as usize {
                return Ok(purged);
            }
        }
    }
    for event in &old.events {
        let mut last = (Time(i64::MIN), 0);
        loop {
            let (at, id) = last;
            let kind = (event.resource_type(), event.operation());
            let arguments = args![kind.0, kind.1, old.before, at, id, LOOKED_AT];
            let rows = context.db.all(sql::OLD_OF_KIND, arguments).await?;
            let Some(end) = rows.last() else { break };
            last = (end.get(0)?, end.get(1)?);
            let blocks: BTreeSet<i64> = rows.iter().map(|row| row.get(2)).collect::<Result<_>>()?;
            for block_id in blocks {
                if !goes_on(purged) {
                    return Ok(purged);
                }
                purged += purge_some(context, block_id, old).await?;
            }
        }
    }
    Ok(purged)
}

async fn purge_whole(context: &Context, id: i64, head: Vec<u8>) -> Result<u64> {
    let proof = proof::purged(&context.audit_key, id, &head).to_vec();
    context
        .db
        .write(move |tx| {
            let proof = proof.clone();
            Box::pin(async move {
                if tx.execute(sql::SET_PURGED, args![id, proof]).await? == 0 {
                    return Ok(0);
                }
                let gone = tx.all(sql::DELETE_OF_BLOCK, args![id]).await?;
                let mut counts = Counts::default();
                for row in &gone {
                    counts.add(row.get(0)?, row.get(1)?, -1);
                }
                counts.store(tx).await?;
                Ok(gone.len() as u64)
            })
        })
        .await
}

/// Removes the old entries of a block that are of kinds that are to go.
async fn purge_some(context: &Context, block_id: i64, old: &Old) -> Result<u64> {
    let (key, old) = (context.audit_key.clone(), old.clone());
    context
        .db
        .write(move |tx| {
            let (key, old) = (key.clone(), old.clone());
            Box::pin(async move { remove(tx, &key, block_id, &old).await })
        })
        .await
}

async fn remove(tx: &mut Tx, key: &AuditKey, block_id: i64, old: &Old) -> Result<u64> {
    let Some(block) = tx.one(sql::LOCK_BLOCK, args![block_id]).await? else { return Ok(0) };
    let (entries, head): (i64, Vec<u8>) = (block.get(0)?, block.get(1)?);
    let before: Option<Vec<u8>> = block.get(2)?;
    let mut arguments: Args = args![block_id, old.before];
    arguments.extend(old.events.iter().map(|event| event.name()));
    let statement = Sql::list(sql::DELETE_SOME_BEFORE, old.events.len(), sql::DELETE_SOME_AFTER);
    let gone = tx.all(statement, arguments).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let mut removed = read_removed(before.as_deref().unwrap_or_default())?;
    let mut counts = Counts::default();
    for row in &gone {
        removed.insert(row.get(0)?, row.get::<Vec<u8>>(1)?);
        counts.add(row.get(2)?, row.get(3)?, -1);
    }
    counts.store(tx).await?;
    if i64::try_from(removed.len()).ok() == Some(entries) {
        let proof = proof::purged(key, block_id, &head).to_vec();
        tx.execute(sql::SET_PURGED, args![block_id, proof]).await?;
    } else {
        let mut bytes = Vec::with_capacity(removed.len() * REMOVED);
        for (id, mac) in &removed {
            bytes.extend_from_slice(&id.to_be_bytes());
            bytes.extend_from_slice(mac);
        }
        let proof = proof::removed(key, block_id, &bytes).to_vec();
        tx.execute(sql::SET_REMOVED, args![block_id, bytes, proof]).await?;
    }
    Ok(gone.len() as u64)
}

/// The entries that were removed from a block: their numbers and their proofs.
pub(super) fn read_removed(bytes: &[u8]) -> Result<BTreeMap<i64, Vec<u8>>> {
    let mut removed = BTreeMap::new();
    for one in bytes.chunks(REMOVED) {
        let damaged = || Error::internal("what was removed from a block cannot be read");
        let (id, mac) = one.split_first_chunk::<8>().ok_or_else(damaged)?;
        removed.insert(i64::from_be_bytes(*id), mac.to_vec());
    }
    Ok(removed)
}
