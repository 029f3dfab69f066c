//! Deleting a project.

use db::args;
use kit::{Error, Kind, Result, Subject};

use super::{Allowed, TOTAL, sql};
use crate::{
    Context, allowlists,
    audit::{self, Entry, Event},
    events::{self, Happened},
    rights::{Action, Resource, Right},
};

/// Why a project with repositories stays.
const HAS_REPOSITORIES: &str = "the project contains repositories, can not be deleted";

/// Why a project cannot be deleted now, if so.
///
/// # Errors
/// None but the database's.
pub async fn kept_by(context: &Context, allowed: &Allowed) -> Result<Option<&'static str>> {
    allowed.require(Right::new(Resource::Itself, Action::Delete))?;
    let found = context.db.one(sql::ANY_REPOSITORY, args![allowed.project().id]).await?;
    Ok(found.map(|_| HAS_REPOSITORIES))
}

/// Deletes a project that has no repositories.
///
/// # Errors
/// Precondition when it has repositories; NotFound when somebody else was faster.
pub async fn delete(context: &Context, allowed: &Allowed) -> Result<()> {
    allowed.require(Right::new(Resource::Itself, Action::Delete))?;
    let audit = audit::by(context, allowed.by()).await?;
    let (id, caches) = (allowed.project().id, context.caches.clone());
    context
        .db
        .write(move |tx| {
            let (caches, audit) = (caches.clone(), audit.clone());
            Box::pin(async move {
                // Locked first: a repository that is being made is then either seen by
                // the next statement or fails for want of its project.
                let Some(row) = tx.one(sql::LOCK, args![id]).await? else {
                    return Err(Error::not_found(
                        Subject::Project,
                        format!("project {id} not found"),
                    ));
                };
                let name: String = row.get(0)?;
                if tx.one(sql::ANY_REPOSITORY, args![id]).await?.is_some() {
                    let kept = Error::new(Kind::Precondition, HAS_REPOSITORIES);
                    return Err(kept.about(Subject::Project));
                }
                // They go with the project, and must be forgotten.
                for row in tx.all(sql::ROBOTS, args![id]).await? {
                    caches.robots.changes(tx, &row.get(0)?);
                }
                allowlists::remove(tx, id).await?;
                tx.execute(sql::DELETE, args![id]).await?;
                caches.projects.changes(tx, &name);
                caches.project_total.changes(tx, &TOTAL);
                let entry = Entry::new(Event::DeleteProject, &name).in_project(id);
                audit.record(tx, entry).await?;
                let deleted = events::Event::ProjectDeleted { name };
                events::record(tx, &Happened::by(&audit, deleted).in_project(id)).await
            })
        })
        .await
}
