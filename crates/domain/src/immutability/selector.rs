//! Selectors of tags and repositories, as rules of immutability and of retention hold them.

use std::collections::BTreeMap;

use kit::{Error, Result};
use serde::{Deserialize, Serialize};

/// How many selectors of a kind a rule has at most.
const MOST: usize = 10;

/// The longest extras, in bytes.
const LONGEST_EXTRAS: usize = 1024;

/// What a rule's selectors of repositories are called.
const REPOSITORY: &str = "repository";

/// Which tags or repositories are meant, in Harbor's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// `doublestar`, as with Harbor, or one of our own: `regex`, `semver`.
    pub kind: String,
    /// Whether those that match are meant, or all others: `matches` or `excludes` of tags,
    /// `repoMatches` or `repoExcludes` of repositories.
    pub decoration: String,
    /// The pattern.
    pub pattern: String,
    /// JSON: whether artifacts without tags are meant, `{"untagged":true}`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub extras: String,
}

/// Selectors by what they are about; Harbor knows `repository`.
pub type Scopes = BTreeMap<String, Vec<Selector>>;

/// Which names a selector means, ready to ask.
#[derive(Clone, Debug)]
pub(crate) struct Meant {
    selector: kit::Selector,
    excludes: bool,
    untagged: bool,
}

impl Selector {
    /// Reads it as one of tags.
    ///
    /// # Errors
    /// Invalid when it is not well formed.
    pub(crate) fn of_tags(&self) -> Result<Meant> {
        self.read("matches", "excludes")
    }

    fn read(&self, matches: &str, excludes: &str) -> Result<Meant> {
        let decoration = self.decoration.as_str();
        if decoration != matches && decoration != excludes {
            let message = format!("a selector's decoration is {matches} or {excludes} here");
            return Err(Error::invalid(message));
        }
        if self.extras.len() > LONGEST_EXTRAS || self.extras.contains('\0') {
            let message = format!("a selector's extras have at most {LONGEST_EXTRAS} bytes");
            return Err(Error::invalid(message));
        }
        if self.pattern.contains('\0') {
            return Err(Error::invalid("a pattern holds no null character"));
        }
        let excludes = decoration == excludes;
        let selector = kit::Selector::parse(&self.kind, &self.pattern)?;
        Ok(Meant { selector, excludes, untagged: self.untagged(!excludes) != excludes })
    }

    /// What the extras say of artifacts without tags. As with Harbor, what they say is left
    /// aside when it cannot be read.
    fn untagged(&self, default: bool) -> bool {
        #[derive(Deserialize)]
        struct Extras {
            #[serde(default)]
            untagged: bool,
        }
        serde_json::from_str(&self.extras).map_or(default, |extras: Extras| extras.untagged)
    }
}

impl Meant {
    /// Whether a name is meant.
    pub(crate) fn means(&self, name: &str) -> bool {
        self.selector.matches(name) != self.excludes
    }

    /// Whether an artifact with some tags is meant: one of them is, or it has none and those
    /// without are.
    pub(crate) fn means_one_of<'t>(&self, tags: impl IntoIterator<Item = &'t str>) -> bool {
        let mut tags = tags.into_iter().peekable();
        if tags.peek().is_none() {
            return self.untagged;
        }
        tags.any(|tag| self.means(tag))
    }
}

/// Reads the selectors of repositories out of a rule's scopes.
///
/// # Errors
/// Invalid when one is not well formed, or about something else.
pub(crate) fn repositories_of(scopes: &Scopes) -> Result<Vec<Meant>> {
    if let Some(other) = scopes.keys().find(|scope| *scope != REPOSITORY) {
        let other: String = other.chars().take(64).collect();
        let message = format!("a rule's scope selectors are called {REPOSITORY}, not {other}");
        return Err(Error::invalid(message));
    }
    let selectors = scopes.get(REPOSITORY).map(Vec::as_slice).unwrap_or_default();
    check_many(selectors)?;
    selectors.iter().map(|selector| selector.read("repoMatches", "repoExcludes")).collect()
}

/// # Errors
/// Invalid when there are more selectors than a rule has.
pub(crate) fn check_many(selectors: &[Selector]) -> Result<()> {
    if selectors.len() <= MOST {
        return Ok(());
    }
    Err(Error::invalid(format!("a rule has at most {MOST} selectors of a kind")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn selector(decoration: &str, pattern: &str, extras: &str) -> Selector {
        Selector {
            kind: "doublestar".to_owned(),
            decoration: decoration.to_owned(),
            pattern: pattern.to_owned(),
            extras: extras.to_owned(),
        }
    }

    #[test]
    fn one_tag_of_several_is_enough() {
        for (decoration, extras, tags, expected) in [
            ("matches", "", &["v1", "x"][..], true),
            ("matches", "", &["x"], false),
            ("matches", "", &[], true),
            ("matches", "{\"untagged\":false}", &[], false),
            ("matches", "{}", &[], false),
            ("matches", "[\"untagged\":False]", &[], true),
            ("excludes", "", &["v1"], false),
            ("excludes", "", &["v1", "x"], true),
            ("excludes", "", &[], true),
            ("excludes", "{\"untagged\":true}", &[], false),
            ("excludes", "{\"untagged\":false}", &[], true),
        ] {
            let meant = selector(decoration, "v*", extras).of_tags().unwrap();
            let found = meant.means_one_of(tags.iter().copied());
            assert_eq!(found, expected, "{decoration} {extras} {tags:?}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let fine = selector("matches", "**", "");
        assert!(fine.of_tags().is_ok());
        for bad in [
            Selector { decoration: "repoMatches".to_owned(), ..fine.clone() },
            Selector { decoration: String::new(), ..fine.clone() },
            Selector { kind: "label".to_owned(), ..fine.clone() },
            Selector { pattern: "[".to_owned(), ..fine.clone() },
            Selector { pattern: "a\0".to_owned(), ..fine.clone() },
            Selector { pattern: "{a,b}".repeat(20), ..fine.clone() },
            Selector { extras: "x".repeat(1025), ..fine.clone() },
        ] {
            assert!(bad.of_tags().is_err(), "{bad:?}");
        }
        let repository = selector("repoMatches", "**", "");
        let scopes =
            |name: &str, count| Scopes::from([(name.to_owned(), vec![repository.clone(); count])]);
        assert_eq!(repositories_of(&scopes("repository", 10)).unwrap().len(), 10);
        assert!(repositories_of(&scopes("repository", 11)).is_err());
        assert!(repositories_of(&scopes("project", 1)).is_err());
        assert!(repositories_of(&Scopes::new()).unwrap().is_empty());
    }
}
