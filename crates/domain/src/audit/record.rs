//! Writing entries: in the transaction of the deed that they tell of.

use std::sync::Arc;

use aws_lc_rs::digest::{Context as Hasher, SHA256};
use db::{Args, Sql, Tx};
use kit::{Result, Time};

use super::{Event, sql};
use crate::{
    Context,
    rights::Who,
    settings::{self, Configuration, Key},
};

/// The longest texts of an entry, in bytes: names of things are shorter, what clients
/// make up need not be.
const LONGEST_NAME: usize = 1024;
const LONGEST_DESCRIPTION: usize = 4096;

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
    configuration: Arc<Configuration>,
}

/// The audit of what somebody is about to do, now.
///
/// # Errors
/// Those of the database when the settings are not in memory.
pub async fn by(context: &Context, who: &Who) -> Result<Audit> {
    let configuration = settings::current(context).await?;
    Ok(Audit { by: who.clone(), now: context.clock.now(), configuration })
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

impl Audit {
    /// Writes an entry in the deed's own transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record(&self, tx: &mut Tx, entry: Entry) -> Result<()> {
        if !self.wants(entry.event) {
            return Ok(());
        }
        let row = Row::new(entry, &self.by, self.now);
        if !self.configuration.flag(Key::SkipAuditLogDatabase) {
            insert(tx, &[&row]).await?;
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

    fn push(&self, args: &mut Args) {
        let Self { entry, at, username, address, salt } = self;
        let texts = [username, address, &entry.resource, &entry.description];
        args.push(entry.project_id);
        args.push(*at);
        args.push(entry.event.operation());
        args.push(entry.event.resource_type());
        args.push(entry.resource.as_str());
        args.push(username.as_str());
        args.push(entry.description.as_str());
        args.push(address.as_str());
        args.push(entry.succeeded);
        args.push(salt.to_vec());
        args.push(names_hash(salt, texts.map(String::as_str)).to_vec());
    }
}

/// Inserts entries with one statement; a power of two of them keeps statements few.
pub(super) async fn insert(tx: &mut Tx, rows: &[&Row]) -> Result<()> {
    let mut args = Args::new();
    for row in rows {
        row.push(&mut args);
    }
    tx.execute(Sql::rows(sql::INSERT_ROWS, 11, rows.len(), ""), args).await.map(drop)
}

/// What stands for the texts that may name a person, once they are forgotten: without the
/// salt nobody can find out by trying names.
pub(super) fn names_hash(salt: &[u8], texts: [&str; 4]) -> [u8; 32] {
    let mut hasher = Hasher::new(&SHA256);
    hasher.update(salt);
    for text in texts {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(hasher.finish().as_ref());
    hash
}

/// A text of at most so many bytes, without NUL, which no database column holds.
fn cut(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}
