//! Finding and reading manifests, from memory when nothing has changed.

use std::sync::Arc;

use bytes::Bytes;
use db::args;
use kit::{Error, Result, Subject};
use oci::{Digest, Reference, RepositoryName};

use super::{Stored, sql};
use crate::{
    Context,
    access::{Allowed, Right},
    audit,
    cache::Pair,
    repositories,
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
            let key = Pair(repository.id, tag.clone());
            let target = context.caches.tags.get(&context.db, &key, || async {
                let arguments = args![repository.id, tag.as_str()];
                let row = context.db.one(sql::TAG_TARGET, arguments).await?;
                row.map(|row| parse(&row.get::<String>(0)?)).transpose()
            });
            *target.await?.ok_or_else(|| unknown(reference))?
        }
    };
    stored(context, repository.id, &digest).await?.ok_or_else(|| unknown(reference))
}

/// Notes that somebody was given a manifest, for the audit log. It is written soon, not now.
///
/// # Errors
/// Those of the database when the settings are not in memory.
pub async fn pulled(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<()> {
    allowed.require(Right::PULL)?;
    let resource = reference.in_repository(name);
    audit::pulled(context, allowed.by(), allowed.project().id, resource).await
}

async fn stored(
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
