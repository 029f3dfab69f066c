//! Finding the artifact that a deed is about.

use db::{Tx, args};
use kit::{Error, Result, Subject};
use oci::{Digest, Reference, RepositoryName};

use super::{pull::parse, sql};

/// An artifact that a deed is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located {
    /// Its number.
    pub(super) id: i64,
    /// The digest of its manifest.
    pub(super) digest: Digest,
}

/// The artifact that a reference names, which nobody deletes until the transaction ends.
///
/// # Errors
/// NotFound.
pub(super) async fn locate(
    tx: &mut Tx,
    repository_id: i64,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Located> {
    named(tx, sql::KEEP_ARTIFACT, repository_id, name, reference).await
}

/// The artifact that a reference names, for who deletes it: that locks blobs before artifacts,
/// and of two who had kept it as [`locate`] does, each would wait for the other.
///
/// # Errors
/// NotFound.
pub(super) async fn find(
    tx: &mut Tx,
    repository_id: i64,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Located> {
    named(tx, sql::FIND_ARTIFACT, repository_id, name, reference).await
}

/// What a statement gives for the digest that a reference is or points to.
async fn named(
    tx: &mut Tx,
    by_digest: &'static str,
    repository_id: i64,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Located> {
    let missing = || absent(name, reference);
    let digest: String = match reference {
        Reference::Digest(digest) => digest.to_string(),
        Reference::Tag(tag) => {
            let target = tx.one(sql::TAG_TARGET, args![repository_id, tag.as_str()]).await?;
            target.ok_or_else(missing)?.get(0)?
        }
    };
    let row = tx.one(by_digest, args![repository_id, digest]).await?.ok_or_else(missing)?;
    Ok(Located { id: row.get(0)?, digest: parse(&row.get::<String>(1)?)? })
}

/// The error for an artifact that is not there, for the API.
pub(super) fn absent(name: &RepositoryName, reference: &Reference) -> Error {
    let artifact = reference.in_repository(name);
    Error::not_found(Subject::Manifest, format!("artifact {artifact} not found"))
}
