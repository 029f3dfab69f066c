//! SQLite: one thread writes, a few read, one tidies the log.
//!
//! The driver is rusqlite, which blocks. A driver that hides the blocking behind a channel
//! pays for two changes of threads with every statement, 10 to 20 µs; here a whole deed
//! changes threads once, and a statement costs 3 to 5 µs.

mod checkpoints;
mod connection;
mod queue;
mod reader;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use kit::Error;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracing::Span;

pub(crate) use self::connection::Connection;
use self::{checkpoints::Checkpoints, queue::Queue, reader::Read};
use crate::{
    Args, Row, Sql,
    change::Listeners,
    error::{Failure, closed},
    tx::{Deed, Link, Tx},
};

/// Reading threads. Readers do not wait for each other, and SQLite reads a row in
/// microseconds, so few are enough.
const READERS: u32 = 4;

pub(crate) struct Sqlite {
    writes: Arc<Queue<(Box<dyn Deed>, Span)>>,
    reads: Arc<Queue<(Read, Span)>>,
    checkpoints: Arc<Checkpoints>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Sqlite {
    /// Opens the file and starts the threads. Blocks.
    pub(crate) fn open(
        path: PathBuf,
        max_connections: u32,
        listeners: Arc<Listeners>,
    ) -> kit::Result<Self> {
        let named = |failure| named(failure, &path);
        let sqlite = Self {
            writes: Arc::new(Queue::new()),
            reads: Arc::new(Queue::new()),
            checkpoints: Arc::new(Checkpoints::new()),
            threads: Mutex::default(),
        };
        let tx = Tx::new(Link::Sqlite(Connection::writer(&path).map_err(named)?));
        let writer =
            writer::Writer::new(tx, sqlite.writes.clone(), listeners, sqlite.checkpoints.clone());
        sqlite.start("db-writer", move || writer.run())?;

        for _ in 0..max_connections.clamp(1, READERS) {
            let tx = Tx::new(Link::Sqlite(Connection::reader(&path).map_err(named)?));
            let reads = sqlite.reads.clone();
            sqlite.start("db-reader", move || reader::run(tx, &reads))?;
        }

        let tidier = Connection::writer(&path).map_err(named)?;
        let checkpoints = sqlite.checkpoints.clone();
        sqlite.start("db-checkpoint", move || checkpoints.run(&tidier, &path))?;
        Ok(sqlite)
    }

    fn start(&self, name: &str, work: impl FnOnce() + Send + 'static) -> kit::Result<()> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(Error::internal)?;
        self.threads.lock().push(thread);
        Ok(())
    }

    pub(crate) fn write(&self, deed: Box<dyn Deed>) -> kit::Result<()> {
        self.writes.push((deed, Span::current()))
    }

    pub(crate) fn read(&self, deed: Box<dyn Deed>) -> kit::Result<()> {
        self.reads.push((Read::Deed(deed), Span::current()))
    }

    pub(crate) async fn query(&self, sql: Sql, args: Args, limit: usize) -> kit::Result<Vec<Row>> {
        let (answer, answered) = oneshot::channel();
        self.reads.push((Read::Query { sql, args, limit, answer }, Span::current()))?;
        answered.await.map_err(|_| closed())?
    }

    pub(crate) async fn check(&self, sql: &str) -> kit::Result<()> {
        let (answer, answered) = oneshot::channel();
        self.reads.push((Read::Check { sql: sql.to_owned(), answer }, Span::current()))?;
        answered.await.map_err(|_| closed())?
    }

    /// Lets nothing further in.
    fn shut(&self) {
        self.writes.close();
        self.reads.close();
        self.checkpoints.close();
    }

    /// Waits for what was asked before [`Sqlite::shut`], and closes the file.
    pub(crate) async fn close(&self) {
        self.shut();
        let threads = std::mem::take(&mut *self.threads.lock());
        let joined = tokio::task::spawn_blocking(|| {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread of the database panicked");
                }
            }
        });
        let _ = joined.await;
    }
}

/// Says which file an error is about, and why, for whoever starts the program.
fn named(failure: Failure, path: &Path) -> Error {
    let error = failure.error;
    let cause = error.source.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
    let message = format!("cannot open the database {}: {}{cause}", path.display(), error.message);
    Error { message: message.into(), ..error }
}

/// Whoever forgets to close it still ends its threads.
impl Drop for Sqlite {
    fn drop(&mut self) {
        self.shut();
    }
}
