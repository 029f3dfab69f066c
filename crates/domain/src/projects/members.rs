//! Members of a project: users and groups, each with a role, and perhaps for some
//! repositories only.

use std::fmt;

use db::{Row, Tx, args};
use kit::{
    Error, Kind, Page, Result, Selection, Subject,
    query::{Direction, Pattern},
};

use super::{Allowed, Role, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    cache::Pair,
    context::Caches,
    groups::{self, External, GroupKind},
    listing::{Field, List, Listing},
    rights::{Action, Patterns, Resource, Right, Who},
    roles, users,
};

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entity {
    /// A user, by number.
    User(i64),
    /// A group, by number: everybody who is in it.
    Group(i64),
}

impl Entity {
    fn of(letter: &str, id: i64) -> Result<Self> {
        match letter {
            "u" => Ok(Self::User(id)),
            "g" => Ok(Self::Group(id)),
            other => Err(Error::internal(format!("unknown kind of member {other}"))),
        }
    }

    /// Its number among users or among groups.
    pub fn id(self) -> i64 {
        match self {
            Self::User(id) | Self::Group(id) => id,
        }
    }

    /// Harbor's letter for what it is.
    pub fn letter(self) -> &'static str {
        match self {
            Self::User(_) => "u",
            Self::Group(_) => "g",
        }
    }
}

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its number.
    pub id: i64,
    /// The project's number.
    pub project_id: i64,
    /// Who.
    pub entity: Entity,
    /// The user's or the group's name.
    pub name: String,
    /// The number of its role, Harbor's or a custom one.
    pub role_id: i64,
    /// The name of its role.
    pub role_name: String,
    /// The repositories that it is a member for; none for all.
    pub repositories: Option<Patterns>,
}

/// How whoever is to become a member is named.
#[derive(Clone, Debug)]
pub enum MemberRef {
    /// A user by number.
    User(i64),
    /// A user by name.
    UserName(String),
    /// A group by number.
    Group(i64),
    /// A group by name.
    GroupName(GroupKind, String),
    /// A group by distinguished name.
    GroupDn(String),
}

impl fmt::Display for MemberRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) | Self::Group(id) => id.fmt(f),
            Self::UserName(name) | Self::GroupName(_, name) | Self::GroupDn(name) => {
                f.write_str(name)
            }
        }
    }
}

/// A role that whoever asks may give, as `access` found.
#[derive(Clone, Copy, Debug)]
pub struct GivenRole(i64);

impl GivenRole {
    /// The proof, for `access` to give.
    pub(crate) fn decided(role_id: i64) -> Self {
        Self(role_id)
    }
}

/// A member to be.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// Who.
    pub who: MemberRef,
    /// The repositories that it is to be a member for; none for all.
    pub repositories: Option<Patterns>,
}

/// Makes a user or a group a member, and gives the member's number. Whom nobody here knows
/// is for the caller to look for elsewhere first.
///
/// # Errors
/// NotFound when there is no such user or group; Conflict when it is a member already;
/// Invalid when there is no such role.
pub async fn add_member(
    context: &Context,
    allowed: &Allowed,
    new: NewMember,
    role: GivenRole,
) -> Result<i64> {
    allowed.require(Right::new(Resource::Member, Action::Create))?;
    let entry = Entry::new(Event::CreateMember, new.who.to_string());
    let made = store(context, allowed, new, role).await;
    let entry = entry.in_project(allowed.project().id);
    audit::outcome(context, allowed.by(), entry, made).await
}

async fn store(
    context: &Context,
    allowed: &Allowed,
    new: NewMember,
    GivenRole(role_id): GivenRole,
) -> Result<i64> {
    let entity = resolve(context, allowed.by(), &new.who).await?;
    let repositories = new.repositories.as_ref().map(Patterns::to_stored).transpose()?;
    let project = allowed.project().clone();
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    let made = context
        .db
        .write(move |tx| {
            let (audit, caches, repositories) =
                (audit.clone(), caches.clone(), repositories.clone());
            let project_id = project.id;
            Box::pin(async move {
                require_role(tx, role_id).await?;
                let name = lock(tx, entity).await?;
                let args = args![
                    project_id,
                    entity.letter(),
                    entity.id(),
                    role_id,
                    audit.now(),
                    repositories
                ];
                let row = tx.one(sql::INSERT_MEMBER, args).await?;
                change(tx, &caches, project_id, entity);
                audit
                    .record(tx, Entry::new(Event::CreateMember, name).in_project(project_id))
                    .await?;
                row.ok_or_else(|| Error::internal("a new member has no id"))?.get(0)
            })
        })
        .await;
    made.map_err(|error| match error.kind {
        Kind::Conflict => {
            Error::conflict("The project member specified already exist").about(Subject::Member)
        }
        // The project went meanwhile.
        Kind::Precondition => {
            let message = format!("project {} not found", allowed.project().name);
            Error::not_found(Subject::Project, message)
        }
        _ => error,
    })
}

/// Who is named. Groups of which only the name is known to anybody are made.
async fn resolve(context: &Context, by: &Who, who: &MemberRef) -> Result<Entity> {
    let user = match who {
        MemberRef::User(id) => users::find(context, *id).await?.map(|user| user.id),
        // No name holds NUL, which the database refuses to be asked for.
        MemberRef::UserName(name) if !name.contains('\0') => {
            users::find_by_name(context, name).await?.map(|user| user.id)
        }
        _ => None,
    };
    let group = match who {
        MemberRef::Group(id) => groups::find(context, *id).await?,
        MemberRef::GroupName(GroupKind::Ldap, name) => {
            groups::find_by_name(context, GroupKind::Ldap, name).await?
        }
        MemberRef::GroupName(kind, name) => {
            let external = External { name: name.clone(), dn: None };
            Some(groups::onboard(context, by, *kind, &external).await?)
        }
        MemberRef::GroupDn(dn) => groups::find_by_dn(context, dn).await?,
        MemberRef::User(_) | MemberRef::UserName(_) => None,
    };
    let found = user.map(Entity::User).or(group.map(|group| Entity::Group(group.id)));
    found.ok_or_else(|| match who {
        MemberRef::User(_) | MemberRef::UserName(_) => {
            Error::not_found(Subject::User, format!("user {who} is not found"))
        }
        _ => Error::not_found(Subject::UserGroup, format!("user group {who} is not found")),
    })
}

/// The name of a user or group, which stays what it is until the transaction ends.
async fn lock(tx: &mut Tx, entity: Entity) -> Result<String> {
    match entity {
        Entity::User(id) => match users::lock(tx, id).await? {
            Some(user) => Ok(user.username.to_string()),
            None => Err(Error::not_found(Subject::User, format!("user {id} is not found"))),
        },
        Entity::Group(id) => groups::lock(tx, id).await.map(|group| group.name),
    }
}

/// Makes sure that there is a role, and that it stays until the transaction ends.
async fn require_role(tx: &mut Tx, role_id: i64) -> Result<()> {
    if Role::from_id(role_id).is_some() || roles::lock(tx, role_id).await? {
        return Ok(());
    }
    Err(Error::invalid(
        "invalid role: role_id must be 1 (projectAdmin), 2 (developer), 3 (guest), \
         4 (maintainer), 5 (limitedGuest) or the number of a custom role",
    )
    .about(Subject::Member))
}

/// Announces that a membership changes. Of a group's it is not worth naming everybody whom
/// it concerns.
fn change(tx: &mut Tx, caches: &Caches, project_id: i64, entity: Entity) {
    match entity {
        Entity::User(id) => caches.roles.changes(tx, &Pair(project_id, id)),
        Entity::Group(_) => caches.roles.all_change(tx),
    }
}

/// The members of one project, who are as many as it has people.
pub(super) const MEMBERS: List = List {
    id: "m.id",
    shown: sql::MEMBERS_SHOWN,
    fields: &[Field::text("entity_name", "COALESCE(u.username, g.name)")],
    order: ("COALESCE(u.username, g.name)", Direction::Ascending),
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

/// Gives a member another role; the repositories that it is for stay.
///
/// # Errors
/// NotFound; Invalid when there is no such role.
pub async fn change_role(
    context: &Context,
    allowed: &Allowed,
    id: i64,
    role: GivenRole,
) -> Result<()> {
    change_member(context, allowed, id, role, None).await
}

/// Gives a member another role, for some repositories only or, with none, for all.
///
/// # Errors
/// As [`change_role`].
pub async fn set_member(
    context: &Context,
    allowed: &Allowed,
    id: i64,
    role: GivenRole,
    repositories: Option<&Patterns>,
) -> Result<()> {
    let stored = repositories.map(Patterns::to_stored).transpose()?;
    change_member(context, allowed, id, role, Some(stored)).await
}

async fn change_member(
    context: &Context,
    allowed: &Allowed,
    id: i64,
    GivenRole(role_id): GivenRole,
    repositories: Option<Option<String>>,
) -> Result<()> {
    allowed.require(Right::new(Resource::Member, Action::Update))?;
    let project_id = allowed.project().id;
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    let changed = context
        .db
        .write(move |tx| {
            let (audit, caches, repositories) =
                (audit.clone(), caches.clone(), repositories.clone());
            Box::pin(async move {
                let (entity, name) = lock_member(tx, project_id, id).await?;
                require_role(tx, role_id).await?;
                tx.execute(sql::SET_ROLE, args![id, role_id]).await?;
                if let Some(repositories) = repositories {
                    tx.execute(sql::SET_REPOSITORIES, args![id, repositories]).await?;
                }
                change(tx, &caches, project_id, entity);
                audit.record(tx, Entry::new(Event::UpdateMember, name).in_project(project_id)).await
            })
        })
        .await;
    let entry = Entry::new(Event::UpdateMember, id.to_string()).in_project(project_id);
    audit::outcome(context, allowed.by(), entry, changed).await
}

/// Removes a member.
///
/// # Errors
/// NotFound.
pub async fn remove_member(context: &Context, allowed: &Allowed, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::Member, Action::Delete))?;
    let project_id = allowed.project().id;
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    let removed = context
        .db
        .write(move |tx| {
            let (audit, caches) = (audit.clone(), caches.clone());
            Box::pin(async move {
                let (entity, name) = lock_member(tx, project_id, id).await?;
                tx.execute(sql::DELETE_MEMBER, args![id]).await?;
                change(tx, &caches, project_id, entity);
                audit.record(tx, Entry::new(Event::DeleteMember, name).in_project(project_id)).await
            })
        })
        .await;
    let entry = Entry::new(Event::DeleteMember, id.to_string()).in_project(project_id);
    audit::outcome(context, allowed.by(), entry, removed).await
}

/// Who a member of a project is and its name, neither of which changes until the
/// transaction ends.
async fn lock_member(tx: &mut Tx, project_id: i64, id: i64) -> Result<(Entity, String)> {
    let row = tx.one(sql::ENTITY, args![project_id, id]).await?.ok_or_else(|| unknown(id))?;
    let entity = Entity::of(&row.get::<String>(0)?, row.get(1)?)?;
    let name = lock(tx, entity).await?;
    // Whoever held the lock before may have removed it.
    tx.one(sql::LOCK_MEMBER, args![project_id, id]).await?.ok_or_else(|| unknown(id))?;
    Ok((entity, name))
}

fn unknown(id: i64) -> Error {
    Error::not_found(Subject::Member, format!("the project member with id {id} is not found"))
}

/// Reads the columns of [`sql::MEMBERS_SHOWN`].
fn read_member(row: &Row) -> Result<Member> {
    let role_id: i64 = row.get(5)?;
    let role_name: Option<String> = row.get(6)?;
    let repositories: Option<String> = row.get(7)?;
    Ok(Member {
        id: row.get(0)?,
        project_id: row.get(1)?,
        entity: Entity::of(&row.get::<String>(2)?, row.get(3)?)?,
        name: row.get(4)?,
        role_id,
        role_name: Role::from_id(role_id)
            .map(|role| role.name().to_owned())
            .or(role_name)
            .unwrap_or_default(),
        repositories: repositories.as_deref().map(Patterns::from_stored).transpose()?,
    })
}
