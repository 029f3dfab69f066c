//! Hashes that Harbor made: PBKDF2 (RFC 8018) with SHA-256 or, in old ones, SHA-1. They are
//! kept in PHC's string format until their user comes and brings the password.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

/// What such hashes begin with.
const PREFIX: &str = "$pbkdf2-";

/// The most rounds that a stored hash may ask for: ten times what Harbor does.
const MOST_ROUNDS: u32 = 6_000_000;

/// The rounds of hashes whose version does not tell.
const OLD_ROUNDS: u32 = 4096;

/// Harbor's hash of a password, as its table has it (version, salt and hexadecimal hash), in
/// the form in which it is kept here; none if it is no such hash. The version names the
/// function, and in newer rows the rounds: `sha1`, `sha256`, `sha256:600000`.
pub fn of_harbor(version: &str, salt: &str, hash: &str) -> Option<String> {
    let (function, rounds) = version.split_once([':', '-', ' ']).unwrap_or((version, ""));
    let rounds = if rounds.is_empty() { OLD_ROUNDS } else { rounds.parse().ok()? };
    let function = if function.is_empty() { "sha1" } else { function };
    let pairs = hash.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(bytes?));
    let text = format!("{PREFIX}{function}$i={rounds}${salt}${hash}");
    Parsed::read(&text).map(|_| text)
}

/// Whether a stored hash is one of Harbor's.
pub(super) fn is_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether a password has a hash. Compares in constant time; a text that is no hash has no
/// password.
pub(super) fn matches(password: &str, text: &str) -> bool {
    Parsed::read(text).is_some_and(|Parsed { function, rounds, salt, hash }| {
        pbkdf2::verify(function, rounds, &salt, password.as_bytes(), &hash).is_ok()
    })
}

struct Parsed {
    function: Algorithm,
    rounds: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Parsed {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('$');
        let function = match parts.next()? {
            "sha1" => PBKDF2_HMAC_SHA1,
            "sha256" => PBKDF2_HMAC_SHA256,
            _ => return None,
        };
        let rounds: NonZeroU32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let fits = rounds.get() <= MOST_ROUNDS && (16..=64).contains(&hash.len());
        (fits && parts.next().is_none()).then_some(Self { function, rounds, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// What Harbor's own function gives for the password `Harbor12345` and the salt
    /// `abcdefghijklmnop`: computed with another implementation of PBKDF2.
    const SHA1: &str = "a51d5b523eca1a3c42fad9eae80da68d";
    const SHA256: &str = "0f8aeaa27aabb5912785d55268d0549e";
    const SHA256_600000: &str = "57d2bae43cd5a3496d21d87fdaf94010";

    #[test]
    fn harbors_rows_are_understood() {
        for (version, hash) in
            [("sha1", SHA1), ("", SHA1), ("sha256", SHA256), ("sha256:600000", SHA256_600000)]
        {
            let text = of_harbor(version, "abcdefghijklmnop", hash).unwrap();
            assert!(is_one(&text) && matches("Harbor12345", &text), "{version}");
            assert!(!matches("harbor12345", &text) && !matches("", &text));
        }
    }

    #[test]
    fn what_is_no_hash_has_no_password() {
        for (version, hash) in [
            ("md5", SHA1),
            ("sha256", ""),
            ("sha256", "zz"),
            ("sha256", "ab"),
            ("sha256:0", SHA256),
            ("sha256:99999999", SHA256),
            ("sha256:x", SHA256),
            ("sha256", "é€"),
        ] {
            assert_eq!(of_harbor(version, "salt", hash), None, "{version} {hash}");
        }
        let good = of_harbor("sha256", "salt", SHA256).unwrap();
        for text in ["$pbkdf2-", "$pbkdf2-sha256$i=1", &format!("{good}$x"), &good[..20]] {
            assert!(!matches("", text) && !matches("Harbor12345", text), "{text}");
        }
    }
}
