//! Writing events: in the transaction of the deed that they tell of.

use db::{Args, Sql, Tx};
use kit::{Result, Time};

use super::{Event, sql};
use crate::{audit::Audit, rights::Who};

/// How many events one statement inserts, and how many columns each has.
const MOST_AT_ONCE: usize = 64;
const COLUMNS: usize = 5;

/// The longest name that is kept of who did it, in bytes.
const LONGEST_NAME: usize = 1024;

/// Something that happened, with where and when, and who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    /// What happened.
    pub(crate) event: Event,
    /// Where, by the number of the project; 0 for what belongs to none.
    pub(crate) project_id: i64,
    /// The repository by its full name; empty for what belongs to none.
    pub(crate) repository: String,
    /// What people call who did it.
    pub(crate) operator: String,
    /// When.
    pub(crate) at: Time,
}

impl Happened {
    /// Something that somebody did, now.
    pub(crate) fn new(event: Event, by: &Who, at: Time) -> Self {
        let mut operator = by.display_name().replace('\0', "\u{fffd}");
        operator.truncate(operator.floor_char_boundary(LONGEST_NAME));
        Self { event, project_id: 0, repository: String::new(), operator, at }
    }

    /// What whoever does an audited deed does, at the moment of the deed.
    pub(crate) fn by(audit: &Audit, event: Event) -> Self {
        Self::new(event, audit.who(), audit.now())
    }

    /// In a project, by number.
    #[must_use]
    pub(crate) fn in_project(mut self, project_id: i64) -> Self {
        self.project_id = project_id;
        self
    }

    /// In a repository of the project.
    #[must_use]
    pub(crate) fn in_repository(mut self, name: impl Into<String>) -> Self {
        self.repository = name.into();
        self
    }
}

/// Writes an event in the deed's own transaction, after the rows that the deed changes: their
/// locks are what puts the events of one thing in the order in which they happened.
///
/// # Errors
/// Those of the database.
pub(crate) async fn record(tx: &mut Tx, happened: &Happened) -> Result<()> {
    record_all(tx, std::slice::from_ref(happened)).await
}

/// Writes several events, with few statements.
///
/// # Errors
/// Those of the database.
pub(crate) async fn record_all(tx: &mut Tx, mut happened: &[Happened]) -> Result<()> {
    while !happened.is_empty() {
        let (some, rest) = happened.split_at(1 << happened.len().min(MOST_AT_ONCE).ilog2());
        let mut args = Args::new();
        for one in some {
            args.push(one.project_id);
            args.push(&one.repository);
            args.push(&one.operator);
            args.push(one.at);
            args.push(one.event.text()?);
        }
        tx.execute(Sql::rows(sql::INSERT_ROWS, COLUMNS, some.len(), ""), args).await?;
        happened = rest;
    }
    Ok(())
}
