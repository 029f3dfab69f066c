//! Making, renaming and deleting groups.

use db::args;
use kit::{Error, Kind, Result, Subject};

use super::{Group, GroupKind, LONGEST_NAME, is_dn, is_name, key, sql, unknown};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System},
};

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// Where it is known.
    pub kind: GroupKind,
    /// Its distinguished name, which one of LDAP must have and others must not.
    pub dn: Option<String>,
}

impl NewGroup {
    fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        match (self.kind, self.dn.as_deref()) {
            (GroupKind::Ldap, Some(dn)) if is_dn(dn) => Ok(()),
            (GroupKind::Ldap, dn) => {
                invalid(format!("invalid DN syntax. DN: {}", dn.unwrap_or_default()))
            }
            (GroupKind::Http | GroupKind::Oidc, None) => Ok(()),
            (GroupKind::Http | GroupKind::Oidc, Some(_)) => {
                invalid("only a group of LDAP has a DN".to_owned())
            }
        }
    }
}

/// Makes a group, and gives its number. Whether LDAP knows it is for the caller to ask.
///
/// # Errors
/// Invalid when it cannot be one; Conflict when another of its kind has the name, or the
/// distinguished name.
pub async fn create(context: &Context, allowed: &Allowed<System>, new: NewGroup) -> Result<i64> {
    allowed.require(Right::new(Resource::UserGroup, Action::Create))?;
    let entry = Entry::new(Event::CreateUserGroup, new.name.as_str());
    let made = store(context, allowed, new, entry.clone()).await;
    audit::outcome(context, allowed.by(), entry, made).await
}

async fn store(
    context: &Context,
    allowed: &Allowed<System>,
    new: NewGroup,
    entry: Entry,
) -> Result<i64> {
    new.check()?;
    let audit = audit::by(context, allowed.by()).await?;
    let group = new.clone();
    let made = context
        .db
        .write(move |tx| {
            let (group, audit, entry) = (group.clone(), audit.clone(), entry.clone());
            Box::pin(async move {
                let key = group.dn.as_deref().map(key);
                let row = args![&group.name, group.kind.id(), group.dn, key, audit.now()];
                let row = tx.one(sql::INSERT, row).await?;
                let id = row.ok_or_else(|| Error::internal("a new group has no id"))?.get(0)?;
                audit.record(tx, entry).await?;
                Ok(id)
            })
        })
        .await;
    made.map_err(|error| taken(error, &new.name, new.kind, new.dn.as_deref()))
}

/// Gives a group another name.
///
/// # Errors
/// Invalid when it cannot be one; NotFound; Conflict when another of its kind has it.
pub async fn rename(
    context: &Context,
    allowed: &Allowed<System>,
    id: i64,
    name: &str,
) -> Result<()> {
    allowed.require(Right::new(Resource::UserGroup, Action::Update))?;
    let group = super::find(context, id).await?.ok_or_else(|| unknown(id))?;
    let entry = Entry::new(Event::UpdateUserGroup, group.name.as_str());
    let renamed = store_name(context, allowed, &group, name).await;
    audit::outcome(context, allowed.by(), entry, renamed).await
}

async fn store_name(
    context: &Context,
    allowed: &Allowed<System>,
    group: &Group,
    name: &str,
) -> Result<()> {
    check_name(name)?;
    let (id, audit) = (group.id, audit::by(context, allowed.by()).await?);
    let new_name = name.to_owned();
    let renamed = context
        .db
        .write(move |tx| {
            let (name, audit) = (new_name.clone(), audit.clone());
            Box::pin(async move {
                if tx.execute(sql::RENAME, args![id, &name, audit.now()]).await? == 0 {
                    return Err(unknown(id));
                }
                audit.record(tx, Entry::new(Event::UpdateUserGroup, name)).await
            })
        })
        .await;
    renamed.map_err(|error| taken(error, name, group.kind, group.dn.as_deref()))
}

/// Deletes a group: it is no longer a member of anything, and nobody is in it.
///
/// # Errors
/// NotFound.
pub async fn delete(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::UserGroup, Action::Delete))?;
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    let deleted = context
        .db
        .write(move |tx| {
            let (audit, caches) = (audit.clone(), caches.clone());
            Box::pin(async move {
                let group = super::lock(tx, id).await?;
                if tx.execute(sql::DELETE_MEMBERSHIPS, args![id]).await? > 0 {
                    caches.roles.all_change(tx);
                }
                tx.execute(sql::DELETE, args![id]).await?;
                audit.record(tx, Entry::new(Event::DeleteUserGroup, group.name)).await
            })
        })
        .await;
    let entry = Entry::new(Event::DeleteUserGroup, id.to_string());
    audit::outcome(context, allowed.by(), entry, deleted).await
}

fn check_name(name: &str) -> Result<()> {
    if is_name(name) {
        return Ok(());
    }
    invalid(format!(
        "a group's name has 1 to {LONGEST_NAME} characters that can be seen, without spaces \
         around them"
    ))
}

fn invalid(message: String) -> Result<()> {
    Err(Error::invalid(message).about(Subject::UserGroup))
}

fn taken(error: Error, name: &str, kind: GroupKind, dn: Option<&str>) -> Error {
    if error.kind != Kind::Conflict {
        return error;
    }
    let dn = dn.unwrap_or_default();
    Error::conflict(format!(
        "duplicate user group, group name:{name}, group type: {}, ldap group DN: {dn}",
        kind.id()
    ))
    .about(Subject::UserGroup)
}
