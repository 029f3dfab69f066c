//! From a path to an endpoint (distribution-spec, "Endpoints").
//!
//! The path is split from its end, for any part of a repository's name may be called
//! `blobs` or `tags`. Only the last part is percent-decoded: names hold nothing that
//! needs encoding, and an encoded slash is no separator.

use std::borrow::Cow;

use kit::{Error, Result, Subject};
use oci::{Digest, Reference, RepositoryName};
use percent_encoding::percent_decode_str;

/// What a path under `/v2` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/[<name>/]_oci/ext/discover`
    Extensions,
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(RepositoryName, String),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
}

impl Endpoint {
    /// The endpoint of a path that begins with `/v2`.
    ///
    /// # Errors
    /// Not found for a path that is no endpoint's; invalid for a name, reference or
    /// digest that is none.
    pub fn of(path: &str) -> Result<Self> {
        let rest = match path.strip_prefix("/v2").unwrap_or(path) {
            "" | "/" => return Ok(Self::Base),
            rest => rest.strip_prefix('/').unwrap_or(rest),
        };
        if rest == "_catalog" {
            return Ok(Self::Catalog);
        }
        if rest == "_oci/ext/discover" || rest.ends_with("/_oci/ext/discover") {
            return Ok(Self::Extensions);
        }
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Self::Tags(repository(name)?));
        }
        let uploads = rest.strip_suffix('/').unwrap_or(rest).strip_suffix("/blobs/uploads");
        if let Some(name) = uploads {
            return Ok(Self::Uploads(repository(name)?));
        }
        let (head, last) = rest.rsplit_once('/').ok_or_else(unknown)?;
        if let Some(name) = head.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(repository(name)?, last.to_owned()));
        }
        if let Some(name) = head.strip_suffix("/manifests") {
            return Ok(Self::Manifest(repository(name)?, reference(last)?));
        }
        if let Some(name) = head.strip_suffix("/blobs") {
            return Ok(Self::Blob(repository(name)?, digest(&decoded(last)?)?));
        }
        if let Some(name) = head.strip_suffix("/referrers") {
            return Ok(Self::Referrers(repository(name)?, digest(&decoded(last)?)?));
        }
        Err(unknown())
    }

    /// The repository that it is about, if it is about one.
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Base | Self::Catalog | Self::Extensions => None,
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Referrers(name, _) => Some(name),
        }
    }
}

/// A digest as a client wrote it.
///
/// # Errors
/// Invalid when it is none, or of an algorithm that is not served.
pub(super) fn digest(text: &str) -> Result<Digest> {
    text.parse().map_err(|cause: oci::DigestError| {
        Error::invalid(cause.to_string())
            .about(Subject::Digest)
            .with(cause.to_string(), vec![("digest", shortened(text))])
    })
}

/// A repository's name as a client wrote it.
///
/// # Errors
/// Invalid when it is none.
pub(super) fn repository(text: &str) -> Result<RepositoryName> {
    text.parse().map_err(|cause: oci::NameError| {
        Error::invalid(cause.to_string())
            .about(Subject::Name)
            .with(cause.to_string(), vec![("name", shortened(text))])
    })
}

fn reference(text: &str) -> Result<Reference> {
    let text = decoded(text)?;
    text.parse().map_err(|cause: oci::ReferenceError| {
        let subject = match cause {
            oci::ReferenceError::Digest(_) => Subject::Digest,
            oci::ReferenceError::Tag(_) => Subject::Tag,
        };
        Error::invalid(cause.to_string())
            .about(subject)
            .with(cause.to_string(), vec![("reference", shortened(&text))])
    })
}

fn decoded(text: &str) -> Result<Cow<'_, str>> {
    percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| Error::invalid("the path is not UTF-8").about(Subject::Name))
}

/// What a client wrote, short enough to be sent back.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 128;
    text.chars().take(LONGEST).collect()
}

fn unknown() -> Error {
    Error::not_found(Subject::Request, "there is no such endpoint")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn every_endpoint_is_found_even_in_names_made_of_their_words() {
        let digest: Digest = D.parse().unwrap();
        let cases = [
            ("/v2".to_owned(), Endpoint::Base),
            ("/v2/".to_owned(), Endpoint::Base),
            ("/v2/_catalog".to_owned(), Endpoint::Catalog),
            ("/v2/_oci/ext/discover".to_owned(), Endpoint::Extensions),
            ("/v2/a/b/_oci/ext/discover".to_owned(), Endpoint::Extensions),
            ("/v2/a/tags/list".to_owned(), Endpoint::Tags(name("a"))),
            ("/v2/tags/list/tags/list".to_owned(), Endpoint::Tags(name("tags/list"))),
            (
                "/v2/blobs/manifests/latest".to_owned(),
                Endpoint::Manifest(name("blobs"), "latest".parse().unwrap()),
            ),
            (
                "/v2/a/blobs/uploads/manifests/1.0".to_owned(),
                Endpoint::Manifest(name("a/blobs/uploads"), "1.0".parse().unwrap()),
            ),
            (format!("/v2/a/manifests/{D}"), Endpoint::Manifest(name("a"), D.parse().unwrap())),
            (format!("/v2/a/blobs/{D}"), Endpoint::Blob(name("a"), digest)),
            (format!("/v2/a/blobs/{}", D.replace(':', "%3A")), Endpoint::Blob(name("a"), digest)),
            ("/v2/a/blobs/uploads".to_owned(), Endpoint::Uploads(name("a"))),
            ("/v2/a/blobs/uploads/".to_owned(), Endpoint::Uploads(name("a"))),
            ("/v2/a/blobs/uploads/x1".to_owned(), Endpoint::Upload(name("a"), "x1".to_owned())),
            (format!("/v2/a/referrers/{D}"), Endpoint::Referrers(name("a"), digest)),
        ];
        for (path, endpoint) in cases {
            assert_eq!(Endpoint::of(&path).unwrap(), endpoint, "{path}");
        }
    }

    #[test]
    fn what_is_malformed_says_which_part() {
        let cases = [
            ("/v2/A/tags/list", Subject::Name),
            ("/v2/../etc/tags/list", Subject::Name),
            ("/v2/a%2Fb/tags/list", Subject::Name),
            ("/v2//tags/list", Subject::Name),
            ("/v2/a/manifests/-x", Subject::Tag),
            ("/v2/a/manifests/sha256:bad", Subject::Digest),
            ("/v2/a/blobs/sha256:bad", Subject::Digest),
            ("/v2/a/referrers/latest", Subject::Digest),
            ("/v2/a/unknown", Subject::Request),
            ("/v2/a", Subject::Request),
        ];
        for (path, subject) in cases {
            assert_eq!(Endpoint::of(path).unwrap_err().subject, subject, "{path}");
        }
    }
}
