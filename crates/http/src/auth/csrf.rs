//! Requests that come from a page of ours (Harbor's way with CSRF): a browser sends the
//! session's cookie whoever makes it send a request, so a request that changes something has
//! to show in a header what the client holds in another cookie.
//!
//! Checked is what comes with a session's cookie, and everything below `/c/`. The registry and
//! the token service take no sessions. Every answer to a checked request has the token that
//! the next one is to show.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{self, FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::sessions::{self, CsrfToken};
use kit::{Error, Kind};

use super::{
    cookies::{self, Cookie},
    session::{self, NewSession},
};
use crate::{State, api::ApiError};

/// Harbor's names.
const COOKIE: &str = "_gorilla_csrf";
const TOKEN: HeaderName = HeaderName::from_static("x-harbor-csrf-token");

/// For how long a browser keeps the cookie, in seconds.
const KEPT: u32 = 12 * 3600;

/// Whether a request comes from a page of ours: its header shows what its cookie holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FromPage(pub(crate) bool);

impl<S: Send + Sync> FromRequestParts<S> for FromPage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(false)))
    }
}

/// Refuses what may change something and does not come from a page of ours, where that is
/// asked for.
pub(crate) async fn protect(
    extract::State(state): extract::State<Arc<State>>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let shown = session::shown(headers).map(str::to_owned);
    let path = request.uri().path();
    let is_checked = path.starts_with("/c/") || shown.is_some() && path.starts_with("/api/");
    // Who shows a token without a session may do what only a page of ours may.
    if !(is_checked || path.starts_with("/api/") && headers.contains_key(TOKEN)) {
        return next.run(request).await;
    }
    let held = cookies::find(headers, COOKIE)
        .and_then(|cookie| sessions::csrf_of(&state.domain, cookie, shown.as_deref()));
    let verdict = verdict(headers, held.as_ref());
    let is_secure = session::is_secure(&state, request.extensions());
    let is_safe =
        matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    let mut response = match verdict {
        Err(error) if is_checked && !is_safe => ApiError::from(error).into_response(),
        verdict => {
            if verdict.is_ok() {
                request.extensions_mut().insert(FromPage(true));
            }
            next.run(request).await
        }
    };
    let changed = response.extensions_mut().remove::<NewSession>();
    let held = held.filter(|_| changed.is_none());
    let token = held.unwrap_or_else(|| {
        let session = changed.as_ref().map_or(shown.as_deref(), NewSession::cookie);
        let (token, value) = sessions::new_csrf(&state.domain, session);
        let same_site = "Strict";
        let cookie = Cookie {
            name: COOKIE,
            value: &value,
            same_site,
            secure: is_secure,
            max_age: Some(KEPT),
        };
        cookie.set(response.headers_mut());
        token
    });
    if let Ok(token) = HeaderValue::try_from(token.masked()) {
        response.headers_mut().insert(TOKEN, token);
    }
    response
}

/// Whether a request shows what its client holds, in the words of Harbor's refusals.
fn verdict(headers: &HeaderMap, held: Option<&CsrfToken>) -> Result<(), Error> {
    let refused = |message| Err(Error::new(Kind::Forbidden, message));
    match headers.get(TOKEN).map(HeaderValue::to_str) {
        None => refused("CSRF token not found in request"),
        Some(Ok(token)) if held.is_some_and(|held| held.is_shown_by(token)) => Ok(()),
        Some(_) => refused("CSRF token invalid"),
    }
}
