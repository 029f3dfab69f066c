//! Finding groups.

use db::args;
use kit::{
    Page, Result, Selection,
    query::{Direction, Pattern},
};

use super::{Group, GroupKind, key, read_group, sql};
use crate::{
    Context,
    listing::{Field, List, Listing},
    rights::{Action, Allowed, Resource, Right, System},
};

/// Groups have indexes on id, name and distinguished name; what else is asked for is looked
/// for among all of them, which are as many as a company has groups.
pub(super) const LIST: List = List {
    id: "id",
    shown: sql::LIST_SHOWN,
    fields: &[
        Field::text("group_name", "name"),
        Field::number("group_type", "kind"),
        Field::text("ldap_group_dn", "dn_key"),
    ],
    order: ("name", Direction::Ascending),
};

/// Which groups are wanted; all, where nothing is said.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A part of their name.
    pub name: Option<String>,
    /// Where they are known.
    pub kind: Option<GroupKind>,
    /// Their distinguished name.
    pub dn: Option<String>,
}

/// A page of the groups, by name.
///
/// # Errors
/// None but the database's.
pub async fn list(
    context: &Context,
    allowed: &Allowed<System>,
    wanted: &Wanted,
    page: Page,
) -> Result<Listing<Group>> {
    allowed.require(Right::new(Resource::UserGroup, Action::List))?;
    find(context, wanted, page).await
}

/// A page of the groups whose name contains a text, by name: for whoever is about to make
/// one a member. Where it is known is no secret; its distinguished name should not be shown.
///
/// # Errors
/// None but the database's.
pub async fn search(context: &Context, name: &str, page: Page) -> Result<Listing<Group>> {
    let wanted = Wanted { name: Some(name.to_owned()), ..Wanted::default() };
    find(context, &wanted, page).await
}

async fn find(context: &Context, wanted: &Wanted, page: Page) -> Result<Listing<Group>> {
    let mut selection = Selection::from(page);
    if let Some(name) = &wanted.name {
        selection.filter.set("group_name", Pattern::Fuzzy(name.clone()));
    }
    if let Some(kind) = wanted.kind {
        selection.filter.set("group_type", Pattern::Exact(kind.id().to_string()));
    }
    if let Some(dn) = &wanted.dn {
        selection.filter.set("ldap_group_dn", Pattern::Exact(key(dn)));
    }
    LIST.page(&context.db, sql::LIST_FROM, args![], &selection, read_group).await
}
