//! An audit log of years, sealed in blocks and counted by the hour. Its proofs are not true.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Database;
use crate::Outcome;

/// How many entries there are.
pub const ROWS: u64 = 5_000_000;
/// Over how many projects they spread.
const PROJECTS: u64 = 100;
/// Over how many days they spread.
const DAYS: u64 = 365;
/// How many entries are in a block.
const BLOCK: u64 = 1_000;
/// The number of the first block: after those that there are already.
const FIRST_BLOCK: u64 = 1_000_000;
const DAY: u64 = 86_400;

/// What to ask the log for.
pub struct Log {
    /// The name of a project with its share of the entries.
    pub project: String,
    /// A week: its first day.
    pub from: String,
    /// The day after it.
    pub to: String,
}

/// Fills the log of a Haven that is not running.
pub fn fill(database: Database<'_>) -> Outcome<Log> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let start = now.as_secs() - DAYS * DAY;
    database.fill(&["audit_log", "audit_blocks", "audit_counts"], &rows(database, start))?;
    let week = start + (DAYS - 100) * DAY;
    Ok(Log { project: "bench-00001".to_owned(), from: date(week)?, to: date(week + 7 * DAY)? })
}

/// The statements that fill the tables: each project has its entries all over the year.
fn rows(database: Database<'_>, start: u64) -> Vec<String> {
    let numbers = database.numbers(ROWS);
    let name = format!("'bench-' || {}", database.padded(&format!("n % {PROJECTS}"), 5));
    let bytes = database.bytes(32);
    let step = DAYS * DAY * 1_000_000 / ROWS;
    let counted = |project: &str| {
        format!(
            "INSERT INTO audit_counts (project_id, hour, entries) \
             SELECT {project}, occurred_at / 3600000000 AS hour, count(*) FROM audit_log \
             WHERE block_id >= {FIRST_BLOCK} GROUP BY 1, 2 ON CONFLICT (project_id, hour) \
             DO UPDATE SET entries = audit_counts.entries + excluded.entries"
        )
    };
    vec![
        format!(
            "INSERT INTO audit_log (project_id, occurred_at, operation, resource_type, resource, \
             username, description, address, succeeded, hash, mac, block_id) \
             SELECT p.id, {start}000000 + n * {step}, \
             CASE n % 3 WHEN 0 THEN 'create' WHEN 1 THEN 'pull' ELSE 'delete' END, 'artifact', \
             {name} || '/app:' || n, 'bench-' || (n % 1000), 'an image', '10.0.0.1', TRUE, \
             {bytes}, {bytes}, {FIRST_BLOCK} + n / {BLOCK} \
             FROM {numbers} CROSS JOIN projects AS p WHERE p.name = {name}"
        ),
        format!(
            "INSERT INTO audit_blocks (id, entries, content, head, newest, sealed_at) \
             SELECT block_id, count(*), {bytes}, {bytes}, max(occurred_at), max(occurred_at) \
             FROM audit_log WHERE block_id >= {FIRST_BLOCK} GROUP BY block_id"
        ),
        counted("project_id"),
        counted("-1"),
    ]
}

/// A day as the API wants it.
fn date(seconds: u64) -> Outcome<String> {
    let output = Command::new("date")
        .args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%d%%20%H:%M:%S"])
        .output()
        .map_err(|error| format!("date: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
