//! The second factor of local users: codes that their phone makes (TOTP, RFC 6238), and
//! recovery codes for when it is lost.
//!
//! Owns the tables `second_factors` and `recovery_codes`. Promises: the secret is sealed; a
//! code signs in once, on whichever replica; recovery codes are stored as hashes and go when
//! they are used; wrong codes make the account's codes wait longer and longer, though not its
//! recovery codes. That a user has a second factor is a fact of the user, in memory. `sign_in`
//! and everybody below may call.

mod check;
mod recovery;
mod sql;
#[cfg(test)]
pub(crate) mod tests;
mod totp;

use db::args;
use kit::{Error, Kind, Result, Secret, Subject, Time};

use crate::{
    Context,
    audit::{self, Entry, Event},
    users::{self, AllowedAccount},
};

pub(crate) use check::check;
use totp::Totp;

/// How it stands with a user's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Since when signing in needs it; none if it does not.
    pub since: Option<Time>,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

/// How it stands with a user's second factor.
///
/// # Errors
/// None but the database's.
pub async fn status(context: &Context, allowed: &AllowedAccount) -> Result<Status> {
    let row = context.db.one(sql::STATUS, args![allowed.user().id]).await?;
    Ok(match row {
        Some(row) => Status { since: row.get(0)?, recovery_codes: row.get(1)? },
        None => Status { since: None, recovery_codes: 0 },
    })
}

/// Makes the secret for a user's phone, in base32, and shows it this once. It counts when it is
/// confirmed with a code; until then another one may be made.
///
/// # Errors
/// Precondition when the user has no password here; Conflict when it has a second factor.
pub async fn enrol(context: &Context, allowed: &AllowedAccount) -> Result<Secret> {
    let user = allowed.user();
    if !user.has_password() {
        let message = "only users with a password here can have a second factor here";
        return Err(Error::new(Kind::Precondition, message).about(Subject::User));
    }
    let totp = Totp::make();
    let sealed = context.seal.seal(totp.secret(), &sealed_as(user.id));
    let args = args![user.id, sealed, context.clock.now()];
    let enrolled = context
        .db
        .write(move |tx| {
            let args = args.clone();
            Box::pin(async move { tx.execute(sql::ENROL, args).await })
        })
        .await?;
    if enrolled == 0 {
        return Err(Error::conflict("the second factor is on already").about(Subject::User));
    }
    Ok(totp.in_base32())
}

/// Turns a user's second factor on: the first code proves that the phone has the secret. The
/// recovery codes are shown this once.
///
/// # Errors
/// Invalid when the code is not right; Precondition when there is nothing to confirm.
pub async fn confirm(
    context: &Context,
    allowed: &AllowedAccount,
    code: &str,
) -> Result<Vec<Secret>> {
    let nothing = || Error::new(Kind::Precondition, "there is no second factor to confirm");
    let (user, now) = (allowed.user(), context.clock.now());
    let row = context.db.one(sql::PENDING, args![user.id]).await?.ok_or_else(nothing)?;
    let sealed: String = row.get(0)?;
    let totp = Totp::of(&context.seal.open(&sealed, &sealed_as(user.id))?);
    let Some(step) = totp.step_of(code, now) else {
        return Err(Error::invalid("the code is not right: is the clock of the phone?"));
    };
    let (codes, hashes) = recovery::make();
    let (audit, entry) = told(context, allowed, "enable the second factor").await?;
    let (caches, id) = (context.caches.clone(), user.id);
    let confirmed = context
        .db
        .write(move |tx| {
            let (sealed, hashes, caches) = (sealed.clone(), hashes.clone(), caches.clone());
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                // Unless another secret was made meanwhile.
                if tx.execute(sql::CONFIRM, args![id, sealed, now, step]).await? == 0 {
                    return Ok(false);
                }
                recovery::replace(tx, id, &hashes).await?;
                users::set_second_factor(tx, &caches, id, true, now).await?;
                audit.record(tx, entry).await?;
                Ok(true)
            })
        })
        .await?;
    if confirmed { Ok(codes) } else { Err(nothing()) }
}

/// Turns a user's second factor off: the user with a code, an administrator without.
///
/// # Errors
/// Forbidden when the code is wrong or was used; TooMany after many wrong ones; Precondition
/// when there is none.
pub async fn disable(context: &Context, allowed: &AllowedAccount, code: &str) -> Result<()> {
    let (user, now) = (allowed.user(), context.clock.now());
    if !user.second_factor {
        return Err(off());
    }
    if allowed.is_own() {
        check::demand(context, user, code).await?;
    }
    let (audit, entry) = told(context, allowed, "disable the second factor").await?;
    let (caches, id) = (context.caches.clone(), user.id);
    context
        .db
        .write(move |tx| {
            let (caches, audit, entry) = (caches.clone(), audit.clone(), entry.clone());
            Box::pin(async move {
                tx.execute(sql::DELETE_CODES, args![id]).await?;
                tx.execute(sql::DELETE, args![id]).await?;
                users::set_second_factor(tx, &caches, id, false, now).await?;
                audit.record(tx, entry).await
            })
        })
        .await
}

/// Makes new recovery codes in place of all old ones, and shows them this once.
///
/// # Errors
/// As [`disable`].
pub async fn renew_recovery_codes(
    context: &Context,
    allowed: &AllowedAccount,
    code: &str,
) -> Result<Vec<Secret>> {
    let user = allowed.user();
    if !user.second_factor {
        return Err(off());
    }
    check::demand(context, user, code).await?;
    let (codes, hashes) = recovery::make();
    let (audit, entry) = told(context, allowed, "renew the recovery codes").await?;
    let id = user.id;
    context
        .db
        .write(move |tx| {
            let (hashes, audit, entry) = (hashes.clone(), audit.clone(), entry.clone());
            Box::pin(async move {
                recovery::replace(tx, id, &hashes).await?;
                audit.record(tx, entry).await
            })
        })
        .await?;
    Ok(codes)
}

async fn told(
    context: &Context,
    allowed: &AllowedAccount,
    deed: &str,
) -> Result<(audit::Audit, Entry)> {
    let name = &*allowed.user().username;
    let entry = Entry::new(Event::UpdateUser, name).described(format!("{deed} of user: {name}"));
    Ok((audit::by(context, allowed.by()).await?, entry))
}

fn off() -> Error {
    Error::new(Kind::Precondition, "the second factor is not on").about(Subject::User)
}

/// What a sealed secret is bound to.
fn sealed_as(user_id: i64) -> String {
    format!("second factor of user {user_id}")
}
