//! Repository names (distribution-spec, section "Pulling manifests").

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of a repository, such as `library/tools/alpine`. Cloning it copies a pointer.
///
/// Components are split by `/`; each is runs of `a-z0-9` joined by one `.`, one or two `_`,
/// or any number of `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Arc<str>);

impl RepositoryName {
    /// The most bytes a name may have. Many clients allow 255 for the host and the name together.
    pub const LONGEST: usize = 255;

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first component, which names the project.
    pub fn project(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(project, _)| project)
    }

    /// What follows the project; none if the name has a single component.
    pub fn rest(&self) -> Option<&str> {
        self.0.split_once('/').map(|(_, rest)| rest)
    }
}

/// Why a text is not the name of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is longer than [`RepositoryName::LONGEST`].
    #[error("a repository name has at most {} characters", RepositoryName::LONGEST)]
    TooLong,
    /// It does not follow the grammar.
    #[error(
        "a repository name is lower-case letters and digits, joined by one '.', one or two '_' \
         or any number of '-', in components split by '/'"
    )]
    Malformed,
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() > Self::LONGEST {
            return Err(NameError::TooLong);
        }
        if !text.split('/').all(is_component) {
            return Err(NameError::Malformed);
        }
        Ok(Self(text.into()))
    }
}

/// Whether a text is `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(text: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = text.as_bytes();
    loop {
        let run = rest.iter().take_while(|byte| is_alphanumeric(byte)).count();
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return true;
        }
        let separator = rest.iter().take_while(|byte| !is_alphanumeric(byte)).count();
        match &rest[..separator] {
            b"." | b"_" | b"__" => {}
            hyphens if hyphens.iter().all(|byte| *byte == b'-') => {}
            _ => return false,
        }
        rest = &rest[separator..];
    }
}

impl AsRef<str> for RepositoryName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for RepositoryName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for RepositoryName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RepositoryName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_the_grammar_allows() {
        let longest = "a".repeat(RepositoryName::LONGEST);
        for text in [
            "alpine",
            "library/alpine",
            "0/1/2",
            "a.b/c_d/e__f/g-h/i---j",
            "blobs/uploads/manifests/tags/list/referrers",
            &longest,
        ] {
            assert_eq!(text.parse::<RepositoryName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_it_does_not() {
        for text in [
            "", "/", "a/", "/a", "a//b", "A", "a/B", ".", "..", "a/../b", "a..b", "a._b", "a___b",
            "_a", "a_", "-a", "a-", "a.", ".a", "a-_b", "a b", "a%2fb", "a:b", "a@b", "a\0", "é",
            "a\n", "a\\b",
        ] {
            assert_eq!(text.parse::<RepositoryName>(), Err(NameError::Malformed), "{text:?}");
        }
        let too_long = "a".repeat(RepositoryName::LONGEST + 1);
        assert_eq!(too_long.parse::<RepositoryName>(), Err(NameError::TooLong));
    }

    #[test]
    fn the_first_component_is_the_project() {
        let name: RepositoryName = "library/tools/alpine".parse().unwrap();
        assert_eq!((name.project(), name.rest()), ("library", Some("tools/alpine")));
        let name: RepositoryName = "alpine".parse().unwrap();
        assert_eq!((name.project(), name.rest()), ("alpine", None));
    }

    #[test]
    fn is_a_string_in_json_and_found_by_one_in_a_map() {
        let name: RepositoryName = serde_json::from_str("\"a/b\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"a/b\"");
        assert!(serde_json::from_str::<RepositoryName>("\"A\"").is_err());
        assert_eq!(HashMap::from([(name, 7)]).get("a/b"), Some(&7));
    }

    proptest! {
        #[test]
        fn every_grammatical_name_comes_back(
            text in "[a-z0-9]{1,5}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,3}(/[a-z0-9]{1,5}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,3}){0,3}"
        ) {
            prop_assert_eq!(text.parse::<RepositoryName>().unwrap().to_string(), text);
        }

        #[test]
        fn accepted_names_are_safe_as_paths(text in "[a-z0-9._/-]{0,12}|.{0,12}") {
            if let Ok(name) = text.parse::<RepositoryName>() {
                let unsafe_part = |part: &str| part.is_empty() || part.starts_with('.');
                prop_assert!(!name.as_str().split('/').any(unsafe_part), "{name}");
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_graphic()));
            }
        }
    }
}
