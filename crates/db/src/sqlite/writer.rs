//! The writing thread, which commits in groups.
//!
//! A commit costs one fsync, whatever is in it. The writer takes the first deed that
//! waits, begins a transaction, and lets whoever came meanwhile do their deeds in the
//! same one, each from a savepoint of its own so that one that fails takes only itself
//! back. Then it commits once, and only then everybody is answered. A deed that is alone
//! pays for no savepoint.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use kit::Error;
use tracing::Span;

use super::{checkpoints::Checkpoints, queue::Queue};
use crate::{
    Change,
    change::Listeners,
    error::{Cure, Failure, misuse, panicked},
    tx::{Afterwards, Deed, Link, Tx},
};

/// A group ends with so many deeds, or when the first has waited so long for the others.
const MOST_DEEDS: usize = 64;
const LONGEST: Duration = Duration::from_millis(5);

/// How often to begin when another process has the file locked; each time SQLite itself
/// waits for some seconds.
const BEGINNINGS: u32 = 3;

pub(super) struct Writer {
    tx: Tx,
    deeds: Arc<Queue<(Box<dyn Deed>, Span)>>,
    listeners: Arc<Listeners>,
    checkpoints: Arc<Checkpoints>,
}

/// A deed that is done and not yet committed.
struct Done {
    deed: Box<dyn Deed>,
    span: Span,
    changes: Vec<Change>,
    afterwards: Vec<Afterwards>,
}

impl Writer {
    pub(super) fn new(
        tx: Tx,
        deeds: Arc<Queue<(Box<dyn Deed>, Span)>>,
        listeners: Arc<Listeners>,
        checkpoints: Arc<Checkpoints>,
    ) -> Self {
        Self { tx, deeds, listeners, checkpoints }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        while let Some(first) = self.deeds.next() {
            self.group(first);
        }
    }

    /// One transaction.
    fn group(&mut self, first: (Box<dyn Deed>, Span)) {
        let (deed, span) = first;
        if let Err(failure) = self.begin() {
            return deed.finish(Err(failure.error));
        }
        let began = Instant::now();
        let mut group = Vec::new();
        if !self.join(&mut group, deed, span) {
            return;
        }
        while group.len() < MOST_DEEDS && began.elapsed() < LONGEST {
            let Some((deed, span)) = self.deeds.next_now() else {
                break;
            };
            if !self.join(&mut group, deed, span) {
                return;
            }
        }
        self.commit(group);
    }

    fn begin(&self) -> Result<(), Failure> {
        let mut attempt = 1;
        loop {
            match command(&self.tx, "BEGIN IMMEDIATE") {
                Err(failure) if failure.cure == Cure::Again && attempt < BEGINNINGS => attempt += 1,
                end => return end,
            }
        }
    }

    /// Does a deed and adds it to the group, or takes it back. False when that ended the
    /// transaction, and with it the group.
    fn join(&mut self, group: &mut Vec<Done>, mut deed: Box<dyn Deed>, span: Span) -> bool {
        let alone = group.is_empty();
        let end = span.in_scope(|| {
            if !alone {
                command(&self.tx, "SAVEPOINT deed")?;
            }
            attempt(&mut self.tx, &mut *deed)?;
            if !alone {
                command(&self.tx, "RELEASE deed")?;
            }
            Ok::<(), Failure>(())
        });
        let changes = std::mem::take(&mut self.tx.changes);
        let afterwards = std::mem::take(&mut self.tx.afterwards);
        let Err(failure) = end else {
            group.push(Done { deed, span, changes, afterwards });
            return true;
        };
        let taken_back = if alone { command(&self.tx, "ROLLBACK") } else { self.take_back() };
        deed.finish(Err(failure.error));
        if alone {
            if let Err(failure) = taken_back
                && !is_idle(&self.tx)
            {
                tracing::error!(error = ?failure.error, "a transaction could not be rolled back");
            }
            return false;
        }
        // SQLite rolls back everything by itself when the disk is full or fails.
        if taken_back.is_err() || is_idle(&self.tx) {
            self.give_up(std::mem::take(group), "the database's disk is full or fails");
            return false;
        }
        true
    }

    fn take_back(&self) -> Result<(), Failure> {
        command(&self.tx, "ROLLBACK TO deed")?;
        command(&self.tx, "RELEASE deed")
    }

    /// Commits, tells what changed, and answers everybody.
    fn commit(&mut self, mut group: Vec<Done>) {
        if let Err(failure) = command(&self.tx, "COMMIT") {
            tracing::error!(error = ?failure.error, deeds = group.len(), "a commit failed");
            return self.give_up(group, "the database could not commit");
        }
        for done in &mut group {
            self.tell(done);
            afterwards(done);
        }
        for done in group {
            done.deed.finish(Ok(()));
        }
        if let Link::Sqlite(connection) = &self.tx.connection {
            self.checkpoints.committed(connection);
        }
    }

    /// Fails the whole group. Its changes are told all the same: a copy dropped for
    /// nothing is found again.
    fn give_up(&mut self, group: Vec<Done>, why: &'static str) {
        if !is_idle(&self.tx)
            && let Err(failure) = command(&self.tx, "ROLLBACK")
        {
            tracing::error!(error = ?failure.error, "a transaction could not be rolled back");
        }
        for done in group {
            self.tell(&done);
            done.deed.finish(Err(Error::unavailable(why)));
        }
    }

    /// A listener that panics must not take the writer with it.
    fn tell(&self, done: &Done) {
        let told = catch_unwind(AssertUnwindSafe(|| {
            done.span.in_scope(|| self.listeners.tell(&done.changes))
        }));
        if let Err(payload) = told {
            tracing::error!(error = ?panicked(&*payload), "a listener for changes panicked");
        }
    }
}

/// What a deed wanted to happen once it is committed, which must not take the writer with it.
fn afterwards(done: &mut Done) {
    for afterwards in std::mem::take(&mut done.afterwards) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| done.span.in_scope(afterwards))) {
            tracing::error!(error = ?panicked(&*payload), "what follows a commit panicked");
        }
    }
}

/// Does a deed once, on this thread. Statements do not wait here, so a deed that waits
/// does so for something else, and everybody would wait with it.
pub(super) fn attempt(tx: &mut Tx, deed: &mut dyn Deed) -> Result<(), Failure> {
    tx.changes.clear();
    tx.afterwards.clear();
    tx.failed = None;
    let returned = match catch_unwind(AssertUnwindSafe(|| deed.attempt(tx).now_or_never())) {
        Ok(Some(returned)) => returned,
        Ok(None) => Err(misuse("a deed waited for something else than its transaction")),
        Err(payload) => Err(panicked(&*payload)),
    };
    tx.judge(returned)
}

pub(super) fn command(tx: &Tx, command: &'static str) -> Result<(), Failure> {
    match &tx.connection {
        Link::Sqlite(connection) => connection.command(command),
        Link::Postgres(_) => Err(misuse("a PostgreSQL connection among those of SQLite").into()),
    }
}

fn is_idle(tx: &Tx) -> bool {
    matches!(&tx.connection, Link::Sqlite(connection) if connection.is_idle())
}
