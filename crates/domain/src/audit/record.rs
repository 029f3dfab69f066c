//! Writing entries: in the transaction of the deed that they tell of.

use std::sync::Arc;

use db::{Args, Sql, Tx};
use kit::{Kind, Result, Time};

use super::{
    AuditKey, Event,
    forward::Forwarder,
    proof::{self, Facts},
    sql,
};
use crate::{
    Context,
    rights::Who,
    settings::{self, Configuration, Key},
};

/// The longest texts of an entry, in bytes: names of things are shorter, what clients
/// make up need not be.
const LONGEST_NAME: usize = 1024;
const LONGEST_DESCRIPTION: usize = 4096;

/// How many entries one statement inserts, and how many columns each has.
const MOST_AT_ONCE: usize = 64;
const COLUMNS: usize = 12;

/// What is to be told of a deed, beside who did it and when.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) event: Event,
    pub(super) project_id: i64,
    pub(super) resource: String,
    pub(super) description: String,
    pub(super) succeeded: bool,
}

impl Entry {
    /// That something was done to a thing.
    pub fn new(event: Event, resource: impl Into<String>) -> Self {
        let resource = cut(resource.into(), LONGEST_NAME);
        let description = event.describe(&resource);
        Self { event, project_id: 0, resource, description, succeeded: true }
    }

    /// It belongs to a project, by number: the project's log shows it too.
    #[must_use]
    pub fn in_project(mut self, project_id: i64) -> Self {
        self.project_id = project_id;
        self
    }

    /// What people read of it, in place of the sentence that is made of the event.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = cut(description.into(), LONGEST_DESCRIPTION);
        self
    }

    /// That it did not work.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.succeeded = false;
        self
    }
}

/// What a deed needs to tell of itself: who, when, and whether it is wanted. Made before
/// the deed's transaction, used in it. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    pub(super) by: Who,
    pub(super) now: Time,
    pub(super) configuration: Arc<Configuration>,
    key: AuditKey,
    forwarder: Forwarder,
}

/// The audit of what somebody is about to do, now.
///
/// # Errors
/// Those of the database when the settings are not in memory.
pub async fn by(context: &Context, who: &Who) -> Result<Audit> {
    let configuration = settings::current(context).await?;
    let (key, forwarder) = (context.audit_key.clone(), context.forwarder.clone());
    Ok(Audit { by: who.clone(), now: context.clock.now(), configuration, key, forwarder })
}

/// Tells of something that was refused or failed, so that no deed's transaction can.
///
/// # Errors
/// Those of the database.
pub async fn failed(context: &Context, who: &Who, entry: Entry) -> Result<()> {
    let (audit, entry) = (by(context, who).await?, entry.failed());
    context
        .db
        .write(move |tx| {
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move { audit.record(tx, entry).await })
        })
        .await
}

/// What came of a deed, having told of it if it did not work. Of what failed for want of
/// the database nothing can be told.
///
/// # Errors
/// Those of the deed.
pub async fn outcome<T>(
    context: &Context,
    who: &Who,
    entry: Entry,
    outcome: Result<T>,
) -> Result<T> {
    if let Err(error) = &outcome
        && !error.is(Kind::Internal)
        && !error.is(Kind::Unavailable)
    {
        failed(context, who, entry).await?;
    }
    outcome
}

impl Audit {
    /// Who does the deed.
    pub fn who(&self) -> &Who {
        &self.by
    }

    /// When the deed is done.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Writes an entry in the deed's own transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record(&self, tx: &mut Tx, entry: Entry) -> Result<()> {
        if !self.wants(entry.event) {
            return Ok(());
        }
        self.write(tx, vec![Row::new(entry, &self.by, self.now)]).await
    }

    /// Writes several entries, with few statements.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record_all(
        &self,
        tx: &mut Tx,
        entries: impl Iterator<Item = Entry>,
    ) -> Result<()> {
        let wanted = entries.filter(|entry| self.wants(entry.event));
        let rows: Vec<Row> = wanted.map(|entry| Row::new(entry, &self.by, self.now)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.write(tx, rows).await
    }

    /// Writes entries to where they are wanted: into the database, and once that is
    /// committed away.
    pub(super) async fn write(&self, tx: &mut Tx, rows: Vec<Row>) -> Result<()> {
        if !self.configuration.flag(Key::SkipAuditLogDatabase) {
            insert(tx, &self.key, &rows).await?;
        }
        let endpoint = self.configuration.text(Key::AuditLogForwardEndpoint);
        if !endpoint.is_empty() {
            let (forwarder, endpoint) = (self.forwarder.clone(), endpoint.into());
            tx.after_commit(move || {
                for row in &rows {
                    forwarder.send(&endpoint, forwarder.speaker().entry(row));
                }
            });
        }
        Ok(())
    }

    /// Whether an event is audited at all.
    pub(super) fn wants(&self, event: Event) -> bool {
        let disabled = self.configuration.text(Key::DisabledAuditLogEventTypes);
        !disabled.split(',').any(|name| name.trim() == event.name())
    }
}

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) entry: Entry,
    pub(super) at: Time,
    pub(super) username: String,
    pub(super) address: String,
    pub(super) salt: [u8; 16],
}

impl Row {
    pub(super) fn new(entry: Entry, by: &Who, at: Time) -> Self {
        Self {
            entry,
            at,
            username: cut(by.display_name().to_owned(), LONGEST_NAME),
            address: by.address().map_or_else(String::new, |address| address.to_string()),
            salt: kit::random_bytes(),
        }
    }

    /// What it says.
    pub(super) fn facts(&self) -> Facts<'_> {
        let Self { entry, at, username, address, .. } = self;
        Facts {
            project_id: entry.project_id,
            at: *at,
            operation: entry.event.operation(),
            resource_type: entry.event.resource_type(),
            resource: &entry.resource,
            username,
            description: &entry.description,
            address,
            succeeded: entry.succeeded,
        }
    }

    fn push(&self, key: &AuditKey, args: &mut Args) {
        let facts = self.facts();
        let hash = proof::names_hash(&self.salt, &facts);
        args.push(facts.project_id);
        args.push(facts.at);
        args.push(facts.operation);
        args.push(facts.resource_type);
        args.push(facts.resource);
        args.push(facts.username);
        args.push(facts.description);
        args.push(facts.address);
        args.push(facts.succeeded);
        args.push(self.salt.to_vec());
        args.push(hash.to_vec());
        args.push(proof::mac(key, &facts, &hash).to_vec());
    }
}

/// Inserts entries, many with one statement; a power of two each time keeps statements few.
pub(super) async fn insert(tx: &mut Tx, key: &AuditKey, mut rows: &[Row]) -> Result<()> {
    while !rows.is_empty() {
        let (some, rest) = rows.split_at(1 << rows.len().min(MOST_AT_ONCE).ilog2());
        let mut args = Args::new();
        for row in some {
            row.push(key, &mut args);
        }
        tx.execute(Sql::rows(sql::INSERT_ROWS, COLUMNS, some.len(), ""), args).await?;
        rows = rest;
    }
    Ok(())
}

/// A text of at most so many bytes, without NUL, which no database column holds.
fn cut(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}
