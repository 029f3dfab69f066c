//! Secrets of robots: how they are made, kept and verified.
//!
//! A secret that was made here has 137 bits of randomness: nobody guesses it however fast
//! its hash is, so it is hashed once, with SHA-256 and a salt. A secret that somebody chose
//! is hashed as a password is. Harbor's own hashes are understood as well. Whichever it is,
//! a pair of name and secret that was verified is remembered for minutes, as with users.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use db::args;
use kit::{Error, Kind, Result, Secret};
use moka::sync::Cache;

use super::{Robot, find, prefix, sql};
use crate::{Context, users};

/// How long a verified secret is remembered, and how many.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);
const MOST_REMEMBERED: u64 = 100_000;

/// The longest name that is looked for, in bytes: a project's, a plus and a robot's.
const LONGEST_NAME: usize = 1024;

/// Marks the hash of a secret that was made here.
const MADE_HERE: &str = "$sha256$";

const SALT_LENGTH: usize = 16;

/// Names and secrets that were verified, by fingerprint: which robot, and by which hash.
pub(crate) type Proofs = Cache<[u8; 32], (i64, Arc<str>)>;

/// Nothing remembered yet.
pub(crate) fn no_proofs() -> Proofs {
    Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(REMEMBERED_FOR).build()
}

/// The robot with a name and secret; none if no robot has the name, so that it may be a
/// user's. One that was verified in the last minutes costs microseconds.
///
/// # Errors
/// Unauthenticated when the secret is wrong, or the robot is disabled or expired, without
/// telling which; TooMany when too many wait.
pub async fn verify(context: &Context, name: &str, secret: &str) -> Result<Option<Arc<Robot>>> {
    let Some(stored_name) = name.strip_prefix(&*prefix(context).await?) else { return Ok(None) };
    if stored_name.len() > LONGEST_NAME || stored_name.contains('\0') {
        return Ok(None);
    }
    let fingerprint = context.passwords.fingerprint(name, secret);
    if let Some(robot) = recall(context, &fingerprint).await? {
        return live(context, robot).map(Some);
    }
    let Some(row) = context.db.one(sql::ID_BY_NAME, args![stored_name]).await? else {
        return Ok(None);
    };
    let Some(robot) = find(context, row.get(0)?).await? else { return Ok(None) };
    if !matches(context, secret, &robot.secret_hash).await? {
        return Err(refused());
    }
    context.caches.robot_proofs.insert(fingerprint, (robot.id, robot.secret_hash.clone()));
    live(context, robot).map(Some)
}

/// The robot whose name and secret were verified a short while ago, if neither has changed.
async fn recall(context: &Context, fingerprint: &[u8; 32]) -> Result<Option<Arc<Robot>>> {
    let Some((id, hash)) = context.caches.robot_proofs.get(fingerprint) else { return Ok(None) };
    Ok(find(context, id).await?.filter(|robot| robot.secret_hash == hash))
}

fn live(context: &Context, robot: Arc<Robot>) -> Result<Arc<Robot>> {
    if robot.is_live(context.clock.now()) { Ok(robot) } else { Err(refused()) }
}

fn refused() -> Error {
    Error::new(Kind::Unauthenticated, "invalid user name or password")
}

/// A new secret, and its hash.
pub(super) fn generate() -> (Secret, String) {
    let secret = kit::random_password();
    let salt = STANDARD_NO_PAD.encode(kit::random_bytes::<SALT_LENGTH>());
    let hash = STANDARD_NO_PAD.encode(sha256(&salt, secret.reveal()));
    (secret, format!("{MADE_HERE}{salt}${hash}"))
}

/// The hash of a secret that somebody chose.
///
/// # Errors
/// Invalid when it breaks Harbor's rules.
pub(super) async fn hash_chosen(context: &Context, secret: &Secret) -> Result<String> {
    users::valid_password(secret.reveal()).map_err(|_| {
        Error::invalid(
            "the secret must be 8-128, inclusively, characters long with at least 1 uppercase \
             letter, 1 lowercase letter and 1 number",
        )
    })?;
    users::hash(&context.passwords, secret.reveal()).await
}

async fn matches(context: &Context, secret: &str, hash: &str) -> Result<bool> {
    let Some((salt, expected)) = hash.strip_prefix(MADE_HERE).and_then(|hash| hash.split_once('$'))
    else {
        return users::has_hash(&context.passwords, secret, hash).await;
    };
    let Ok(expected) = STANDARD_NO_PAD.decode(expected) else { return Ok(false) };
    Ok(kit::constant_time_eq(&sha256(salt, secret), &expected))
}

fn sha256(salt: &str, secret: &str) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt.as_bytes());
    context.update(b"$");
    context.update(secret.as_bytes());
    context.finish().as_ref().to_vec()
}
