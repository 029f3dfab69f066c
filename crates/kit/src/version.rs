//! Versions in the names of tags: `v1.2.3`, `1.2`, `1.2-alpine`.

use std::str::FromStr;

use semver::{Prerelease, VersionReq};

use crate::{Error, Result};

/// The longest range, in bytes.
const LONGEST: usize = 256;

/// A semantic version. Those before a release come before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

impl Version {
    /// Reads a name as a version: a `v` before it is left out, and a missing patch, or minor
    /// and patch, are 0. None when the name is no version.
    pub fn of(name: &str) -> Option<Self> {
        let text = name.strip_prefix(['v', 'V']).unwrap_or(name);
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = numbers.split('.');
        let mut next = |missing: Option<u64>| match numbers.next() {
            Some(number) => read_number(number),
            None => missing,
        };
        let (major, minor, patch) = (next(None)?, next(Some(0))?, next(Some(0))?);
        if numbers.next().is_some() || text.ends_with('-') {
            return None;
        }
        let pre = Prerelease::new(pre).ok()?;
        Some(Self(semver::Version { pre, ..semver::Version::new(major, minor, patch) }))
    }

    /// Its first two numbers, by which it is one of a line of releases.
    pub fn minor(&self) -> (u64, u64) {
        (self.0.major, self.0.minor)
    }
}

/// A number without zeros before it.
fn read_number(text: &str) -> Option<u64> {
    let is_plain =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

/// A range of versions: `>=1.2, <2`, `~1.2`, `^1`, `1.*`. What comes before a release is in
/// it only if the range names one of the same release, as with cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions(VersionReq);

impl Versions {
    /// Whether a name is a version of the range.
    pub fn contain(&self, name: &str) -> bool {
        Version::of(name).is_some_and(|version| self.0.matches(&version.0))
    }
}

impl FromStr for Versions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::invalid(format!("a range of versions has at most {LONGEST} bytes")));
        }
        VersionReq::parse(text).map(Self).map_err(|error| {
            Error::invalid(format!("the range of versions is not well formed: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_are_versions_or_not() {
        for (name, numbers, pre) in [
            ("1.2.3", (1, 2, 3), ""),
            ("v1.2.3", (1, 2, 3), ""),
            ("V1", (1, 0, 0), ""),
            ("1.2", (1, 2, 0), ""),
            ("1.2-alpine", (1, 2, 0), "alpine"),
            ("v1.2.3-rc.1", (1, 2, 3), "rc.1"),
            ("0.0.0", (0, 0, 0), ""),
        ] {
            let Version(version) = Version::of(name).unwrap();
            assert_eq!((version.major, version.minor, version.patch), numbers, "{name}");
            assert_eq!(version.pre.as_str(), pre, "{name}");
        }
        for name in [
            "",
            "v",
            "latest",
            "1.",
            ".1",
            "1..2",
            "1.2.3.4",
            "01.2",
            "2024.01.05",
            "1.2.x",
            "vv1",
            "1.2-",
            "1.2.3-",
            "1.2_3",
            "99999999999999999999",
            "-1",
            "1.2.3-a..b",
            "１.2",
        ] {
            assert_eq!(Version::of(name), None, "{name}");
        }
    }

    #[test]
    fn versions_have_an_order() {
        let order =
            ["0.9", "1.0.0-alpha", "1.0.0-beta.2", "1.0.0-beta.11", "1", "1.0.1", "1.10", "v2"];
        let versions: Vec<Version> = order.iter().map(|name| Version::of(name).unwrap()).collect();
        assert!(versions.is_sorted(), "{versions:?}");
        assert_eq!(versions[6].minor(), (1, 10));
    }

    #[test]
    fn ranges_contain_versions() {
        for (range, inside, outside) in [
            (">=1.2, <2", "1.2", "2.0.0"),
            ("~1.2", "v1.2.9", "1.3.0"),
            ("^1", "1.9", "2"),
            ("1.*", "1.0.0", "0.9.9"),
            ("*", "7.7.7", "latest"),
            (">=1.0.0-rc.1", "1.0.0-rc.2", "1.0.0-alpha"),
            (">1", "2", "2.0.0-rc.1"),
        ] {
            let range: Versions = range.parse().unwrap();
            assert!(range.contain(inside) && !range.contain(outside), "{range:?}");
        }
        for bad in ["", ",", ">=", ">= a", &">=1,".repeat(100)] {
            assert!(bad.parse::<Versions>().is_err(), "{bad:?}");
        }
    }
}
