//! Texts that must not be seen, and the randomness that makes them.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{Rng, seq::IndexedRandom};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What is shown in place of a secret.
const MASK: &str = "********";

/// A text such as a password or an access key. It shows itself to nobody: printed, logged or
/// serialised it is a row of stars. Its memory is cleared when it goes.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Whoever calls this sees to it that it goes where it must and no further.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Whether two secrets are equal, in a time that says nothing about where they differ. That
/// their lengths differ may be noticed.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Random bytes that nobody can guess.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// A text made of so many random bytes, of letters, digits, `-` and `_`: four for three bytes.
pub fn random_token(bytes: usize) -> String {
    let mut random = Zeroizing::new(vec![0; bytes]);
    rand::rng().fill_bytes(&mut random);
    BASE64_URL_SAFE_NO_PAD.encode(&*random)
}

/// A password of 24 letters and digits, about 137 bits, that Harbor's rule accepts: 8 to 128
/// characters with an upper-case letter, a lower-case letter and a digit. Characters that are
/// easily mistaken for each other are left out.
pub fn random_password() -> Secret {
    const CHARACTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    const LENGTH: usize = 24;
    let mut rng = rand::rng();
    loop {
        let picked =
            (0..LENGTH).filter_map(|_| CHARACTERS.choose(&mut rng).copied().map(char::from));
        let password = Zeroizing::new(picked.collect::<String>());
        let has = |class: fn(&char) -> bool| password.chars().any(|character| class(&character));
        if has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit)
        {
            return Secret(password);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        #[derive(Debug, Serialize)]
        struct Settings {
            key: Secret,
        }
        let settings = Settings { key: "hunter2".into() };
        let shown = [
            format!("{settings:?}"),
            format!("{settings:#?}"),
            settings.key.to_string(),
            serde_json::to_string(&settings).unwrap(),
        ];
        for text in shown {
            assert!(text.contains(MASK) && !text.contains("hunter2"), "{text}");
        }
        assert_eq!(settings.key.reveal(), "hunter2");
        assert_eq!(serde_json::from_str::<Secret>("\"hunter2\"").unwrap(), settings.key);
    }

    #[test]
    fn equality_is_of_all_bytes() {
        assert!(constant_time_eq(b"", b""));
        assert!(constant_time_eq(b"abc", b"abc"));
        for other in [b"abd".as_slice(), b"ab", b"abcd", b""] {
            assert!(!constant_time_eq(b"abc", other));
        }
        assert_ne!(Secret::from("a"), Secret::from("b"));
    }

    #[test]
    fn tokens_have_the_length_that_was_asked_for_and_differ() {
        for (bytes, length) in [(0, 0), (12, 16), (32, 43)] {
            assert_eq!(random_token(bytes).len(), length);
        }
        assert_ne!(random_token(16), random_token(16));
        assert_ne!(random_bytes::<16>(), random_bytes::<16>());
    }

    #[test]
    fn passwords_follow_the_rule_and_differ() {
        for _ in 0..200 {
            let password = random_password();
            let text = password.reveal();
            assert_eq!(text.len(), 24);
            assert!(text.bytes().any(|byte| byte.is_ascii_uppercase()));
            assert!(text.bytes().any(|byte| byte.is_ascii_lowercase()));
            assert!(text.bytes().any(|byte| byte.is_ascii_digit()));
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert_ne!(random_password(), random_password());
    }
}
