//! Who asks: from the headers of a request to a [`Caller`], and the challenges that tell
//! a client how to say who it is.

mod basic;
mod challenge;
mod cookies;
mod csrf;
mod session;

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{Extensions, HeaderMap, header::AUTHORIZATION};
use domain::{
    access::Caller,
    sessions,
    sign_in::{self, Attempt, Way},
    sources, tokens,
};
use kit::{Error, Kind};

use crate::{Peer, State};

pub use challenge::{Reason, challenge, origin};
pub(crate) use cookies::find as cookie;
pub(crate) use csrf::{FromPage, protect};
pub(crate) use session::{hold, id as session_id, is_secure};

/// Why a request on the registry has no caller.
#[derive(Debug)]
pub enum Refused {
    /// The name and password, or the form of the header, are wrong.
    Credentials(Error),
    /// The token is forged, foreign, too old or too young: `error="invalid_token"`.
    Token(Error),
    /// It could not be found out.
    Failed(Error),
}

impl Refused {
    /// What goes to the client.
    pub fn into_error(self) -> Error {
        match self {
            Self::Credentials(error) | Self::Token(error) | Self::Failed(error) => error,
        }
    }
}

/// What an `Authorization` header shows.
enum Shown<'a> {
    Nothing,
    Basic(basic::Credentials),
    Bearer(&'a str),
    Nonsense,
}

/// Who asks for something of the registry (`/v2`). No header is anonymous; a header that
/// does not convince is always refused.
///
/// # Errors
/// See [`Refused`].
pub async fn caller(
    state: &State,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Caller, Refused> {
    match shown(headers) {
        Shown::Nothing => Ok(from_client(Caller::anonymous(), extensions)),
        Shown::Bearer(token) => match tokens::verify(&state.domain, token).await {
            Ok(caller) => Ok(from_client(caller, extensions)),
            Err(error) if error.is(Kind::Unauthenticated) => {
                let robot = by_workload(state, token, error).await?;
                Ok(from_client(robot, extensions))
            }
            Err(error) => Err(Refused::Failed(error)),
        },
        Shown::Basic(shown) => {
            by_password(state, &shown, &attempt(extensions, Way::Registry)).await
        }
        Shown::Nonsense => Err(Refused::Credentials(Error::new(
            Kind::Unauthenticated,
            "the Authorization header is neither Basic nor Bearer",
        ))),
    }
}

/// Who asks for something of the API: by a name and a secret, by a personal token or one of a source
/// or of an issuer that a robot trusts, or by a session. What does not convince counts as
/// nothing, as with Harbor: the request goes on as anonymous. Registry tokens are for the
/// registry only.
///
/// # Errors
/// Only when it could not be found out.
pub async fn api_caller(
    state: &State,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Caller, Error> {
    let attempt = attempt(extensions, Way::Api);
    let shown = match shown(headers) {
        Shown::Basic(shown) => by_password(state, &shown, &attempt).await.map(Some),
        Shown::Bearer(token) => by_bearer(state, token, &attempt).await,
        Shown::Nothing | Shown::Nonsense => Ok(None),
    };
    match shown {
        Ok(Some(caller)) => return Ok(caller),
        Err(Refused::Failed(error)) => return Err(error),
        Ok(None) | Err(_) => {}
    }
    let found = match session::id(headers) {
        Some(id) => sessions::find(&state.domain, &id, session::renews(headers)).await?,
        None => None,
    };
    let caller = found.map_or(Caller::anonymous(), |(_, user)| Caller::user(&user));
    Ok(from_client(caller, extensions))
}

/// Who asks for a token: by a name and a password, or anonymous. Wrong ones are refused,
/// and so is a token: it must not buy another.
///
/// # Errors
/// See [`Refused`].
pub(crate) async fn password_caller(
    state: &State,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Caller, Refused> {
    match shown(headers) {
        Shown::Nothing => Ok(from_client(Caller::anonymous(), extensions)),
        Shown::Basic(shown) => {
            by_password(state, &shown, &attempt(extensions, Way::Registry)).await
        }
        Shown::Bearer(_) | Shown::Nonsense => Err(Refused::Credentials(Error::new(
            Kind::Unauthenticated,
            "the Authorization header is not Basic",
        ))),
    }
}

/// The robot for which a token stands that we have not issued, or else the refusal as ours.
async fn by_workload(state: &State, token: &str, refused: Error) -> Result<Caller, Refused> {
    match sources::workload(&state.domain, token, None).await {
        Ok(Some(robot)) => Ok(Caller::robot(&robot)),
        Ok(None) => Err(Refused::Token(refused)),
        Err(error) if error.is(Kind::Unauthenticated) => Err(Refused::Token(error)),
        Err(error) => Err(Refused::Failed(error)),
    }
}

/// What is known of a client that shows a name and a secret.
pub(crate) fn attempt(extensions: &Extensions, way: Way) -> Attempt {
    let peer = extensions.get::<Peer>();
    let unknown = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    Attempt { address: peer.map_or(unknown, |peer| peer.address.ip()), way }
}

/// The same caller, from the client's address as far as it is known.
pub(crate) fn from_client(caller: Caller, extensions: &Extensions) -> Caller {
    match extensions.get::<Peer>() {
        Some(peer) => caller.at(peer.address.ip()),
        None => caller,
    }
}

async fn by_password(
    state: &State,
    shown: &basic::Credentials,
    attempt: &Attempt,
) -> Result<Caller, Refused> {
    match sign_in::by_password(&state.domain, &shown.username, &shown.password, attempt).await {
        Ok(caller) => Ok(caller),
        Err(error) if error.is(Kind::Unauthenticated) => Err(Refused::Credentials(error)),
        Err(error) => Err(Refused::Failed(error)),
    }
}

async fn by_bearer(
    state: &State,
    token: &str,
    attempt: &Attempt,
) -> Result<Option<Caller>, Refused> {
    match sign_in::by_bearer(&state.domain, token, attempt).await {
        Ok(caller) => Ok(caller),
        Err(error) if error.is(Kind::Unauthenticated) => Err(Refused::Token(error)),
        Err(error) => Err(Refused::Failed(error)),
    }
}

fn shown(headers: &HeaderMap) -> Shown<'_> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Shown::Nothing };
    let Ok(value) = value.to_str() else { return Shown::Nonsense };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Shown::Bearer(token.trim())
        }
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            basic::decode(encoded.trim()).map_or(Shown::Nonsense, Shown::Basic)
        }
        _ => Shown::Nonsense,
    }
}
