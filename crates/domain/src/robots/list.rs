//! What is shown of robots.

use std::sync::Arc;

use db::args;
use kit::{Page, Result};

use super::{AllowedLevel, Robot, add_permissions, change::unknown, find, prefix, read_robot, sql};
use crate::{
    Context,
    listing::{Listing, containing, limit, offset},
    rights::Action,
};

/// Which robots a list has, and in which order.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of the name, without the prefix, in whatever case.
    pub name: Option<String>,
    /// How to sort: Harbor's name of a field, with a hyphen before it for backwards. By
    /// name if it is none of them.
    pub sort: Option<String>,
}

/// A page of the robots of a level: one count, one query for the page, one for the
/// permissions of all.
///
/// # Errors
/// None but the database's.
pub async fn list(
    context: &Context,
    allowed: &AllowedLevel,
    filter: &Filter,
    page: Page,
) -> Result<Listing<Robot>> {
    allowed.require(Action::List)?;
    let name = filter.name.as_deref().map(containing);
    let mut args = args![allowed.level().project_id(), name];
    let total = context.db.one(sql::COUNT, args.clone()).await?;
    args.push(filter.sort.clone().unwrap_or_default());
    args.push(limit(page));
    args.push(offset(page));
    let rows = context.db.all(sql::PAGE, args).await?;
    let prefix = prefix(context).await?;
    let mut items = rows.iter().map(|row| read_robot(&prefix, row)).collect::<Result<Vec<_>>>()?;
    add_permissions(context, &mut items).await?;
    Ok(Listing { items, total: total.map_or(Ok(0), |row| row.get(0))? })
}

/// All that is shown of a robot of the level that was allowed.
///
/// # Errors
/// NotFound.
pub async fn show(context: &Context, allowed: &AllowedLevel, id: i64) -> Result<Arc<Robot>> {
    allowed.require(Action::Read)?;
    known(context, allowed, id).await
}

/// The robot of a number, if it is of the level that was allowed.
pub(super) async fn known(
    context: &Context,
    allowed: &AllowedLevel,
    id: i64,
) -> Result<Arc<Robot>> {
    let robot = find(context, id).await?.filter(|robot| robot.level == allowed.level());
    robot.ok_or_else(|| unknown(id))
}
