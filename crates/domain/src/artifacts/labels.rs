//! Putting labels on artifacts, and taking them away.

use db::Tx;
use kit::Result;
use oci::{Reference, RepositoryName};

use super::{list::known, locate::locate};
use crate::{
    Context,
    access::{Action, Allowed, Resource, Right},
    audit::{self, Audit, Entry, Event},
    events::{self, Happened},
    labels,
};

/// Puts a label on an artifact.
///
/// # Errors
/// NotFound when there is no such artifact, or no label that it may carry; Conflict when it
/// carries the label already.
pub async fn add_label(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    label_id: i64,
) -> Result<()> {
    allowed.require(Right::new(Resource::ArtifactLabel, Action::Create))?;
    let repository_id = known(context, allowed, name).await?;
    let (project_id, audit) = (allowed.project().id, audit::by(context, allowed.by()).await?);
    let (name, reference) = (name.clone(), reference.clone());
    context
        .db
        .write(move |tx| {
            let (audit, name, reference) = (audit.clone(), name.clone(), reference.clone());
            Box::pin(async move {
                let artifact = locate(tx, repository_id, &name, &reference).await?;
                let now = audit.now();
                let label = labels::attach(tx, project_id, artifact.id, label_id, now).await?;
                let entry = Entry::new(Event::CreateArtifactLabel, reference.in_repository(&name))
                    .described(format!("label {} added to {name}@{}", label.name, artifact.digest));
                audit.record(tx, entry.in_project(project_id)).await?;
                let (digest, label) = (artifact.digest.to_string(), label.name);
                let event = events::Event::LabelAdded { digest, label_id, label };
                record(tx, &audit, event, project_id, &name).await
            })
        })
        .await
}

/// Takes a label from an artifact.
///
/// # Errors
/// NotFound when there is no such artifact, or it does not carry the label.
pub async fn remove_label(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    label_id: i64,
) -> Result<()> {
    allowed.require(Right::new(Resource::ArtifactLabel, Action::Delete))?;
    let repository_id = known(context, allowed, name).await?;
    let (project_id, audit) = (allowed.project().id, audit::by(context, allowed.by()).await?);
    let (name, reference) = (name.clone(), reference.clone());
    context
        .db
        .write(move |tx| {
            let (audit, name, reference) = (audit.clone(), name.clone(), reference.clone());
            Box::pin(async move {
                let artifact = locate(tx, repository_id, &name, &reference).await?;
                let label = labels::detach(tx, artifact.id, label_id).await?;
                let text = format!("label {} removed from {name}@{}", label.name, artifact.digest);
                let entry = Entry::new(Event::DeleteArtifactLabel, reference.in_repository(&name));
                audit.record(tx, entry.described(text).in_project(project_id)).await?;
                let (digest, label) = (artifact.digest.to_string(), label.name);
                let event = events::Event::LabelRemoved { digest, label_id, label };
                record(tx, &audit, event, project_id, &name).await
            })
        })
        .await
}

async fn record(
    tx: &mut Tx,
    audit: &Audit,
    event: events::Event,
    project_id: i64,
    name: &RepositoryName,
) -> Result<()> {
    let happened = Happened::by(audit, event).in_project(project_id).in_repository(name.as_str());
    events::record(tx, &happened).await
}
