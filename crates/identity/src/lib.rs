//! Who people are, as other servers know it: directories (LDAP), OpenID Connect providers
//! and proxies that verify passwords.
//!
//! Knows no database, and nothing of users as Haven keeps them: it asks, and says what it
//! was told. Every server is taken for one that may hang, drop the connection or lie: time,
//! sizes and depths are bounded everywhere, and what comes back is read without recursion
//! and without a panic.

pub mod authproxy;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod http;
pub mod ldap;
pub mod oidc;
#[cfg(feature = "testing")]
pub mod testing;
mod trust;

pub use failure::Failure;
pub use trust::Trust;

/// The result of asking another server.
pub type Result<T, E = Failure> = std::result::Result<T, E>;
