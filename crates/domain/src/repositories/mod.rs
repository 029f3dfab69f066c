//! Repositories: the names under which a project keeps artifacts.
//!
//! Owns the table `repositories`. A repository comes into being with the first blob or
//! manifest that is pushed to it. Its row is found by name from memory; the row never
//! moves to another name or project. Whoever puts something into a repository keeps its row
//! ([`ensure`]), so that it is not deleted meanwhile.

mod describe;
mod sql;

use std::sync::Arc;

use db::{Change, Tx, args};
use kit::{Error, Result, Subject, Time};
use oci::RepositoryName;

use crate::{Context, context::Caches, projects::Allowed};

pub use describe::describe;

/// What the number of all repositories is called among changes, and kept under in memory.
pub(crate) const TOTAL: (&str, u8) = ("repository_total", 0);

/// What is remembered of a repository.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Its row.
    pub id: i64,
    /// The project that it belongs to.
    pub project_id: i64,
}

/// The repository of a name, if it exists.
pub(crate) async fn find(
    context: &Context,
    name: &RepositoryName,
) -> Result<Option<Arc<Repository>>> {
    let name = name.as_str();
    context
        .caches
        .repositories
        .get(&context.db, name, || async {
            let row = context.db.one(sql::FIND, args![name]).await?;
            row.map(|row| Ok(Repository { id: row.get(0)?, project_id: row.get(1)? })).transpose()
        })
        .await
}

/// The repository of a name, or an error that says that it is unknown.
pub(crate) async fn known(context: &Context, name: &RepositoryName) -> Result<Arc<Repository>> {
    find(context, name).await?.ok_or_else(|| {
        Error::not_found(Subject::Repository, format!("repository {name} not found"))
    })
}

/// The repository of a name among those that somebody may do something with.
///
/// # Errors
/// Forbidden when the right does not reach it; NotFound.
pub(crate) async fn allowed(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
) -> Result<Arc<Repository>> {
    allowed.require_repository(name)?;
    let repository = known(context, name).await?;
    if repository.project_id == allowed.project().id {
        return Ok(repository);
    }
    Err(Error::not_found(Subject::Repository, format!("repository {name} not found")))
}

/// The row of a repository within a transaction, made if it is not there yet. It stays until
/// the transaction ends.
pub(crate) async fn ensure(
    tx: &mut Tx,
    project_id: i64,
    name: &RepositoryName,
    now: Time,
) -> Result<i64> {
    for _ in 0..ATTEMPTS {
        if let Some(row) = tx.one(sql::KEEP, args![name.as_str()]).await? {
            return row.get(0);
        }
        if let Some(row) = tx.one(sql::CREATE, args![project_id, name.as_str(), now]).await? {
            tx.announce(Change::new(TOTAL.0, TOTAL.1.to_string()));
            return row.get(0);
        }
        // Somebody else made it since the first look, and may be deleting it.
    }
    Err(Error::unavailable("the repository is being deleted"))
}

/// How often a repository is looked for and made before a deed gives up.
const ATTEMPTS: usize = 5;

/// Keeps everybody from putting something into a repository until the transaction ends. False
/// if it is gone.
pub(crate) async fn lock(tx: &mut Tx, id: i64) -> Result<bool> {
    Ok(tx.one(sql::LOCK, args![id]).await?.is_some())
}

/// Deletes a repository that is locked, has no artifacts and holds nothing.
pub(crate) async fn delete(
    tx: &mut Tx,
    caches: &Caches,
    id: i64,
    name: &RepositoryName,
) -> Result<()> {
    caches.repositories.changes(tx, &name.as_str().to_owned());
    caches.repository_total.changes(tx, &TOTAL.1);
    tx.execute(sql::DELETE, args![id]).await.map(drop)
}

/// How many repositories there are.
pub(crate) async fn total(context: &Context) -> Result<i64> {
    let count = async || {
        let row = context.db.one(sql::TOTAL, args![]).await?;
        row.map(|row| row.get(0)).transpose()
    };
    let total = context.caches.repository_total.get(&context.db, &TOTAL.1, count).await?;
    Ok(total.map_or(0, |total| *total))
}

/// Full names of a project's repositories after one of them, in byte order.
pub(crate) async fn names(
    context: &Context,
    project_id: i64,
    after: &str,
    most: i64,
) -> Result<Vec<String>> {
    let rows = context.db.all(sql::NAMES, args![project_id, after, most]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
