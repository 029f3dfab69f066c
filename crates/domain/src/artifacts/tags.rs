//! Lists of names, page by page: the tags of a repository, and the catalog.

use db::args;
use kit::{Error, Result};
use oci::RepositoryName;

use super::sql;
use crate::{
    Context,
    access::{Allowed, AllowedCatalog, Right},
    repositories,
};

/// A page of names in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The names.
    pub names: Vec<String>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// At most `limit` tags of a repository after `last`, which need not exist.
///
/// # Errors
/// Not found when the repository does not exist.
pub async fn tags(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    last: &str,
    limit: u64,
) -> Result<Names> {
    allowed.require(Right::PULL)?;
    let repository = repositories::known(context, name).await?;
    let one_more = i64::try_from(limit).map_err(Error::internal)? + 1;
    let rows = context.db.all(sql::TAGS, args![repository.id, last, one_more]).await?;
    page(rows, limit)
}

/// At most `limit` repositories after `last` that the caller may see.
///
/// # Errors
/// Those of the database.
pub async fn catalog(
    context: &Context,
    allowed: AllowedCatalog,
    last: &str,
    limit: u64,
) -> Result<Names> {
    let one_more = i64::try_from(limit).map_err(Error::internal)? + 1;
    let rows = context.db.all(sql::CATALOG, args![last, allowed.only_for(), one_more]).await?;
    page(rows, limit)
}

/// One row more than asked for tells that there are more.
fn page(rows: Vec<db::Row>, limit: u64) -> Result<Names> {
    let limit = usize::try_from(limit).map_err(Error::internal)?;
    let more = limit > 0 && rows.len() > limit;
    let names = rows.iter().take(limit).map(|row| row.get(0)).collect::<Result<_>>()?;
    Ok(Names { names, more })
}
