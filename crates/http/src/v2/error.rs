//! Errors in the registry's format: the one place that maps them for `/v2`
//! (distribution-spec, "Error Codes").

use axum::{
    body::Body,
    http::{
        HeaderValue, Response, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
};
use kit::{Error, Kind, Subject};
use oci::{DigestError, EndpointError, ErrorCode, ReferenceError};
use serde::Serialize;

/// The answer for an error.
pub(super) fn response(error: &Error) -> Response<Body> {
    if error.is(Kind::Internal) || error.is(Kind::Unavailable) {
        tracing::error!(error = error as &dyn std::error::Error, cause = ?error.source, "request failed");
    }
    let body = serde_json::to_vec(&Report { errors: entries(error) }).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status(error);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(after) = error.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    response
}

#[derive(Serialize)]
struct Report<'e> {
    errors: Vec<Entry<'e>>,
}

#[derive(Serialize)]
struct Entry<'e> {
    code: &'static str,
    message: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<serde_json::Map<String, serde_json::Value>>,
}

fn entries(error: &Error) -> Vec<Entry<'_>> {
    let code = code(error).as_str();
    if error.details.is_empty() {
        return vec![Entry { code, message: &error.message, detail: None }];
    }
    let entry = |detail: &'_ kit::Detail| {
        let facts = detail.facts.iter();
        facts.map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect()
    };
    error
        .details
        .iter()
        .map(|detail| Entry { code, message: &detail.message, detail: Some(entry(detail)) })
        .collect()
}

/// The error for a path that names nothing.
pub(super) fn of_path(cause: &EndpointError, path: &str) -> Error {
    let subject = match cause {
        EndpointError::Unknown => {
            return Error::not_found(Subject::Request, cause.to_string());
        }
        EndpointError::Name(_) | EndpointError::NotUtf8 => Subject::Name,
        EndpointError::Reference(ReferenceError::Tag(_)) => Subject::Tag,
        EndpointError::Reference(ReferenceError::Digest(_)) | EndpointError::Digest(_) => {
            Subject::Digest
        }
    };
    invalid(subject, cause, "path", path)
}

/// The error for a digest of a query that is none.
pub(super) fn of_digest(cause: &DigestError, text: &str) -> Error {
    invalid(Subject::Digest, cause, "digest", text)
}

/// The error for something that is not what it should be, with what the client wrote.
pub(super) fn invalid(
    subject: Subject,
    cause: &impl ToString,
    what: &'static str,
    written: &str,
) -> Error {
    const LONGEST: usize = 256;
    let written = written.chars().take(LONGEST).collect();
    Error::invalid(cause.to_string()).about(subject).with(cause.to_string(), vec![(what, written)])
}

fn status(error: &Error) -> StatusCode {
    match (error.kind, error.subject) {
        (Kind::NotFound, _) => StatusCode::NOT_FOUND,
        (Kind::Conflict, _) => StatusCode::CONFLICT,
        (Kind::Forbidden | Kind::Denied | Kind::QuotaExceeded, _) => StatusCode::FORBIDDEN,
        (Kind::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Kind::TooLarge, Subject::Tag) => StatusCode::URI_TOO_LONG,
        (Kind::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
        (Kind::Range, _) => StatusCode::RANGE_NOT_SATISFIABLE,
        (Kind::Immutable | Kind::Precondition, _) => StatusCode::PRECONDITION_FAILED,
        (Kind::Unsupported, Subject::Request | Subject::Blob) => StatusCode::METHOD_NOT_ALLOWED,
        (Kind::Invalid | Kind::Unprocessable | Kind::Unsupported, _) => StatusCode::BAD_REQUEST,
        (Kind::TooMany, _) => StatusCode::TOO_MANY_REQUESTS,
        (Kind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Kind::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn code(error: &Error) -> ErrorCode {
    match (error.kind, error.subject) {
        (Kind::Unauthenticated, _) => ErrorCode::Unauthorized,
        (Kind::Forbidden | Kind::Denied | Kind::QuotaExceeded, _) => ErrorCode::Denied,
        (Kind::TooMany, _) => ErrorCode::TooManyRequests,
        (Kind::Unavailable, _) => ErrorCode::Unavailable,
        (Kind::Internal, _) => ErrorCode::Unknown,
        (Kind::Immutable | Kind::Precondition, _) => ErrorCode::Precondition,
        (Kind::Unsupported, _) => ErrorCode::Unsupported,
        (Kind::NotFound, Subject::Blob) => ErrorCode::BlobUnknown,
        (Kind::NotFound, Subject::Upload) => ErrorCode::BlobUploadUnknown,
        (Kind::NotFound, Subject::Manifest | Subject::Tag) => ErrorCode::ManifestUnknown,
        (Kind::NotFound, Subject::Repository | Subject::Project | Subject::Name) => {
            ErrorCode::NameUnknown
        }
        (Kind::NotFound, _) => ErrorCode::NotFound,
        (Kind::Range, Subject::Upload) => ErrorCode::BlobUploadInvalid,
        (Kind::Range, _) => ErrorCode::RangeInvalid,
        (_, Subject::Digest) => ErrorCode::DigestInvalid,
        (_, Subject::Manifest) => ErrorCode::ManifestInvalid,
        (_, Subject::ManifestReference) => ErrorCode::ManifestBlobUnknown,
        (_, Subject::Tag) => ErrorCode::TagInvalid,
        (_, Subject::Name | Subject::Repository) => ErrorCode::NameInvalid,
        (_, Subject::Size) => ErrorCode::SizeInvalid,
        (_, Subject::Page) => ErrorCode::PaginationNumberInvalid,
        (_, Subject::Upload | Subject::Blob) => ErrorCode::BlobUploadInvalid,
        (_, _) => ErrorCode::Unsupported,
    }
}
