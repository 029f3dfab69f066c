//! Years of content, written straight into the database.
//!
//! Over the API it would take hours. The rows have the shape of true ones, so that nothing is
//! left to be done at the next start; what they stand for is not there: no list looks at it.

pub mod artifacts;
pub mod audit;
pub mod garbage;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::Outcome;

/// The numbers of what is made begin here: above those of what a Haven makes by itself.
const BASE: u64 = 1_000_000_000;

/// How much memory PostgreSQL takes to make an index, and SQLite to keep pages.
const INDEX_MEMORY: &str = "256MB";
const PAGE_MEMORY: &str = "-262144";

/// The database of a Haven that is not running.
#[derive(Clone, Copy)]
pub enum Database<'a> {
    /// A file.
    Sqlite(&'a Path),
    /// An address.
    Postgres(&'a str),
}

impl<'a> Database<'a> {
    /// That of a Haven with its data in `folder`, or where the address says.
    pub fn of(postgres: Option<&'a str>, file: &'a Path) -> Database<'a> {
        postgres.map_or(Database::Sqlite(file), Database::Postgres)
    }

    /// The numbers from 1 on, as a table `n` with a column `n`.
    fn numbers(self, many: u64) -> String {
        match self {
            Database::Sqlite(_) => format!(
                "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {many}) SELECT n FROM c) AS n"
            ),
            Database::Postgres(_) => format!("generate_series(1::bigint, {many}) AS n(n)"),
        }
    }

    /// A number as a text of so many digits.
    fn padded(self, number: &str, digits: u8) -> String {
        match self {
            Database::Sqlite(_) => format!("printf('%0{digits}d', {number})"),
            Database::Postgres(_) => format!("lpad(({number})::text, {digits}, '0')"),
        }
    }

    /// A number as so many hexadecimal digits.
    fn hex(self, number: &str, digits: u8) -> String {
        match self {
            Database::Sqlite(_) => format!("printf('%0{digits}x', {number})"),
            Database::Postgres(_) => format!("lpad(to_hex({number}), {digits}, '0')"),
        }
    }

    /// A number as a digest, which nothing has.
    fn digest(self, number: &str) -> String {
        format!("'sha256:' || {}", self.hex(number, 64))
    }

    /// So many bytes.
    fn bytes(self, many: u8) -> String {
        match self {
            Database::Sqlite(_) => format!("zeroblob({many})"),
            Database::Postgres(_) => format!("decode(repeat('00', {many}), 'hex')"),
        }
    }

    /// Runs statements that fill tables. Their indexes and triggers are made anew afterwards:
    /// that is many times faster than to keep them meanwhile.
    fn fill(self, tables: &[&str], statements: &[String]) -> Outcome<()> {
        let names: Vec<String> = tables.iter().map(|table| format!("'{table}'")).collect();
        let names = names.join(", ");
        match self {
            Database::Sqlite(file) => fill_sqlite(file, &names, statements)
                .map_err(|error| format!("{}: {error}", file.display())),
            Database::Postgres(url) => fill_postgres(url, tables, &names, statements),
        }
    }
}

fn fill_sqlite(file: &Path, tables: &str, statements: &[String]) -> rusqlite::Result<()> {
    let database = Connection::open(file)?;
    let asked = format!(
        "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') \
         AND tbl_name IN ({tables}) AND sql IS NOT NULL"
    );
    let kept: Vec<(String, String, String)> = database
        .prepare(&asked)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut script = vec![
        "PRAGMA foreign_keys = OFF".to_owned(),
        format!("PRAGMA cache_size = {PAGE_MEMORY}"),
        "BEGIN".to_owned(),
    ];
    script.extend(kept.iter().map(|(kind, name, _)| format!("DROP {kind} {name}")));
    script.extend(statements.iter().cloned());
    script.extend(kept.into_iter().map(|(_, _, sql)| sql));
    script.extend(["COMMIT", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"].map(str::to_owned));
    database.execute_batch(&script.join(";\n"))
}

fn fill_postgres(url: &str, tables: &[&str], names: &str, statements: &[String]) -> Outcome<()> {
    let asked = format!(
        "SELECT 'DROP INDEX ' || i.indexname || '|' || i.indexdef FROM pg_indexes AS i \
         WHERE i.tablename IN ({names}) AND NOT EXISTS \
         (SELECT 1 FROM pg_constraint AS c WHERE c.conname = i.indexname)"
    );
    let indexes = psql(url, &asked)?;
    let indexes: Vec<(&str, &str)> =
        indexes.lines().filter_map(|line| line.split_once('|')).collect();
    let mut script = vec![
        format!("SET maintenance_work_mem = '{INDEX_MEMORY}'"),
        // Neither triggers nor foreign keys look at the rows.
        "SET session_replication_role = replica".to_owned(),
    ];
    script.extend(indexes.iter().map(|(drop, _)| (*drop).to_owned()));
    script.extend(statements.iter().cloned());
    script.extend(indexes.iter().map(|(_, make)| (*make).to_owned()));
    script.extend(tables.iter().map(|table| format!("VACUUM ANALYZE {table}")));
    psql(url, &script.join(";\n")).map(drop)
}

/// The address of a database of our own on the server at this address. It is not made yet.
pub fn database_beside(url: &str) -> Outcome<String> {
    let (server, _) = url.rsplit_once('/').ok_or("HAVEN_TEST_POSTGRES_URL names no database")?;
    Ok(format!("{server}/bench_{}", std::process::id()))
}

/// Makes the database at an address.
pub fn make_database(url: &str) -> Outcome<()> {
    let (server, name) = server_and_name(url)?;
    psql(&format!("{server}/postgres"), &format!("CREATE DATABASE {name}")).map(drop)
}

/// Removes it again.
pub fn drop_database(url: &str) -> Outcome<()> {
    let (server, name) = server_and_name(url)?;
    psql(&format!("{server}/postgres"), &format!("DROP DATABASE {name} WITH (FORCE)")).map(drop)
}

fn server_and_name(url: &str) -> Outcome<(&str, &str)> {
    url.rsplit_once('/').ok_or_else(|| "an address without a database".to_owned())
}

/// Runs statements one after the other; gives their rows, a line each.
fn psql(url: &str, script: &str) -> Outcome<String> {
    let failed = |error: std::io::Error| format!("psql: {error}");
    let mut client = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"])
        .args(["-d", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = client.stdin.take() {
        input.write_all(format!("{script};\n").as_bytes()).map_err(failed)?;
    }
    let output = client.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
