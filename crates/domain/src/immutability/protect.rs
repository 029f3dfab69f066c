//! What the rules forbid.

use std::sync::Arc;

use db::{Row, Tx, args};
use kit::{Error, Kind, Result, Subject};
use oci::RepositoryName;

use super::{NewRule, selector::Meant, sql};
use crate::Context;

/// The rules of a project that count, ready to ask.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<(Meant, Meant)>);

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a tag of a repository, named without its project, is immutable.
    pub fn cover(&self, repository: &str, tag: &str) -> bool {
        self.0.iter().any(|(repositories, tags)| repositories.means(repository) && tags.means(tag))
    }

    fn read(rows: &[Row]) -> Result<Self> {
        let read = |row: &Row| {
            // It was read when it was stored, and is not something a caller said now.
            NewRule::from_stored(&row.get::<String>(0)?, false)?.read().map_err(Error::internal)
        };
        rows.iter().map(read).collect::<Result<_>>().map(Self)
    }
}

/// The rules of a project from memory: for what is shown, not for what is decided.
///
/// # Errors
/// None but the database's.
pub async fn known(context: &Context, project_id: i64) -> Result<Arc<Rules>> {
    let find = || async {
        let rows = context.db.all(sql::IN_FORCE, args![project_id]).await?;
        Rules::read(&rows).map(Some)
    };
    let found = context.caches.immutable_rules.get(&context.db, &project_id, find).await?;
    Ok(found.unwrap_or_default())
}

/// The rules of a project as they are in a transaction.
pub(crate) async fn rules(tx: &mut Tx, project_id: i64) -> Result<Rules> {
    Rules::read(&tx.all(sql::IN_FORCE, args![project_id]).await?)
}

/// Refuses to delete tags of a repository of which one is immutable.
///
/// # Errors
/// Immutable, in Harbor's words.
pub(crate) async fn protect<'t>(
    tx: &mut Tx,
    project_id: i64,
    name: &RepositoryName,
    tags: impl IntoIterator<Item = &'t str>,
) -> Result<()> {
    let mut tags = tags.into_iter().peekable();
    if tags.peek().is_none() {
        return Ok(());
    }
    let rules = rules(tx, project_id).await?;
    let repository = name.rest().unwrap_or_default();
    match tags.find(|tag| rules.cover(repository, tag)) {
        Some(tag) => Err(refused_delete(tag)),
        None => Ok(()),
    }
}

/// The error for a delete of a tag that is immutable.
pub(crate) fn refused_delete(tag: &str) -> Error {
    immutable(format!("the tag {tag} configured as immutable, cannot be deleted"))
}

/// The error for a push over a tag that is immutable.
pub(crate) fn refused_push(name: &RepositoryName, tag: &str) -> Error {
    let repository = name.rest().unwrap_or_default();
    immutable(format!(
        "Failed to process request due to '{repository}:{tag}' configured as immutable."
    ))
}

/// The error for a copy that would move a tag that is immutable.
pub(crate) fn refused_copy(tag: &str) -> Error {
    immutable(format!("the tag {tag} configured as immutable, cannot be updated"))
}

fn immutable(message: String) -> Error {
    Error::new(Kind::Immutable, message).about(Subject::Tag)
}
