//! Registry tokens: what a client shows instead of a password.
//!
//! Owns the table `signing_keys`. A token is a JWT signed with ES256 by a key that all
//! replicas share; the private half is sealed in the database. Promises: a token that
//! verifies was issued here, for this registry, and is neither too young nor too old,
//! whatever clock the caller keeps, give or take [`LEEWAY`]; what it grants is an upper
//! bound that `access` cuts with the rights of the moment. `http` may call.

mod claims;
mod issue;
mod keys;
mod refresh;
mod sql;
#[cfg(test)]
mod tests;
mod verify;

use std::time::Duration;

pub use issue::{Issued, issue};
pub use keys::rotate;
pub(crate) use keys::{Keys, NewKey, ready};
pub use refresh::{issue_refresh, verify_refresh};
pub(crate) use verify::Verified;
pub use verify::verify;

/// The registry's name in tokens and challenges, Harbor's.
pub const SERVICE: &str = "harbor-registry";

/// Who issues, Harbor's.
const ISSUER: &str = "harbor-token-issuer";

/// How far the clocks of replicas may differ.
pub const LEEWAY: Duration = Duration::from_secs(60);

/// The longest token that is looked at, in bytes: more than HTTP servers let through.
const LONGEST: usize = 16 * 1024;
