//! What a task decided about each artifact, and why, as it is kept: in blocks.

use std::sync::Arc;

use db::{Args, Sql, Tx, args};
use kit::{Error, Result, Time};
use oci::Digest;
use serde::{Deserialize, Serialize};

use super::{
    NewPolicy, Outcome,
    evaluate::{Facts, Verdict},
    sql,
};
use crate::{Context, jobs::Running};

/// How many artifacts are in a block, and how many blocks are inserted together.
const IN_BLOCK: usize = 100;
const AT_ONCE: usize = 50;
const COLUMNS: usize = 5;

/// How many tags and labels of an artifact are kept.
const MOST_NAMES: usize = 100;

/// What was decided about an artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its digest.
    pub digest: String,
    /// Its tags, or the first hundred of them.
    pub tags: Vec<String>,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// The last push of it or of one of its tags.
    pub pushed_at: Time,
    /// The last pull of it or of one of its tags.
    pub pulled_at: Option<Time>,
    /// Whether it has a signature.
    pub is_signed: bool,
    /// What becomes of it.
    pub outcome: Outcome,
    /// The places of the rules that keep it, and what they keep.
    pub kept_by: Vec<(usize, String)>,
    /// The places of the rules that mean it and do not keep it.
    pub passed_over_by: Vec<(usize, String)>,
    /// What kept it from going, if something did.
    pub message: String,
}

/// As it is stored; the outcome is the block's.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    d: String,
    t: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    l: Vec<String>,
    p: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    s: bool,
    k: u16,
    m: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    e: String,
}

impl Stored {
    fn new(facts: &Facts, verdict: &Verdict, labels: &[String], message: &str) -> Self {
        Self {
            d: facts.digest.to_string(),
            t: facts.tags.iter().take(MOST_NAMES).map(|tag| tag.to_string()).collect(),
            l: labels.iter().take(MOST_NAMES).cloned().collect(),
            p: facts.pushed_at.0,
            u: facts.pulled_at.map(|at| at.0),
            s: facts.is_signed,
            k: verdict.kept,
            m: verdict.meant,
            e: message.to_owned(),
        }
    }

    fn read(self, outcome: Outcome, policy: &NewPolicy) -> Finding {
        let rules = |set: u16| {
            let is_in = |place: &usize| set & 1 << *place != 0;
            let rules = policy.rules.iter().enumerate();
            rules.filter(|(at, _)| is_in(at)).map(|(at, rule)| (at, rule.text())).collect()
        };
        Finding {
            digest: self.d,
            tags: self.t,
            labels: self.l,
            pushed_at: Time(self.p),
            pulled_at: self.u.map(Time),
            is_signed: self.s,
            outcome,
            kept_by: rules(self.k),
            passed_over_by: rules(self.m & !self.k),
            message: self.e,
        }
    }
}

/// What a task found, as blocks that are ready to be stored: the outcome, how many artifacts,
/// and these.
pub(super) type Blocks = Vec<(Outcome, i64, String)>;

/// Puts findings into blocks. `labels` and `message` say of an artifact what the facts do not.
pub(super) fn blocks<'f>(
    artifacts: &[Facts],
    verdicts: &[Verdict],
    labels: impl Fn(i64) -> &'f [String],
    message: impl Fn(&Digest) -> &'f str,
) -> Result<Blocks> {
    let mut blocks = Blocks::new();
    for outcome in Outcome::ALL {
        let of: Vec<usize> =
            (0..artifacts.len()).filter(|at| verdicts[*at].outcome == outcome).collect();
        for some in of.chunks(IN_BLOCK) {
            let stored: Vec<Stored> = some
                .iter()
                .map(|at| {
                    let facts = &artifacts[*at];
                    let (labels, message) = (labels(facts.id), message(&facts.digest));
                    Stored::new(facts, &verdicts[*at], labels, message)
                })
                .collect();
            let text = serde_json::to_string(&stored).map_err(Error::internal)?;
            blocks.push((outcome, i64::try_from(some.len()).map_err(Error::internal)?, text));
        }
    }
    Ok(blocks)
}

/// Stores what a task found, in place of what it found the last time it was tried: in many short
/// transactions, for what nobody looks at before the task has ended.
pub(super) async fn store(context: &Context, running: &Running, blocks: Blocks) -> Result<()> {
    let (blocks, running) = (Arc::new(blocks), running.clone());
    let mut at = 0;
    loop {
        let (part, task) = (blocks.clone(), running.clone());
        context
            .db
            .write(move |tx| {
                let (blocks, running) = (part.clone(), task.clone());
                Box::pin(async move {
                    running.fence(tx).await?;
                    if at == 0 {
                        tx.execute(sql::FORGET_FINDINGS, args![running.task_id()]).await?;
                    }
                    add(tx, running.task_id(), &blocks, at).await
                })
            })
            .await?;
        at += AT_ONCE;
        if at >= blocks.len() {
            return Ok(());
        }
    }
}

/// Adds some of the blocks, from a place on.
async fn add(tx: &mut Tx, task_id: i64, blocks: &Blocks, from: usize) -> Result<()> {
    let mut rows = Args::new();
    let some = blocks.iter().enumerate().skip(from).take(AT_ONCE);
    let added = some.len();
    for (at, (outcome, artifacts, text)) in some {
        rows.push(task_id);
        rows.push(*outcome as i64);
        rows.push(i64::try_from(at).map_err(Error::internal)?);
        rows.push(*artifacts);
        rows.push(text.as_str());
    }
    if added > 0 {
        tx.execute(Sql::rows(sql::ADD_FINDINGS_ROWS, COLUMNS, added, ""), rows).await?;
    }
    Ok(())
}

/// Reads a block that was stored.
pub(super) fn read_block(text: &str, outcome: Outcome, policy: &NewPolicy) -> Result<Vec<Finding>> {
    let stored: Vec<Stored> = serde_json::from_str(text).map_err(Error::internal)?;
    Ok(stored.into_iter().map(|one| one.read(outcome, policy)).collect())
}
