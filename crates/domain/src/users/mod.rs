//! Users: who there is and how they prove it.
//!
//! Owns the table `users`. Promises: a password is kept only as an argon2id hash, and one of
//! Harbor's becomes one at the first login; to verify one costs the same whether or not the
//! user exists; a verified one is remembered for minutes under a key of this process and
//! forgotten when the user changes; the user `admin` is there after the first start and is
//! not deleted; there is always a sysadmin who can sign in. Anybody above may call.

mod account;
mod change;
mod change_password;
#[cfg(test)]
mod change_tests;
mod create;
mod delete;
mod harbor_hash;
mod hash;
mod list;
mod onboard;
mod password;
mod rename;
mod rules;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use db::{Row, Tx, args};
use kit::{Error, Result, Subject, Time};

use crate::{Context, context::Caches};

pub use account::AllowedAccount;
pub use change::{Profile, set_sysadmin, update_profile};
pub use change_password::change_password;
pub(crate) use create::first;
pub use create::{NewUser, Unique, create, is_taken};
pub use delete::delete;
pub use harbor_hash::of_harbor;
pub use list::{list, search};
pub use onboard::{Outsider, onboard};
pub(crate) use password::{Passwords, has_hash, hash, valid_password};
pub(crate) use password::{remembered, verify_when};
pub use password::{reset_password, verify};
pub use rename::rename_admin;
use rules::LONGEST;
pub(crate) use rules::is_hidden;

/// The id of the user `admin`, which exists from the first start.
pub const ADMIN: i64 = 1;

/// A user.
#[derive(Clone)]
pub struct User {
    /// Its number, never used again.
    pub id: i64,
    /// The name to log in with.
    pub username: Arc<str>,
    /// The e-mail address; only a user from elsewhere may lack one.
    pub email: Option<String>,
    /// The name in real life.
    pub realname: String,
    /// What an administrator noted.
    pub comment: String,
    /// Whether an administrator made it a sysadmin.
    pub sysadmin: bool,
    /// Whether the source that it signs in with makes it a sysadmin.
    pub admin_by_source: bool,
    /// Whether its password alone does not do to sign in.
    pub second_factor: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    password_hash: Option<String>,
}

/// A user, as something that rights are about.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Its number. It need not exist.
    pub id: i64,
    /// Whether it is the one who asks.
    pub is_oneself: bool,
}

/// Those who may do everything, as something that rights are about.
#[derive(Clone, Copy, Debug)]
pub struct Sysadmins;

impl User {
    /// Whether every check passes.
    pub fn may_do_everything(&self) -> bool {
        self.sysadmin || self.admin_by_source
    }

    /// Whether it has a password here. Nobody else may sign in by its name.
    pub fn has_password(&self) -> bool {
        self.password_hash.is_some()
    }
}

/// The user with a number, from memory; none if it was deleted.
pub async fn find(context: &Context, id: i64) -> Result<Option<Arc<User>>> {
    let find = || async {
        let row = context.db.one(sql::BY_ID, args![id]).await?;
        row.as_ref().map(read_user).transpose()
    };
    context.caches.users.get(&context.db, &id, find).await
}

/// The user with a name, from the database; none if it was deleted.
pub async fn find_by_name(context: &Context, username: &str) -> Result<Option<User>> {
    let row = context.db.one(sql::BY_NAME, args![username]).await?;
    row.as_ref().map(read_user).transpose()
}

/// A user that was not deleted, which nobody else changes until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, id: i64) -> Result<Option<User>> {
    tx.one(sql::LOCK, args![id]).await?.as_ref().map(read_user).transpose()
}

/// Locks the sysadmins who can sign in here, until the transaction ends, so that of two who
/// would take each other's rights away one sees what the other did.
async fn lock_sysadmins(tx: &mut Tx) -> Result<Vec<i64>> {
    tx.all(sql::LOCK_SYSADMINS, args![]).await?.iter().map(|row| row.get(0)).collect()
}

fn unknown(id: i64) -> Error {
    Error::not_found(Subject::User, format!("user {id} not found"))
}

/// Sets whether a user's password alone does not do to sign in.
pub(crate) async fn set_second_factor(
    tx: &mut Tx,
    caches: &Caches,
    id: i64,
    needed: bool,
    now: Time,
) -> Result<()> {
    tx.execute(sql::SET_SECOND_FACTOR, args![id, needed, now]).await?;
    caches.users.changes(tx, &id);
    Ok(())
}

/// Whether there is a user beside `admin`.
pub(crate) async fn any_but_admin(context: &Context) -> Result<bool> {
    Ok(context.db.one(sql::ANY_BUT, args![ADMIN]).await?.is_some())
}

/// Reads the columns of [`sql::BY_ID`].
fn read_user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        username: row.get::<String>(1)?.into(),
        email: row.get(2)?,
        realname: row.get(3)?,
        comment: row.get(4)?,
        sysadmin: row.get(5)?,
        created_at: row.get(6)?,
        updated_at: row.get(7)?,
        password_hash: row.get(8)?,
        admin_by_source: row.get(9)?,
        second_factor: row.get(10)?,
    })
}
