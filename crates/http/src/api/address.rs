//! The address of a request, before anything looks at it: as Harbor does, slashes that
//! follow each other count as one, one at the end of a path does not matter, and a query has no semicolons, by which some programs
//! separate parameters and some do not.

use std::borrow::Cow;

use axum::http::{Request, Uri, uri::PathAndQuery};
use kit::Error;

use super::ApiError;

/// The request with its address made tidy. The registry's own paths stay as they are.
///
/// # Errors
/// Invalid when the query holds a semicolon.
pub(crate) fn tidy<B>(mut request: Request<B>) -> Result<Request<B>, ApiError> {
    let uri = request.uri();
    if uri.path() == "/v2" || uri.path().starts_with("/v2/") {
        return Ok(request);
    }
    if uri.query().is_some_and(|query| query.contains(';')) {
        return Err(Error::invalid("the query must not contain a semicolon").into());
    }
    if let Cow::Owned(path) = merged(uri.path()) {
        let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
        let mut parts = uri.clone().into_parts();
        let tidy = format!("{path}{query}").parse::<PathAndQuery>();
        parts.path_and_query = Some(tidy.map_err(Error::internal)?);
        *request.uri_mut() = Uri::from_parts(parts).map_err(Error::internal)?;
    }
    Ok(request)
}

/// A path with one slash where there are several, and none at the end of one of the API.
fn merged(path: &str) -> Cow<'_, str> {
    let ends = |path: &str| path.starts_with("/api/") && path.ends_with('/');
    if !path.contains("//") && !ends(path) {
        return Cow::Borrowed(path);
    }
    let mut merged = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !merged.ends_with('/') {
            merged.push(c);
        }
    }
    if ends(&merged) {
        merged.pop();
    }
    Cow::Owned(merged)
}
