//! What is parsed here, for the fuzz targets.

use jsonwebtoken::jwk::Jwk;
use serde_json::{Map, Value};

/// What a token says, if one of these keys signed it.
pub(crate) fn token(keys: &[Jwk], token: &str) -> Option<Map<String, Value>> {
    let header = super::verify::header(token).ok()?;
    super::verify::signed_by_one(keys, &header, token)
}
