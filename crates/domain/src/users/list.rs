//! Finding users.

use db::args;
use kit::{
    Page, Result, Selection,
    query::{Direction, Pattern},
};

use super::{User, read_user, sql};
use crate::{
    Context,
    listing::{Field, List, Listing},
    rights::{Action, Allowed, Resource, Right, System},
};

/// Users have indexes on id, name and e-mail address; what else is asked for is looked for
/// among all of them, who are as many as a company has people.
pub(super) const LIST: List = List {
    id: "id",
    shown: sql::LIST_SHOWN,
    fields: &[
        Field::text("username", "username"),
        Field::text("email", "email"),
        Field::number("user_id", "id"),
        Field::text("realname", "realname"),
        Field::text("comment", "comment"),
        Field::flag("sysadmin_flag", "sysadmin"),
        Field::time("creation_time", "created_at"),
        Field::time("update_time", "updated_at"),
    ],
    order: ("username", Direction::Ascending),
};

/// A page of all users, by name if nothing else is asked for.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list(
    context: &Context,
    allowed: &Allowed<System>,
    selection: &Selection,
) -> Result<Listing<User>> {
    allowed.require(Right::new(Resource::User, Action::List))?;
    LIST.page(&context.db, sql::LIST_FROM, args![], selection, read_user).await
}

/// A page of the users whose name contains a text: for whoever is about to make one a
/// member. Only what anybody who is known may see should be shown of them.
///
/// # Errors
/// None but the database's.
pub async fn search(context: &Context, username: &str, page: Page) -> Result<Listing<User>> {
    let mut selection = Selection::from(page);
    selection.filter.set("username", Pattern::Fuzzy(username.to_owned()));
    LIST.page(&context.db, sql::LIST_FROM, args![], &selection, read_user).await
}
