//! Moving what was committed from the log into the file, beside the writer and not in
//! its way.
//!
//! A thread of its own copies pages while the writer goes on appending to the log. Only
//! when all of the log has been copied does SQLite start over at its beginning, where
//! writing costs less: the file does not grow. A busy writer would never let that happen,
//! so it copies by itself the little that came in during the thread's copying. SQLite ends
//! that with forcing the whole file to the disk, for which all who write wait: so the thread
//! has copied and forced again and again before, until it took no time to speak of.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::Connection;
use crate::{Sql, args, error::Failure};

/// Copy after so many commits, or a while after the first.
const EVERY: u32 = 256;
const A_WHILE: Duration = Duration::from_secs(1);

/// A round of copying that took no longer leaves so little that the writer may copy it.
const SHORT: Duration = Duration::from_millis(5);
/// So many rounds at most: if the disk is slow, or the writer fast, none is short.
const ROUNDS: u32 = 4;

/// How large the log may grow, in bytes, before writers wait until it starts over. Long
/// reads can make it grow: what they still see cannot be written over.
const LARGEST_LOG: u64 = 64 * 1024 * 1024;

const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const COPY_WHILE_WRITERS_WAIT: &str = "PRAGMA wal_checkpoint(RESTART)";

/// What the writer and the copying thread tell each other.
pub(super) struct Checkpoints {
    state: Mutex<State>,
    news: Condvar,
    /// The thread has copied all but what was committed meanwhile.
    remainder: AtomicBool,
}

struct State {
    commits: u32,
    closed: bool,
}

impl Checkpoints {
    pub(super) fn new() -> Self {
        let state = State { commits: 0, closed: false };
        Self { state: Mutex::new(state), news: Condvar::new(), remainder: AtomicBool::new(false) }
    }

    /// The writer has committed, and answered for it.
    pub(super) fn committed(&self, writer: &Connection) {
        if self.remainder.swap(false, Ordering::Relaxed) {
            copy(writer, COPY);
        }
        let mut state = self.state.lock();
        state.commits = state.commits.saturating_add(1);
        if state.commits == 1 || state.commits == EVERY {
            self.news.notify_one();
        }
    }

    /// Copies until the end.
    pub(super) fn run(&self, connection: &Connection, path: &Path) {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        while self.wait() {
            let too_large = std::fs::metadata(&log).is_ok_and(|log| log.len() > LARGEST_LOG);
            if too_large {
                self.state.lock().commits = 0;
                copy(connection, COPY_WHILE_WRITERS_WAIT);
            } else {
                self.copy_in_rounds(connection);
            }
        }
    }

    /// Copies what was committed, and what was meanwhile, and leaves the writer the remainder.
    fn copy_in_rounds(&self, connection: &Connection) {
        for _ in 0..ROUNDS {
            let began = Instant::now();
            self.state.lock().commits = 0;
            copy(connection, COPY);
            if self.state.lock().commits == 0 {
                return;
            }
            force(connection);
            if began.elapsed() < SHORT {
                break;
            }
        }
        self.remainder.store(true, Ordering::Relaxed);
    }

    /// Waits for a commit, and then for enough of them or for a while. False at the end.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while state.commits == 0 && !state.closed {
            self.news.wait(&mut state);
        }
        let deadline = Instant::now() + A_WHILE;
        while state.commits < EVERY && !state.closed {
            if self.news.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        !state.closed
    }

    /// Ends the copying.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.news.notify_all();
    }
}

fn copy(connection: &Connection, checkpoint: &'static str) {
    let outcome: Result<_, Failure> = connection.query(Sql::from(checkpoint), args![], 1);
    if let Err(failure) = outcome {
        tracing::warn!(error = ?failure.error, "the database's log could not be copied into its file");
    }
}

fn force(connection: &Connection) {
    if let Err(failure) = connection.force() {
        tracing::warn!(error = ?failure.error, "the database's file could not be forced to the disk");
    }
}
