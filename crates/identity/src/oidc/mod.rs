//! OpenID Connect (Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0): a provider says who
//! somebody is, by a browser that goes there and comes back with a code, or by a token that it
//! issued and signed.
//!
//! Nothing is believed that is not signed by a key of the provider, issued by it, for us, at
//! this time and, in the flow of a browser, for this attempt. Keys are remembered and asked
//! for again when they are old or when a token names one that is not known, and then not more
//! often than every few seconds.

mod claims;
mod client;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod issuer;
mod verify;

pub use claims::{Claims, Names, Person};
pub use client::{Begun, Client, Tokens};
pub use issuer::{Issuer, Issuers};
pub use verify::{LEEWAY, peek, verify_token};
