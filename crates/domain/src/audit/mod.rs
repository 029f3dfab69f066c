//! Who did what.
//!
//! Owns the tables `audit_log`, `audit_blocks` and `audit_counts`. Promises: an entry is
//! written in the transaction of the deed it tells of, so there is neither without the
//! other; which events are wanted, the settings say. Everybody below writes:
//! [`by`] before the transaction, [`Audit::record`] in it.

mod event;
mod record;
mod sql;
#[cfg(test)]
mod tests;

pub use event::Event;
pub use record::{Audit, Entry, by, failed};
