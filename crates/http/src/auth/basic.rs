//! The Basic scheme (RFC 7617).

use base64::{Engine, engine::general_purpose::STANDARD};

/// The longest that is decoded, in bytes of base64: some clouds' passwords have 2 KiB.
const LONGEST: usize = 16 * 1024;

/// A name and a password as a client sent them. Not `Debug`: it must not be logged.
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// Reads what follows the word Basic. None if it is not base64 of UTF-8 with a colon.
pub(crate) fn decode(encoded: &str) -> Option<Credentials> {
    if encoded.len() > LONGEST {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some(Credentials { username: username.to_owned(), password: password.to_owned() })
}
