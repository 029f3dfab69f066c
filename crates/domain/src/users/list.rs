//! Finding users.

use db::args;
use kit::{Page, Result};

use super::{User, read_user, sql};
use crate::{
    Context,
    listing::{Listing, containing, limit, offset},
    rights::{Action, Allowed, Resource, Right, System},
};

/// Which users a list has: those whose name and address contain these texts, in
/// whatever case.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of the name.
    pub username: Option<String>,
    /// Part of the e-mail address.
    pub email: Option<String>,
}

/// A page of all users, by name.
///
/// # Errors
/// None but the database's.
pub async fn list(
    context: &Context,
    allowed: &Allowed<System>,
    filter: &Filter,
    page: Page,
) -> Result<Listing<User>> {
    allowed.require(Right::new(Resource::User, Action::List))?;
    find(context, filter, page).await
}

/// A page of the users whose name contains a text: for whoever is about to make one a
/// member. Only what anybody who is known may see should be shown of them.
///
/// # Errors
/// None but the database's.
pub async fn search(context: &Context, username: &str, page: Page) -> Result<Listing<User>> {
    let filter = Filter { username: Some(username.to_owned()), email: None };
    find(context, &filter, page).await
}

async fn find(context: &Context, filter: &Filter, page: Page) -> Result<Listing<User>> {
    let username = filter.username.as_deref().map(containing);
    let email = filter.email.as_deref().map(containing);
    let total = context.db.one(sql::COUNT, args![username.clone(), email.clone()]).await?;
    let args = args![username, email, limit(page), offset(page)];
    let rows = context.db.all(sql::PAGE, args).await?;
    Ok(Listing {
        items: rows.iter().map(read_user).collect::<Result<_>>()?,
        total: total.map_or(Ok(0), |row| row.get(0))?,
    })
}
