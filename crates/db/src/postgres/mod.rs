//! PostgreSQL: a pool of connections, transactions that are run again when they lose, and
//! a change log that all replicas read.

mod lease;
mod log;
mod pool;

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use kit::Error;
use sqlx::postgres::PgConnectOptions;
use tracing::Instrument as _;

pub(crate) use self::lease::Lease;
use self::{log::Log, pool::Pool};
use crate::{
    Args, Change, Options, Row, Sql,
    change::Listeners,
    error::{Cure, Failure, closed, panicked},
    tx::{Deed, Link, Tx},
};

/// How often a deed is done at most, and for how long it is done again.
const ATTEMPTS: u32 = 10;
const LONGEST: Duration = Duration::from_secs(10);

pub(crate) struct Postgres {
    pool: Arc<Pool>,
    log: Arc<Log>,
    listeners: Arc<Listeners>,
}

impl Postgres {
    /// Connects once, to say at once when that cannot work, and begins to follow the
    /// change log.
    pub(crate) async fn open(
        place: PgConnectOptions,
        options: &Options,
        listeners: Arc<Listeners>,
    ) -> kit::Result<Arc<Self>> {
        let pool = Arc::new(Pool::new(place, options));
        let lease = pool.take().await.map_err(|failure| pool.named(failure.error))?;
        lease.require_version().map_err(|error| pool.named(error))?;
        drop(lease);
        let log = Log::follow(pool.clone(), listeners.clone());
        Ok(Arc::new(Self { pool, log, listeners }))
    }

    pub(crate) fn in_touch(&self) -> bool {
        self.log.in_touch()
    }

    /// Looks at the change log at once, for instance because it was just created.
    pub(crate) fn look(&self) {
        self.log.look();
    }

    /// All rows of one statement. It runs on its own, so that a caller that goes away
    /// leaves no connection with half an answer.
    pub(crate) async fn all(self: Arc<Self>, sql: Sql, args: Args) -> kit::Result<Vec<Row>> {
        let asking = async move { self.ask(sql, args).await.map_err(|failure| failure.error) };
        tokio::spawn(asking.in_current_span()).await.map_err(|_| closed())?
    }

    /// Asks, and once more on a new connection when an idle one turns out to be broken.
    async fn ask(&self, sql: Sql, args: Args) -> Result<Vec<Row>, Failure> {
        let mut lease = self.pool.take().await?;
        if !lease.was_idle() {
            return lease.all_at_once(sql, args).await;
        }
        match lease.all_at_once(sql.clone(), args.clone()).await {
            Err(failure) if failure.cure == Cure::Reconnect => {
                drop(lease);
                self.pool.connect().await?.all_at_once(sql, args).await
            }
            outcome => outcome,
        }
    }

    pub(crate) async fn check(&self, sql: &str) -> kit::Result<()> {
        let checking = async { self.pool.take().await?.check(sql).await };
        checking.await.map_err(|failure: Failure| failure.error)
    }

    /// Does a deed until it is committed or there is no hope, and answers it.
    pub(crate) async fn write(self: Arc<Self>, mut deed: Box<dyn Deed>) {
        let began = Instant::now();
        let mut attempt = 1;
        let end = loop {
            match self.transact(&mut *deed, "BEGIN ISOLATION LEVEL READ COMMITTED").await {
                Err(failure)
                    if failure.is_curable() && attempt < ATTEMPTS && began.elapsed() < LONGEST =>
                {
                    tokio::time::sleep(pause_after(attempt)).await;
                    attempt += 1;
                }
                end => break end.map_err(|failure| failure.error),
            }
        };
        deed.finish(end);
    }

    /// Does a deed on one snapshot.
    pub(crate) async fn read(self: Arc<Self>, mut deed: Box<dyn Deed>) {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        let end = match self.transact(&mut *deed, BEGIN).await {
            Err(failure) if failure.is_curable() => self.transact(&mut *deed, BEGIN).await,
            end => end,
        };
        deed.finish(end.map_err(|failure| failure.error));
    }

    /// One transaction. A failure that names a cure did not commit.
    async fn transact(&self, deed: &mut dyn Deed, begin: &'static str) -> Result<(), Failure> {
        let lease = self.begin(begin).await?;
        let mut tx = Tx::new(Link::Postgres(lease));
        let outcome = self.attempt(&mut tx, deed).await;
        let changes = std::mem::take(&mut tx.changes);
        let afterwards = std::mem::take(&mut tx.afterwards);
        let Link::Postgres(mut lease) = tx.connection else {
            return outcome;
        };
        if let Err(failure) = outcome {
            // A lease whose rollback fails is not used again.
            let _ = lease.command("ROLLBACK").await;
            return Err(failure);
        }
        let committed = lease.command("COMMIT").await;
        let is_committed = committed.is_ok();
        let answer = self.answer_commit(committed, &changes);
        if is_committed {
            afterwards.into_iter().for_each(|deed| deed());
        }
        answer
    }

    /// A connection with a transaction begun on it. That there is none, or that nobody is
    /// there, is not worth repeating: it has taken its time already.
    async fn begin(&self, begin: &'static str) -> Result<Lease, Failure> {
        let mut lease = self.pool.take().await.map_err(Failure::for_good)?;
        match lease.command(begin).await {
            Err(failure) if failure.cure == Cure::Reconnect && lease.was_idle() => drop(lease),
            begun => return begun.map(|()| lease),
        }
        let mut lease = self.pool.connect().await.map_err(Failure::for_good)?;
        lease.command(begin).await.map(|()| lease)
    }

    async fn attempt(&self, tx: &mut Tx, deed: &mut dyn Deed) -> Result<(), Failure> {
        let returned = match AssertUnwindSafe(deed.attempt(tx)).catch_unwind().await {
            Ok(returned) => returned,
            Err(payload) => Err(panicked(&*payload)),
        };
        tx.judge(returned)?;
        if tx.changes.is_empty() {
            return Ok(());
        }
        let (sql, args) = self.log.entries(&tx.changes);
        let written = tx.execute(sql, args).await.map(|_| ());
        tx.judge(written)
    }

    /// Tells what changed. When the connection broke while committing, nobody knows
    /// whether it was; then it is told too, and our own entry in the log is believed like
    /// another replica's, in case the commit comes late.
    fn answer_commit(
        &self,
        committed: Result<(), Failure>,
        changes: &[Change],
    ) -> Result<(), Failure> {
        match committed {
            Ok(()) => {
                self.listeners.tell(changes);
                if !changes.is_empty() {
                    self.log.wake_others();
                }
                Ok(())
            }
            Err(failure) if matches!(failure.cure, Cure::Reconnect | Cure::HangUp) => {
                self.log.doubt_ourselves();
                self.listeners.tell(changes);
                let error = Error::unavailable("the database went away while committing")
                    .because(failure.error);
                Err(error.into())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Ends the following of the change log and closes idle connections.
    pub(crate) async fn close(&self) {
        self.log.stop();
        self.pool.close().await;
    }
}

/// Whoever forgets to close it still ends its tasks.
impl Drop for Postgres {
    fn drop(&mut self) {
        self.log.stop();
    }
}

/// Longer and longer, and never the same for two that collided.
fn pause_after(attempt: u32) -> Duration {
    let longest = 5_u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(longest / 2..=longest))
}
