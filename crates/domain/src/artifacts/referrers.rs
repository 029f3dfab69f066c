//! What refers to a subject (distribution-spec, "Listing Referrers").

use db::{Args, Sql, args};
use kit::{Error, Result};
use oci::{Digest, RepositoryName};

use super::sql;
use crate::{
    Context,
    access::{Allowed, Right},
    repositories,
};

/// A manifest whose subject was asked for.
#[derive(Clone, Debug)]
pub struct Referrer {
    /// Its digest.
    pub digest: String,
    /// The media type of the manifest.
    pub media_type: String,
    /// The size of the manifest in bytes.
    pub size: i64,
    /// Its artifact type, or its config's media type.
    pub artifact_type: Option<String>,
    /// Its annotations, as a JSON object.
    pub annotations: Option<String>,
}

/// A page of referrers in the order of their digests.
#[derive(Clone, Debug, Default)]
pub struct Referrers {
    /// The referrers.
    pub found: Vec<Referrer>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// A page ends when its descriptors' text reaches this many bytes: clients bound what
/// they read to 4 MiB.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// What refers to a subject, of some artifact types or of any, after a digest.
/// A subject or repository that does not exist has none.
///
/// # Errors
/// Those of the database.
pub async fn referrers(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    subject: &Digest,
    types: &[String],
    last: &str,
    limit: u64,
) -> Result<Referrers> {
    allowed.require(Right::PULL)?;
    let Some(repository) = repositories::find(context, name).await? else {
        return Ok(Referrers::default());
    };
    let one_more = i64::try_from(limit).map_err(Error::internal)? + 1;
    let mut arguments: Args = args![repository.id, subject.to_string(), last, one_more];
    let rows = if types.is_empty() {
        context.db.all(sql::REFERRERS, arguments).await?
    } else {
        for of_type in types {
            arguments.push(of_type.as_str());
        }
        let before = sql::REFERRERS_OF_TYPES_BEFORE;
        let filtered = Sql::list(before, types.len(), sql::REFERRERS_OF_TYPES_AFTER);
        context.db.all(filtered, arguments).await?
    };
    let mut page = Referrers::default();
    let mut bytes = 0;
    for row in &rows {
        let referrer = Referrer {
            digest: row.get(0)?,
            media_type: row.get(1)?,
            size: row.get(2)?,
            artifact_type: row.get(3)?,
            annotations: row.get(4)?,
        };
        bytes += referrer.annotations.as_ref().map_or(0, String::len) + DESCRIPTOR_BYTES;
        let full = page.found.len() as u64 == limit || bytes > PAGE_BYTES;
        if full && !page.found.is_empty() {
            page.more = true;
            break;
        }
        page.found.push(referrer);
    }
    Ok(page)
}

/// About what a descriptor takes beside its annotations.
const DESCRIPTOR_BYTES: usize = 400;
