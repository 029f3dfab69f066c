//! Signing in: from a name and a secret to a [`Caller`], whoever it is.
//!
//! Owns no table. The one way for every place that takes a name and a secret: the registry,
//! its token service, the API and the portal. Promises:
//! - Who it is, is asked in the same order everywhere: robots, by tokens of issuers that they
//!   trust and by secrets; personal tokens; CLI secrets; users with a password here; then the
//!   sources. A refusal tells neither which of them was asked nor whether there is anybody of
//!   that name.
//! - Who tries wrong passwords waits longer and longer (`throttle`), and cannot make anybody
//!   else wait. What was wrong is audited; signing in to the portal is, too.
//! - Where a user has a second factor, its password alone opens nothing.
//!
//! `http` may call.

#[cfg(test)]
mod tests;
mod throttle;

use std::{net::IpAddr, sync::Arc};

use kit::{Error, Kind, Result, Secret, Subject};

use crate::{
    Context,
    access::Caller,
    audit::{self, Entry, Event},
    personal_tokens,
    rights::{Principal, Who},
    robots::{self, Robot},
    second_factor, sources,
    users::{self, AllowedAccount, User},
};

use throttle::Pair;
pub(crate) use throttle::Throttle;

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
/// Unauthenticated, without telling what is wrong, but for a user that needs a second factor;
/// TooMany after many wrong ones, or when too many wait.
pub async fn by_password(
    context: &Context,
    name: &str,
    secret: &str,
    attempt: &Attempt,
) -> Result<Caller> {
    signed_in(context, name, secret, None, attempt).await
}

/// The user that a name, a password and, where one is needed, a code of the second factor
/// prove, to begin a session.
///
/// # Errors
/// As [`by_password`]; Unauthenticated about the second factor when the password is right and
/// the code is not.
pub async fn in_portal(
    context: &Context,
    name: &str,
    password: &str,
    code: Option<&str>,
    attempt: &Attempt,
) -> Result<Caller> {
    signed_in(context, name, password, code, attempt).await
}

/// The caller that a token alone proves: a personal token, or one of an identity source or of
/// an issuer that a robot trusts; none if it is no token that is known here.
///
/// # Errors
/// Unauthenticated when it is one that opens nothing any more.
pub async fn by_bearer(
    context: &Context,
    token: &str,
    attempt: &Attempt,
) -> Result<Option<Caller>> {
    let caller = match personal_tokens::verify(context, None, token).await? {
        Some((token, user)) => Some(Caller::by_personal_token(&user, token.id)),
        None => sources::bearer(context, token).await?,
    };
    Ok(caller.map(|caller| caller.at(attempt.address)))
}

/// Has a user that is signed in show its password once more, before something that whoever
/// finds its browser open must not do.
///
/// # Errors
/// Forbidden when it is wrong; TooMany after many wrong ones.
pub async fn confirm(
    context: &Context,
    allowed: &AllowedAccount,
    password: &str,
    attempt: &Attempt,
) -> Result<()> {
    // Harbor's words, for the one of these that it has too.
    let wrong = || Error::new(Kind::Forbidden, "Current password is incorrect");
    let name = &*allowed.user().username;
    let pair = context.throttle.pair_in_session(name, attempt.address);
    match by_own_password(context, name, password, &pair).await {
        Ok(user) if user.id == allowed.user().id => Ok(()),
        Ok(_) => Err(wrong()),
        Err(error) if error.is(Kind::Unauthenticated) => {
            tell(context, &pair, name, password, attempt).await?;
            Err(wrong())
        }
        Err(error) => Err(error),
    }
}

/// Whether somebody may register from an address now.
///
/// # Errors
/// TooMany, with the time to wait, when many did within the hour.
pub fn may_register(context: &Context, attempt: &Attempt) -> Result<()> {
    context.throttle.may_register(attempt.address, context.clock.now())
}

async fn signed_in(
    context: &Context,
    name: &str,
    secret: &str,
    code: Option<&str>,
    attempt: &Attempt,
) -> Result<Caller> {
    match prove(context, name, secret, code, attempt).await {
        Ok(caller) => Ok(caller.at(attempt.address)),
        Err(error) => {
            // To be asked for a code is the middle of signing in to the portal.
            let is_half_way = attempt.way == Way::Portal
                && code.is_none()
                && error.subject == Subject::SecondFactor;
            if error.is(Kind::Unauthenticated) && !is_half_way {
                let pair = context.throttle.pair(name, attempt.address);
                tell(context, &pair, name, code.unwrap_or(secret), attempt).await?;
            }
            Err(error)
        }
    }
}

async fn prove(
    context: &Context,
    name: &str,
    secret: &str,
    code: Option<&str>,
    attempt: &Attempt,
) -> Result<Caller> {
    // Machines, and what stands in for people, have no business in the portal.
    let in_portal = attempt.way == Way::Portal;
    if !in_portal {
        if let Some(robot) = robot(context, name, secret).await? {
            return Ok(Caller::robot(&robot));
        }
        if let Some((token, user)) = personal_tokens::verify(context, Some(name), secret).await? {
            return Ok(Caller::by_personal_token(&user, token.id));
        }
        if let Some(user) = personal_tokens::recall_cli(context, name, secret).await? {
            return Ok(Caller::by_cli_secret(&user));
        }
    }
    let pair = context.throttle.pair(name, attempt.address);
    if !in_portal
        && context.throttle.may(&pair, context.clock.now()).is_ok()
        && remembered(context, name, secret).await?.is_none()
        && let Some(user) = personal_tokens::verify_cli(context, name, secret).await?
    {
        context.throttle.succeeded(&pair);
        return Ok(Caller::by_cli_secret(&user));
    }
    let user = by_own_password(context, name, secret, &pair).await?;
    if user.second_factor {
        if !in_portal {
            let message = "this user has a second factor: a personal access token or the CLI \
                           secret does in place of the password";
            let error = Error::new(Kind::Unauthenticated, message);
            return Err(error.about(Subject::SecondFactor));
        }
        second_factor::check(context, &user, code).await?;
    }
    Ok(Caller::user(&user))
}

/// A robot by a token of an issuer that it trusts, or by its secret.
async fn robot(context: &Context, name: &str, secret: &str) -> Result<Option<Arc<Robot>>> {
    match sources::workload(context, secret, Some(name)).await? {
        Some(robot) => Ok(Some(robot)),
        None => robots::verify(context, name, secret).await,
    }
}

/// The user whose name and password this process remembers: of a user here, or of one that a
/// source vouched for.
async fn remembered(context: &Context, name: &str, password: &str) -> Result<Option<Arc<User>>> {
    match users::remembered(context, name, password).await? {
        Some(user) => Ok(Some(user)),
        None => sources::remembered(context, name, &password.into()).await,
    }
}

/// The user with a name and a password: one that this process remembers, or one that it is the
/// turn of, by a password that is kept here or that a source vouches for.
async fn by_own_password(
    context: &Context,
    name: &str,
    password: &str,
    pair: &Pair,
) -> Result<Arc<User>> {
    let throttle = &context.throttle;
    let may = || throttle.may(pair, context.clock.now());
    if let Err(refusal) = may() {
        // Whoever shares an address with somebody who guesses goes on with what is known.
        let known = match throttle.may_compare(pair) {
            true => remembered(context, name, password).await?,
            false => None,
        };
        return known.ok_or(refusal);
    }
    if let Some(user) = remembered(context, name, password).await? {
        return Ok(user);
    }
    let user = match users::verify_when(context, name, password, may).await {
        Err(refused) if refused.is(Kind::Unauthenticated) => {
            let vouched = sources::authenticate(context, name, &Secret::from(password)).await?;
            vouched.ok_or(refused)?
        }
        verified => verified?,
    };
    throttle.succeeded(pair);
    Ok(user)
}

/// Counts what was wrong, and writes it down where it is news.
async fn tell(
    context: &Context,
    pair: &Pair,
    name: &str,
    secret: &str,
    attempt: &Attempt,
) -> Result<()> {
    let fingerprint = context.passwords.fingerprint(name, secret);
    if !context.throttle.failed(pair, fingerprint, context.clock.now()) {
        return Ok(());
    }
    let who = Who::new(Principal::Anonymous, Some(name.into())).at(attempt.address);
    audit::failed(context, &who, Entry::new(Event::LoginUser, name)).await
}
