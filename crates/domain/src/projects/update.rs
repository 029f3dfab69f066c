//! Changing a project.

use db::args;
use kit::Result;

use super::{
    Allowed, Metadata,
    metadata::{gone, require_retention},
    sql,
};
use crate::{
    Context, allowlists,
    audit::{self, Entry, Event},
    rights::{Action, Resource, Right},
};

/// What is to be changed of a project; what is not given stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What is set.
    pub metadata: Metadata,
    /// The CVEs that do not count in it.
    pub allowlist: Option<allowlists::Change>,
    /// The retention policy that it is said to have, by clients that send what they were shown.
    pub retention_id: Option<String>,
}

/// Changes a project.
///
/// # Errors
/// Invalid when the allowlist cannot be so, or it has not this retention policy; NotFound when the project was deleted meanwhile.
pub async fn update(context: &Context, allowed: &Allowed, change: Change) -> Result<()> {
    allowed.require(Right::new(Resource::Itself, Action::Update))?;
    if let Some(allowlist) = &change.allowlist {
        allowlist.check()?;
    }
    let (project, now) = (allowed.project().clone(), context.clock.now());
    let (caches, audit) = (context.caches.clone(), audit::by(context, allowed.by()).await?);
    context
        .db
        .write(move |tx| {
            let (change, project) = (change.clone(), project.clone());
            let (caches, audit) = (caches.clone(), audit.clone());
            Box::pin(async move {
                let args = args![project.id, change.metadata.public, now];
                if tx.execute(sql::UPDATE, args).await? == 0 {
                    return Err(gone(&project.name));
                }
                if let Some(retention_id) = &change.retention_id {
                    require_retention(tx, project.id, retention_id).await?;
                }
                change.metadata.store(tx, project.id).await?;
                if let Some(allowlist) = &change.allowlist {
                    allowlist.store(tx, project.id, now).await?;
                }
                caches.projects.changes(tx, &project.name.to_string());
                let entry = Entry::new(Event::UpdateProject, &*project.name).in_project(project.id);
                audit.record(tx, entry).await
            })
        })
        .await
}
