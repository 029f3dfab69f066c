//! Tokens that stand for a user at the API: ID tokens of a provider, sessions of a proxy.

use std::sync::Arc;

use identity::{Failure, authproxy, oidc::peek};
use kit::{Error, Kind, Result, Secret};

use super::{
    Source, asked,
    enter::{self, Newcomer},
    how::How,
    memory::Proof,
    password::{recall, within},
    provider::client,
    workload::workload,
};
use crate::{
    Context,
    access::Caller,
    users::{self, User},
};

/// Before the fingerprints of tokens, tells them from those of names and passwords.
const BEARER: &str = "\0bearer";

/// The user for whom an ID token stands that a provider issued for us; none when it is not of
/// a provider that is known, or of nobody who has been here.
///
/// # Errors
/// Unauthenticated when it says that it is of a provider and proves nothing; Unavailable when
/// the provider has to be asked and cannot be.
pub async fn by_id_token(context: &Context, token: &str) -> Result<Option<Arc<User>>> {
    let Some(shown) = peek(token) else { return Ok(None) };
    let issuer = shown.issuer().unwrap_or_default().trim_end_matches('/');
    let mut sources = asked(context).await?;
    sources.retain(|source| match &source.how {
        How::Oidc(oidc) => oidc.endpoint.trim().trim_end_matches('/') == issuer,
        _ => false,
    });
    if sources.is_empty() {
        return Ok(None);
    }
    let fingerprint = context.passwords.fingerprint(BEARER, token);
    if let Some(user) = recall(context, &sources, &fingerprint).await? {
        return Ok(Some(user));
    }
    let _place = context.sources.place().await?;
    let mut refusal = None;
    for source in &sources {
        let How::Oidc(oidc) = &source.how else { continue };
        let client = client(context, source, oidc, String::new())?;
        match within(context, source, client.verify(token)).await {
            Ok(claims) => {
                let (Some(issuer), Some(subject)) = (claims.issuer(), claims.subject()) else {
                    continue;
                };
                let subject = format!("{issuer} {subject}");
                let Some(id) = enter::user_of(context, source, &subject).await? else {
                    return Ok(None);
                };
                let proof = Proof::new(id, source, claims.expires());
                context.sources.proofs.insert(fingerprint, proof);
                return users::find(context, id).await;
            }
            Err(failure) => refusal = Some(failure),
        }
    }
    refusal.map_or(Ok(None), |failure| Err(refused(failure)))
}

/// The user for whom a session of a proxy stands; none when there is no proxy, or it knows
/// nothing of the session.
///
/// # Errors
/// Unavailable when a proxy cannot be asked.
pub async fn by_session(context: &Context, session: &str) -> Result<Option<Arc<User>>> {
    let mut sources: Vec<Arc<Source>> = asked(context).await?;
    sources.retain(|source| matches!(source.how, How::AuthProxy(_)));
    if sources.is_empty() || session.is_empty() {
        return Ok(None);
    }
    let fingerprint = context.passwords.fingerprint(BEARER, session);
    if let Some(user) = recall(context, &sources, &fingerprint).await? {
        return Ok(Some(user));
    }
    let _place = context.sources.place().await?;
    let secret = Secret::from(session);
    for source in &sources {
        let How::AuthProxy(proxy) = &source.how else { continue };
        let settings = proxy.settings();
        match within(context, source, authproxy::review(&settings, &secret)).await {
            Ok(person) => {
                let newcomer = Newcomer::of_proxy(person);
                let user = enter::enter(context, source, newcomer).await?;
                if let Some(user) = &user {
                    let proof = Proof::new(user.id, source, None);
                    context.sources.proofs.insert(fingerprint, proof);
                }
                return Ok(user);
            }
            Err(Failure::BadCredentials) => {}
            Err(failure) => return Err(refused(failure)),
        }
    }
    Ok(None)
}

/// Whether there is a proxy that vouches for people.
///
/// # Errors
/// None but the database's.
pub async fn has_proxy(context: &Context) -> Result<bool> {
    let sources = asked(context).await?;
    Ok(sources.iter().any(|source| matches!(source.how, How::AuthProxy(_))))
}

/// Who a bearer's token stands for at the API: a robot that trusts its issuer, or a user of a
/// source; none where it convinces nobody.
///
/// # Errors
/// Only when it could not be found out.
pub async fn bearer(context: &Context, token: &str) -> Result<Option<Caller>> {
    if let Some(robot) = workload(context, token, None).await.or_else(unconvinced)? {
        return Ok(Some(Caller::robot(&robot)));
    }
    let user = match by_id_token(context, token).await.or_else(unconvinced)? {
        Some(user) => Some(user),
        None => by_session(context, token).await?,
    };
    Ok(user.map(|user| Caller::user(&user)))
}

/// What convinces nobody is as if nothing had been shown.
fn unconvinced<T>(error: Error) -> Result<Option<T>> {
    match error.kind {
        Kind::Unauthenticated => Ok(None),
        _ => Err(error),
    }
}

fn refused(failure: Failure) -> Error {
    if failure.is_about_credentials() {
        tracing::info!(%failure, "a token of an identity source was refused");
        return Error::new(Kind::Unauthenticated, "the token proves nothing").because(failure);
    }
    let message = "an identity source cannot be asked at the moment";
    Error::new(Kind::Unavailable, message).because(failure)
}
