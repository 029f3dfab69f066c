//! Lists of names, page by page: the tags of a repository, and the catalog.

use db::args;
use kit::Result;
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

/// At most `count` tags of a repository after `last`, which need not exist.
///
/// # Errors
/// Not found when the repository does not exist.
pub async fn tags(
    ctx: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    last: &str,
    count: u32,
) -> Result<Names> {
    allowed.require(Right::PULL)?;
    let repository = repositories::known(ctx, name).await?;
    let limit = i64::from(count) + 1;
    let rows = ctx.db.all(sql::TAGS, args![repository.id, last, limit]).await?;
    page(rows, count)
}

/// At most `count` repositories after `last` that the caller may see.
///
/// # Errors
/// Those of the database.
pub async fn catalog(ctx: &Context, allowed: AllowedCatalog, last: &str, count: u32) -> Result<Names> {
    let limit = i64::from(count) + 1;
    let rows = ctx.db.all(sql::CATALOG, args![last, allowed.only_for(), limit]).await?;
    page(rows, count)
}

/// One row more than asked for tells that there are more.
fn page(rows: Vec<db::Row>, count: u32) -> Result<Names> {
    let count = count as usize;
    let more = count > 0 && rows.len() > count;
    let names = rows.iter().take(count).map(|row| row.get(0)).collect::<Result<_>>()?;
    Ok(Names { names, more })
}
