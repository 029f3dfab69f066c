//! Issuing a token.

use std::{collections::HashSet, time::Duration};

use aws_lc_rs::rand::SystemRandom;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kit::{Error, Result, Time};
use oci::{RepositoryName, Scope, ScopeError};

use super::{
    ISSUER, SERVICE,
    claims::{Access, Claims},
    keys,
};
use crate::{
    Context,
    access::{self, Caller},
    settings,
};

/// Clients take less than a minute for a mistake (distribution's token specification).
const SHORTEST_LIFE: Duration = Duration::from_secs(60);

/// A token that was issued.
#[derive(Clone)]
pub struct Issued {
    /// The token, to be shown as `Authorization: Bearer`.
    pub token: String,
    /// How long it is good for.
    pub lifetime: Duration,
    /// When it was issued.
    pub issued_at: Time,
    /// What it grants, of what was asked for.
    pub granted: Vec<Scope>,
}

/// Issues a token to a caller, with as much of what it asks for as it may have: for each
/// repository every right it has there, whatever it asked for, as Harbor does.
///
/// # Errors
/// Invalid for too many scopes.
pub async fn issue(context: &Context, caller: &Caller, scopes: &[Scope]) -> Result<Issued> {
    if scopes.len() > Scope::MOST {
        return Err(Error::invalid(ScopeError::TooMany.to_string()));
    }
    let mut access = Vec::with_capacity(scopes.len());
    let mut seen = HashSet::new();
    for scope in scopes {
        if seen.insert((scope.kind.as_str(), scope.name.as_str())) {
            access.push(grant(context, caller, scope).await?);
        }
    }
    let lifetime = settings::token_lifetime(context).await?.max(SHORTEST_LIFE);
    let issued_at = context.clock.now();
    let granted =
        access.iter().map(Access::to_scope).filter(|scope| !scope.actions.is_empty()).collect();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: caller.name().map_or_else(String::new, |name| name.as_ref().to_owned()),
        aud: SERVICE.to_owned(),
        exp: issued_at.after(lifetime).seconds(),
        nbf: issued_at.seconds(),
        iat: issued_at.seconds(),
        jti: kit::random_token(12),
        access,
        uid: caller.user_id(),
        rid: caller.robot_id(),
        pat: caller.personal_token(),
    };
    let token = sign(context, &claims).await?;
    Ok(Issued { token, lifetime, issued_at, granted })
}

/// What a caller gets of a scope.
async fn grant(context: &Context, caller: &Caller, scope: &Scope) -> Result<Access> {
    if scope.kind == Scope::REGISTRY && scope.name == "catalog" {
        let allowed = access::on_catalog(context, caller).await.is_ok();
        let actions = if allowed { vec!["*".to_owned()] } else { Vec::new() };
        let (kind, name) = ("registry".to_owned(), "catalog".to_owned());
        return Ok(Access { kind, name, actions, pid: None });
    }
    if scope.kind == Scope::REPOSITORY
        && let Ok(name) = scope.name.parse::<RepositoryName>()
    {
        let granted = access::repository_actions(context, caller, &name).await?;
        return Ok(Access::to_repository(&scope.name, granted));
    }
    let (kind, name) = (scope.kind.clone(), scope.name.clone());
    Ok(Access { kind, name, actions: Vec::new(), pid: None })
}

/// Signs claims. The library for JWTs reads the private key again for each signature,
/// which costs more than to sign; so the few bytes are put together here.
async fn sign(context: &Context, claims: &Claims) -> Result<String> {
    let ring = keys::ring(context).await?;
    let key = ring.signing();
    let payload = serde_json::to_vec(claims).map_err(Error::internal)?;
    let mut token =
        URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{}"}}"#, key.id));
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key
        .pair
        .sign(&SystemRandom::new(), token.as_bytes())
        .map_err(|_| Error::internal("a token could not be signed"))?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
    Ok(token)
}
