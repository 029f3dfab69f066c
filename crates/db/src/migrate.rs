//! Migrations: numbered scripts in pairs, one for each engine, run once and in order.
//!
//! Every migration runs in a transaction of its own, and takes a lock first, so that
//! replicas that start together do not run it twice. What ran is written down with a
//! checksum: a script that was changed afterwards is refused.
//!
//! Replicas are upgraded one by one, so a schema serves the binaries of its own number and
//! of the one before, unless a migration says otherwise; which is the oldest is written
//! down too, for binaries that do not know the migration.

use std::sync::Arc;

use kit::{Error, Result};
use sha2::{Digest, Sha256};

use crate::{Db, Engine, Tx, args};

/// One step of the schema, written twice.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number, from 1 on, without gaps.
    pub number: u32,
    /// Its name, for people.
    pub name: &'static str,
    /// The script for SQLite.
    pub sqlite: &'static str,
    /// The script for PostgreSQL.
    pub postgres: &'static str,
    /// The number of the oldest binary that may use the schema afterwards.
    pub serves: u32,
}

impl Migration {
    /// A step that binaries of the number before can live with.
    pub const fn new(
        number: u32,
        name: &'static str,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> Self {
        Self { number, name, sqlite, postgres, serves: number.saturating_sub(1) }
    }

    fn script(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }
}

/// All steps that a binary knows, in order.
#[derive(Clone, Debug)]
pub struct Migrations(Arc<[Migration]>);

impl Migrations {
    /// Steps in order.
    pub fn new(steps: impl Into<Arc<[Migration]>>) -> Self {
        Self(steps.into())
    }

    /// The number of the last step: the schema that this binary makes.
    pub fn latest(&self) -> u32 {
        self.0.last().map_or(0, |step| step.number)
    }
}

/// The steps of the house.
pub fn migrations() -> Migrations {
    Migrations::new([
        Migration::new(
            1,
            "registry",
            include_str!("../migrations/sqlite/0001_registry.sql"),
            include_str!("../migrations/postgres/0001_registry.sql"),
        ),
        Migration::new(
            2,
            "settings_audit",
            include_str!("../migrations/sqlite/0002_settings_audit.sql"),
            include_str!("../migrations/postgres/0002_settings_audit.sql"),
        ),
        Migration::new(
            3,
            "robots_access",
            include_str!("../migrations/sqlite/0003_robots_access.sql"),
            include_str!("../migrations/postgres/0003_robots_access.sql"),
        ),
        Migration::new(
            4,
            "people",
            include_str!("../migrations/sqlite/0004_people.sql"),
            include_str!("../migrations/postgres/0004_people.sql"),
        ),
        Migration::new(
            5,
            "sessions",
            include_str!("../migrations/sqlite/0005_sessions.sql"),
            include_str!("../migrations/postgres/0005_sessions.sql"),
        ),
        Migration::new(
            6,
            "identity_sources",
            include_str!("../migrations/sqlite/0006_identity_sources.sql"),
            include_str!("../migrations/postgres/0006_identity_sources.sql"),
        ),
        Migration::new(
            7,
            "sign_in",
            include_str!("../migrations/sqlite/0007_sign_in.sql"),
            include_str!("../migrations/postgres/0007_sign_in.sql"),
        ),
        Migration::new(
            8,
            "lists",
            include_str!("../migrations/sqlite/0008_lists.sql"),
            include_str!("../migrations/postgres/0008_lists.sql"),
        ),
        Migration::new(
            9,
            "curation",
            include_str!("../migrations/sqlite/0009_curation.sql"),
            include_str!("../migrations/postgres/0009_curation.sql"),
        ),
        Migration::new(
            10,
            "quotas",
            include_str!("../migrations/sqlite/0010_quotas.sql"),
            include_str!("../migrations/postgres/0010_quotas.sql"),
        ),
        Migration::new(
            11,
            "jobs",
            include_str!("../migrations/sqlite/0011_jobs.sql"),
            include_str!("../migrations/postgres/0011_jobs.sql"),
        ),
        Migration::new(
            12,
            "events",
            include_str!("../migrations/sqlite/0012_events.sql"),
            include_str!("../migrations/postgres/0012_events.sql"),
        ),
        Migration::new(
            13,
            "immutability",
            include_str!("../migrations/sqlite/0013_immutability.sql"),
            include_str!("../migrations/postgres/0013_immutability.sql"),
        ),
        Migration::new(
            14,
            "artifacts",
            include_str!("../migrations/sqlite/0014_artifacts.sql"),
            include_str!("../migrations/postgres/0014_artifacts.sql"),
        ),
        Migration::new(
            15,
            "purge",
            include_str!("../migrations/sqlite/0015_purge.sql"),
            include_str!("../migrations/postgres/0015_purge.sql"),
        ),
        Migration::new(
            16,
            "retention",
            include_str!("../migrations/sqlite/0016_retention.sql"),
            include_str!("../migrations/postgres/0016_retention.sql"),
        ),
        Migration::new(
            17,
            "search",
            include_str!("../migrations/sqlite/0017_search.sql"),
            include_str!("../migrations/postgres/0017_search.sql"),
        ),
        Migration::new(
            18,
            "failures",
            include_str!("../migrations/sqlite/0018_failures.sql"),
            include_str!("../migrations/postgres/0018_failures.sql"),
        ),
        Migration::new(
            19,
            "holders",
            include_str!("../migrations/sqlite/0019_holders.sql"),
            include_str!("../migrations/postgres/0019_holders.sql"),
        ),
    ])
}

/// What migrating did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema before; 0 for an empty database.
    pub from: u32,
    /// The schema now. It is higher than the binary's own when a newer binary was here.
    pub to: u32,
}

/// What keeps the books, made before anything else.
fn books(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => include_str!("../migrations/sqlite/0000_books.sql"),
        Engine::Postgres => include_str!("../migrations/postgres/0000_books.sql"),
    }
}

/// See [`Db::migrate`].
pub(crate) async fn migrate(db: &Db, migrations: &Migrations) -> Result<Migrated> {
    let mut migrated: Option<Migrated> = None;
    loop {
        let known = migrations.clone();
        let (from, to) = db
            .write(move |tx| {
                let known = known.clone();
                Box::pin(async move { next_step(tx, &known).await })
            })
            .await?;
        let first = migrated.map_or(from, |migrated| migrated.from);
        migrated = Some(Migrated { from: first, to });
        if from == to {
            return Ok(Migrated { from: first, to });
        }
    }
}

/// Runs the first step that is missing, if one is. The schema before and after.
async fn next_step(tx: &mut Tx, known: &Migrations) -> Result<(u32, u32)> {
    if tx.engine() == Engine::Postgres {
        // The number only has to differ from other users of this database.
        tx.script("SELECT pg_advisory_xact_lock(4706900132105219137)").await?;
    }
    tx.script(books(tx.engine())).await?;
    let at = verify(tx, known).await?;
    let Some(step) = known.0.iter().find(|step| step.number > at) else {
        return Ok((at, at));
    };
    if step.number != at + 1 {
        return Err(Error::internal(format!("migration {} follows {at}", step.number)));
    }
    let script = step.script(tx.engine());
    tx.script(script).await?;
    tx.execute(
        "INSERT INTO schema_migrations (number, name, checksum, serves) VALUES ($1, $2, $3, $4)",
        args![step.number, step.name, checksum(script), step.serves],
    )
    .await?;
    tracing::info!(number = step.number, name = step.name, "database migrated");
    Ok((at, step.number))
}

/// The schema's number, if this binary may use it.
async fn verify(tx: &mut Tx, known: &Migrations) -> Result<u32> {
    let rows = tx
        .all(
            "SELECT number, name, checksum, serves FROM schema_migrations ORDER BY number",
            args![],
        )
        .await?;
    let mut at = 0;
    for row in rows {
        at = row.get(0)?;
        let name: String = row.get(1)?;
        match known.0.iter().find(|step| step.number == at) {
            Some(step) if checksum(step.script(tx.engine())) != row.get::<String>(2)? => {
                return Err(Error::invalid(format!(
                    "migration {at} ({name}) is not the one that this database was made with"
                )));
            }
            Some(_) => {}
            None => {
                let serves: u32 = row.get(3)?;
                if serves > known.latest() {
                    return Err(Error::invalid(format!(
                        "the database is newer than this program: its schema is number {at} ({name}) and serves \
                         programs from number {serves} on, and this one knows only number {}; use a newer program",
                        known.latest()
                    )));
                }
            }
        }
    }
    Ok(at)
}

/// The schema's number; 0 when nothing was migrated yet.
pub(crate) async fn version(db: &Db) -> Result<u32> {
    let exists = match db.engine() {
        Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'schema_migrations'",
        Engine::Postgres => "SELECT COUNT(to_regclass('schema_migrations'))",
    };
    let exists = db.one(exists, args![]).await?.map_or(Ok(0), |row| row.get::<i64>(0))?;
    if exists == 0 {
        return Ok(0);
    }
    let latest = db.one("SELECT MAX(number) FROM schema_migrations", args![]).await?;
    Ok(latest.map_or(Ok(None), |row| row.get::<Option<u32>>(0))?.unwrap_or(0))
}

fn checksum(script: &str) -> String {
    Sha256::digest(script.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
