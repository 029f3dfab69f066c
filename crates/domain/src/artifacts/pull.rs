//! Finding and reading manifests, from memory when nothing has changed.

use std::sync::Arc;

use bytes::Bytes;
use db::args;
use kit::{Error, Result, Subject};
use oci::{Digest, Reference, RepositoryName};

use super::{
    Stored,
    pulls::{self, Mark},
    sql,
};
use crate::{
    Context,
    access::{Allowed, Right},
    audit,
    cache::Pair,
    events, repositories,
};

/// The manifest that a reference names.
///
/// # Errors
/// Not found when the repository or the manifest does not exist.
pub async fn pull(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Arc<Stored>> {
    allowed.require(Right::PULL)?;
    let Some(repository) = repositories::find(context, name).await? else {
        return Err(unknown(reference));
    };
    let digest = match reference {
        Reference::Digest(digest) => *digest,
        Reference::Tag(tag) => {
            let target = target(context, repository.id, tag).await?;
            target.ok_or_else(|| unknown(reference))?.digest
        }
    };
    stored(context, repository.id, &digest).await?.ok_or_else(|| unknown(reference))
}

/// Where a tag points to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    tag_id: i64,
    digest: Digest,
}

async fn target(
    context: &Context,
    repository_id: i64,
    tag: &oci::Tag,
) -> Result<Option<Arc<Target>>> {
    let key = Pair(repository_id, tag.clone());
    context
        .caches
        .tags
        .get(&context.db, &key, || async {
            let arguments = args![repository_id, tag.as_str()];
            let Some(row) = context.db.one(sql::TAG_TARGET, arguments).await? else {
                return Ok(None);
            };
            let digest = parse(&row.get::<String>(0)?)?;
            Ok(Some(Target { tag_id: row.get(1)?, digest }))
        })
        .await
}

/// Notes that somebody was given a manifest, for the audit log, for those who act on events and
/// for what is shown of the artifact, its tag and its repository. It is written soon, not now.
///
/// # Errors
/// Those of the database when the settings are not in memory.
pub async fn pulled(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    stored: &Stored,
) -> Result<()> {
    allowed.require(Right::PULL)?;
    let (artifact_id, repository_id) = (stored.artifact_id, stored.repository_id);
    let tag_id = match reference {
        Reference::Digest(_) => None,
        // It may point elsewhere by now.
        Reference::Tag(tag) => target(context, repository_id, tag)
            .await?
            .filter(|target| target.digest == stored.digest)
            .map(|target| target.tag_id),
    };
    pulls::note(context, Mark { repository_id, artifact_id, tag_id }).await?;
    let place = (allowed.project().id, name.as_str());
    let what = (stored.digest.to_string(), reference.to_string());
    events::pulled(context, allowed.by(), place, what);
    let resource = reference.in_repository(name);
    audit::pulled(context, allowed.by(), allowed.project().id, resource).await
}

pub(super) async fn stored(
    context: &Context,
    repository_id: i64,
    digest: &Digest,
) -> Result<Option<Arc<Stored>>> {
    let key = Pair(repository_id, *digest);
    context
        .caches
        .manifests
        .get(&context.db, &key, || async {
            let arguments = args![repository_id, digest.to_string()];
            let Some(row) = context.db.one(sql::STORED, arguments).await? else { return Ok(None) };
            let subject: Option<String> = row.get(1)?;
            Ok(Some(Stored {
                artifact_id: row.get(3)?,
                repository_id,
                digest: *digest,
                media_type: row.get(0)?,
                subject: subject.as_deref().map(parse).transpose()?,
                content: Bytes::from(row.get::<Vec<u8>>(2)?),
            }))
        })
        .await
}

pub(super) fn unknown(reference: &Reference) -> Error {
    Error::not_found(Subject::Manifest, "manifest unknown")
        .with("manifest unknown", vec![("reference", reference.to_string())])
}

/// A digest that the database keeps as text.
pub(super) fn parse(text: &str) -> Result<Digest> {
    text.parse().map_err(Error::internal)
}
