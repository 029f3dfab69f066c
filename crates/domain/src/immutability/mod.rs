//! Tags that nobody may move or delete.
//!
//! Owns the table `immutable_rules`. A rule of a project says which tags of which
//! repositories are immutable from their first push on. Promises:
//! - Whoever moves or deletes a tag asks for the rules in its own transaction ([`protect`]),
//!   so a rule holds from the moment that it was made, on every replica. Nobody asks who
//!   pushes a new tag.
//! - What is only shown of tags comes from memory ([`known`]).
//! - Two rules of a project are never the same.
//!
//! Administrators and maintainers of a project change its rules; everybody below asks.

mod protect;
mod rule;
mod selector;
mod sql;
#[cfg(test)]
mod tests;

use db::{Row, args};
use kit::{Error, Kind, Result, Selection, Subject, query::Direction};

use crate::{
    Context,
    audit::{self, Entry, Event},
    listing::{Field, List, Listing},
    projects::Allowed,
    rights::{Action, Resource, Right},
};

pub use protect::{Rules, known};
pub(crate) use protect::{protect, refused_copy, refused_delete, refused_push, rules};
pub use rule::{NewRule, Rule};
pub(crate) use selector::{Meant, check_many, repositories_of};
pub use selector::{Scopes, Selector};

/// How many rules a project has at most.
const MOST: i64 = 100;

/// A project has a hundred rules at most.
const RULES: List = List {
    id: "i.id",
    shown: sql::RULES_SHOWN,
    fields: &[
        Field::number("id", "i.id"),
        Field::flag("disabled", "i.disabled"),
        Field::time("creation_time", "i.created_at"),
    ],
    order: ("i.id", Direction::Ascending),
};

/// A page of a project's rules, the oldest first if nothing else is asked for.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list(
    context: &Context,
    allowed: &Allowed,
    selection: &Selection,
) -> Result<Listing<Rule>> {
    allowed.require(Right::new(Resource::ImmutableTag, Action::List))?;
    let args = args![allowed.project().id];
    RULES.page(&context.db, sql::OF_PROJECT_FROM, args, selection, read_rule).await
}

/// Makes a rule, and gives its number.
///
/// # Errors
/// Invalid when it is not well formed; Conflict when the project has the same; Precondition
/// when it has too many.
pub async fn create(context: &Context, allowed: &Allowed, new: NewRule) -> Result<i64> {
    allowed.require(Right::new(Resource::ImmutableTag, Action::Create))?;
    let (text, fingerprint) = new.to_stored()?;
    let (project, caches) = (allowed.project().clone(), context.caches.clone());
    let audit = audit::by(context, allowed.by()).await?;
    let name = project.name.clone();
    let made = context
        .db
        .write(move |tx| {
            let (project, caches, audit) = (project.clone(), caches.clone(), audit.clone());
            let (text, fingerprint) = (text.clone(), fingerprint.clone());
            Box::pin(async move {
                let row = args![project.id, text, fingerprint, new.disabled, audit.now(), MOST];
                let Some(row) = tx.one(sql::INSERT, row).await? else {
                    let message = format!("a project has at most {MOST} immutable tag rules");
                    return Err(Error::new(Kind::Precondition, message).about(Subject::Tag));
                };
                let id = row.get(0)?;
                caches.immutable_rules.changes(tx, &project.id);
                audit
                    .record(tx, told(Event::CreateImmutableRule, &project.name, id, project.id))
                    .await?;
                Ok(id)
            })
        })
        .await;
    made.map_err(|error| refused(error, &name))
}

/// Changes a rule.
///
/// # Errors
/// As [`create`], and NotFound.
pub async fn update(context: &Context, allowed: &Allowed, id: i64, new: NewRule) -> Result<()> {
    allowed.require(Right::new(Resource::ImmutableTag, Action::Update))?;
    let (text, fingerprint) = new.to_stored()?;
    let (project, caches) = (allowed.project().clone(), context.caches.clone());
    let audit = audit::by(context, allowed.by()).await?;
    let name = project.name.clone();
    let changed = context
        .db
        .write(move |tx| {
            let (project, caches, audit) = (project.clone(), caches.clone(), audit.clone());
            let (text, fingerprint) = (text.clone(), fingerprint.clone());
            Box::pin(async move {
                let row = args![project.id, id, text, fingerprint, new.disabled];
                if tx.execute(sql::UPDATE, row).await? == 0 {
                    return Err(unknown(id));
                }
                caches.immutable_rules.changes(tx, &project.id);
                audit
                    .record(tx, told(Event::UpdateImmutableRule, &project.name, id, project.id))
                    .await
            })
        })
        .await;
    changed.map_err(|error| refused(error, &name))
}

/// Deletes a rule.
///
/// # Errors
/// NotFound.
pub async fn delete(context: &Context, allowed: &Allowed, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::ImmutableTag, Action::Delete))?;
    let (project, caches) = (allowed.project().clone(), context.caches.clone());
    let audit = audit::by(context, allowed.by()).await?;
    context
        .db
        .write(move |tx| {
            let (project, caches, audit) = (project.clone(), caches.clone(), audit.clone());
            Box::pin(async move {
                if tx.execute(sql::DELETE, args![project.id, id]).await? == 0 {
                    return Err(unknown(id));
                }
                caches.immutable_rules.changes(tx, &project.id);
                audit
                    .record(tx, told(Event::DeleteImmutableRule, &project.name, id, project.id))
                    .await
            })
        })
        .await
}

fn told(event: Event, project: &str, id: i64, project_id: i64) -> Entry {
    Entry::new(event, format!("{project}/{id}")).in_project(project_id)
}

fn unknown(id: i64) -> Error {
    Error::not_found(Subject::Tag, format!("immutable rule {id} not found"))
}

fn refused(error: Error, project: &str) -> Error {
    if error.is(Kind::Conflict) {
        return Error::conflict("immutable rule already exists").about(Subject::Tag);
    }
    // A foreign key: the project was deleted meanwhile.
    if error.is(Kind::Precondition) && error.source.is_some() {
        return Error::not_found(Subject::Project, format!("project {project} not found"));
    }
    error
}

/// Reads the columns of [`sql::RULES_SHOWN`].
fn read_rule(row: &Row) -> Result<Rule> {
    Ok(Rule {
        id: row.get(0)?,
        what: NewRule::from_stored(&row.get::<String>(1)?, row.get(2)?)?,
        created_at: row.get(3)?,
    })
}
