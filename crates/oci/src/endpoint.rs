//! From a path to an endpoint (distribution-spec, "Endpoints").
//!
//! The path is split from its end, for any part of a repository's name may be called
//! `blobs` or `tags`. Only the last part is percent-decoded: names hold nothing that
//! needs encoding, and an encoded slash is no separator.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::{Digest, DigestError, NameError, Reference, ReferenceError, RepositoryName};

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
    /// Says which part of the path is not what its place asks for, or that there is no
    /// such endpoint.
    pub fn of(path: &str) -> Result<Self, EndpointError> {
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
        let (head, last) = rest.rsplit_once('/').ok_or(EndpointError::Unknown)?;
        if let Some(name) = head.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(repository(name)?, last.to_owned()));
        }
        if let Some(name) = head.strip_suffix("/manifests") {
            return Ok(Self::Manifest(repository(name)?, reference(last)?));
        }
        if let Some(name) = head.strip_suffix("/blobs") {
            return Ok(Self::Blob(repository(name)?, digest(last)?));
        }
        if let Some(name) = head.strip_suffix("/referrers") {
            return Ok(Self::Referrers(repository(name)?, digest(last)?));
        }
        Err(EndpointError::Unknown)
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

/// Why a path names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No endpoint has this form.
    #[error("there is no such endpoint")]
    Unknown,
    /// Where a repository's name belongs stands none.
    #[error("{0}")]
    Name(NameError),
    /// After `manifests/` stands neither a tag nor a digest.
    #[error("{0}")]
    Reference(ReferenceError),
    /// Where a digest belongs stands none.
    #[error("{0}")]
    Digest(DigestError),
    /// The last part is not UTF-8 when its percent signs are decoded.
    #[error("the path is not UTF-8")]
    NotUtf8,
}

fn repository(text: &str) -> Result<RepositoryName, EndpointError> {
    text.parse().map_err(EndpointError::Name)
}

fn reference(text: &str) -> Result<Reference, EndpointError> {
    decoded(text)?.parse().map_err(EndpointError::Reference)
}

fn digest(text: &str) -> Result<Digest, EndpointError> {
    decoded(text)?.parse().map_err(EndpointError::Digest)
}

fn decoded(text: &str) -> Result<Cow<'_, str>, EndpointError> {
    percent_decode_str(text).decode_utf8().map_err(|_| EndpointError::NotUtf8)
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
        let part = |path: &str| match Endpoint::of(path).unwrap_err() {
            EndpointError::Unknown => "path",
            EndpointError::Name(_) => "name",
            EndpointError::Reference(ReferenceError::Tag(_)) => "tag",
            EndpointError::Reference(ReferenceError::Digest(_)) | EndpointError::Digest(_) => {
                "digest"
            }
            EndpointError::NotUtf8 => "encoding",
        };
        for (path, expected) in [
            ("/v2/A/tags/list", "name"),
            ("/v2/../etc/tags/list", "name"),
            ("/v2/a%2Fb/tags/list", "name"),
            ("/v2//tags/list", "name"),
            ("/v2/a/manifests/-x", "tag"),
            ("/v2/a/manifests/sha256:bad", "digest"),
            ("/v2/a/manifests/%FF", "encoding"),
            ("/v2/a/blobs/sha256:bad", "digest"),
            ("/v2/a/referrers/latest", "digest"),
            ("/v2/a/unknown", "path"),
            ("/v2/a", "path"),
        ] {
            assert_eq!(part(path), expected, "{path}");
        }
    }
}
