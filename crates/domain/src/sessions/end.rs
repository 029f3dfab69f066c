//! Ending sessions.

use std::time::Duration;

use db::{Args, args};
use kit::{Error, Kind, Result};

use super::{SessionId, begin::forget, sql, timeout};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::Who,
    users::{self, AllowedAccount},
};

/// How many sessions one transaction sweeps.
const AT_ONCE: i64 = 1000;

/// How long a session that has ended by itself is kept: the setting may change its mind.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Ends the session that a client shows: it signs out. True if there was one.
///
/// # Errors
/// None but the database's.
pub async fn end(context: &Context, id: &SessionId, by: &Who) -> Result<bool> {
    if !context.session_key.made(id) {
        return Ok(false);
    }
    let name = by.display_name().to_owned();
    Ok(remove(context, by, sql::DELETE, args![id.hash()], (&name, "logout")).await? > 0)
}

/// Ends one of a user's sessions.
///
/// # Errors
/// NotFound when the user has no such session.
pub async fn end_one(context: &Context, allowed: &AllowedAccount, id: i64) -> Result<()> {
    let user = allowed.user();
    let name = &*user.username;
    let told = (name, &*format!("end a session of user: {name}"));
    match remove(context, allowed.by(), sql::DELETE_ONE, args![user.id, id], told).await? {
        0 => Err(Error::new(Kind::NotFound, format!("session {id} not found"))),
        _ => Ok(()),
    }
}

/// Ends a user's sessions, except the one that it shows, if it shows one. Tells how many.
///
/// # Errors
/// None but the database's.
pub async fn end_others(
    context: &Context,
    allowed: &AllowedAccount,
    except: Option<&SessionId>,
) -> Result<usize> {
    let user = allowed.user();
    let except = except.map(SessionId::hash).unwrap_or_default();
    let told = (&*user.username, &*format!("end all sessions of user: {}", user.username));
    remove(context, allowed.by(), sql::DELETE_OTHERS, args![user.id, except], told).await
}

/// Ends all sessions of a user, of whom its identity source says that it is no more.
///
/// # Errors
/// None but the database's.
pub async fn end_all(context: &Context, user_id: i64) -> Result<()> {
    let Some(user) = users::find(context, user_id).await? else { return Ok(()) };
    let told = (&*user.username, &*format!("end all sessions of user: {}", user.username));
    remove(context, &Who::system(), sql::DELETE_OTHERS, args![user_id, ""], told).await.map(drop)
}

/// Removes sessions that ended by themselves, and tells how many.
///
/// # Errors
/// None but the database's; what was not removed is removed the next time.
pub async fn sweep(context: &Context) -> Result<usize> {
    let earliest = context.clock.now().before(timeout(context).await?.max(KEPT));
    let mut swept = 0;
    loop {
        let caches = context.caches.clone();
        let removed = context
            .db
            .write(move |tx| {
                let caches = caches.clone();
                let args = args![earliest, AT_ONCE];
                Box::pin(async move { forget(tx, &caches, sql::SWEEP, args).await })
            })
            .await?;
        swept += removed;
        if removed < AT_ONCE.unsigned_abs() as usize {
            return Ok(swept);
        }
    }
}

/// Removes sessions and tells of it, unless there are none: whose they were, and what was done.
async fn remove(
    context: &Context,
    by: &Who,
    statement: &'static str,
    args: Args,
    (name, deed): (&str, &str),
) -> Result<usize> {
    let audit = audit::by(context, by).await?;
    let entry = Entry::new(Event::LogoutUser, name).described(deed);
    let caches = context.caches.clone();
    context
        .db
        .write(move |tx| {
            let (args, caches) = (args.clone(), caches.clone());
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                let removed = forget(tx, &caches, statement, args).await?;
                if removed > 0 {
                    audit.record(tx, entry).await?;
                }
                Ok(removed)
            })
        })
        .await
}
