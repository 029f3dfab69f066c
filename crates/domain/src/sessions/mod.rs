//! Sessions: what a browser shows instead of a name and a password.
//!
//! Owns the table `sessions`. Promises: of what the client holds only a hash is stored; a
//! session ends when it is not used for as long as `session_timeout` says at that moment, when
//! it is ended here, when its user's password changes and when its user is gone, here at once
//! and on other replicas within a second; to use one costs a look into memory, and a write
//! about once a minute; every sign-in has a session of its own. `access` and everybody below
//! may call.

mod begin;
mod csrf;
mod end;
mod id;
mod sql;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use db::{Row, args};
use kit::{Result, Time};

use crate::{
    Context,
    settings::{self, Key},
    users::{self, AllowedAccount, User},
};

pub use begin::begin;
pub use csrf::{CsrfToken, csrf_of, new_csrf};
pub use end::{end, end_all, end_one, end_others, sweep};
pub use id::SessionId;
pub(crate) use id::SessionKey;

/// How many sessions a user may have; of more, those used longest ago end.
const MOST: i64 = 100;

/// The least and the most time between two writes about a session that is used.
const SHORTEST_STEP: Duration = Duration::from_secs(1);
const LONGEST_STEP: Duration = Duration::from_secs(60);

/// A session.
#[derive(Debug)]
pub struct Session {
    /// Its number, by which people end it.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Where it began.
    pub address: String,
    /// The program it began in, as that calls itself.
    pub agent: String,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, give or take a minute.
    pub used_at: Time,
    hash: String,
    password_version: String,
    /// Whether this process is about to write down that it is used.
    renewing: AtomicBool,
}

impl Session {
    /// Whether a client's id is this session's.
    pub fn is(&self, id: &SessionId) -> bool {
        self.hash == id.hash()
    }
}

/// The session that a client shows, and its user; none if it is no session of ours or has
/// ended. With `renew` it lives on from now.
///
/// # Errors
/// Those of the database when they are not in memory.
pub async fn find(
    context: &Context,
    id: &SessionId,
    renew: bool,
) -> Result<Option<(Arc<Session>, Arc<User>)>> {
    if !context.session_key.made(id) {
        return Ok(None);
    }
    let hash = id.hash();
    let find = || async {
        let row = context.db.one(sql::BY_HASH, args![&hash]).await?;
        row.as_ref().map(read_session).transpose()
    };
    let Some(session) = context.caches.sessions.get(&context.db, &hash, find).await? else {
        return Ok(None);
    };
    let Some(user) = users::find(context, session.user_id).await? else { return Ok(None) };
    let (now, timeout) = (context.clock.now(), timeout(context).await?);
    if session.password_version != user.password_version() || ended(&session, now, timeout) {
        return Ok(None);
    }
    if renew && now >= session.used_at.after(step(timeout)) {
        self::renew(context, &session, now).await;
    }
    Ok(Some((session, user)))
}

/// The sessions of a user that have not ended, those used last first.
///
/// # Errors
/// None but the database's.
pub async fn list(context: &Context, allowed: &AllowedAccount) -> Result<Vec<Session>> {
    let (user, now) = (allowed.user(), context.clock.now());
    let earliest = now.before(timeout(context).await?);
    let rows = context.db.all(sql::OF_USER, args![user.id, earliest, MOST]).await?;
    let mut sessions: Vec<Session> = rows.iter().map(read_session).collect::<Result<_>>()?;
    let version = user.password_version();
    sessions.retain(|session| session.password_version == version);
    Ok(sessions)
}

/// How long a session lives without being used.
async fn timeout(context: &Context) -> Result<Duration> {
    Ok(settings::current(context).await?.minutes(Key::SessionTimeout))
}

fn ended(session: &Session, now: Time, timeout: Duration) -> bool {
    now >= session.used_at.after(timeout)
}

/// How far apart two writes about a session are.
fn step(timeout: Duration) -> Duration {
    (timeout / 20).clamp(SHORTEST_STEP, LONGEST_STEP)
}

/// Writes down that a session is used. Of many requests that find it time, one does; if it
/// fails, the next one tries, and this one goes on.
async fn renew(context: &Context, session: &Session, now: Time) {
    if session.renewing.swap(true, Ordering::Relaxed) {
        return;
    }
    let (hash, caches) = (session.hash.clone(), context.caches.clone());
    let renewed = context
        .db
        .write(move |tx| {
            let (hash, caches) = (hash.clone(), caches.clone());
            Box::pin(async move {
                tx.execute(sql::RENEW, args![&hash, now]).await?;
                caches.sessions.changes(tx, &hash);
                Ok(())
            })
        })
        .await;
    if let Err(error) = renewed {
        tracing::warn!(%error, "the use of a session could not be written down");
        session.renewing.store(false, Ordering::Relaxed);
    }
}

/// Reads the columns of [`sql::BY_HASH`].
fn read_session(row: &Row) -> Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        hash: row.get(1)?,
        user_id: row.get(2)?,
        password_version: row.get(3)?,
        address: row.get(4)?,
        agent: row.get(5)?,
        created_at: row.get(6)?,
        used_at: row.get(7)?,
        renewing: AtomicBool::new(false),
    })
}
