//! What is read of other servers' answers, laid bare for the fuzz targets: no part of what
//! this crate is for.

use jsonwebtoken::jwk::JwkSet;
use serde_json::{Map, Value};

use crate::{
    ldap,
    oidc::{self, Claims, Names, Person},
};

/// Reads what may be a directory's message. Whether it was one.
pub fn ldap_message(bytes: &[u8]) -> bool {
    ldap::fuzzing::message(bytes)
}

/// Reads what may be a filter, and writes it as the protocol does.
pub fn ldap_filter(text: &str) -> Option<Vec<u8>> {
    ldap::fuzzing::filter(text)
}

/// What a token says, if one of the keys of a set has signed it; times are not looked at.
pub fn token(keys: &str, token: &str) -> Option<Map<String, Value>> {
    let keys: JwkSet = serde_json::from_str(keys).ok()?;
    oidc::fuzzing::token(&keys.keys, token)
}

/// Who somebody is by claims, which may say anything, as a provider's settings want them read.
pub fn person(claims: &str, names: &Names) -> Option<Person> {
    let claims: Map<String, Value> = serde_json::from_str(claims).ok()?;
    names.person(&Claims::from(claims)).ok()
}
