//! Who asks: from the headers of a request to a [`Caller`], and the challenges that tell
//! a client how to say who it is.

mod basic;
mod challenge;

use axum::http::{Extensions, HeaderMap, header::AUTHORIZATION};
use domain::{access::Caller, tokens, users};
use kit::{Error, Kind};

use crate::{Peer, State};

pub use challenge::{Reason, challenge, origin};

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
pub async fn caller(state: &State, headers: &HeaderMap) -> Result<Caller, Refused> {
    match shown(headers) {
        Shown::Nothing => Ok(Caller::anonymous()),
        Shown::Bearer(token) => {
            tokens::verify(&state.domain, token).await.map_err(|error| match error.kind {
                Kind::Unauthenticated => Refused::Token(error),
                _ => Refused::Failed(error),
            })
        }
        Shown::Basic(shown) => by_password(state, &shown).await,
        Shown::Nonsense => Err(Refused::Credentials(Error::new(
            Kind::Unauthenticated,
            "the Authorization header is neither Basic nor Bearer",
        ))),
    }
}

/// Who asks for something of the API. What does not convince counts as nothing, as with
/// Harbor: the request goes on as anonymous. Registry tokens are for the registry only.
///
/// # Errors
/// Only when it could not be found out.
pub async fn api_caller(state: &State, headers: &HeaderMap) -> Result<Caller, Error> {
    let Shown::Basic(shown) = shown(headers) else { return Ok(Caller::anonymous()) };
    match by_password(state, &shown).await {
        Ok(caller) => Ok(caller),
        Err(Refused::Failed(error)) => Err(error),
        Err(_) => Ok(Caller::anonymous()),
    }
}

/// Who asks for a token: by a name and a password, or anonymous. Wrong ones are refused,
/// and so is a token: it must not buy another.
///
/// # Errors
/// See [`Refused`].
pub(crate) async fn password_caller(state: &State, headers: &HeaderMap) -> Result<Caller, Refused> {
    match shown(headers) {
        Shown::Nothing => Ok(Caller::anonymous()),
        Shown::Basic(shown) => by_password(state, &shown).await,
        Shown::Bearer(_) | Shown::Nonsense => Err(Refused::Credentials(Error::new(
            Kind::Unauthenticated,
            "the Authorization header is not Basic",
        ))),
    }
}

/// The same caller, from the client's address as far as it is known.
pub(crate) fn from_client(caller: Caller, extensions: &Extensions) -> Caller {
    match extensions.get::<Peer>() {
        Some(peer) => caller.at(peer.address.ip()),
        None => caller,
    }
}

async fn by_password(state: &State, shown: &basic::Credentials) -> Result<Caller, Refused> {
    match users::verify(&state.domain, &shown.username, &shown.password).await {
        Ok(user) => Ok(Caller::user(&user)),
        Err(error) if error.is(Kind::Unauthenticated) => Err(Refused::Credentials(error)),
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
