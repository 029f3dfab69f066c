//! The session's cookie.

use axum::http::{Extensions, HeaderMap, HeaderName, Response};
use domain::sessions::SessionId;

use super::cookies::{self, Cookie};
use crate::{Peer, State};

/// Harbor's name of the cookie.
const SID: &str = "sid";

/// By which a client that asks again and again by itself keeps its session from living on.
const NO_RENEWAL: HeaderName = HeaderName::from_static("x-harbor-no-session-renewal");

/// What the client holds of a session from now on: put into the extensions of an answer.
#[derive(Clone, Debug)]
pub(crate) struct NewSession(Option<SessionId>);

/// What a client shows of its session, if it shows anything; it need not be an id.
pub(super) fn shown(headers: &HeaderMap) -> Option<&str> {
    cookies::find(headers, SID)
}

/// The id of the session that a client shows, if it may be one.
pub(crate) fn id(headers: &HeaderMap) -> Option<SessionId> {
    shown(headers).and_then(SessionId::read)
}

/// Whether a request has its session live on.
pub(super) fn renews(headers: &HeaderMap) -> bool {
    headers.get(NO_RENEWAL).is_none_or(|value| value != "true")
}

/// Has a client hold the id of a session that has begun, or none any more.
pub(crate) fn hold<B>(
    state: &State,
    asked: &Extensions,
    response: &mut Response<B>,
    id: Option<SessionId>,
) {
    let cookie = Cookie {
        name: SID,
        value: id.as_ref().map_or("", SessionId::reveal),
        same_site: "Lax",
        secure: is_secure(state, asked),
        max_age: id.is_none().then_some(0),
    };
    cookie.set(response.headers_mut());
    response.extensions_mut().insert(NewSession(id));
}

impl NewSession {
    /// What the client's cookie holds.
    pub(super) fn cookie(&self) -> Option<&str> {
        self.0.as_ref().map(SessionId::reveal)
    }
}

/// Whether the client reaches this server over TLS, as far as is known.
pub(crate) fn is_secure(state: &State, asked: &Extensions) -> bool {
    asked.get::<Peer>().is_some_and(|peer| peer.scheme_https)
        || state.external_url.as_ref().is_some_and(|url| url.scheme() == "https")
}
