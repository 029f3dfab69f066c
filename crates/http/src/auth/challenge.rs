//! Challenges: how a client is told to say who it is (oci-wire section 9, RFC 9110).

use axum::http::{HeaderValue, header::HOST, request::Parts, uri::Authority};
use domain::tokens::SERVICE;

use crate::{Peer, State};

/// Why a client that showed a token has to get another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The token is good and does not reach far enough.
    InsufficientScope,
    /// The token is not good.
    InvalidToken,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidToken => "invalid_token",
        }
    }
}

/// Where the client reaches this server, without a trailing slash: the configured
/// external URL, or else the scheme and host that the request (through proxies that are
/// trusted) came by.
pub fn origin(state: &State, request: &Parts) -> String {
    if let Some(url) = &state.external_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let peer = request.extensions.get::<Peer>();
    let scheme = if peer.is_some_and(|peer| peer.scheme_https) { "https" } else { "http" };
    let host = peer
        .and_then(|peer| peer.host.as_deref())
        .or_else(|| request.uri.authority().map(Authority::as_str))
        .or_else(|| request.headers.get(HOST)?.to_str().ok())
        .unwrap_or("localhost");
    format!("{scheme}://{host}")
}

/// The value of the `WWW-Authenticate` header of a 401 on `/v2`. Basic is accepted there
/// too and not offered: docker's daemon follows every challenge it is shown, and fails on
/// Basic when it has no password, as without a login or with a refresh token. `scope` lists
/// what the request needs, such as `repository:library/x:pull`; empty on `/v2/` itself.
pub fn challenge(origin: &str, scope: &str, reason: Option<Reason>) -> HeaderValue {
    let mut bearer =
        format!(r#"Bearer realm="{}/service/token",service="{SERVICE}""#, plain(origin));
    if !scope.is_empty() {
        bearer.push_str(&format!(r#",scope="{}""#, plain(scope)));
    }
    if let Some(reason) = reason {
        bearer.push_str(&format!(r#",error="{}""#, reason.as_str()));
    }
    // Nothing is left in it that a header may not hold.
    HeaderValue::try_from(bearer).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}

/// A text as it may stand between quotes: what would end them, or is not printable
/// ASCII, is left out.
fn plain(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}
