//! Deleting a project.

use db::args;
use kit::{Error, Kind, Result, Subject};

use super::{Allowed, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Resource, Right},
};

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
                    let message = "the project contains repositories, can not be deleted";
                    return Err(Error::new(Kind::Precondition, message).about(Subject::Project));
                }
                // They go with the project, and must be forgotten.
                for row in tx.all(sql::ROBOTS, args![id]).await? {
                    caches.robots.changes(tx, &row.get(0)?);
                }
                tx.execute(sql::DELETE, args![id]).await?;
                caches.projects.changes(tx, &name);
                let entry = Entry::new(Event::DeleteProject, &name).in_project(id);
                audit.record(tx, entry).await
            })
        })
        .await
}
