//! The chain: entries are sealed in blocks, each bound to the one before.
//!
//! An entry gets its block after its commit, so writers never wait for each other, and
//! entries may appear in another order than that of their numbers: whatever has no block
//! is taken. Any replica may seal; the number of the next block is the lease, since it can
//! be taken only once. Purging takes whole blocks and keeps their heads.

use std::collections::BTreeMap;

use db::{Args, Sql, Tx, args};
use kit::{Kind, Result, Time};

use super::{
    AuditKey,
    proof::{self, Block, Content},
    sql,
};
use crate::{
    Context,
    rights::{Action, Allowed, Resource, Right, System},
    settings::{self, Key},
};

/// How many entries a block has at the most.
const LARGEST_BLOCK: i64 = 1000;

/// How many entries are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 200;

/// An hour in microseconds: entries are counted by the hour.
pub(super) const HOUR: i64 = 3_600_000_000;

/// The project that stands for all of them in the counts.
pub(super) const ALL: i64 = -1;

/// What stands in place of the name of somebody who was forgotten.
pub(super) const NOBODY: &str = "forgotten";

/// Seals the entries that no block holds yet, and counts them. Returns how many.
///
/// # Errors
/// Those of the database. That another replica was faster is none.
pub async fn seal(context: &Context) -> Result<u64> {
    let mut sealed = 0;
    loop {
        let (key, now) = (context.audit_key.clone(), context.clock.now());
        let block = context
            .db
            .write(move |tx| {
                let key = key.clone();
                Box::pin(async move { seal_block(tx, &key, now).await })
            })
            .await;
        match block {
            Ok(None) => return Ok(sealed),
            Ok(Some(block)) => {
                tell(context, &block).await?;
                sealed += block.entries;
            }
            Err(error) if error.is(Kind::Conflict) => return Ok(sealed),
            Err(error) => return Err(error),
        }
        if sealed % LARGEST_BLOCK as u64 != 0 {
            return Ok(sealed);
        }
    }
}

/// A block that was sealed.
struct Sealed {
    id: i64,
    entries: u64,
    head: [u8; 32],
}

/// Tells a block's head to those who keep the log elsewhere.
async fn tell(context: &Context, block: &Sealed) -> Result<()> {
    let configuration = settings::current(context).await?;
    let endpoint = configuration.text(Key::AuditLogForwardEndpoint);
    if !endpoint.is_empty() {
        let speaker = context.forwarder.speaker();
        let line = speaker.block(context.clock.now(), block.id, &block.head);
        context.forwarder.send(&endpoint.into(), line);
    }
    Ok(())
}

async fn seal_block(tx: &mut Tx, key: &AuditKey, now: Time) -> Result<Option<Sealed>> {
    let last = tx.one(sql::LAST_BLOCK, args![]).await?;
    let (last, previous) = match &last {
        Some(row) => (row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?),
        None => (0, Vec::new()),
    };
    let rows = tx.all(sql::UNSEALED, args![LARGEST_BLOCK]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let (mut content, mut newest, mut counts) = (Content::new(), Time(i64::MIN), Counts::default());
    let mut entries = args![last + 1];
    for row in &rows {
        let (id, at): (i64, Time) = (row.get(0)?, row.get(2)?);
        content.add(id, &row.get::<Vec<u8>>(3)?);
        newest = newest.max(at);
        counts.add(row.get(1)?, at, 1);
        entries.push(id);
    }
    let content = content.finish();
    let count = i64::try_from(rows.len()).map_err(kit::Error::internal)?;
    let block = Block { id: last + 1, entries: count, content: &content, newest, sealed_at: now };
    let head = proof::head(key, &previous, &block);
    let arguments = args![block.id, block.entries, content.to_vec(), head.to_vec(), newest, now];
    tx.execute(sql::INSERT_BLOCK, arguments).await?;
    set_block(tx, rows.len(), entries).await?;
    counts.store(tx).await?;
    Ok(Some(Sealed { id: block.id, entries: rows.len() as u64, head }))
}

async fn set_block(tx: &mut Tx, count: usize, entries: Args) -> Result<()> {
    let statement = Sql::list(sql::SET_BLOCK_BEFORE, count, sql::SET_BLOCK_AFTER);
    tx.execute(statement, entries).await.map(drop)
}

/// How many entries more there are, by project and hour.
#[derive(Default)]
pub(super) struct Counts(BTreeMap<(i64, i64), i64>);

impl Counts {
    pub(super) fn add(&mut self, project_id: i64, at: Time, entries: i64) {
        for project_id in [ALL, project_id] {
            *self.0.entry((project_id, at.0.div_euclid(HOUR))).or_default() += entries;
        }
    }

    /// One statement for each: a block is rarely of more than two hours and a few projects.
    pub(super) async fn store(&self, tx: &mut Tx) -> Result<()> {
        for ((project_id, hour), entries) in &self.0 {
            tx.execute(sql::COUNT, args![*project_id, *hour, *entries]).await?;
        }
        Ok(())
    }
}

/// Forgets a person: the entries stay, and no longer tell whom they are about. Returns how
/// many they were.
///
/// # Errors
/// Those of the database; what was forgotten until then stays forgotten.
pub async fn forget(context: &Context, allowed: &Allowed<System>, username: &str) -> Result<u64> {
    allowed.require(Right::new(Resource::User, Action::Delete))?;
    let mut forgotten = 0;
    loop {
        let (key, username) = (context.audit_key.clone(), username.to_owned());
        let some = context
            .db
            .write(move |tx| {
                let (key, username) = (key.clone(), username.clone());
                Box::pin(async move { forget_some(tx, &key, &username).await })
            })
            .await?;
        forgotten += some;
        if some < FORGOTTEN_AT_ONCE as u64 {
            return Ok(forgotten);
        }
    }
}

async fn forget_some(tx: &mut Tx, key: &AuditKey, username: &str) -> Result<u64> {
    let rows = tx.all(sql::NAMING, args![username, FORGOTTEN_AT_ONCE]).await?;
    for row in &rows {
        let (id, hash): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let proof = proof::forgotten(key, id, &hash).to_vec();
        tx.execute(sql::FORGET, args![id, proof, NOBODY, NOBODY]).await?;
    }
    Ok(rows.len() as u64)
}
