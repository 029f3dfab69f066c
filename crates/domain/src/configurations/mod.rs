//! Changing the settings.
//!
//! Owns no table: the values are in `settings`. Promises: what is set was checked as
//! Harbor checks it, all of a request or nothing; every change is audited by the names of
//! what was set, never by values; settings that came with the process's environment are
//! nobody's to change.

#[cfg(test)]
mod tests;
mod update;

pub use update::{Wanted, auth_mode_is_open, is_fixed, overwrite, update};
