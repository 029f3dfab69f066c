//! What follows `/manifests/` in a path: a tag or a digest (distribution-spec, section
//! "Pulling manifests").

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Digest, DigestError, RepositoryName};

/// A tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`. Cloning it copies a pointer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// The most bytes a tag may have.
    pub const LONGEST: usize = 128;

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag under which clients without the referrers API keep the index of those who refer
    /// to a subject (distribution-spec, "Referrers Tag Schema"): the algorithm cut at 32
    /// characters, a hyphen, the hex cut at 64.
    pub fn of_referrers(subject: &Digest) -> Self {
        Self(format!("{}-{:.64}", subject.algorithm(), subject.hex()).into())
    }
}

/// The text is not a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a tag is 1 to {} letters, digits, '_', '.' or '-' and does not begin with '.' or '-'",
    Tag::LONGEST
)]
pub struct TagError;

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let [first, rest @ ..] = text.as_bytes() else {
            return Err(TagError);
        };
        let follows = |byte: &u8| is_word(*byte) || matches!(byte, b'.' | b'-');
        if text.len() > Self::LONGEST || !is_word(*first) || !rest.iter().all(follows) {
            return Err(TagError);
        }
        Ok(Self(text.into()))
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Tag {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// How a request names a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// By a tag, which may move.
    Tag(Tag),
    /// By its digest, which never changes.
    Digest(Digest),
}

/// Why a text is not a reference. A text with a colon can only be meant as a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It has no colon and is not a tag.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// It has a colon and is not a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Reference {
    /// The reference with its repository, as people write it: `library/alpine:3` or
    /// `library/alpine@sha256:…`.
    pub fn in_repository(&self, name: &RepositoryName) -> String {
        match self {
            Self::Tag(tag) => format!("{name}:{tag}"),
            Self::Digest(digest) => format!("{name}@{digest}"),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.contains(':') {
            Ok(Self::Digest(text.parse()?))
        } else {
            Ok(Self::Tag(text.parse()?))
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl From<Tag> for Reference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Reference {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::Algorithm;

    #[test]
    fn is_written_with_its_repository() {
        let name: RepositoryName = "library/alpine".parse().unwrap();
        let tag: Reference = "3".parse().unwrap();
        assert_eq!(tag.in_repository(&name), "library/alpine:3");
        let digest = Digest::of(Algorithm::Sha256, b"");
        let by_digest = Reference::Digest(digest).in_repository(&name);
        assert_eq!(by_digest, format!("library/alpine@{digest}"));
    }

    #[test]
    fn accepts_tags() {
        let longest = "x".repeat(Tag::LONGEST);
        for text in ["latest", "_", "1.2.3-rc.1_build", "V", "sha256-abc.sig", "a..b", &longest] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference, Reference::Tag(text.parse().unwrap()));
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_tag() {
        let too_long = "x".repeat(Tag::LONGEST + 1);
        for text in ["", ".", "..", "-a", ".a", "a/b", "a b", "a+b", "é", "a\n", "a%3Ab", &too_long]
        {
            assert_eq!(text.parse::<Reference>(), Err(ReferenceError::Tag(TagError)), "{text:?}");
        }
    }

    #[test]
    fn a_colon_means_a_digest() {
        for text in ["sha256:baddigeststring", "latest:", ":", "sha384:00"] {
            let error = text.parse::<Digest>().unwrap_err();
            assert_eq!(text.parse::<Reference>(), Err(ReferenceError::Digest(error)), "{text:?}");
        }
    }

    #[test]
    fn the_referrers_tag_is_cut_at_64_digits() {
        let sha256 = Digest::of(Algorithm::Sha256, b"");
        assert_eq!(Tag::of_referrers(&sha256).as_str(), format!("sha256-{}", sha256.hex()));
        let sha512 = Digest::of(Algorithm::Sha512, b"");
        assert_eq!(Tag::of_referrers(&sha512).as_str(), format!("sha512-{}", &sha512.hex()[..64]));
    }

    proptest! {
        #[test]
        fn every_grammatical_tag_comes_back(text in "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}") {
            let tag: Tag = text.parse().unwrap();
            let json = serde_json::to_string(&tag).unwrap();
            prop_assert_eq!(serde_json::from_str::<Tag>(&json).unwrap(), tag.clone());
            prop_assert_eq!(tag.to_string(), text);
        }

        #[test]
        fn every_digest_comes_back(bytes: Vec<u8>) {
            let digest = Digest::of(Algorithm::Sha512, &bytes);
            prop_assert_eq!(digest.to_string().parse::<Reference>(), Ok(Reference::Digest(digest)));
        }

        #[test]
        fn any_reference_is_refused_or_comes_back_the_same(text in ".{0,20}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string(), text);
            }
        }
    }
}
