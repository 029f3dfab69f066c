//! An audit log of years, written straight into the database.
//!
//! Over the API it would take hours. The rows have the shape of true ones, sealed in blocks and
//! counted by the hour, so that nothing is left to be done at the next start; their proofs are
//! not true, which no list looks at.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

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
pub fn audit_log(postgres: Option<&str>, folder: &Path) -> Outcome<Log> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let start = now.as_secs() - DAYS * DAY;
    match postgres {
        Some(url) => fill_postgres(url, start)?,
        None => {
            let file = folder.join("data/haven.db");
            fill_sqlite(&file, start).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    let week = start + (DAYS - 100) * DAY;
    Ok(Log { project: "bench-00001".to_owned(), from: date(week)?, to: date(week + 7 * DAY)? })
}

/// Indexes are made anew afterwards: that is many times faster than to keep them meanwhile.
fn fill_sqlite(file: &Path, start: u64) -> rusqlite::Result<()> {
    let database = Connection::open(file)?;
    let indexes: Vec<(String, String)> = database
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'audit_log' AND sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let numbers = format!(
        "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {ROWS}) SELECT n FROM c) AS n"
    );
    let name = format!("printf('bench-%05d', n % {PROJECTS})");
    let mut script = vec!["PRAGMA cache_size = -262144".to_owned(), "BEGIN".to_owned()];
    script.extend(indexes.iter().map(|(name, _)| format!("DROP INDEX {name}")));
    script.extend(rows(start, &numbers, &name, "zeroblob(32)"));
    script.extend(indexes.into_iter().map(|(_, sql)| sql));
    script.extend(["COMMIT", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"].map(str::to_owned));
    database.execute_batch(&script.join(";\n"))
}

fn fill_postgres(url: &str, start: u64) -> Outcome<()> {
    let asked = "SELECT 'DROP INDEX ' || indexname || '|' || indexdef FROM pg_indexes \
                 WHERE tablename = 'audit_log' AND indexname <> 'audit_log_pkey'";
    let indexes = psql(url, asked)?;
    let indexes: Vec<(&str, &str)> =
        indexes.lines().filter_map(|line| line.split_once('|')).collect();
    let numbers = format!("generate_series(1::bigint, {ROWS}) AS n(n)");
    let name = format!("'bench-' || lpad((n % {PROJECTS})::text, 5, '0')");
    let mut script = vec!["SET maintenance_work_mem = '256MB'".to_owned()];
    script.extend(indexes.iter().map(|(drop, _)| (*drop).to_owned()));
    script.extend(rows(start, &numbers, &name, "decode(repeat('00', 32), 'hex')"));
    script.extend(indexes.iter().map(|(_, make)| (*make).to_owned()));
    script.push("VACUUM ANALYZE audit_log".to_owned());
    script.iter().try_for_each(|statement| psql(url, statement).map(drop))
}

/// The statements that fill the tables. `numbers` counts as `n`; `name` is the project of such
/// an entry: each has its entries all over the year. `bytes` is a hash.
fn rows(start: u64, numbers: &str, name: &str, bytes: &str) -> Vec<String> {
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
             {name} || '/app:' || n, 'bench-' || n % 1000, 'an image', '10.0.0.1', TRUE, \
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

/// Makes a database of our own on the server at this address; gives its address.
pub fn new_database(url: &str) -> Outcome<String> {
    let name = format!("bench_{}", std::process::id());
    psql(url, &format!("CREATE DATABASE {name}"))?;
    let (server, _) = url.rsplit_once('/').ok_or("HAVEN_TEST_POSTGRES_URL names no database")?;
    Ok(format!("{server}/{name}"))
}

/// Removes it again.
pub fn drop_database(url: &str) -> Outcome<()> {
    let (server, name) = url.rsplit_once('/').ok_or("an address without a database")?;
    psql(&format!("{server}/postgres"), &format!("DROP DATABASE {name} WITH (FORCE)")).map(drop)
}

/// Runs a statement; gives its rows, a line each.
fn psql(url: &str, statement: &str) -> Outcome<String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"])
        .args(["-d", url, "-c", statement])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("psql: {error}"))?;
    if !output.status.success() {
        return Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
