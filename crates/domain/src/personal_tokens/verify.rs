//! Tokens as they are shown, and verifying them.
//!
//! A token begins with a mark by which people and programs that look for leaked secrets know
//! it, and ends in a keyed hash of what is between: one that somebody made up is known for it
//! without a look into the database.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use db::args;
use kit::{Error, Kind, Result, Secret, Time};

use super::{PersonalToken, find, sql};
use crate::{
    Context,
    sessions::SessionKey,
    users::{self, User},
};

/// What every token begins with.
const MARK: &str = "hvp_";

const RANDOM_LENGTH: usize = 24;
const TAG_LENGTH: usize = 6;

/// How far apart two writes about a token that is used are.
const STEP: Duration = Duration::from_secs(10 * 60);

/// A token as it is shown.
pub(super) struct Shown(Secret);

impl Shown {
    /// A new one.
    pub(super) fn make(key: &SessionKey) -> Self {
        let random = kit::random_bytes::<RANDOM_LENGTH>();
        let tag = key.tag("personal token", &[&random]);
        let text = URL_SAFE_NO_PAD.encode([&random[..], &tag[..TAG_LENGTH]].concat());
        Self(format!("{MARK}{text}").into())
    }

    /// What somebody shows, if it was made here.
    fn read(key: &SessionKey, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(MARK)?;
        if encoded.len() != (RANDOM_LENGTH + TAG_LENGTH) / 3 * 4 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (random, tag) = bytes.split_at_checked(RANDOM_LENGTH)?;
        let is_ours =
            kit::constant_time_eq(&key.tag("personal token", &[random])[..TAG_LENGTH], tag);
        is_ours.then(|| Self(text.into()))
    }

    /// What is stored of it. It is random enough for a plain hash.
    pub(super) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.0.reveal().as_bytes()))
    }

    pub(super) fn into_secret(self) -> Secret {
        self.0
    }
}

/// A token that was shown, and its user.
type Verified = (Arc<PersonalToken>, Arc<User>);

/// The token that somebody shows as a secret, with a name or alone; none if it has not the
/// form of a token of ours, so that it may be something else.
///
/// # Errors
/// Unauthenticated when it was revoked or has expired, is another user's, or its user is no
/// more.
pub(crate) async fn verify(
    context: &Context,
    name: Option<&str>,
    secret: &str,
) -> Result<Option<Verified>> {
    let Some(shown) = Shown::read(&context.session_key, secret) else { return Ok(None) };
    let refused = || Error::new(Kind::Unauthenticated, "invalid user name or password");
    let hash = shown.hash();
    let token = by_hash(context, &hash).await?.ok_or_else(refused)?;
    let now = context.clock.now();
    let user = users::find(context, token.user_id).await?.ok_or_else(refused)?;
    if !token.is_live(now) || name.is_some_and(|name| name != &*user.username) {
        return Err(refused());
    }
    if token.used_at.is_none_or(|used_at| now >= used_at.after(STEP)) {
        mark(context, &token, now).await;
    }
    Ok(Some((token, user)))
}

/// The token with a hash: its number is remembered, and all that changes of it is asked by
/// number.
async fn by_hash(context: &Context, hash: &str) -> Result<Option<Arc<PersonalToken>>> {
    let ids = &context.caches.token_ids;
    let id = match ids.get(hash) {
        Some(id) => id,
        None => {
            let Some(row) = context.db.one(sql::ID_BY_HASH, args![hash]).await? else {
                return Ok(None);
            };
            let id = row.get(0)?;
            ids.insert(hash.to_owned(), id);
            id
        }
    };
    Ok(find(context, id).await?.filter(|token| token.hash == hash))
}

/// Writes down that a token is used. Of many that find it time, one does; if it fails, the
/// next one tries, and this one goes on.
async fn mark(context: &Context, token: &PersonalToken, now: Time) {
    if token.marking.swap(true, Ordering::Relaxed) {
        return;
    }
    let (id, caches) = (token.id, context.caches.clone());
    let marked = context
        .db
        .write(move |tx| {
            let caches = caches.clone();
            Box::pin(async move {
                tx.execute(sql::MARK, args![id, now]).await?;
                caches.personal_tokens.changes(tx, &id);
                Ok(())
            })
        })
        .await;
    if let Err(error) = marked {
        tracing::warn!(%error, "the use of a personal access token could not be written down");
        token.marking.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_up_is_known_for_it() {
        let key = SessionKey::new(&[7; 32]);
        let shown = Shown::make(&key);
        let text = shown.0.reveal();
        assert!(text.starts_with(MARK) && text.len() == 44, "{}", text.len());
        assert_eq!(Shown::read(&key, text).map(|read| read.hash()), Some(shown.hash()));
        assert!(Shown::read(&SessionKey::new(&[8; 32]), text).is_none());
        for other in ["", "hvp_", &text[4..], &text[..43], &format!("{text}A"), "hvp_ä"] {
            assert!(Shown::read(&key, other).is_none(), "{other}");
        }
        let mut changed = text.to_owned();
        let last = if changed.ends_with('A') { 'B' } else { 'A' };
        changed.pop();
        changed.push(last);
        assert!(Shown::read(&key, &changed).is_none());
    }
}
