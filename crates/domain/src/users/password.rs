//! Passwords: their rules, how they are kept, and how they are verified.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{digest, hmac};
use db::args;
use kit::{Error, Kind, Result, Subject};
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    User, find, find_by_name,
    hash::{self, matches},
    sql,
};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::Who,
};

/// How long a verified password is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);

/// How many verified passwords are remembered.
const MOST_REMEMBERED: u64 = 10_000;

/// How many requests may wait for their password to be hashed before the next ones are
/// told to come back: a hash takes tens of milliseconds of one core.
const MOST_WAITING: usize = 256;

/// A hash that no password has, of the cost of a real one: what the password for an
/// unknown user is verified against.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmU$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What this process knows of passwords: never the passwords themselves.
pub(crate) struct Passwords {
    /// Made for this process, so that what is remembered is worth nothing elsewhere.
    key: hmac::Key,
    remembered: Cache<[u8; 32], Remembered>,
    /// One for each core: a hash takes 19 MiB of memory.
    hashing: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Whose password a remembered one was.
#[derive(Clone)]
struct Remembered {
    user_id: i64,
    password_version: String,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &kit::random_bytes::<32>()),
            remembered: Cache::builder()
                .max_capacity(MOST_REMEMBERED)
                .time_to_live(REMEMBERED_FOR)
                .build(),
            hashing: Arc::new(Semaphore::new(cores)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// What a name and password are remembered under.
    pub(crate) fn fingerprint(&self, username: &str, password: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(username.len() as u64).to_be_bytes());
        context.update(username.as_bytes());
        context.update(password.as_bytes());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.sign().as_ref());
        fingerprint
    }

    /// Waits until one of the few who may hash at a time is done.
    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let _waiting = Waiting::enter(&self.waiting)?;
        self.hashing.clone().acquire_owned().await.map_err(Error::internal)
    }
}

/// Does something that hashes away from the threads that serve. Its turn ends when it is
/// done, whether or not somebody still waits for it.
async fn hashing<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    deed: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let deed = move || {
        let done = deed();
        drop(turn);
        done
    };
    tokio::task::spawn_blocking(deed).await.map_err(Error::internal)
}

/// A place among those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize) -> Result<Self> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < MOST_WAITING {
            return Ok(place);
        }
        let mut error = Error::new(Kind::TooMany, "too many logins at once");
        error.retry_after = Some(Duration::from_secs(2));
        Err(error)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl User {
    /// Names the user's password without telling anything of it: another password has
    /// another version.
    pub(crate) fn password_version(&self) -> String {
        let hash = self.password_hash.as_deref().unwrap_or_default();
        let digest = digest::digest(&digest::SHA256, hash.as_bytes());
        digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The user with a name and a password. One that was verified in the last minutes costs
/// microseconds, any other the same tens of milliseconds.
///
/// # Errors
/// Unauthenticated, without telling whether the name or the password is wrong; TooMany
/// when too many wait.
pub async fn verify(context: &Context, username: &str, password: &str) -> Result<Arc<User>> {
    verify_when(context, username, password, || Ok(())).await
}

/// The user whose name and password were verified a short while ago, from memory.
///
/// # Errors
/// None but the database's.
pub(crate) async fn remembered(
    context: &Context,
    username: &str,
    password: &str,
) -> Result<Option<Arc<User>>> {
    recall(context, username, &context.passwords.fingerprint(username, password)).await
}

/// As [`verify`], if `may` says so at the moment when it is this one's turn: those that wait
/// meanwhile hear of what became of those before them.
///
/// # Errors
/// As [`verify`], and those of `may`.
pub(crate) async fn verify_when(
    context: &Context,
    username: &str,
    password: &str,
    may: impl Fn() -> Result<()> + Send,
) -> Result<Arc<User>> {
    let passwords = &context.passwords;
    let fingerprint = passwords.fingerprint(username, password);
    if let Some(user) = recall(context, username, &fingerprint).await? {
        return Ok(user);
    }
    let turn = passwords.turn().await?;
    // Of many who came with the same password, only the first has it hashed.
    if let Some(user) = recall(context, username, &fingerprint).await? {
        return Ok(user);
    }
    may()?;
    // No name holds NUL, which the database refuses to be asked for.
    let user = match username.contains('\0') {
        true => None,
        false => find_by_name(context, username).await?,
    };
    let known = user.as_ref().and_then(|user| user.password_hash.clone());
    let attempt = password.to_owned();
    let matches = hashing(turn, move || {
        let matches = matches(&attempt, known.as_deref().unwrap_or(NOBODY));
        matches && known.is_some()
    })
    .await?;
    match user {
        Some(user) if matches => {
            let user = renew(context, user, password).await?;
            let password_version = user.password_version();
            let remembered = Remembered { user_id: user.id, password_version };
            passwords.remembered.insert(fingerprint, remembered);
            Ok(Arc::new(user))
        }
        _ => Err(Error::new(Kind::Unauthenticated, "invalid user name or password")),
    }
}

/// A user whose password was just verified, with a hash of today's kind if it had an older
/// one. That it cannot be written keeps nobody out.
async fn renew(context: &Context, user: User, password: &str) -> Result<User> {
    let Some(old) = user.password_hash.clone().filter(|hash| !hash::is_todays(hash)) else {
        return Ok(user);
    };
    let new = hash(&context.passwords, password).await?;
    let (id, now, caches) = (user.id, context.clock.now(), context.caches.clone());
    let stored = new.clone();
    let replaced = context
        .db
        .write(move |tx| {
            let (caches, row) = (caches.clone(), args![id, &stored, now, &old]);
            Box::pin(async move {
                caches.users.changes(tx, &id);
                tx.execute(sql::REPLACE_PASSWORD, row).await
            })
        })
        .await;
    match replaced {
        Ok(1) => Ok(User { password_hash: Some(new), updated_at: now, ..user }),
        Ok(_) => Ok(user),
        Err(error) => {
            tracing::warn!(%error, "a password keeps its old hash");
            Ok(user)
        }
    }
}

/// The user whose name and password were verified a short while ago, if neither has
/// changed since.
async fn recall(
    context: &Context,
    username: &str,
    fingerprint: &[u8; 32],
) -> Result<Option<Arc<User>>> {
    let Some(remembered) = context.passwords.remembered.get(fingerprint) else {
        return Ok(None);
    };
    let user = find(context, remembered.user_id).await?;
    let is_same = |user: &Arc<User>| {
        *user.username == *username && user.password_version() == remembered.password_version
    };
    Ok(user.filter(is_same))
}

/// Gives a user another password: what an operator does who lost it. Everything that
/// hangs on the old one is void.
///
/// # Errors
/// Invalid when the password breaks the rules; NotFound when there is no such user.
pub async fn reset_password(context: &Context, username: &str, password: &str) -> Result<()> {
    valid_password(password)?;
    let user = find_by_name(context, username)
        .await?
        .ok_or_else(|| Error::not_found(Subject::User, format!("user {username} not found")))?;
    let hash = hash(&context.passwords, password).await?;
    let (audit, caches) = (audit::by(context, &Who::system()).await?, context.caches.clone());
    let (id, entry) = (user.id, Entry::new(Event::UpdateUser, username));
    context
        .db
        .write(move |tx| {
            let (hash, caches) = (hash.clone(), caches.clone());
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                tx.execute(sql::SET_PASSWORD, args![id, hash, audit.now()]).await?;
                caches.users.changes(tx, &id);
                audit.record(tx, entry).await
            })
        })
        .await
}

/// Whether a password keeps Harbor's rules.
///
/// # Errors
/// Invalid, with the rules.
pub(crate) fn valid_password(password: &str) -> Result<()> {
    let has = |kind: fn(&char) -> bool| password.chars().any(|c| kind(&c));
    let long_enough = (8..=128).contains(&password.chars().count());
    if long_enough
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
    {
        return Ok(());
    }
    let rules = "a password has 8 to 128 characters, with at least 1 uppercase letter, \
                 1 lowercase letter and 1 number";
    Err(Error::invalid(rules).about(Subject::User))
}

/// The hash of a password, as it is kept: argon2id in PHC's string format.
pub(crate) async fn hash(passwords: &Passwords, password: &str) -> Result<String> {
    let password = password.to_owned();
    let hash = move || hash::hash(&password);
    let turn = passwords.turn().await?;
    hashing(turn, hash).await?
}

/// Whether a secret has a hash that was stored: one made by [`hash`], or one of Harbor's.
///
/// # Errors
/// TooMany when too many wait.
pub(crate) async fn has_hash(passwords: &Passwords, secret: &str, hash: &str) -> Result<bool> {
    let (secret, hash) = (secret.to_owned(), hash.to_owned());
    let turn = passwords.turn().await?;
    hashing(turn, move || matches(&secret, &hash)).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use argon2::{Argon2, Params, PasswordHash, PasswordHasher};

    use super::*;

    #[test]
    fn nobody_costs_what_a_user_costs() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real = Argon2::default().hash_password(b"secret").unwrap();
        assert_eq!(nobody.algorithm, real.algorithm);
        assert_eq!(Params::try_from(&nobody).unwrap(), Params::try_from(&real).unwrap());
        assert_eq!(nobody.hash.unwrap().len(), real.hash.unwrap().len());
        assert!(!matches("", NOBODY));
    }

    #[test]
    fn rules_are_harbors() {
        for good in ["Harbor12345", "aB345678", &format!("aB3{}", "x".repeat(125))] {
            assert!(valid_password(good).is_ok(), "{good}");
        }
        let too_long = format!("aB3{}", "x".repeat(126));
        for bad in ["", "aB34567", "ab345678", "AB345678", "aBcdefgh", too_long.as_str()] {
            assert_eq!(valid_password(bad).unwrap_err().kind, Kind::Invalid, "{bad}");
        }
    }
}
