//! Codes of errors on the wire (distribution-spec, section "Error Codes"), with those that
//! Docker's and Harbor's registries add.

use std::fmt;

use serde::{Serialize, Serializer};

/// The `code` of an error that the registry API answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A blob is not in the repository.
    BlobUnknown,
    /// An upload cannot go on as asked.
    BlobUploadInvalid,
    /// There is no such upload.
    BlobUploadUnknown,
    /// A digest is malformed or does not fit the content.
    DigestInvalid,
    /// A manifest refers to a blob or manifest that is not there.
    ManifestBlobUnknown,
    /// A manifest is not one.
    ManifestInvalid,
    /// A manifest is not in the repository.
    ManifestUnknown,
    /// The name of a repository is malformed.
    NameInvalid,
    /// There is no such repository.
    NameUnknown,
    /// A size is not what was announced, or is beyond a limit.
    SizeInvalid,
    /// Credentials are missing or wrong.
    Unauthorized,
    /// The caller has no right to do this.
    Denied,
    /// The registry does not do this.
    Unsupported,
    /// The caller asks too often.
    TooManyRequests,
    /// A tag is malformed (Docker).
    TagInvalid,
    /// A range is not there, or a chunk does not follow the one before (Docker).
    RangeInvalid,
    /// The paging parameter `n` is not a number of entries (Docker).
    PaginationNumberInvalid,
    /// A part of the registry is away for a while (Docker).
    Unavailable,
    /// An error without a code of its own, on the registry's side (Docker).
    Unknown,
    /// A request is wrong in a way that has no code of its own (Harbor).
    BadRequest,
    /// There is nothing at this address (Harbor).
    NotFound,
    /// Something newer is in the way (Harbor).
    Conflict,
    /// A condition does not hold, such as that of an immutable tag (Harbor).
    Precondition,
    /// A policy of the project forbids this (Harbor).
    ProjectPolicyViolation,
}

impl ErrorCode {
    /// Every code, in the order above.
    pub const ALL: [Self; 24] = [
        Self::BlobUnknown,
        Self::BlobUploadInvalid,
        Self::BlobUploadUnknown,
        Self::DigestInvalid,
        Self::ManifestBlobUnknown,
        Self::ManifestInvalid,
        Self::ManifestUnknown,
        Self::NameInvalid,
        Self::NameUnknown,
        Self::SizeInvalid,
        Self::Unauthorized,
        Self::Denied,
        Self::Unsupported,
        Self::TooManyRequests,
        Self::TagInvalid,
        Self::RangeInvalid,
        Self::PaginationNumberInvalid,
        Self::Unavailable,
        Self::Unknown,
        Self::BadRequest,
        Self::NotFound,
        Self::Conflict,
        Self::Precondition,
        Self::ProjectPolicyViolation,
    ];

    /// How it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied => "DENIED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::TagInvalid => "TAG_INVALID",
            Self::RangeInvalid => "RANGE_INVALID",
            Self::PaginationNumberInvalid => "PAGINATION_NUMBER_INVALID",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unknown => "UNKNOWN",
            Self::BadRequest => "BAD_REQUEST",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::Precondition => "PRECONDITION",
            Self::ProjectPolicyViolation => "PROJECTPOLICYVIOLATION",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_is_written_its_own_way_in_capitals() {
        let texts: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        assert!(
            texts
                .iter()
                .all(|text| { text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') })
        );
        assert_eq!(serde_json::to_string(&ErrorCode::BlobUnknown).unwrap(), "\"BLOB_UNKNOWN\"");
    }
}
