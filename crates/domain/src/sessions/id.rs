//! The id of a session, as the client's cookie holds it.
//!
//! It is random, and ends in a keyed hash of that: what somebody makes up is known for it
//! without a look into the database.

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kit::Secret;

const RANDOM_LENGTH: usize = 32;
const TAG_LENGTH: usize = 16;

/// The key that marks the ids of an installation's sessions, and the tokens that prove that a
/// request comes from one of its pages.
#[derive(Clone)]
pub(crate) struct SessionKey(hmac::Key);

impl SessionKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A keyed hash of some parts, for a purpose. Each part must have a fixed length or be the
    /// last one.
    pub(crate) fn tag(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        parts.iter().for_each(|part| context.update(part));
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// A new id.
    pub(super) fn make(&self) -> SessionId {
        let random = kit::random_bytes::<RANDOM_LENGTH>();
        let tag = self.tag("session", &[&random]);
        let id = URL_SAFE_NO_PAD.encode([&random[..], &tag[..TAG_LENGTH]].concat());
        SessionId(id.into())
    }

    /// Whether an id was made with this key.
    pub(super) fn made(&self, id: &SessionId) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(id.0.reveal()) else { return false };
        let Some((random, tag)) = bytes.split_at_checked(RANDOM_LENGTH) else { return false };
        kit::constant_time_eq(&self.tag("session", &[random])[..TAG_LENGTH], tag)
    }
}

/// What a client shows of its session.
#[derive(Clone, Debug)]
pub struct SessionId(Secret);

impl SessionId {
    /// The longest that is looked at, in bytes; ours have 64.
    const LONGEST: usize = 128;

    /// What a cookie holds, if it may be an id.
    pub fn read(cookie: &str) -> Option<Self> {
        (cookie.len() <= Self::LONGEST).then(|| Self(cookie.into()))
    }

    /// The text for the cookie: letters, digits, `-` and `_`.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// What is stored of it. It is random enough for a plain hash.
    pub(super) fn hash(&self) -> String {
        let digest = digest::digest(&digest::SHA256, self.0.reveal().as_bytes());
        URL_SAFE_NO_PAD.encode(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_up_is_known_for_it() {
        let key = SessionKey::new(&[7; 32]);
        let id = key.make();
        assert!(key.made(&id) && !SessionKey::new(&[8; 32]).made(&id));
        assert_eq!(id.reveal().len(), 64);
        assert_ne!(id.reveal(), key.make().reveal());
        assert_ne!(id.hash(), id.reveal());
        for at in 0..64 {
            let mut changed = id.reveal().as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap_or_default();
            assert!(!key.made(&SessionId(changed.into())), "byte {at}");
        }
        let shorter = &id.reveal()[..id.reveal().len() - 1];
        let longer = format!("{}A", id.reveal());
        for other in ["", "x", "ä", "\0", shorter, &longer] {
            assert!(!key.made(&SessionId(other.into())), "{other}");
        }
        assert!(SessionId::read(&"x".repeat(129)).is_none());
    }
}
