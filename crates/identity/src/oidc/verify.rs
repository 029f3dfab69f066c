//! Verifying a token that a provider signed.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use kit::{Time, constant_time_eq};
use serde_json::{Map, Value};

use super::{Claims, Issuer};
use crate::{Failure, Result};

/// How far a provider's clock may be from ours.
pub const LEEWAY: Duration = Duration::from_secs(60);

/// The longest token that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// How a provider may sign: with a private key. A shared secret, or nothing, proves nothing.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What a token says that an issuer signed for an audience, such as that of a CI system or of
/// Kubernetes: the key is one of the issuer's, the times are right.
///
/// # Errors
/// BadToken when it is not so; all that is about the connection when the issuer has to be
/// asked.
pub async fn verify_token(issuer: &Issuer, audience: &str, token: &str) -> Result<Claims> {
    let header = header(token)?;
    let metadata = issuer.metadata().await?;
    let keys = issuer.keys(header.kid.as_deref()).await?;
    let claims = signed_by_one(&keys, &header, token)
        .ok_or(Failure::BadToken("no key of the issuer has signed it"))?;
    let claims = Claims::from(claims);
    if claims.issuer() != Some(&metadata.issuer) {
        return Err(Failure::BadToken("it was issued by somebody else"));
    }
    if audience.is_empty() || !claims.audiences().any(|one| one == audience) {
        return Err(Failure::BadToken("it is for somebody else"));
    }
    in_time(&claims, issuer.clock.now())?;
    match claims.subject() {
        Some(subject) if !subject.is_empty() && subject.len() <= 255 => Ok(claims),
        _ => Err(Failure::BadToken("it does not say of whom it is")),
    }
}

/// What a token says of itself, which nobody has verified: good for finding out whom to ask
/// about it, and for nothing else. None if it is no JWT.
pub fn peek(token: &str) -> Option<Claims> {
    if token.len() > LONGEST {
        return None;
    }
    let (head, rest) = token.split_once('.')?;
    let (body, signature) = rest.split_once('.')?;
    let is_part = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if head.is_empty() || !is_part(head) || !is_part(signature) {
        return None;
    }
    let body = URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice::<Map<String, Value>>(&body).ok().map(Claims::from)
}

/// The header of a token that may be one of a provider's.
pub(super) fn header(token: &str) -> Result<Header> {
    if token.len() > LONGEST {
        return Err(Failure::BadToken("it is too long"));
    }
    let header = decode_header(token).map_err(|_| Failure::BadToken("it is not a JWT"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Failure::BadToken("it is not signed with a private key that is accepted"));
    }
    // Extensions that a reader has to understand (RFC 7515, section 4.1.11): we know none.
    if header.crit.is_some() {
        return Err(Failure::BadToken("it needs an extension that is not known"));
    }
    Ok(header)
}

/// What a token says, if one of these keys signed it.
pub(super) fn signed_by_one(
    keys: &[Jwk],
    header: &Header,
    token: &str,
) -> Option<Map<String, Value>> {
    keys.iter()
        .filter(|key| may_sign(key, header.alg))
        .find_map(|key| signed_by(key, header.alg, token))
}

/// What an ID token says that was issued to a client; with a nonce, in this attempt to sign in.
///
/// # Errors
/// As [`verify_token`].
pub(super) async fn id_token(
    issuer: &Issuer,
    client: &str,
    nonce: Option<&str>,
    token: &str,
) -> Result<Claims> {
    let claims = verify_token(issuer, client, token).await?;
    // The party that it was issued to (Core, section 3.1.3.7): another client's token may name
    // us among its audiences.
    let party = claims.text("azp");
    let several = claims.audiences().nth(1).is_some();
    if party.is_some_and(|party| party != client) || (several && party.is_none()) {
        return Err(Failure::BadToken("it was issued to another client"));
    }
    if let Some(nonce) = nonce {
        let shown = claims.text("nonce").unwrap_or_default();
        if !constant_time_eq(shown.as_bytes(), nonce.as_bytes()) {
            return Err(Failure::BadToken("it is of another attempt to sign in"));
        }
    }
    Ok(claims)
}

/// Whether a key is one to sign with, in this way.
fn may_sign(key: &Jwk, algorithm: Algorithm) -> bool {
    let to_sign = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let so = key.common.key_algorithm.is_none_or(|of| of == KeyAlgorithm::from(algorithm));
    let fits = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), algorithm) => matches!(
            algorithm,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ),
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => {
            key.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => {
            key.curve == EllipticCurve::P384
        }
        (AlgorithmParameters::OctetKeyPair(_), Algorithm::EdDSA) => true,
        _ => false,
    };
    to_sign && so && fits
}

/// What a token says, if this key signed it.
fn signed_by(key: &Jwk, algorithm: Algorithm, token: &str) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    // All of this is asked afterwards, by our own clock and with words for each.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_jwk(key).ok()?;
    decode(token, &key, &validation).ok().map(|decoded| decoded.claims)
}

fn in_time(claims: &Claims, now: Time) -> Result<()> {
    let expires = claims.time("exp").ok_or(Failure::BadToken("it does not say until when"))?;
    if now.before(LEEWAY) >= expires {
        return Err(Failure::BadToken("it has expired"));
    }
    for begins in ["nbf", "iat"] {
        if claims.time(begins).is_some_and(|begins| now.after(LEEWAY) < begins) {
            return Err(Failure::BadToken("it is from the future"));
        }
    }
    Ok(())
}
