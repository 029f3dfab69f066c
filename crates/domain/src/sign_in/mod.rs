//! Signing in: from a name and a secret to a [`Caller`], whoever it is.
//!
//! Owns no table. The one way for every place that takes a name and a secret: the registry,
//! its token service, the API and the portal. Promises: who it is, is asked in the same
//! order everywhere (robots, by secrets and by tokens of issuers that they trust; users with a
//! password here; then the sources), and a refusal tells neither which of them
//! was asked nor whether there is anybody of that name. `http` may call.

#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

use kit::{Kind, Result, Secret};

use crate::{
    Context,
    access::Caller,
    robots::{self, Robot},
    sources,
    users::{self, User},
};

/// Where a name and a secret are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The registry: `docker login`, the token service, and Basic on `/v2`.
    Registry,
    /// Basic on the API.
    Api,
    /// The form of the portal, which begins a session.
    Portal,
}

/// What is known of an attempt beside the name and the secret.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The client's address.
    pub address: IpAddr,
    /// Where it is made.
    pub way: Way,
}

/// The caller that a name and a secret prove. One that was proved in the last minutes costs
/// microseconds.
///
/// # Errors
/// Unauthenticated, without telling what is wrong; TooMany when too many wait.
pub async fn by_password(
    context: &Context,
    name: &str,
    secret: &str,
    attempt: &Attempt,
) -> Result<Caller> {
    // Machines have no business in the portal.
    let robot = match attempt.way {
        Way::Registry | Way::Api => robot(context, name, secret).await?,
        Way::Portal => None,
    };
    let caller = match robot {
        Some(robot) => Caller::robot(&robot),
        None => Caller::user(&*user(context, name, &secret.into()).await?),
    };
    Ok(caller.at(attempt.address))
}

/// A robot by its secret, or by a token of an issuer that it trusts.
async fn robot(context: &Context, name: &str, secret: &str) -> Result<Option<Arc<Robot>>> {
    match sources::workload(context, secret, Some(name)).await? {
        Some(robot) => Ok(Some(robot)),
        None => robots::verify(context, name, secret).await,
    }
}

/// A user by a password that is kept here, or that a source vouches for.
async fn user(context: &Context, name: &str, secret: &Secret) -> Result<Arc<User>> {
    // Whom a source vouched for a moment ago costs no hash.
    if let Some(user) = sources::remembered(context, name, secret).await? {
        return Ok(user);
    }
    let refused = match users::verify(context, name, secret.reveal()).await {
        Err(error) if error.is(Kind::Unauthenticated) => error,
        verified => return verified,
    };
    sources::authenticate(context, name, secret).await?.ok_or(refused)
}
