//! Tokens that prove that a request comes from a page of ours and not from one that makes a
//! browser send it: the client holds one in a cookie that no script reads, and shows the same
//! one, masked anew each time, in a header that only a page of ours can set.
//!
//! The cookie is marked with the installation's key and bound to the session, so that nobody
//! who can set cookies for a neighbouring host can give somebody a token of his own.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::Context;

const LENGTH: usize = 32;

/// The longest text that is looked at, in bytes; ours have 88.
const LONGEST: usize = 256;

/// The token of one client.
pub struct CsrfToken([u8; LENGTH]);

/// A new token for a client, which shows `session` or will; and what its cookie is to hold.
pub fn new_csrf(context: &Context, session: Option<&str>) -> (CsrfToken, String) {
    let token = kit::random_bytes::<LENGTH>();
    let tag = tag(context, &token, session);
    (CsrfToken(token), URL_SAFE_NO_PAD.encode([token, tag].concat()))
}

/// The token in a client's cookie; none if it was not made here for the session that the
/// client shows, or for none if it shows none.
pub fn csrf_of(context: &Context, cookie: &str, session: Option<&str>) -> Option<CsrfToken> {
    if cookie.len() > LONGEST {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let (token, shown) = bytes.split_first_chunk::<LENGTH>()?;
    let is_ours = kit::constant_time_eq(&tag(context, token, session), shown);
    is_ours.then_some(CsrfToken(*token))
}

fn tag(context: &Context, token: &[u8; LENGTH], session: Option<&str>) -> [u8; 32] {
    context.session_key.tag("csrf", &[token, session.unwrap_or_default().as_bytes()])
}

impl CsrfToken {
    /// The token for a header, different each time: compression of the answers tells nothing
    /// about it.
    pub fn masked(&self) -> String {
        let mask = kit::random_bytes::<LENGTH>();
        let mut masked = self.0;
        masked.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        STANDARD.encode([mask, masked].concat())
    }

    /// Whether a client's header shows this token.
    pub fn is_shown_by(&self, header: &str) -> bool {
        if header.len() > LONGEST {
            return false;
        }
        let Ok(bytes) = STANDARD.decode(header) else { return false };
        let Some((mask, masked)) = bytes.split_first_chunk::<LENGTH>() else { return false };
        let shown: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        masked.len() == LENGTH && kit::constant_time_eq(&shown, &self.0)
    }
}
