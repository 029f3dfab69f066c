//! Who did what.
//!
//! Owns the tables `audit_log`, `audit_blocks` and `audit_counts`. Promises:
//! - An entry is written in the transaction of the deed it tells of, so there is neither
//!   without the other; which events are wanted, the settings say. Pulls are gathered in
//!   memory and written every second and at a graceful stop.
//! - Entries prove that Haven wrote them (`proof`), and are sealed in blocks that form a
//!   chain (`chain`), so that one that is changed, removed or added is found; purging and
//!   forgetting a person leave the chain as it is.
//!
//! Everybody below writes: [`by`] before the transaction, [`Audit::record`] in it. Who may
//! read, `access` says.

mod chain;
mod event;
mod forward;
mod hours;
mod list;
mod proof;
mod pulls;
mod purge;
mod record;
mod sql;
mod syslog;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::{forget, seal};
pub use event::Event;
pub(crate) use forward::Forwarder;
pub use list::{Readable, Shown, list};
pub(crate) use proof::AuditKey;
pub(crate) use pulls::Pulls;
pub use pulls::{pulled, write_pulls};
pub use purge::{Old, count_old, purge};
pub use record::{Audit, Entry, by, failed, outcome};
pub use verify::{Report, Tampered, verify};

use std::time::Duration;

use kit::{Error, Result};

use crate::Context;

/// How long a stop waits for the last lines to be forwarded.
const LAST_LINES: Duration = Duration::from_secs(3);

/// What has to be done every second: writes the pulls that wait, and seals.
///
/// # Errors
/// Those of the database; what was not done is done the next time.
pub async fn keep(context: &Context) -> Result<()> {
    write_pulls(context).await?;
    seal(context).await.map(drop)
}

/// What has to be done before the process ends: nothing that waits is lost.
///
/// # Errors
/// As [`keep`].
pub async fn finish(context: &Context) -> Result<()> {
    let kept = keep(context).await;
    context.forwarder.flush(LAST_LINES).await;
    kept
}

/// How many lines could not be forwarded since the start.
pub fn dropped(context: &Context) -> u64 {
    context.forwarder.dropped()
}

/// Whether the log can be forwarded to a place: its form is right, and somebody is there.
///
/// # Errors
/// Invalid, in Harbor's words.
pub(crate) async fn reach(context: &Context, endpoint: &str) -> Result<()> {
    context.forwarder.reach(&endpoint.parse()?).await.map_err(|error| {
        let message = format!("bad request: could not connect to the audit endpoint: {endpoint}");
        Error::invalid(message).because(error)
    })
}
