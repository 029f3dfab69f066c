//! Checking the audit log: every entry by itself, every block, and the chain.

use std::{collections::BTreeMap, fmt};

use db::{Row, args};
use kit::{Result, Time, constant_time_eq};

use super::{
    AuditKey,
    chain::NOBODY,
    proof::{self, Block, Content, Facts},
    purge::read_removed,
    sql,
};
use crate::Context;

/// How many blocks, or entries without one, are read together.
const BATCH: i64 = 500;

/// How many problems are listed.
const LISTED: usize = 100;

/// Something in the audit log that is not as Haven wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tampered {
    /// An entry was changed, or somebody else wrote it.
    Entry(i64),
    /// Entries of a block are missing, or there are more than it had.
    Entries(i64),
    /// A block was changed, or the one before it was.
    Block(i64),
    /// A block is missing before this one.
    BlockMissing(i64),
    /// An entry names a block that is not there.
    BlockOf(i64, i64),
}

impl fmt::Display for Tampered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(id) => write!(f, "audit entry {id}: is not as it was written"),
            Self::Entries(block) => {
                write!(f, "audit block {block}: entries were removed or added")
            }
            Self::Block(block) => write!(f, "audit block {block}: does not follow the one before"),
            Self::BlockMissing(block) => write!(f, "audit block {block}: is missing"),
            Self::BlockOf(id, block) => {
                write!(f, "audit entry {id}: its block {block} is missing")
            }
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many entries were checked.
    pub entries: u64,
    /// How many of them no block holds yet.
    pub unsealed: u64,
    /// How many of them are about somebody who was forgotten.
    pub forgotten: u64,
    /// How many blocks were checked.
    pub blocks: u64,
    /// How many of them were purged.
    pub purged: u64,
    /// How many entries were removed from blocks that others are left of.
    pub removed: u64,
    /// The last block and its head in hexadecimal digits, to be compared with what was
    /// kept elsewhere: that the end of the chain was cut off cannot be seen here.
    pub last: Option<(i64, String)>,
    /// What is wrong; not all of it, when it is much.
    pub problems: Vec<Tampered>,
}

impl Report {
    fn add(&mut self, problem: Tampered) {
        if self.problems.len() < LISTED {
            self.problems.push(problem);
        }
    }
}

/// Checks the whole audit log. It may run beside a serving Haven.
///
/// # Errors
/// Those of the database.
pub async fn verify(context: &Context) -> Result<Report> {
    let (mut report, mut last, mut previous) = (Report::default(), 0, Vec::new());
    loop {
        let blocks = context.db.all(sql::BLOCKS, args![last, BATCH]).await?;
        for row in &blocks {
            let id: i64 = row.get(0)?;
            if id != last + 1 {
                report.add(Tampered::BlockMissing(last + 1));
            }
            previous = block(context, row, &previous, &mut report).await?;
            last = id;
        }
        if blocks.len() < BATCH as usize {
            break;
        }
    }
    report.last = (last > 0).then(|| (last, hex(&previous)));
    unsealed(context, &mut report).await?;
    for row in context.db.all(sql::ASTRAY, args![BATCH]).await? {
        report.add(Tampered::BlockOf(row.get(0)?, row.get(1)?));
    }
    Ok(report)
}

/// Checks a block and its entries, and gives its head.
async fn block(
    context: &Context,
    row: &Row,
    previous: &[u8],
    report: &mut Report,
) -> Result<Vec<u8>> {
    let (content, head): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
    let block = Block {
        id: row.get(0)?,
        entries: row.get(1)?,
        content: &content,
        newest: row.get(4)?,
        sealed_at: row.get(5)?,
    };
    report.blocks += 1;
    if !constant_time_eq(&proof::head(&context.audit_key, previous, &block), &head) {
        report.add(Tampered::Block(block.id));
    }
    let entries = context.db.all(sql::OF_BLOCK, args![block.id]).await?;
    let purged: Option<Vec<u8>> = row.get(6)?;
    if let Some(proof) = purged {
        if constant_time_eq(&proof::purged(&context.audit_key, block.id, &head), &proof)
            && entries.is_empty()
        {
            report.purged += 1;
            return Ok(head);
        }
        report.add(Tampered::Block(block.id));
    }
    let mut macs = removed(context, row, block.id, report)?;
    let mut count = macs.len();
    for row in &entries {
        macs.insert(row.get(0)?, row.get(12)?);
        count += 1;
        entry(&context.audit_key, row, report)?;
    }
    let mut found = Content::new();
    macs.iter().for_each(|(id, mac)| found.add(*id, mac));
    // One that is there and was removed too makes the sum wrong.
    if i64::try_from(count).ok() != Some(block.entries) || found.finish() != *content {
        report.add(Tampered::Entries(block.id));
    }
    Ok(head)
}

/// The entries that were removed from a block, if it was Haven who did so.
fn removed(
    context: &Context,
    row: &Row,
    block_id: i64,
    report: &mut Report,
) -> Result<BTreeMap<i64, Vec<u8>>> {
    let (removed, proof): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(7)?, row.get(8)?);
    let Some(removed) = removed else { return Ok(BTreeMap::new()) };
    let expected = proof::removed(&context.audit_key, block_id, &removed);
    if !constant_time_eq(&expected, &proof.unwrap_or_default()) {
        report.add(Tampered::Block(block_id));
        return Ok(BTreeMap::new());
    }
    let removed = read_removed(&removed)?;
    report.removed += removed.len() as u64;
    Ok(removed)
}

/// Checks what no block holds yet.
async fn unsealed(context: &Context, report: &mut Report) -> Result<()> {
    let mut last = 0;
    loop {
        let rows = context.db.all(sql::NOT_SEALED, args![last, BATCH]).await?;
        for row in &rows {
            last = row.get(0)?;
            report.unsealed += 1;
            entry(&context.audit_key, row, report)?;
        }
        if rows.len() < BATCH as usize {
            return Ok(());
        }
    }
}

/// Checks one entry, with the columns of [`sql::OF_BLOCK`].
fn entry(key: &AuditKey, row: &Row, report: &mut Report) -> Result<()> {
    let texts: Vec<String> = (3..9).map(|at| row.get(at)).collect::<Result<_>>()?;
    let (id, at): (i64, Time) = (row.get(0)?, row.get(2)?);
    let facts = Facts {
        project_id: row.get(1)?,
        at,
        operation: &texts[0],
        resource_type: &texts[1],
        resource: &texts[2],
        username: &texts[3],
        description: &texts[4],
        address: &texts[5],
        succeeded: row.get(9)?,
    };
    let (salt, hash): (Option<Vec<u8>>, Vec<u8>) = (row.get(10)?, row.get(11)?);
    let (mac, forgotten): (Vec<u8>, Option<Vec<u8>>) = (row.get(12)?, row.get(13)?);
    report.entries += 1;
    let names = match (salt, forgotten) {
        (Some(salt), None) => constant_time_eq(&proof::names_hash(&salt, &facts), &hash),
        (None, Some(proof)) => {
            report.forgotten += 1;
            facts.username == NOBODY && constant_time_eq(&proof::forgotten(key, id, &hash), &proof)
        }
        _ => false,
    };
    if !names || !constant_time_eq(&proof::mac(key, &facts, &hash), &mac) {
        report.add(Tampered::Entry(id));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
