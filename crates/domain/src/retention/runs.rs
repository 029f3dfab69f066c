//! Runs as Haven shows them: how many artifacts go and stay, which, and why, over all the
//! repositories of a run or in one of them.

use std::collections::{BTreeMap, HashMap};

use db::{Args, Row, Sql, args};
use kit::{Error, Page, Result, Selection};
use serde_json::Value;

use super::{
    Finding, NewPolicy, Outcome, Policy, Rule,
    findings::read_block,
    show::{self, execution},
    sql,
};
use crate::{
    Context,
    jobs::{self, Execution},
    listing::Listing,
    projects::Allowed,
    rights::{Action, Resource, Right},
};

/// How many blocks, of up to a hundred artifacts each, a search looks through, and how many of
/// them together.
const MOST_SEARCHED: usize = 2_000;
const SEARCHED_TOGETHER: usize = 64;

/// The longest text to look for, in bytes.
const LONGEST_TEXT: usize = 256;

/// A run, and how many artifacts it has decided about so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The run as a job.
    pub execution: Execution,
    /// How many artifacts have which outcome.
    pub outcomes: BTreeMap<Outcome, i64>,
}

/// Which artifacts of a run are shown.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those with one of these outcomes; without any, all.
    pub outcomes: Vec<Outcome>,
    /// Those in the repository that one task is about.
    pub task_id: Option<i64>,
    /// Those whose repository, tags, labels or digest contain a text. Of more than two thousand
    /// blocks the first are looked through.
    pub text: String,
}

/// What was decided about an artifact of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The task that decided it.
    pub task_id: i64,
    /// The repository, named without its project.
    pub repository: String,
    /// What was decided.
    pub finding: Finding,
}

/// A page of a policy's runs, the last first.
///
/// # Errors
/// None but the database's.
pub async fn runs(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    selection: &Selection,
) -> Result<Listing<Run>> {
    let found = show::executions(context, allowed, policy, selection).await?;
    Ok(Listing { items: count(context, found.items).await?, total: found.total })
}

/// A run, and the rules that it goes by.
///
/// # Errors
/// NotFound when the run is none of the policy's.
pub async fn run_of(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    execution_id: i64,
) -> Result<(Run, Vec<Rule>)> {
    allowed.require(Right::new(Resource::TagRetention, Action::Read))?;
    let found = execution(context, policy, execution_id).await?;
    let run = count(context, vec![found]).await?.pop();
    let run = run.ok_or_else(|| Error::internal("a run that is counted and gone"))?;
    let rules = rules_of(context, execution_id).await?.map(|policy| policy.rules);
    Ok((run, rules.unwrap_or_default()))
}

/// A page of what a run decided, those that go first.
///
/// # Errors
/// NotFound when the run is none of the policy's; Invalid when the text is too long.
pub async fn findings(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    execution_id: i64,
    wanted: &Wanted,
    page: Page,
) -> Result<Listing<Found>> {
    allowed.require(Right::new(Resource::TagRetention, Action::Read))?;
    if wanted.text.len() > LONGEST_TEXT {
        return Err(Error::invalid(format!("a text to look for has {LONGEST_TEXT} bytes at most")));
    }
    match wanted.task_id {
        Some(task_id) => show::task(context, policy, execution_id, task_id).await.map(drop)?,
        None => execution(context, policy, execution_id).await.map(drop)?,
    }
    let rules = rules_of(context, execution_id).await?;
    let Some(rules) = rules else { return Ok(Listing { items: Vec::new(), total: 0 }) };
    let run = Opened { context, execution_id, rules };
    let blocks = run.blocks(wanted).await?;
    if wanted.text.is_empty() {
        return run.page(&blocks, page).await;
    }
    run.search(&blocks, &wanted.text.to_lowercase(), page).await
}

/// Counts what runs decided, all with one statement.
async fn count(context: &Context, executions: Vec<Execution>) -> Result<Vec<Run>> {
    if executions.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids = Args::new();
    ids.extend(executions.iter().map(|execution| execution.id));
    let statement = Sql::list(sql::OUTCOMES_BEFORE, executions.len(), sql::OUTCOMES_AFTER);
    let mut counts: HashMap<i64, BTreeMap<Outcome, i64>> = HashMap::new();
    for row in context.db.all(statement, ids).await? {
        let Some(outcome) = Outcome::from_number(row.get(1)?) else { continue };
        counts.entry(row.get(0)?).or_default().insert(outcome, row.get(2)?);
    }
    let counted = executions.into_iter().map(|execution| {
        let outcomes = counts.remove(&execution.id).unwrap_or_default();
        Run { execution, outcomes }
    });
    Ok(counted.collect())
}

/// The policy as it was when a run began; none if it had nothing to do, or has not begun.
async fn rules_of(context: &Context, execution_id: i64) -> Result<Option<NewPolicy>> {
    let row = context.db.one(sql::RUN, args![execution_id]).await?;
    row.map(|row| NewPolicy::from_stored(&row.get::<String>(0)?)).transpose()
}

/// Where a block is, and how many artifacts are in it.
#[derive(Clone, Copy, Debug)]
struct Block {
    outcome: Outcome,
    task_id: i64,
    number: i64,
    artifacts: i64,
}

impl Block {
    /// Reads the columns of [`sql::BLOCKS`]; none of an outcome that this binary does not know.
    fn read(row: &Row) -> Result<Option<Self>> {
        let Some(outcome) = Outcome::from_number(row.get(0)?) else { return Ok(None) };
        let (task_id, number, artifacts) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Some(Self { outcome, task_id, number, artifacts }))
    }
}

/// A run whose findings are read.
struct Opened<'c> {
    context: &'c Context,
    execution_id: i64,
    rules: NewPolicy,
}

impl Opened<'_> {
    /// The blocks that hold what is wanted, by outcome, task and number.
    async fn blocks(&self, wanted: &Wanted) -> Result<Vec<Block>> {
        let (db, id) = (&self.context.db, self.execution_id);
        let rows = match wanted.task_id {
            Some(task_id) => db.all(sql::BLOCKS_OF_TASK, args![id, task_id]).await?,
            None => db.all(sql::BLOCKS, args![id]).await?,
        };
        let mut blocks = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(block) = Block::read(&row)? else { continue };
            if wanted.outcomes.is_empty() || wanted.outcomes.contains(&block.outcome) {
                blocks.push(block);
            }
        }
        Ok(blocks)
    }

    /// What lies in blocks that follow each other and have one outcome.
    async fn open(&self, blocks: &[Block]) -> Result<Vec<Found>> {
        let [first, ..] = blocks else { return Ok(Vec::new()) };
        let last = blocks.last().unwrap_or(first);
        let from_to = args![
            self.execution_id,
            first.outcome as i64,
            first.task_id,
            first.number,
            last.task_id,
            last.number
        ];
        let mut found = Vec::new();
        for row in self.context.db.all(sql::FINDINGS, from_to).await? {
            let task_id: i64 = row.get(0)?;
            let findings = read_block(&row.get::<String>(1)?, first.outcome, &self.rules)?;
            let shown = jobs::attributes(&row.get::<String>(2)?)?;
            let repository = shown.get("repository").and_then(Value::as_str).unwrap_or_default();
            found.extend(findings.into_iter().map(|finding| {
                let repository = repository.to_owned();
                Found { task_id, repository, finding }
            }));
        }
        Ok(found)
    }

    /// A page of what lies in blocks: one statement for each outcome on it.
    async fn page(&self, blocks: &[Block], page: Page) -> Result<Listing<Found>> {
        let (first, end) = bounds(page);
        let (mut total, mut before, mut on_page) = (0_i64, 0_i64, Vec::new());
        for block in blocks {
            let from = total;
            total += block.artifacts;
            if total > first && from < end {
                if on_page.is_empty() {
                    before = from;
                }
                on_page.push(*block);
            }
        }
        let mut found = Vec::new();
        for same in on_page.chunk_by(|a, b| a.outcome == b.outcome) {
            found.extend(self.open(same).await?);
        }
        let shown = (before..).zip(found).filter(|(at, _)| (first..end).contains(at));
        Ok(Listing { items: shown.map(|(_, found)| found).collect(), total })
    }

    /// A page of what contains a text.
    async fn search(&self, blocks: &[Block], text: &str, page: Page) -> Result<Listing<Found>> {
        let (first, end) = bounds(page);
        let (mut total, mut items) = (0_i64, Vec::new());
        let searched = &blocks[..blocks.len().min(MOST_SEARCHED)];
        for same in searched.chunk_by(|a, b| a.outcome == b.outcome) {
            for some in same.chunks(SEARCHED_TOGETHER) {
                for found in self.open(some).await? {
                    if !found.contains(text) {
                        continue;
                    }
                    if (first..end).contains(&total) {
                        items.push(found);
                    }
                    total += 1;
                }
            }
        }
        Ok(Listing { items, total })
    }
}

impl Found {
    /// Whether its repository, or one of its names, contains a text in lower case.
    fn contains(&self, text: &str) -> bool {
        let contains = |name: &String| name.to_lowercase().contains(text);
        contains(&self.repository)
            || contains(&self.finding.digest)
            || self.finding.tags.iter().any(contains)
            || self.finding.labels.iter().any(contains)
    }
}

/// From which place on to before which one a page reaches.
fn bounds(page: Page) -> (i64, i64) {
    let first = i64::try_from(page.offset()).unwrap_or(i64::MAX);
    let size = i64::try_from(page.page_size).unwrap_or(i64::MAX);
    (first, first.saturating_add(size))
}
