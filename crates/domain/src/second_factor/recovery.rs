//! Recovery codes: each of them once in place of a phone's code.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use db::{Args, Sql, Tx, args};
use kit::{Result, Secret};

use super::{sql, totp::base32};

/// How many a user has.
const MANY: usize = 10;

/// How long one is, in random bytes: long enough for a plain hash.
const LENGTH: usize = 10;

/// New ones, as people see them, such as `ABCD-EFGH-IJKL-MNOP`, and their hashes.
pub(super) fn make() -> (Vec<Secret>, Vec<String>) {
    let make = |_| {
        let plain = base32(&kit::random_bytes::<LENGTH>());
        let groups: Vec<&str> =
            (0..plain.len()).step_by(4).filter_map(|at| plain.get(at..at + 4)).collect();
        (Secret::from(groups.join("-")), hash(&plain))
    };
    (0..MANY).map(make).unzip()
}

/// The hash of one that somebody typed, who may leave out what is between the groups, and
/// write it small.
pub(super) fn hash_typed(typed: &str) -> String {
    let plain: String =
        typed.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
    hash(&plain)
}

fn hash(plain: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, plain.as_bytes()))
}

/// Puts new ones in the place of all that a user had.
pub(super) async fn replace(tx: &mut Tx, user_id: i64, hashes: &[String]) -> Result<()> {
    tx.execute(sql::DELETE_CODES, args![user_id]).await?;
    let mut args = Args::new();
    for hash in hashes {
        args.push(user_id);
        args.push(hash);
    }
    tx.execute(Sql::rows(sql::INSERT_CODES_ROWS, 2, hashes.len(), ""), args).await.map(drop)
}
