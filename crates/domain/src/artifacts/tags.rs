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

/// How many names are fetched at a time for somebody who does not see all.
const AT_A_TIME: i64 = 1000;

/// At most `limit` repositories after `last` that the caller may see.
///
/// # Errors
/// Those of the database.
pub async fn catalog(
    context: &Context,
    allowed: &AllowedCatalog,
    last: &str,
    limit: u64,
) -> Result<Names> {
    let sight = allowed.sight();
    let view = sight.view();
    let one_more = i64::try_from(limit).map_err(Error::internal)? + 1;
    let fetch = async |last: &str, most: i64| {
        let (all, user, robot) = (view.is_everything(), view.user_id(), view.robot_id());
        context.db.all(sql::CATALOG, args![last, all, user, robot, most]).await
    };
    if sight.is_whole() {
        return page(fetch(last, one_more).await?, limit);
    }
    // What patterns keep out only becomes known here.
    let (mut seen, mut last) = (Vec::new(), last.to_owned());
    loop {
        let rows = fetch(&last, AT_A_TIME).await?;
        let fetched = rows.len();
        for row in rows {
            last = row.get(0)?;
            let rest = last.split_once('/').map_or("", |(_, rest)| rest);
            if sight.covers(row.get(1)?, row.get(2)?, rest) {
                seen.push(row);
            }
        }
        if i64::try_from(fetched).map_err(Error::internal)? < AT_A_TIME
            || i64::try_from(seen.len()).map_err(Error::internal)? >= one_more
        {
            return page(seen, limit);
        }
    }
}

/// One row more than asked for tells that there are more.
fn page(rows: Vec<db::Row>, limit: u64) -> Result<Names> {
    let limit = usize::try_from(limit).map_err(Error::internal)?;
    let more = limit > 0 && rows.len() > limit;
    let names = rows.iter().take(limit).map(|row| row.get(0)).collect::<Result<_>>()?;
    Ok(Names { names, more })
}
