//! Against a real directory and a real provider, and against servers that hang, drop and lie.
#![allow(clippy::unwrap_used)]

mod authproxy;
mod directory;
mod liars;
mod oidc;
mod tokens;
