//! Verifying a token.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use kit::{Error, Kind, Result, Time};

use super::{ISSUER, LEEWAY, LONGEST, SERVICE, claims::Claims, keys};
use crate::{Context, access::Caller};

/// A token whose signature was found good. How old it is, is asked each time.
#[derive(Debug)]
pub(crate) struct Verified {
    caller: Caller,
    not_before: Time,
    expires: Time,
}

impl Verified {
    /// The caller, if the token is neither too young nor too old.
    fn caller_at(&self, now: Time) -> Result<Caller> {
        if now.after(LEEWAY) < self.not_before {
            return Err(refused("the token is not valid yet"));
        }
        if now.before(LEEWAY) >= self.expires {
            return Err(refused("the token has expired"));
        }
        Ok(self.caller.clone())
    }
}

/// The caller that a token speaks for, narrowed to what it grants. A token that was seen
/// before costs a look into memory.
///
/// # Errors
/// Unauthenticated when the token was not issued here for this registry or is not valid
/// at this time; Unavailable when an unknown key cannot be looked up.
pub async fn verify(context: &Context, token: &str) -> Result<Caller> {
    let now = context.clock.now();
    if let Some(known) = context.keys.verified(token) {
        return known.caller_at(now);
    }
    if token.len() > LONGEST {
        return Err(refused("the token is too long"));
    }
    let header = decode_header(token).map_err(|_| refused("the token is not a JWT"))?;
    if header.alg != Algorithm::ES256 {
        return Err(refused("the token is not signed with ES256"));
    }
    let kid = header.kid.ok_or_else(|| refused("the token does not name its key"))?;
    let key = keys::find(context, &kid).await?;
    let key = key.ok_or_else(|| refused("the token's key is not known"))?;
    let decoded = decode::<Claims>(token, &key, &validation())
        .map_err(|_| refused("the token was not issued for this registry"))?;
    let verified = Verified {
        caller: decoded.claims.caller(),
        not_before: Time::from_seconds(decoded.claims.nbf),
        expires: Time::from_seconds(decoded.claims.exp),
    };
    let caller = verified.caller_at(now)?;
    context.keys.remember(token, Arc::new(verified));
    Ok(caller)
}

/// What must be true of every token. Its times are left to [`Verified::caller_at`], which
/// asks the injected clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[SERVICE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["iss", "aud"]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

fn refused(message: &'static str) -> Error {
    Error::new(Kind::Unauthenticated, message)
}
