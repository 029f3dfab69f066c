//! Making, changing and deleting labels.

use db::args;
use kit::{Error, Kind, Result};

use super::{AllowedScope, Label, sql, unknown};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::Action,
};

/// The longest name, in bytes, as in Harbor.
const LONGEST_NAME: usize = 128;

/// The longest colour, in bytes, as in Harbor.
const LONGEST_COLOR: usize = 16;

/// The longest description, in bytes.
const LONGEST_DESCRIPTION: usize = 4096;

/// How many artifacts lose a label that is deleted in one transaction.
const DETACHED_AT_ONCE: i64 = 2000;

/// What a label is to be.
#[derive(Clone, Debug, Default)]
pub struct NewLabel {
    /// Its name.
    pub name: String,
    /// What is written about it.
    pub description: String,
    /// Its colour.
    pub color: String,
}

impl NewLabel {
    fn check(&self) -> Result<()> {
        if self.name.is_empty() {
            return Err(Error::invalid("the name of a label cannot be empty"));
        }
        let bounds = [
            ("name", self.name.len(), LONGEST_NAME),
            ("color", self.color.len(), LONGEST_COLOR),
            ("description", self.description.len(), LONGEST_DESCRIPTION),
        ];
        for (what, length, longest) in bounds {
            if length > longest {
                let message = format!("the {what} of a label is too long: max length is {longest}");
                return Err(Error::invalid(message));
            }
        }
        let texts = [&self.name, &self.color, &self.description];
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(Error::invalid("a label holds no NUL"));
        }
        Ok(())
    }

    /// The error of a statement, which is mostly that another label has the name.
    fn taken(&self, error: Error) -> Error {
        match error.kind {
            Kind::Conflict => Error::conflict(format!("label {} already exists", self.name)),
            _ => error,
        }
    }
}

/// Makes a label, and gives its number.
///
/// # Errors
/// Invalid when it cannot be one; Conflict when another has the name.
pub async fn create(context: &Context, allowed: &AllowedScope, new: NewLabel) -> Result<i64> {
    allowed.require(Action::Create)?;
    let entry = entry(Event::CreateLabel, &new.name, allowed.project_id());
    let made = store(context, allowed, &new, entry.clone()).await;
    audit::outcome(context, allowed.by(), entry, made).await
}

async fn store(
    context: &Context,
    allowed: &AllowedScope,
    new: &NewLabel,
    entry: Entry,
) -> Result<i64> {
    new.check()?;
    let (project_id, audit) = (allowed.project_id(), audit::by(context, allowed.by()).await?);
    let label = new.clone();
    let made = context
        .db
        .write(move |tx| {
            let (label, audit, entry) = (label.clone(), audit.clone(), entry.clone());
            Box::pin(async move {
                let NewLabel { name, description, color } = label;
                let row = args![project_id, name, description, color, audit.now()];
                let row = tx.one(sql::INSERT, row).await?;
                let id = row.ok_or_else(|| Error::internal("a new label has no id"))?.get(0)?;
                audit.record(tx, entry).await?;
                Ok(id)
            })
        })
        .await;
    made.map_err(|error| new.taken(error))
}

/// Changes the name, description and colour of a label. It stays where it is.
///
/// # Errors
/// As [`create`]; NotFound when it was deleted meanwhile.
pub async fn update(
    context: &Context,
    allowed: &AllowedScope,
    label: &Label,
    new: NewLabel,
) -> Result<()> {
    allowed.require(Action::Update)?;
    let entry = entry(Event::UpdateLabel, &label.name, label.project_id);
    let changed = change(context, allowed, label, &new, entry.clone()).await;
    audit::outcome(context, allowed.by(), entry, changed).await
}

async fn change(
    context: &Context,
    allowed: &AllowedScope,
    label: &Label,
    new: &NewLabel,
    entry: Entry,
) -> Result<()> {
    new.check()?;
    let (id, audit) = (label.id, audit::by(context, allowed.by()).await?);
    let label = new.clone();
    let changed = context
        .db
        .write(move |tx| {
            let (label, audit, entry) = (label.clone(), audit.clone(), entry.clone());
            Box::pin(async move {
                let NewLabel { name, description, color } = label;
                let row = args![id, name, description, color, audit.now()];
                if tx.execute(sql::UPDATE, row).await? == 0 {
                    return Err(unknown(id));
                }
                audit.record(tx, entry).await
            })
        })
        .await;
    changed.map_err(|error| new.taken(error))
}

/// Deletes a label, and takes it from all that carries it: from most in transactions of their
/// own, so that nobody waits for long.
///
/// # Errors
/// NotFound when it was deleted meanwhile.
pub async fn delete(context: &Context, allowed: &AllowedScope, label: &Label) -> Result<()> {
    allowed.require(Action::Delete)?;
    let (id, audit) = (label.id, audit::by(context, allowed.by()).await?);
    let entry = entry(Event::DeleteLabel, &label.name, label.project_id);
    let most = u64::try_from(DETACHED_AT_ONCE).map_err(Error::internal)?;
    let detach = || {
        context.db.write(move |tx| {
            Box::pin(async move { tx.execute(sql::DETACH_SOME, args![id, DETACHED_AT_ONCE]).await })
        })
    };
    while detach().await? == most {}
    context
        .db
        .write(move |tx| {
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                if tx.execute(sql::DELETE, args![id]).await? == 0 {
                    return Err(unknown(id));
                }
                audit.record(tx, entry).await
            })
        })
        .await
}

fn entry(event: Event, name: &str, project_id: Option<i64>) -> Entry {
    Entry::new(event, name).in_project(project_id.unwrap_or_default())
}
