//! Lists of labels.

use db::{Row, args};
use kit::{Result, Selection, query::Direction};

use super::{AllowedScope, Label, read_label, sql};
use crate::{
    Context,
    listing::{Field, List, Listing},
    rights::Action,
};

/// Labels are found by the index on project and name, or that on the names of those that are
/// of no project; there are as many of either as people have thought of.
pub(super) const LIST: List = List {
    id: "l.id",
    shown: sql::LIST_SHOWN,
    fields: &[
        Field::text("name", "l.name"),
        Field::number("id", "l.id"),
        Field::text("description", "l.description"),
        Field::text("color", "l.color"),
        Field::time("creation_time", "l.created_at"),
        Field::time("update_time", "l.updated_at"),
    ],
    order: ("l.name", Direction::Ascending),
};

/// A page of the labels of a project, if there is the proof that they may be listed, or of all
/// projects, which everybody may see. By name if nothing else is asked for.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list(
    context: &Context,
    project: Option<&AllowedScope>,
    selection: &Selection,
) -> Result<Listing<Label>> {
    let read = |row: &Row| read_label(row, 0);
    let (from, args) = match project {
        None => (sql::GLOBAL_FROM, args![]),
        Some(allowed) => {
            allowed.require(Action::List)?;
            (sql::PROJECT_FROM, args![allowed.project_id()])
        }
    };
    LIST.page(&context.db, from, args, selection, read).await
}
