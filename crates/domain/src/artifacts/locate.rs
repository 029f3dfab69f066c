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
    let row = match reference {
        Reference::Digest(digest) => {
            tx.one(sql::KEEP_ARTIFACT, args![repository_id, digest.to_string()]).await?
        }
        Reference::Tag(tag) => {
            match tx.one(sql::TAG_TARGET, args![repository_id, tag.as_str()]).await? {
                Some(row) => {
                    let digest: String = row.get(0)?;
                    tx.one(sql::KEEP_ARTIFACT, args![repository_id, digest]).await?
                }
                None => None,
            }
        }
    };
    let row = row.ok_or_else(|| absent(name, reference))?;
    Ok(Located { id: row.get(0)?, digest: parse(&row.get::<String>(1)?)? })
}

/// The error for an artifact that is not there, for the API.
pub(super) fn absent(name: &RepositoryName, reference: &Reference) -> Error {
    let artifact = reference.in_repository(name);
    Error::not_found(Subject::Manifest, format!("artifact {artifact} not found"))
}
