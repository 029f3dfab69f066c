//! Changing a password.

use db::args;
use kit::{Error, Kind, Result, Secret, Subject};

use super::{Account, User, change::fixed, find, password, sql, unknown};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right},
};

/// Gives a user who has a password here another one. Who changes its own has to know it.
/// Everything that hangs on the old one is void.
///
/// # Errors
/// Forbidden for somebody from elsewhere, and when the current password is wrong; Invalid
/// when the new one breaks the rules or is the old one; NotFound; Conflict when it was
/// changed meanwhile; TooMany when too many wait.
pub async fn change_password(
    context: &Context,
    allowed: &Allowed<Account>,
    current: &Secret,
    new: &Secret,
) -> Result<()> {
    allowed.require(Right::new(Resource::User, Action::Update))?;
    let id = allowed.thing().id;
    let user = find(context, id).await?.ok_or_else(|| unknown(id))?;
    let told = format!("change password of user with name: {}", user.username);
    let entry = Entry::new(Event::UpdateUser, &*user.username).described(told);
    let changed = change(context, allowed, &user, (current, new), entry.clone()).await;
    audit::outcome(context, allowed.by(), entry, changed).await
}

async fn change(
    context: &Context,
    allowed: &Allowed<Account>,
    user: &User,
    (current, new): (&Secret, &Secret),
    entry: Entry,
) -> Result<()> {
    let Account { id, is_oneself } = *allowed.thing();
    let Some(old) = user.password_hash.clone() else { return Err(fixed(id)) };
    let is_old =
        async |secret: &Secret| password::has_hash(&context.passwords, secret.reveal(), &old).await;
    if is_oneself && !is_old(current).await? {
        return Err(Error::new(Kind::Forbidden, "Current password is incorrect"));
    }
    password::valid_password(new.reveal())?;
    if is_old(new).await? {
        let message = "New password is identical to old password";
        return Err(Error::invalid(message).about(Subject::User));
    }
    let hash = password::hash(&context.passwords, new.reveal()).await?;
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    context
        .db
        .write(move |tx| {
            let (audit, caches, entry) = (audit.clone(), caches.clone(), entry.clone());
            let row = args![id, &hash, audit.now(), &old];
            Box::pin(async move {
                if tx.execute(sql::REPLACE_PASSWORD, row).await? == 0 {
                    let message = "the password was changed by somebody else meanwhile";
                    return Err(Error::conflict(message).about(Subject::User));
                }
                caches.users.changes(tx, &id);
                audit.record(tx, entry).await
            })
        })
        .await
}
