//! An installation: one database, and every process that serves from it.
//!
//! Owns the table `settings`, which holds what all its processes share. Promises: what
//! a first start makes (the user `admin`, the project `library`, the keys) is made once,
//! even when several processes start together; a process whose key does not open what
//! the others sealed does not start. Only start-up calls.

mod health;
mod sql;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use db::{Db, Tx, args};
use kit::{Clock, Error, Kind, Result, Seal, Secret, Time, metrics::Metrics};

pub use health::{Health, health};

use crate::{
    Context, Settings,
    artifacts::PullMarks,
    audit::{AuditKey, Forwarder, Pulls},
    context::Caches,
    events,
    jobs::Bell,
    projects,
    sessions::SessionKey,
    sign_in::Throttle,
    sources,
    tokens::{self, Keys, NewKey},
    uploads::{TicketKey, Writers},
    users::{self, Passwords},
};

/// The setting whose value only the installation's key opens.
const SEAL_CHECK: &str = "seal_check";

/// The setting that holds the key for the names of uploads, sealed.
const TICKET_KEY: &str = "upload_ticket_key";

/// The setting that holds the key of the audit log, sealed.
const AUDIT_KEY: &str = "audit_key";

/// The setting that holds the key for what browsers hold of sessions, sealed.
const SESSION_KEY: &str = "session_key";

/// All of them: an installation of an earlier version may lack some.
const ALL: [&str; 4] = [SEAL_CHECK, TICKET_KEY, AUDIT_KEY, SESSION_KEY];

/// What a start made that only a first start makes.
#[derive(Clone, Debug, Default)]
pub struct FirstStart {
    /// The password of the user `admin`, if it was made and had to be given one. It is
    /// known here and now only.
    pub admin_password: Option<Secret>,
}

impl Context {
    /// Opens an installation on a database that is migrated. At its first start the user
    /// `admin` gets the password that is given, or else a random one.
    ///
    /// # Errors
    /// Precondition when the key does not fit the database; Invalid when the password for
    /// `admin` breaks the rules and is needed; those of the database.
    pub async fn open(
        db: Db,
        blobs: blobs::Store,
        clock: Clock,
        seal: Seal,
        settings: Settings,
        metrics: Metrics,
        admin_password: Option<Secret>,
    ) -> Result<(Self, FirstStart)> {
        let caches = Arc::new(Caches::new());
        let keys = Arc::new(Keys::new());
        let bell = Bell::default();
        tell_of_changes(&db, &caches, &keys, &bell);
        let passwords = Passwords::new();

        let mut shared = read(&db).await?;
        let mut first_start = FirstStart::default();
        if ALL.iter().any(|name| !shared.contains_key(*name)) {
            first_start = found(&db, &seal, &passwords, clock.now(), admin_password).await?;
            shared = read(&db).await?;
        }
        check(&seal, shared.get(SEAL_CHECK))?;
        let ticket_key = TicketKey::new(&read_key(&seal, &shared, TICKET_KEY)?);
        let audit_key = AuditKey::new(&read_key(&seal, &shared, AUDIT_KEY)?);
        let session_key = SessionKey::new(&read_key(&seal, &shared, SESSION_KEY)?);
        let writers = Writers::default();
        let sources = sources::Memory::new(clock.clone());
        let context = Self {
            db,
            blobs,
            clock,
            seal,
            settings,
            metrics,
            jobs: Arc::default(),
            caches,
            keys,
            passwords,
            throttle: Throttle::new(),
            addition_readers: crate::artifacts::readers(),
            session_key,
            sources,
            ticket_key,
            audit_key,
            forwarder: Forwarder::start(),
            pulls: Pulls::default(),
            pull_marks: PullMarks::default(),
            writers,
            bell,
            event_pulls: events::Pulls::default(),
        };
        tokens::ready(&context).await?;
        Ok((context, first_start))
    }
}

/// Has everything that is kept in memory hear of changes, before anything is.
fn tell_of_changes(db: &Db, caches: &Arc<Caches>, keys: &Arc<Keys>, bell: &Bell) {
    let (caches, keys, bell) = (caches.clone(), keys.clone(), bell.clone());
    db.on_change(Arc::new(move |changes| {
        for change in changes {
            caches.apply(change);
            keys.apply(change);
            bell.hear(change);
        }
    }));
}

async fn read(db: &Db) -> Result<HashMap<String, String>> {
    let rows = db.all(sql::ALL, args![]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Makes what a first start makes. Whoever comes second finds it made.
async fn found(
    db: &Db,
    seal: &Seal,
    passwords: &Passwords,
    now: Time,
    admin_password: Option<Secret>,
) -> Result<FirstStart> {
    let (password, generated) = match admin_password {
        Some(given) => (given, None),
        None => {
            let generated = kit::random_password();
            (generated.clone(), Some(generated))
        }
    };
    users::valid_password(password.reveal()).map_err(|error| {
        Error::invalid(format!("the password given for the user admin is refused: {error}"))
    })?;
    let foundation = Arc::new(Foundation {
        seal_check: seal.seal(SEAL_CHECK.as_bytes(), SEAL_CHECK),
        ticket_key: seal.seal(&kit::random_bytes::<32>(), TICKET_KEY),
        audit_key: seal.seal(&kit::random_bytes::<32>(), AUDIT_KEY),
        session_key: seal.seal(&kit::random_bytes::<32>(), SESSION_KEY),
        password_hash: users::hash(passwords, password.reveal()).await?,
        signing_key: NewKey::make(seal)?,
    });
    let made_admin = db
        .write(move |tx| {
            let foundation = foundation.clone();
            Box::pin(async move { foundation.lay(tx, now).await })
        })
        .await?;
    Ok(FirstStart { admin_password: generated.filter(|_| made_admin) })
}

/// What a first start makes.
struct Foundation {
    seal_check: String,
    ticket_key: String,
    audit_key: String,
    session_key: String,
    password_hash: String,
    signing_key: NewKey,
}

impl Foundation {
    /// Makes what is not there. True if the user `admin` was made.
    async fn lay(&self, tx: &mut Tx, now: Time) -> Result<bool> {
        tx.execute(sql::INSERT, args![SEAL_CHECK, &self.seal_check]).await?;
        // From here on alone: others wait for this row.
        tx.one(sql::LOCK, args![SEAL_CHECK]).await?;
        tx.execute(sql::INSERT, args![TICKET_KEY, &self.ticket_key]).await?;
        tx.execute(sql::INSERT, args![AUDIT_KEY, &self.audit_key]).await?;
        tx.execute(sql::INSERT, args![SESSION_KEY, &self.session_key]).await?;
        let made_admin = users::first(tx, &self.password_hash, now).await?;
        projects::first(tx, now).await?;
        self.signing_key.insert_if_first(tx, now).await?;
        Ok(made_admin)
    }
}

/// Whether the key is the one that the installation's secrets are sealed with.
fn check(seal: &Seal, sealed: Option<&String>) -> Result<()> {
    let opens = sealed.is_some_and(|sealed| seal.open(sealed, SEAL_CHECK).is_ok());
    if opens {
        return Ok(());
    }
    Err(Error::new(
        Kind::Precondition,
        "the secret key does not fit this database: its secrets were sealed with another key. \
         Start with the key file that belongs to the database",
    ))
}

/// A key that the installation shares.
fn read_key(seal: &Seal, shared: &HashMap<String, String>, name: &str) -> Result<[u8; 32]> {
    let damaged = || Error::internal(format!("the key {name} is damaged"));
    let key = seal.open(shared.get(name).ok_or_else(damaged)?, name)?;
    key.as_slice().try_into().map_err(|_| damaged())
}
