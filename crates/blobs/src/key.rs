//! Where the bytes of one blob lie.

use std::{fmt, sync::Arc};

use kit::Error;
use serde::{Deserialize, Serialize};

/// The longest key that S3 takes, in bytes; paths of local files stay below it too.
const LONGEST: usize = 1024;

/// Where the bytes of one blob lie: a relative path with `/` between its parts. The database
/// keeps it in the blob's row; nobody but the store gives it a meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(Arc<str>);

impl Key {
    /// Takes a key, as a row or another store's layout gives it.
    ///
    /// # Errors
    /// Internal if it could lead out of the store: an empty part, `.` or `..`, a leading `/`,
    /// a control character, or more than 1024 bytes.
    pub fn new(text: impl Into<Arc<str>>) -> kit::Result<Self> {
        let text = text.into();
        let is_part = |part: &str| !matches!(part, "" | "." | "..");
        if text.len() > LONGEST
            || text.chars().any(char::is_control)
            || !text.split('/').all(is_part)
        {
            return Err(Error::internal(format!("not a key of the blob store: {text:?}")));
        }
        Ok(Self(text))
    }

    /// The key as it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Key {
    type Error = Error;

    fn try_from(text: String) -> kit::Result<Self> {
        Self::new(text)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_nowhere_but_into_the_store() {
        for text in ["a", "docker/registry/v2/blobs/sha256/ab/abc/data", "..a/b..", "a b/ü"] {
            assert!(Key::new(text).is_ok(), "{text}");
        }
        let long = "a".repeat(LONGEST + 1);
        for text in ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\0b", "a\nb", &long] {
            assert!(Key::new(text).is_err(), "{text:?}");
        }
    }
}
