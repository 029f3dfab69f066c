//! Deleting a user.

use db::{Tx, args};
use kit::{Error, Kind, Result};

use super::{ADMIN, Account, find, lock, lock_sysadmins, sql, unknown};
use crate::{
    Context,
    audit::{self, Audit, Entry, Event},
    context::Caches,
    rights::{Action, Allowed, Resource, Right},
};

/// Deletes a user: nobody signs in as it any more, whatever it signed in with before counts
/// for nothing, it is a member of nothing, and its name and e-mail address are free. The row
/// stays, so that its number is not used again and what it owns has an owner.
///
/// # Errors
/// Forbidden for oneself, for the user `admin`, and for the last sysadmin who can sign in
/// here; NotFound.
pub async fn delete(context: &Context, allowed: &Allowed<Account>) -> Result<()> {
    allowed.require(Right::new(Resource::User, Action::Delete))?;
    let Account { id, is_oneself } = *allowed.thing();
    let user = find(context, id).await?.ok_or_else(|| unknown(id))?;
    let entry = Entry::new(Event::DeleteUser, &*user.username);
    let deleted = match is_oneself || id == ADMIN {
        true => Err(stays(id)),
        false => store(context, allowed, id, entry.clone()).await,
    };
    audit::outcome(context, allowed.by(), entry, deleted).await
}

async fn store(context: &Context, allowed: &Allowed<Account>, id: i64, entry: Entry) -> Result<()> {
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    context
        .db
        .write(move |tx| {
            let (audit, caches, entry) = (audit.clone(), caches.clone(), entry.clone());
            Box::pin(async move { carry_out(tx, &audit, &caches, id, entry).await })
        })
        .await
}

async fn carry_out(
    tx: &mut Tx,
    audit: &Audit,
    caches: &Caches,
    id: i64,
    entry: Entry,
) -> Result<()> {
    let sysadmins = lock_sysadmins(tx).await?;
    lock(tx, id).await?.ok_or_else(|| unknown(id))?;
    if sysadmins == [id] {
        return Err(stays(id));
    }
    tx.execute(sql::DELETE, args![id, audit.now()]).await?;
    tx.execute(sql::DELETE_MEMBERSHIPS, args![id]).await?;
    tx.execute(sql::LEAVE_GROUPS, args![id]).await?;
    caches.users.changes(tx, &id);
    audit.record(tx, entry).await
}

fn stays(id: i64) -> Error {
    Error::new(Kind::Forbidden, format!("User with ID {id} cannot be deleted"))
}
