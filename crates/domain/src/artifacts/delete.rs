//! Deleting tags and artifacts.

use std::sync::Arc;

use db::{Tx, args};
use kit::{Error, Kind, Result, Subject, Time};
use oci::{Digest, Reference, RepositoryName, Tag};

use super::{pull::unknown, sql};
use crate::{
    Context,
    access::{Allowed, Right},
    audit::{self, Entry, Event},
    cache::Pair,
    context::Caches,
    events::{self, Happened},
    immutability, quotas, repositories, uploads,
};

/// Deletes a tag; the manifest stays.
///
/// # Errors
/// Not found when there is no such tag; immutable when a rule keeps it.
pub async fn untag(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    tag: &Tag,
) -> Result<()> {
    allowed.require(Right::DELETE)?;
    let repository = repositories::known(context, name).await?;
    let (tag, caches) = (tag.clone(), context.caches.clone());
    let audit = audit::by(context, allowed.by()).await?;
    let entry =
        Entry::new(Event::DeleteTag, format!("{name}:{tag}")).in_project(allowed.project().id);
    let name = name.clone();
    context
        .db
        .write(move |tx| {
            let (repository, name) = (repository.clone(), name.clone());
            let (tag, caches) = (tag.clone(), caches.clone());
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                let of = (repository.project_id, &name, repository.id);
                if !untag_row(tx, &caches, of, None, &tag).await? {
                    return Err(unknown(&Reference::Tag(tag)));
                }
                let event = events::Event::TagDeleted { tag: tag.to_string(), digest: None };
                audit.record(tx, entry).await?;
                let happened = Happened::by(&audit, event);
                let happened = happened.in_project(repository.project_id);
                events::record(tx, &happened.in_repository(name.as_str())).await
            })
        })
        .await
}

/// Deletes a tag, of one artifact if that is said. False if there is none.
///
/// # Errors
/// Immutable when a rule keeps it.
pub(super) async fn untag_row(
    tx: &mut Tx,
    caches: &Caches,
    (project_id, name, repository_id): (i64, &RepositoryName, i64),
    artifact_id: Option<i64>,
    tag: &Tag,
) -> Result<bool> {
    let deleted = match artifact_id {
        None => tx.execute(sql::DELETE_TAG, args![repository_id, tag.as_str()]).await?,
        Some(id) => tx.execute(sql::DELETE_TAG_OF, args![repository_id, tag.as_str(), id]).await?,
    };
    if deleted == 0 {
        return Ok(false);
    }
    immutability::protect(tx, project_id, name, [tag.as_str()]).await?;
    caches.tags.changes(tx, &Pair(repository_id, tag.clone()));
    Ok(true)
}

/// Deletes an artifact with all its tags. Its blobs stay for a window, and what refers
/// to it stays.
///
/// # Errors
/// Not found when there is none; precondition while an index lists it; immutable when a rule
/// keeps one of its tags.
pub async fn delete(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<()> {
    allowed.require(Right::DELETE)?;
    let repository = repositories::known(context, name).await?;
    let digest = *digest;
    let (caches, now) = (context.caches.clone(), context.clock.now());
    let audit = audit::by(context, allowed.by()).await?;
    let entry = Entry::new(Event::DeleteArtifact, format!("{name}@{digest}"))
        .in_project(allowed.project().id);
    let name = name.clone();
    context
        .db
        .write(move |tx| {
            let (repository, name, caches) = (repository.clone(), name.clone(), caches.clone());
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                let tags = delete_row(tx, &caches, (&name, repository.id), digest, now).await?;
                audit.record(tx, entry).await?;
                let event = events::Event::ArtifactDeleted { digest: digest.to_string(), tags };
                let happened = Happened::by(&audit, event);
                let happened = happened.in_project(repository.project_id);
                events::record(tx, &happened.in_repository(name.as_str())).await
            })
        })
        .await
}

/// Deletes the row of an artifact, and gives the tags that went with it.
async fn delete_row(
    tx: &mut Tx,
    caches: &Arc<Caches>,
    (name, repository_id): (&RepositoryName, i64),
    digest: Digest,
    now: Time,
) -> Result<Vec<String>> {
    let gone = || unknown(&Reference::Digest(digest));
    let found = tx.one(sql::FIND, args![repository_id, digest.to_string()]).await?;
    let found = found.ok_or_else(gone)?;
    let (artifact_id, manifest_id): (i64, i64) = (found.get(0)?, found.get(1)?);
    let project_id: i64 = found.get(2)?;
    // Locks in the order in which a push takes them: blobs, bytes, artifact.
    let blobs = uploads::unreference(tx, caches, repository_id, artifact_id, now).await?;
    tx.one(sql::LOCK_CONTENT, args![manifest_id]).await?;
    tx.one(sql::ARTIFACT, args![repository_id, digest.to_string()]).await?.ok_or_else(gone)?;
    if let Some(parent) = tx.one(sql::PARENT, args![artifact_id]).await? {
        return Err(listed(&digest, &parent.get::<String>(0)?));
    }
    let mut tags = Vec::new();
    for row in tx.all(sql::DELETE_TAGS, args![artifact_id]).await? {
        let tag: Tag = row.get::<String>(0)?.parse().map_err(Error::internal)?;
        tags.push(tag.to_string());
        caches.tags.changes(tx, &Pair(repository_id, tag));
    }
    immutability::protect(tx, project_id, name, tags.iter().map(String::as_str)).await?;
    tx.execute(sql::DELETE_ARTIFACT, args![artifact_id]).await?;
    tx.execute(sql::DELETE_CONTENT, args![manifest_id]).await?;
    caches.manifests.changes(tx, &Pair(repository_id, digest));
    quotas::remove(tx, project_id, &blobs, Some(manifest_id)).await?;
    Ok(tags)
}

fn listed(digest: &Digest, parent: &str) -> Error {
    Error::new(
        Kind::Precondition,
        format!("the artifact {digest} is referenced by the index {parent}"),
    )
    .about(Subject::Manifest)
}
