//! Members of a project.

use db::{Row, args};
use kit::{
    Error, Kind, Page, Result, Selection, Subject,
    query::{Direction, Pattern},
};

use super::{Allowed, Role, sql};
use crate::{
    Context,
    cache::Pair,
    listing::{Field, List, Listing},
    rights::{Action, Resource, Right},
    users,
};

/// A member, who is a user.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its number.
    pub id: i64,
    /// The project's number.
    pub project_id: i64,
    /// The user's number.
    pub user_id: i64,
    /// The user's name.
    pub username: String,
    /// What it may do.
    pub role: Role,
}

/// How a user who is to become a member is named.
#[derive(Clone, Debug)]
pub enum MemberRef {
    /// By number.
    Id(i64),
    /// By name.
    Name(String),
}

/// A member to be.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// Who.
    pub user: MemberRef,
    /// What it may do.
    pub role: Role,
}

/// Makes a user a member, and gives the member's number.
///
/// # Errors
/// NotFound when there is no such user; Conflict when it is a member already.
pub async fn add_member(context: &Context, allowed: &Allowed, new: NewMember) -> Result<i64> {
    allowed.require(Right::new(Resource::Member, Action::Create))?;
    let user_id = match &new.user {
        MemberRef::Id(id) => users::find(context, *id).await?.map(|user| user.id),
        MemberRef::Name(name) => users::find_by_name(context, name).await?.map(|user| user.id),
    };
    let user_id = user_id.ok_or_else(|| {
        let who = match &new.user {
            MemberRef::Id(id) => id.to_string(),
            MemberRef::Name(name) => name.clone(),
        };
        Error::not_found(Subject::User, format!("user {who} not found"))
    })?;
    let (project_id, role, now) = (allowed.project().id, new.role, context.clock.now());
    let caches = context.caches.clone();
    let made = context
        .db
        .write(move |tx| {
            let caches = caches.clone();
            Box::pin(async move {
                let args = args![project_id, user_id, role.id(), now];
                let row = tx.one(sql::INSERT_MEMBER, args).await?;
                caches.roles.changes(tx, &Pair(project_id, user_id));
                row.ok_or_else(|| Error::internal("a new member has no id"))?.get(0)
            })
        })
        .await;
    made.map_err(|error| match error.kind {
        Kind::Conflict => {
            Error::conflict("the user is a member of the project already").about(Subject::Member)
        }
        _ => error,
    })
}

/// The members of one project, who are as many as it has people.
pub(super) const MEMBERS: List = List {
    id: "m.id",
    shown: sql::MEMBERS_SHOWN,
    fields: &[Field::text("entity_name", "u.username")],
    order: ("u.username", Direction::Ascending),
};

/// A page of a project's members by name, those whose name contains a text if one is given.
///
/// # Errors
/// None but the database's.
pub async fn members(
    context: &Context,
    allowed: &Allowed,
    name: Option<&str>,
    page: Page,
) -> Result<Listing<Member>> {
    allowed.require(Right::new(Resource::Member, Action::List))?;
    let mut selection = Selection::from(page);
    if let Some(name) = name {
        selection.filter.set("entity_name", Pattern::Fuzzy(name.to_owned()));
    }
    let args = args![allowed.project().id];
    MEMBERS.page(&context.db, sql::MEMBERS_FROM, args, &selection, read_member).await
}

/// One of a project's members.
///
/// # Errors
/// NotFound.
pub async fn member(context: &Context, allowed: &Allowed, id: i64) -> Result<Member> {
    allowed.require(Right::new(Resource::Member, Action::Read))?;
    let row = context.db.one(sql::MEMBER, args![allowed.project().id, id]).await?;
    read_member(&row.ok_or_else(|| unknown(id))?)
}

/// Gives a member another role.
///
/// # Errors
/// NotFound.
pub async fn change_role(context: &Context, allowed: &Allowed, id: i64, role: Role) -> Result<()> {
    allowed.require(Right::new(Resource::Member, Action::Update))?;
    let project_id = allowed.project().id;
    let caches = context.caches.clone();
    context
        .db
        .write(move |tx| {
            let caches = caches.clone();
            Box::pin(async move {
                let changed = tx.one(sql::SET_ROLE, args![project_id, id, role.id()]).await?;
                let user_id = changed.ok_or_else(|| unknown(id))?.get(0)?;
                caches.roles.changes(tx, &Pair(project_id, user_id));
                Ok(())
            })
        })
        .await
}

/// Removes a member.
///
/// # Errors
/// NotFound.
pub async fn remove_member(context: &Context, allowed: &Allowed, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::Member, Action::Delete))?;
    let project_id = allowed.project().id;
    let caches = context.caches.clone();
    context
        .db
        .write(move |tx| {
            let caches = caches.clone();
            Box::pin(async move {
                let removed = tx.one(sql::DELETE_MEMBER, args![project_id, id]).await?;
                let user_id = removed.ok_or_else(|| unknown(id))?.get(0)?;
                caches.roles.changes(tx, &Pair(project_id, user_id));
                Ok(())
            })
        })
        .await
}

fn unknown(id: i64) -> Error {
    Error::not_found(Subject::Member, format!("member {id} not found"))
}

/// Reads the columns of [`sql::MEMBERS_SHOWN`].
fn read_member(row: &Row) -> Result<Member> {
    let role: i64 = row.get(4)?;
    Ok(Member {
        id: row.get(0)?,
        project_id: row.get(1)?,
        user_id: row.get(2)?,
        username: row.get(3)?,
        role: Role::from_id(role).ok_or_else(|| Error::internal(format!("unknown role {role}")))?,
    })
}
