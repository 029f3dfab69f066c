//! The CLI secret: what a user from elsewhere, who has no password here, shows on a command
//! line. It hangs on no token of the source that the user comes from.

use std::{sync::Arc, time::Duration};

use db::{Row, args};
use kit::{Error, Kind, Result, Secret, Subject, Time};
use moka::sync::Cache;

use super::sql;
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::Who,
    users::{self, AllowedAccount, User},
};

/// How long a secret that was shown is remembered, and how many.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);
const MOST_REMEMBERED: u64 = 100_000;

/// Names and secrets that were shown, by fingerprint: whose.
pub(crate) type Proofs = Cache<[u8; 32], i64>;

/// Nothing remembered yet.
pub(crate) fn no_proofs() -> Proofs {
    Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(REMEMBERED_FOR).build()
}

/// A user's CLI secret.
#[derive(Clone, Debug)]
pub struct CliSecret {
    /// The secret.
    pub secret: Secret,
    /// When the user first got one.
    pub created_at: Time,
    /// When it got this one.
    pub updated_at: Time,
}

/// A user's CLI secret, from memory, if it has one.
///
/// # Errors
/// None but the database's, and Internal when it does not open.
pub async fn cli_secret(context: &Context, user_id: i64) -> Result<Option<Arc<CliSecret>>> {
    let find = || async {
        let row = context.db.one(sql::CLI_OF_USER, args![user_id]).await?;
        row.map(|row| read(context, user_id, &row)).transpose()
    };
    context.caches.cli_secrets.get(&context.db, &user_id, find).await
}

/// Gives a user another CLI secret.
///
/// # Errors
/// Invalid when it breaks Harbor's rules for passwords; Precondition when the user signs in
/// with its password alone, which serves on a command line as well.
pub async fn set_cli_secret(
    context: &Context,
    allowed: &AllowedAccount,
    secret: &Secret,
) -> Result<()> {
    let user = allowed.user();
    if user.has_password() && !user.second_factor {
        let message = "a user with a password here and without a second factor has no CLI secret";
        return Err(Error::new(Kind::Precondition, message).about(Subject::User));
    }
    users::valid_password(secret.reveal()).map_err(|_| {
        Error::invalid(
            "the secret must be 8-128, inclusively, characters long with at least 1 uppercase \
             letter, 1 lowercase letter and 1 number",
        )
    })?;
    store(context, user, secret, allowed.by()).await
}

/// Sees to it that a user has a CLI secret: what is done when it first comes from elsewhere.
///
/// # Errors
/// None but the database's.
pub async fn ensure_cli_secret(context: &Context, user: &User) -> Result<()> {
    if cli_secret(context, user.id).await?.is_some() {
        return Ok(());
    }
    store(context, user, &kit::random_password(), &Who::system()).await
}

async fn store(context: &Context, user: &User, secret: &Secret, by: &Who) -> Result<()> {
    let sealed = context.seal.seal(secret.reveal().as_bytes(), &sealed_as(user.id));
    let audit = audit::by(context, by).await?;
    let (id, name, now) = (user.id, &*user.username, context.clock.now());
    let deed = format!("set the CLI secret of user: {name}");
    let entry = Entry::new(Event::UpdateUser, name).described(deed);
    let caches = context.caches.clone();
    context
        .db
        .write(move |tx| {
            let (sealed, caches) = (sealed.clone(), caches.clone());
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                tx.execute(sql::SET_CLI, args![id, sealed, now]).await?;
                caches.cli_secrets.changes(tx, &id);
                audit.record(tx, entry).await
            })
        })
        .await
}

/// The user whose name and CLI secret were shown a short while ago, from memory.
///
/// # Errors
/// None but the database's.
pub(crate) async fn recall_cli(
    context: &Context,
    name: &str,
    secret: &str,
) -> Result<Option<Arc<User>>> {
    let fingerprint = context.passwords.fingerprint(name, secret);
    match context.caches.cli_proofs.get(&fingerprint) {
        Some(id) => matching(context, id, name, secret).await,
        None => Ok(None),
    }
}

/// The user with a name and a CLI secret.
///
/// # Errors
/// None but the database's, and Internal when it does not open.
pub(crate) async fn verify_cli(
    context: &Context,
    name: &str,
    secret: &str,
) -> Result<Option<Arc<User>>> {
    if name.contains('\0') {
        return Ok(None);
    }
    let Some(row) = context.db.one(sql::CLI_BY_NAME, args![name]).await? else { return Ok(None) };
    let id = row.get(0)?;
    let found = matching(context, id, name, secret).await?;
    if found.is_some() {
        let fingerprint = context.passwords.fingerprint(name, secret);
        context.caches.cli_proofs.insert(fingerprint, id);
    }
    Ok(found)
}

async fn matching(
    context: &Context,
    id: i64,
    name: &str,
    secret: &str,
) -> Result<Option<Arc<User>>> {
    let Some(own) = cli_secret(context, id).await? else { return Ok(None) };
    if !kit::constant_time_eq(own.secret.reveal().as_bytes(), secret.as_bytes()) {
        return Ok(None);
    }
    Ok(users::find(context, id).await?.filter(|user| &*user.username == name))
}

/// Reads the columns of [`sql::CLI_OF_USER`].
fn read(context: &Context, user_id: i64, row: &Row) -> Result<CliSecret> {
    let plain = context.seal.open(&row.get::<String>(0)?, &sealed_as(user_id))?;
    let secret = std::str::from_utf8(&plain).map_err(Error::internal)?.into();
    Ok(CliSecret { secret, created_at: row.get(1)?, updated_at: row.get(2)? })
}

/// What a sealed secret is bound to.
fn sealed_as(user_id: i64) -> String {
    format!("CLI secret of user {user_id}")
}
