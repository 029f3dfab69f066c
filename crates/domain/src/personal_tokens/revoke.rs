//! Revoking tokens.

use db::args;
use kit::{Error, Kind, Result};

use super::sql;
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::Who,
    users::{self, AllowedAccount},
};

/// Revokes a token of a user.
///
/// # Errors
/// NotFound when the user has no such token.
pub async fn revoke(context: &Context, allowed: &AllowedAccount, id: i64) -> Result<()> {
    let audit = audit::by(context, allowed.by()).await?;
    let (user, caches) = (allowed.user().clone(), context.caches.clone());
    let revoked = context
        .db
        .write(move |tx| {
            let (user, caches, audit) = (user.clone(), caches.clone(), audit.clone());
            Box::pin(async move {
                let Some(row) = tx.one(sql::DELETE, args![user.id, id]).await? else {
                    return Ok(false);
                };
                caches.personal_tokens.changes(tx, &id);
                let (name, username): (String, _) = (row.get(0)?, &*user.username);
                let deed = format!("revoke personal access token {name} of user: {username}");
                let entry = Entry::new(Event::UpdateUser, username).described(deed);
                audit.record(tx, entry).await?;
                Ok(true)
            })
        })
        .await?;
    if revoked {
        return Ok(());
    }
    Err(Error::new(Kind::NotFound, format!("personal access token {id} not found")))
}

/// Revokes all that a user shows in place of a password, its CLI secret too: its identity
/// source says that it is no more.
///
/// # Errors
/// None but the database's.
pub async fn revoke_all(context: &Context, user_id: i64) -> Result<()> {
    let Some(user) = users::find(context, user_id).await? else { return Ok(()) };
    let audit = audit::by(context, &Who::system()).await?;
    let caches = context.caches.clone();
    context
        .db
        .write(move |tx| {
            let (user, caches, audit) = (user.clone(), caches.clone(), audit.clone());
            Box::pin(async move {
                let tokens = tx.all(sql::DELETE_ALL, args![user_id]).await?;
                for row in &tokens {
                    caches.personal_tokens.changes(tx, &row.get(0)?);
                }
                let secrets = tx.execute(sql::DELETE_CLI, args![user_id]).await?;
                caches.cli_secrets.changes(tx, &user_id);
                if tokens.is_empty() && secrets == 0 {
                    return Ok(());
                }
                let name = &*user.username;
                let deed = format!("revoke all tokens and the CLI secret of user: {name}");
                audit.record(tx, Entry::new(Event::UpdateUser, name).described(deed)).await
            })
        })
        .await
}
