//! What is shown of robots.

use std::sync::Arc;

use db::{Row, args};
use kit::{Result, Selection, query::Direction};

use super::{
    AllowedLevel, Level, Robot, add_permissions, change::unknown, find, prefix, read_robot, sql,
};
use crate::{
    Context,
    listing::{Field, List, Listing},
    rights::Action,
};

/// The robots of a level are found by its index; they are some hundred.
pub(super) const LIST: List = List {
    id: "r.id",
    shown: sql::LIST_SHOWN,
    fields: &[
        Field::text("name", "r.name"),
        Field::number("id", "r.id"),
        Field::text("description", "r.description"),
        Field::number("duration", "r.duration"),
        Field::flag("disabled", "r.disabled"),
        Field::text("creator_type", "r.creator_type"),
        Field::number("creator_ref", "r.creator_ref"),
        Field::time("creation_time", "r.created_at"),
        Field::time("update_time", "r.updated_at"),
    ],
    order: ("r.name", Direction::Ascending),
};

/// A page of the robots of a level, by name, which is without the prefix, if nothing else is
/// asked for.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list(
    context: &Context,
    allowed: &AllowedLevel,
    selection: &Selection,
) -> Result<Listing<Robot>> {
    allowed.require(Action::List)?;
    let (from, args) = match allowed.level() {
        Level::System => (sql::SYSTEM_FROM, args![]),
        Level::Project(id) => (sql::PROJECT_FROM, args![id]),
    };
    let prefix = prefix(context).await?;
    let read = |row: &Row| read_robot(&prefix, row);
    let mut found = LIST.page(&context.db, from, args, selection, read).await?;
    add_permissions(context, &mut found.items).await?;
    Ok(found)
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
