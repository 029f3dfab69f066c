//! Ways to say which names are meant: by pattern, by regular expression, or by version.
//!
//! Whatever somebody writes, matching takes time in proportion to its length times that of
//! the name, and a bounded amount of memory.

use regex::{Regex, RegexBuilder};

use crate::{Error, Pattern, Result, version::Versions};

/// The longest regular expression, in bytes.
const LONGEST_REGEX: usize = 1024;

/// How much memory a regular expression may take: when it is made, and while it matches.
const REGEX_MEMORY: usize = 256 * 1024;
const REGEX_MATCHING: usize = 1024 * 1024;

/// How deep groups of a regular expression may be nested.
const REGEX_DEEPEST: u32 = 32;

/// Which names are meant.
#[derive(Clone, Debug)]
pub enum Selector {
    /// All of them.
    All,
    /// Those that a pattern matches.
    Pattern(Pattern),
    /// Those that a regular expression matches as a whole.
    Regex(Regex),
    /// Those that are versions of a range.
    Versions(Versions),
}

impl Selector {
    /// The kinds that there are, by the names that [`Selector::parse`] takes.
    pub const KINDS: [&'static str; 3] = ["doublestar", "regex", "semver"];

    /// Reads what somebody wrote as one of the kinds. An empty pattern stands for all
    /// names, as with Harbor.
    ///
    /// # Errors
    /// Invalid when there is no such kind, or the text is none of its kind.
    pub fn parse(kind: &str, text: &str) -> Result<Self> {
        match kind {
            "doublestar" if text.is_empty() => Ok(Self::All),
            "doublestar" => text.parse().map(Self::Pattern),
            "regex" => regex(text).map(Self::Regex),
            "semver" => text.parse().map(Self::Versions),
            _ => Err(Error::invalid(format!(
                "a selector's kind is one of {}",
                Self::KINDS.join(", ")
            ))),
        }
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Pattern(pattern) => pattern.matches(name),
            Self::Regex(regex) => regex.is_match(name),
            Self::Versions(versions) => versions.contain(name),
        }
    }
}

/// A regular expression that matches names as a whole.
fn regex(text: &str) -> Result<Regex> {
    if text.is_empty() || text.len() > LONGEST_REGEX {
        let message = format!("a regular expression has 1 to {LONGEST_REGEX} bytes");
        return Err(Error::invalid(message));
    }
    let build = |text: &str| {
        RegexBuilder::new(text)
            .size_limit(REGEX_MEMORY)
            .dfa_size_limit(REGEX_MATCHING)
            .nest_limit(REGEX_DEEPEST)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    Error::invalid("the regular expression is too large")
                }
                _ => Error::invalid("the regular expression is not well formed").because(error),
            })
    };
    // By itself first: what closes a group that it did not open is no expression.
    build(text)?;
    build(&format!("^(?:{text})$"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn each_kind_selects() {
        for (kind, text, name, expected) in [
            ("doublestar", "", "anything/at/all", true),
            ("doublestar", "v1.*", "v1.2", true),
            ("doublestar", "v1.*", "v2.2", false),
            ("regex", "v[0-9]+", "v12", true),
            ("regex", "v[0-9]+", "av12", false),
            ("regex", "v[0-9]+", "v12b", false),
            ("regex", "a|b", "ab", false),
            ("regex", "(?i)RC", "rc", true),
            ("semver", ">=1.2, <2", "v1.9.3", true),
            ("semver", ">=1.2, <2", "2.0", false),
            ("semver", ">=1.2, <2", "latest", false),
        ] {
            let selector = Selector::parse(kind, text).unwrap();
            assert_eq!(selector.matches(name), expected, "{kind} {text:?} {name:?}");
        }
    }

    #[test]
    fn what_is_none_of_its_kind_is_refused() {
        let long = "a".repeat(1025);
        for (kind, text) in [
            ("", "**"),
            ("label", "a"),
            ("Doublestar", "**"),
            ("doublestar", "[a"),
            ("regex", ""),
            ("regex", "("),
            ("regex", "a)(?:b"),
            ("regex", "a)|(b"),
            ("regex", "(?x)a #"),
            ("regex", "*"),
            ("regex", "\\1"),
            ("regex", long.as_str()),
            ("regex", "\\w{1000}"),
            ("regex", "(((a{100}){100}){100}){100}"),
            ("semver", ""),
            ("semver", "newest"),
        ] {
            assert!(Selector::parse(kind, text).is_err(), "{kind} {text:?}");
        }
        let nested = format!("{}a{}", "(".repeat(200), ")".repeat(200));
        assert!(Selector::parse("regex", &nested).is_err());
    }

    #[test]
    fn what_explodes_elsewhere_is_quick() {
        let name = format!("{}!", "a".repeat(127));
        let start = Instant::now();
        for text in ["(a+)+", "(a|a)*", "(a|aa)+", "(.*)(.*)(.*)(.*)[0-9]", "(a?){60}a{60}"] {
            let selector = Selector::parse("regex", text).unwrap();
            for _ in 0..100 {
                assert!(!selector.matches(&name), "{text}");
            }
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}
