//! Somebody whom another source vouches for: a user without a password here.

use std::sync::Arc;

use db::{Tx, args};
use kit::{Error, Kind, Result, Subject};

use super::{LONGEST, User, find, lock, rules, sql, unknown};
use crate::{
    Context,
    audit::{self, Audit, Entry, Event},
    rights::Who,
};

/// What a source says of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outsider {
    /// The name to sign in with.
    pub username: String,
    /// The e-mail address, if it tells one.
    pub email: Option<String>,
    /// The name in real life; empty if it does not tell.
    pub realname: String,
    /// What is noted when the user is made.
    pub comment: String,
    /// Whether it makes the user a sysadmin.
    pub admin: bool,
}

/// Makes somebody a user, or brings a user that is known, by number, up to date. Gives it as
/// it is then. Who the source means is for the caller to know: a name alone does not tell.
///
/// An e-mail address that somebody else has, or that is none, is left out, and does not
/// keep anybody from signing in. A name stays what it was. Texts that are too long are cut.
///
/// # Errors
/// Conflict when the name is taken; Invalid when nobody may have it; NotFound when the
/// user is no more.
pub async fn onboard(
    context: &Context,
    by: &Who,
    known: Option<i64>,
    says: &Outsider,
) -> Result<Arc<User>> {
    let email = says.email.clone().filter(|email| rules::is_email(email));
    let says = Outsider {
        email,
        realname: cut(&says.realname),
        comment: cut(&says.comment),
        ..says.clone()
    };
    if let Some(id) = known {
        let user = find(context, id).await?.ok_or_else(|| unknown(id))?;
        if !is_news(&user, &says, user.email.clone()) && has_address(&user, &says) {
            return Ok(user);
        }
    } else {
        rules::check_name(&says.username)?;
    }
    let audit = audit::by(context, by).await?;
    let stored = store(context, &audit, known, &says).await;
    // Somebody who came at the same time has the address, or the name.
    let stored = match stored {
        Err(error) if error.is(Kind::Conflict) => {
            let without = Outsider { email: None, ..says.clone() };
            store(context, &audit, known, &without).await
        }
        stored => stored,
    };
    let id = stored.map_err(|error| match error.kind {
        Kind::Conflict => Error::conflict(format!("the user {} exists already", says.username))
            .about(Subject::User),
        _ => error,
    })?;
    find(context, id).await?.ok_or_else(|| unknown(id))
}

async fn store(
    context: &Context,
    audit: &Audit,
    known: Option<i64>,
    says: &Outsider,
) -> Result<i64> {
    let (audit, says, caches) = (audit.clone(), says.clone(), context.caches.clone());
    context
        .db
        .write(move |tx| {
            let (audit, says, caches) = (audit.clone(), says.clone(), caches.clone());
            Box::pin(async move {
                let Some(id) = known else { return insert(tx, &audit, says).await };
                if update(tx, &audit, id, says).await? {
                    caches.users.changes(tx, &id);
                }
                Ok(id)
            })
        })
        .await
}

async fn insert(tx: &mut Tx, audit: &Audit, says: Outsider) -> Result<i64> {
    let email = free_address(tx, says.email, 0).await?;
    let Outsider { username, realname, comment, admin, .. } = says;
    let row = args![&username, email, realname, comment, admin, audit.now()];
    let row = tx.one(sql::INSERT_OUTSIDER, row).await?;
    let id = row.ok_or_else(|| Error::internal("a new user has no id"))?.get(0)?;
    audit.record(tx, Entry::new(Event::CreateUser, username)).await?;
    Ok(id)
}

/// True if there was something to change.
async fn update(tx: &mut Tx, audit: &Audit, id: i64, says: Outsider) -> Result<bool> {
    let user = lock(tx, id).await?.ok_or_else(|| unknown(id))?;
    let email = free_address(tx, says.email.clone(), id).await?.or_else(|| user.email.clone());
    if !is_news(&user, &says, email.clone()) {
        return Ok(false);
    }
    let realname = if says.realname.is_empty() { user.realname.clone() } else { says.realname };
    tx.execute(sql::UPDATE_OUTSIDER, args![id, email, realname, says.admin, audit.now()]).await?;
    audit.record(tx, Entry::new(Event::UpdateUser, &*user.username)).await?;
    Ok(true)
}

/// Whether a user differs from what a source says, given the address that it may have.
fn is_news(user: &User, says: &Outsider, email: Option<String>) -> bool {
    user.email != email
        || user.admin_by_source != says.admin
        || !says.realname.is_empty() && user.realname != says.realname
}

/// Whether a user has the address that a source says, if it says one.
fn has_address(user: &User, says: &Outsider) -> bool {
    says.email.is_none() || user.email == says.email
}

/// An address, if nobody but a user has it.
async fn free_address(tx: &mut Tx, email: Option<String>, id: i64) -> Result<Option<String>> {
    let Some(email) = email else { return Ok(None) };
    let taken = tx.one(sql::ADDRESS_OF_OTHER, args![&email, id]).await?.is_some();
    Ok((!taken).then_some(email))
}

/// A text as it can be kept: without what is not seen, and not too long.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !rules::is_hidden(*c)).take(LONGEST).collect()
}
