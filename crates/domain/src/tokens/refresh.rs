//! Refresh tokens: what `docker login` keeps instead of the password when it asks for
//! an offline token.
//!
//! Sealed rather than signed, since only Haven reads them. One is bound to its user and
//! to the password of that time: a new password voids it, as does the end of the user, and a
//! second factor, which it was got without.

use std::{sync::Arc, time::Duration};

use kit::{Error, Kind, Result, Time};
use serde::{Deserialize, Serialize};

use super::LONGEST;
use crate::{
    Context,
    users::{self, User},
};

/// How long a refresh token is good for.
const LIFETIME: Duration = Duration::from_secs(90 * 24 * 3600);

/// What the sealed text is bound to, so that no other sealed text passes for it.
const SEALED_AS: &str = "refresh token";

#[derive(Serialize, Deserialize)]
struct Refresh {
    user_id: i64,
    password_version: String,
    /// Seconds since the epoch.
    expires: i64,
}

/// Issues a refresh token to a user.
///
/// # Errors
/// Internal only.
pub fn issue_refresh(context: &Context, user: &User) -> Result<String> {
    let refresh = Refresh {
        user_id: user.id,
        password_version: user.password_version(),
        expires: context.clock.now().after(LIFETIME).seconds(),
    };
    let plain = serde_json::to_vec(&refresh).map_err(Error::internal)?;
    Ok(context.seal.seal(&plain, SEALED_AS))
}

/// The user that a refresh token was issued to.
///
/// # Errors
/// Unauthenticated when it is not one of ours, is too old, or its user or the user's
/// password is no more.
pub async fn verify_refresh(context: &Context, token: &str) -> Result<Arc<User>> {
    let refused = || Error::new(Kind::Unauthenticated, "the refresh token is not valid");
    if token.len() > LONGEST {
        return Err(refused());
    }
    let plain = context.seal.open(token, SEALED_AS).map_err(|_| refused())?;
    let refresh: Refresh = serde_json::from_slice(&plain).map_err(|_| refused())?;
    if context.clock.now() >= Time::from_seconds(refresh.expires) {
        return Err(refused());
    }
    users::find(context, refresh.user_id)
        .await?
        .filter(|user| !user.second_factor)
        .filter(|user| user.password_version() == refresh.password_version)
        .ok_or_else(refused)
}
