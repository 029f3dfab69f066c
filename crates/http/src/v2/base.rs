//! `/v2/`: whether this is a registry, and whether the credentials are good.

use axum::{
    body::Body,
    http::{HeaderValue, Response, header::CONTENT_TYPE},
};

/// The answer to those who may come in.
pub(super) fn hello() -> Response<Body> {
    json("{}")
}

/// The extensions that are served (distribution-spec, "Extensions"): none beyond the
/// endpoints of the specification.
pub(super) fn extensions() -> Response<Body> {
    json(r#"{"extensions":[]}"#)
}

fn json(text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
