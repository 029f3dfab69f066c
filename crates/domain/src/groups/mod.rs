//! Groups of users, as other sources know them.
//!
//! Owns the tables `user_groups` and `group_users`. Promises: who is in which group is what
//! the source said when somebody signed in last; two groups of one kind have two names, and
//! two of LDAP two distinguished names, however they are written; a user whose groups change
//! has other rights with the next request. `projects` and everybody below may call.

mod change;
mod list;
mod sign_in;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use db::{Row, Sql, Tx, args};
use kit::{Error, Result, Subject};

use crate::{Context, users};

pub use change::{NewGroup, create, delete, rename};
pub use list::{Wanted, list, search};
pub use sign_in::{External, at_sign_in, onboard};

/// The longest name, in characters.
const LONGEST_NAME: usize = 255;

/// The longest distinguished name, in characters.
const LONGEST_DN: usize = 512;

/// Where a group is known, by Harbor's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// In a directory.
    Ldap = 1,
    /// Behind an auth proxy.
    Http = 2,
    /// At an OpenID provider.
    Oidc = 3,
}

impl GroupKind {
    /// The kind with a number of Harbor's.
    pub fn from_id(id: i64) -> Option<Self> {
        [Self::Ldap, Self::Http, Self::Oidc].into_iter().find(|kind| kind.id() == id)
    }

    /// Harbor's number.
    pub const fn id(self) -> i64 {
        self as i64
    }
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number, never used again.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where it is known.
    pub kind: GroupKind,
    /// Its distinguished name, if it is one of LDAP.
    pub dn: Option<String>,
}

/// The group with a number.
pub async fn find(context: &Context, id: i64) -> Result<Option<Group>> {
    context.db.one(sql::BY_ID, args![id]).await?.as_ref().map(read_group).transpose()
}

/// The group with a name among those of a kind.
pub async fn find_by_name(context: &Context, kind: GroupKind, name: &str) -> Result<Option<Group>> {
    if !is_name(name) {
        return Ok(None);
    }
    let row = context.db.one(sql::BY_NAME, args![kind.id(), name]).await?;
    row.as_ref().map(read_group).transpose()
}

/// The group of LDAP with a distinguished name.
pub async fn find_by_dn(context: &Context, dn: &str) -> Result<Option<Group>> {
    if !is_dn(dn) {
        return Ok(None);
    }
    let row = context.db.one(sql::BY_DN, args![key(dn)]).await?;
    row.as_ref().map(read_group).transpose()
}

/// Which groups of LDAP are known here: their numbers, in the order of the distinguished names.
///
/// # Errors
/// None but the database's.
pub(crate) async fn known_dns(context: &Context, dns: &[&str]) -> Result<Vec<Option<i64>>> {
    let keys: Vec<String> = dns.iter().map(|dn| key(dn)).collect();
    let mut args = args![GroupKind::Ldap.id()];
    args.extend(keys.iter().cloned());
    let mut ids = HashMap::new();
    let listed = Sql::list(sql::BY_DNS_BEFORE, keys.len(), sql::BY_DNS_AFTER);
    for row in context.db.all(listed, args).await? {
        let group = read_group(&row)?;
        ids.insert(group.dn.as_deref().map(key).unwrap_or_default(), group.id);
    }
    Ok(keys.iter().map(|key| ids.get(key).copied()).collect())
}

/// A group, which nobody else changes until the transaction ends: neither itself nor who is
/// in it.
///
/// # Errors
/// NotFound.
pub(crate) async fn lock(tx: &mut Tx, id: i64) -> Result<Group> {
    read_group(&tx.one(sql::LOCK, args![id]).await?.ok_or_else(|| unknown(id))?)
}

/// A text that is the same for the same distinguished name, however it is written.
fn key(dn: &str) -> String {
    identity::ldap::normal_dn(dn)
}

/// Whether a text can be a group's distinguished name.
fn is_dn(text: &str) -> bool {
    text.chars().count() <= LONGEST_DN && identity::ldap::looks_like_a_dn(text)
}

/// Whether a text can be a group's name.
fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count())
        && text.trim() == text
        && !text.contains(users::is_hidden)
}

fn unknown(id: i64) -> Error {
    Error::not_found(Subject::UserGroup, format!("the user group with id {id} is not found"))
}

/// Reads the columns of [`sql::BY_ID`].
fn read_group(row: &Row) -> Result<Group> {
    let kind: i64 = row.get(2)?;
    Ok(Group {
        id: row.get(0)?,
        name: row.get(1)?,
        kind: GroupKind::from_id(kind)
            .ok_or_else(|| Error::internal(format!("unknown kind of group {kind}")))?,
        dn: row.get(3)?,
    })
}
