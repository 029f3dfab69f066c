//! Errors in Harbor's format: the one place that maps them for `/api`.

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use kit::{Error, Kind, Subject};
use serde::Serialize;
use utoipa::ToSchema;

/// An error on its way to a client of the API.
#[derive(Debug)]
pub(crate) struct ApiError(Error);

/// One entry of Harbor's list of errors, which has one.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct Entry {
    code: &'static str,
    message: String,
}

/// Harbor's list of errors.
#[derive(Serialize, ToSchema)]
pub(super) struct Errors {
    #[schema(value_type = Vec<Entry>)]
    errors: [Entry; 1],
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl ApiError {
    /// The error itself.
    pub(crate) fn into_inner(self) -> Error {
        self.0
    }

    /// What the client is told.
    pub(crate) fn entries(&self) -> [Entry; 1] {
        let (_, code) = match (self.0.kind, self.0.subject) {
            // The portal asks for it then.
            (Kind::Unauthenticated, Subject::SecondFactor) => ((), "TOTP_REQUIRED"),
            // Something else refers to what is to be deleted.
            (Kind::Precondition, Subject::ManifestReference) => {
                ((), "VIOLATE_FOREIGN_KEY_CONSTRAINT")
            }
            (kind, _) => ((), wire(kind).1),
        };
        [Entry { code, message: self.0.message.to_string() }]
    }

    /// The answer.
    pub(crate) fn into_answer(self) -> Response {
        if self.0.is(Kind::Internal) || self.0.is(Kind::Unavailable) {
            let cause = self.0.source.as_deref().map(tracing::field::display);
            tracing::error!(error = %self.0, cause, "request failed");
        }
        let (status, _) = wire(self.0.kind);
        let mut response = report(status, Errors { errors: self.entries() });
        if let Some(after) = self.0.retry_after {
            let seconds = HeaderValue::from(after.as_secs().max(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.into_answer()
    }
}

/// The answer for a method that a path does not have.
pub(crate) async fn method_not_allowed() -> Response {
    let entry =
        Entry { code: "METHOD_NOT_ALLOWED", message: "the method is not allowed here".to_owned() };
    report(StatusCode::METHOD_NOT_ALLOWED, Errors { errors: [entry] })
}

/// The answer for a path that does not exist.
pub(crate) async fn not_found() -> ApiError {
    ApiError(Error::new(Kind::NotFound, "there is nothing at this path"))
}

fn report(status: StatusCode, report: Errors) -> Response {
    // Harbor ends the body with a line feed.
    let mut body = serde_json::to_vec(&report).unwrap_or_default();
    body.push(b'\n');
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// The status and Harbor's code for a kind of error.
fn wire(kind: Kind) -> (StatusCode, &'static str) {
    match kind {
        Kind::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Kind::Conflict => (StatusCode::CONFLICT, "CONFLICT"),
        Kind::Forbidden => (StatusCode::FORBIDDEN, "FORBIDDEN"),
        Kind::Denied | Kind::QuotaExceeded => (StatusCode::FORBIDDEN, "DENIED"),
        Kind::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
        Kind::Invalid | Kind::Range => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        Kind::Unsupported => (StatusCode::BAD_REQUEST, "UNSUPPORTED"),
        Kind::Unprocessable => (StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY"),
        Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "REQUEST_ENTITY_TOO_LARGE"),
        Kind::Immutable | Kind::Precondition => (StatusCode::PRECONDITION_FAILED, "PRECONDITION"),
        Kind::TooMany => (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUEST"),
        Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"),
        Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
    }
}
