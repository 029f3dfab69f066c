//! Custom roles: named sets of rights, usable wherever one of Harbor's five roles is.
//!
//! Owns the table `roles`. Promises: the number of a custom role is above 100, and is
//! never used again; a role that some member has is not deleted; a change counts with the
//! next request of whoever has the role. `projects` and everybody below may call.

mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use db::{Row, Tx, args};
use kit::{Error, Kind, Page, Result, Subject, Time};

use crate::{
    Context,
    audit::{self, Entry, Event},
    listing::{Listing, limit, offset},
    rights::{Action, Allowed, PROJECT_RULES, Resource, Right, Rights, Role, System},
};

/// The longest name and the longest description, in characters.
const LONGEST_NAME: usize = 64;
const LONGEST_DESCRIPTION: usize = 1024;

/// A role that somebody made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// Its number, above Harbor's.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do in a project.
    pub rights: Rights,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What a role is to be.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do in a project.
    pub rights: Rights,
}

impl NewRole {
    fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::invalid(message).about(Subject::Role));
        let name = &self.name;
        if !(1..=LONGEST_NAME).contains(&name.chars().count())
            || name.trim() != name
            || name.chars().any(char::is_control)
        {
            return invalid(format!(
                "a role's name has 1 to {LONGEST_NAME} characters, without spaces around them"
            ));
        }
        if Role::ALL.into_iter().any(|role| role.name().eq_ignore_ascii_case(name)) {
            return invalid(format!("{name} is one of the built-in roles"));
        }
        if self.description.chars().count() > LONGEST_DESCRIPTION || self.description.contains('\0')
        {
            return invalid(format!(
                "a role's description has at most {LONGEST_DESCRIPTION} characters"
            ));
        }
        if self.rights.is_empty() {
            return invalid("a role must have at least one permission".to_owned());
        }
        let known = |right: &Right| PROJECT_RULES.iter().any(|rule| rule.right == *right);
        match self.rights.iter().find(|right| !known(right)) {
            Some(unknown) => invalid(format!("bad request permission: {unknown}")),
            None => Ok(()),
        }
    }
}

/// What a role may do, by number: one of Harbor's, or a custom one from memory. A number
/// that no role has may nothing.
pub(crate) async fn rights(context: &Context, id: i64) -> Result<Rights> {
    if let Some(role) = Role::from_id(id) {
        return Ok(*role.rights());
    }
    Ok(find(context, id).await?.map_or(Rights::NONE, |role| role.rights))
}

/// The name of a role, by number; none if there is no such role.
pub async fn name(context: &Context, id: i64) -> Result<Option<String>> {
    if let Some(role) = Role::from_id(id) {
        return Ok(Some(role.name().to_owned()));
    }
    Ok(find(context, id).await?.map(|role| role.name.clone()))
}

/// A custom role by number, from memory.
pub async fn find(context: &Context, id: i64) -> Result<Option<Arc<CustomRole>>> {
    let find = || async {
        let row = context.db.one(sql::BY_ID, args![id]).await?;
        row.as_ref().map(read_role).transpose()
    };
    context.caches.custom_roles.get(&context.db, &id, find).await
}

/// Whether there is a custom role, which then stays until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, id: i64) -> Result<bool> {
    Ok(tx.one(sql::SHARE, args![id]).await?.is_some())
}

/// A page of the custom roles, by name. Whoever is known may see them: members are shown
/// with them.
///
/// # Errors
/// None but the database's.
pub async fn list(context: &Context, page: Page) -> Result<Listing<CustomRole>> {
    let total = context.db.one(sql::COUNT, args![]).await?;
    let rows = context.db.all(sql::PAGE, args![limit(page), offset(page)]).await?;
    Ok(Listing {
        items: rows.iter().map(read_role).collect::<Result<_>>()?,
        total: total.map_or(Ok(0), |row| row.get(0))?,
    })
}

/// Makes a role, and gives its number.
///
/// # Errors
/// Invalid when it breaks a rule; Conflict when the name is taken.
pub async fn create(context: &Context, allowed: &Allowed<System>, new: NewRole) -> Result<i64> {
    allowed.require(Right::new(Resource::Role, Action::Create))?;
    new.check()?;
    let name = new.name.clone();
    let audit = audit::by(context, allowed.by()).await?;
    let made = context
        .db
        .write(move |tx| {
            let (new, audit) = (new.clone(), audit.clone());
            Box::pin(async move {
                let rights = new.rights.to_stored();
                let row = args![&new.name, new.description, rights, audit.now()];
                let row = tx.one(sql::INSERT, row).await?;
                let id = row.ok_or_else(|| Error::internal("a new role has no id"))?.get(0)?;
                audit.record(tx, Entry::new(Event::CreateRole, new.name)).await?;
                Ok(id)
            })
        })
        .await;
    made.map_err(|error| taken(error, &name))
}

/// Changes a role. It counts with the next request of whoever has it.
///
/// # Errors
/// As [`create`], and NotFound.
pub async fn update(
    context: &Context,
    allowed: &Allowed<System>,
    id: i64,
    new: NewRole,
) -> Result<()> {
    allowed.require(Right::new(Resource::Role, Action::Update))?;
    new.check()?;
    let (name, caches) = (new.name.clone(), context.caches.clone());
    let audit = audit::by(context, allowed.by()).await?;
    let changed = context
        .db
        .write(move |tx| {
            let (new, caches, audit) = (new.clone(), caches.clone(), audit.clone());
            Box::pin(async move {
                let rights = new.rights.to_stored();
                let row = args![id, &new.name, new.description, rights, audit.now()];
                if tx.execute(sql::UPDATE, row).await? == 0 {
                    return Err(unknown(id));
                }
                caches.custom_roles.changes(tx, &id);
                audit.record(tx, Entry::new(Event::UpdateRole, new.name)).await
            })
        })
        .await;
    changed.map_err(|error| taken(error, &name))
}

/// Deletes a role that no member has.
///
/// # Errors
/// Precondition when a member has it; NotFound.
pub async fn delete(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::Role, Action::Delete))?;
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    context
        .db
        .write(move |tx| {
            let (audit, caches) = (audit.clone(), caches.clone());
            Box::pin(async move {
                // Locked first: nobody gets it meanwhile.
                let row = tx.one(sql::LOCK, args![id]).await?.ok_or_else(|| unknown(id))?;
                let name: String = row.get(0)?;
                if tx.one(sql::ANY_MEMBER, args![id]).await?.is_some() {
                    let message = "members have the role, it can not be deleted";
                    return Err(Error::new(Kind::Precondition, message).about(Subject::Role));
                }
                tx.execute(sql::DELETE, args![id]).await?;
                caches.custom_roles.changes(tx, &id);
                audit.record(tx, Entry::new(Event::DeleteRole, name)).await
            })
        })
        .await
}

fn unknown(id: i64) -> Error {
    Error::not_found(Subject::Role, format!("role {id} not found"))
}

fn taken(error: Error, name: &str) -> Error {
    if !error.is(Kind::Conflict) {
        return error;
    }
    Error::conflict(format!("The role named {name} already exists")).about(Subject::Role)
}

/// Reads the columns of [`sql::BY_ID`].
fn read_role(row: &Row) -> Result<CustomRole> {
    Ok(CustomRole {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        rights: Rights::from_stored(&row.get::<String>(3)?),
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}
