//! Deleting a repository with all that is in it.

use std::sync::Arc;

use db::args;
use kit::{Error, Result, Subject};
use oci::RepositoryName;
use tokio::task;

use super::{
    delete::removal,
    removal::{AT_ONCE, Removal, Why, ids},
    sql,
};
use crate::{
    Context,
    access::{Allowed, Right},
    audit::{self, Entry, Event},
    events::{self, Happened},
    immutability, repositories, uploads,
};

/// Deletes a repository: its artifacts in many short transactions, then what it holds, then
/// itself. It goes on when whoever asked has gone; if it is broken off, deleting again goes on.
/// What is pushed meanwhile stays, and the repository with it, as if it had been made anew.
///
/// # Errors
/// NotFound; Immutable when a rule keeps one of its tags.
pub async fn delete_repository(
    context: &Arc<Context>,
    allowed: &Allowed,
    name: &RepositoryName,
) -> Result<()> {
    allowed.require(Right::DELETE)?;
    let repository = repositories::allowed(context, allowed, name).await?;
    let audit = audit::by(context, allowed.by()).await?;
    let removal = removal(context, &repository, name, &audit);
    let emptying = Emptying { context: context.clone(), removal };
    task::spawn(emptying.carry_out()).await.map_err(Error::internal)?
}

/// How many blobs a repository lets go in one transaction.
const IDLE_AT_ONCE: i64 = 2000;

/// How many tags are looked at with one statement.
const TAGS_AT_ONCE: i64 = 1000;

struct Emptying {
    context: Arc<Context>,
    removal: Removal,
}

/// How far a round of removals has come.
#[derive(Clone, Copy)]
struct Round {
    /// The highest number of an artifact that is to go.
    newest: i64,
    /// The time of push and the number of the artifact that was looked at last: those before it
    /// are still to be looked at.
    last: (i64, i64),
    /// How many have been removed.
    removed: usize,
}

impl Emptying {
    async fn carry_out(self) -> Result<()> {
        self.require_mutable().await?;
        let newest = args![self.removal.repository_id];
        let newest = self.context.db.one(sql::NEWEST, newest).await?;
        let newest: i64 = newest.map_or(Ok(0), |row| row.get(0))?;
        // Indexes mostly come after what they list, so that one round from the last pushed on
        // finds nothing that is still listed.
        loop {
            let mut round = Round { newest, last: (i64::MAX, i64::MAX), removed: 0 };
            while let Some(next) = self.remove_some(round).await? {
                round = next;
            }
            if round.removed == 0 {
                break;
            }
        }
        while self.let_idle_go().await? == IDLE_AT_ONCE.unsigned_abs() {}
        self.let_go().await
    }

    /// Lets some of the blobs go that nothing needs any more, so that the end is short.
    async fn let_idle_go(&self) -> Result<u64> {
        let id = self.removal.repository_id;
        self.context
            .db
            .write(move |tx| {
                Box::pin(async move { uploads::let_idle_go(tx, id, IDLE_AT_ONCE).await })
            })
            .await
    }

    /// Refuses before anything has gone what a rule would refuse later.
    async fn require_mutable(&self) -> Result<()> {
        let Removal { project_id, repository_id, name, .. } = &self.removal;
        let rules = immutability::known(&self.context, *project_id).await?;
        let mut last = String::new();
        while !rules.is_empty() {
            let tags = args![*repository_id, last.as_str(), TAGS_AT_ONCE];
            let rows = self.context.db.all(sql::TAGS, tags).await?;
            for row in &rows {
                last = row.get(0)?;
                if rules.cover(name.rest().unwrap_or_default(), &last) {
                    return Err(immutability::refused_delete(&last));
                }
            }
            if rows.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Removes the next artifacts of a round. None when there are no more.
    async fn remove_some(&self, round: Round) -> Result<Option<Round>> {
        let removal = self.removal.clone();
        self.context
            .db
            .write(move |tx| {
                let removal = removal.clone();
                Box::pin(async move {
                    let most = i64::try_from(AT_ONCE).map_err(Error::internal)?;
                    let (pushed_at, id) = round.last;
                    let next = args![removal.repository_id, pushed_at, id, round.newest, most];
                    let rows = tx.all(sql::LAST_PUSHED, next).await?;
                    let Some(row) = rows.last() else { return Ok(None) };
                    let last = (row.get(1)?, row.get(0)?);
                    let removed = removal.remove_all(tx, &ids(&rows)?, Why::All).await?;
                    let deleted: Vec<Happened> =
                        removed.into_iter().map(|removed| removal.deleted(removed)).collect();
                    events::record_all(tx, &deleted).await?;
                    let removed = round.removed + deleted.len();
                    Ok(Some(Round { last, removed, ..round }))
                })
            })
            .await
    }

    /// Deletes the repository itself, unless somebody has pushed something meanwhile.
    async fn let_go(&self) -> Result<()> {
        let removal = self.removal.clone();
        self.context
            .db
            .write(move |tx| {
                let removal = removal.clone();
                Box::pin(async move {
                    let Removal { caches, project_id, repository_id, name, audit } = &removal;
                    let (project_id, repository_id) = (*project_id, *repository_id);
                    if !repositories::lock(tx, repository_id).await? {
                        let message = format!("repository {name} not found");
                        return Err(Error::not_found(Subject::Repository, message));
                    }
                    if tx.one(sql::HAS_ARTIFACTS, args![repository_id]).await?.is_none() {
                        uploads::let_all_go(tx, project_id, repository_id).await?;
                        repositories::delete(tx, caches, repository_id, name).await?;
                    } else {
                        // It stays, and holds less than is remembered.
                        caches.blobs.all_change(tx);
                    }
                    let entry = Entry::new(Event::DeleteRepository, name.as_str());
                    audit.record(tx, entry.in_project(project_id)).await?;
                    let happened = removal.happened(events::Event::RepositoryDeleted);
                    events::record(tx, &happened).await
                })
            })
            .await
    }
}
