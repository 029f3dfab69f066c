//! Moving what was committed from the log into the file, beside the writer and not in
//! its way.

use std::{path::Path, time::Duration};

use super::{Connection, queue::Tally};
use crate::{Sql, args};

/// After so many commits, or a while after the first.
pub(super) const EVERY: u32 = 256;
const A_WHILE: Duration = Duration::from_secs(1);

/// How large the log may grow, in bytes, before writers wait until it starts over. While
/// they never pause, passive checkpoints cannot rewind it.
const LARGEST_LOG: u64 = 128 * 1024 * 1024;

/// Checkpoints until there is nothing more to come.
pub(super) fn run(connection: &Connection, path: &Path, commits: &Tally) {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    while commits.wait(A_WHILE) {
        let too_large = std::fs::metadata(&log).is_ok_and(|log| log.len() > LARGEST_LOG);
        let checkpoint = if too_large {
            "PRAGMA wal_checkpoint(TRUNCATE)"
        } else {
            "PRAGMA wal_checkpoint(PASSIVE)"
        };
        if let Err(failure) = connection.query(Sql::from(checkpoint), args![], 1) {
            tracing::warn!(error = ?failure.error, "the database log could not be moved into the database");
        }
    }
}
