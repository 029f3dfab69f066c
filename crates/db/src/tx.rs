//! A transaction, and the deed that is done in it.

use futures_util::future::BoxFuture;
use kit::{Clock, Time};
use tokio::sync::oneshot;

use crate::{
    Args, Change, Engine, Row, Sql,
    error::{Cure, Failure, closed, misuse},
    postgres::Lease,
    sqlite::Connection,
};

/// How often a row that is being deleted is added anew.
const ATTEMPTS: usize = 5;

/// A transaction in progress. It is committed when its deed returns `Ok`, and rolled back
/// otherwise.
///
/// The first statement that fails ends it, on both engines alike: whatever follows fails
/// too. A conflict that is expected is avoided with `ON CONFLICT`, not survived.
pub struct Tx {
    pub(crate) connection: Link,
    pub(crate) changes: Vec<Change>,
    pub(crate) afterwards: Vec<Afterwards>,
    pub(crate) failed: Option<Cure>,
}

/// What is to happen once a transaction is committed.
pub(crate) type Afterwards = Box<dyn FnOnce() + Send>;

pub(crate) enum Link {
    Sqlite(Connection),
    Postgres(Lease),
}

impl Tx {
    pub(crate) fn new(connection: Link) -> Self {
        Self { connection, changes: Vec::new(), afterwards: Vec::new(), failed: None }
    }

    /// Which engine this runs on, for the few statements that differ.
    pub fn engine(&self) -> Engine {
        match self.connection {
            Link::Sqlite(_) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
        }
    }

    /// What time it is by the database's clock, which all replicas share. SQLite's is that of
    /// the machine.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn now(&mut self) -> kit::Result<Time> {
        const NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
        if self.engine() == Engine::Sqlite {
            return Ok(Clock::System.now());
        }
        let row = self.one(NOW, Args::new()).await?;
        row.ok_or_else(|| misuse("a database without a clock"))?.get(0)
    }

    /// All rows of a result.
    ///
    /// # Errors
    /// As the crate's documentation says; the transaction is over then.
    pub async fn all(&mut self, sql: impl Into<Sql>, args: Args) -> kit::Result<Vec<Row>> {
        self.going_on()?;
        let outcome = match &mut self.connection {
            Link::Sqlite(connection) => connection.query(sql.into(), args, usize::MAX),
            Link::Postgres(lease) => lease.all(sql.into(), args).await,
        };
        outcome.map_err(|failure| self.fail(failure))
    }

    /// The first row of a result, if there is one.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn one(&mut self, sql: impl Into<Sql>, args: Args) -> kit::Result<Option<Row>> {
        self.going_on()?;
        let outcome = match &mut self.connection {
            Link::Sqlite(connection) => {
                connection.query(sql.into(), args, 1).map(|mut rows| rows.pop())
            }
            Link::Postgres(lease) => lease.one(sql.into(), args).await,
        };
        outcome.map_err(|failure| self.fail(failure))
    }

    /// The row that one statement adds or, where there is one already, that another finds. The
    /// first waits for whoever is deleting that row; then it is gone, and comes anew. None if
    /// that happens again and again.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn add_or_find(
        &mut self,
        add: (&'static str, impl Fn() -> Args),
        find: (&'static str, Args),
    ) -> kit::Result<Option<Row>> {
        for _ in 0..ATTEMPTS {
            if let Some(row) = self.one(add.0, add.1()).await? {
                return Ok(Some(row));
            }
            if let Some(row) = self.one(find.0, find.1.clone()).await? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Runs a statement and tells how many rows it touched.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn execute(&mut self, sql: impl Into<Sql>, args: Args) -> kit::Result<u64> {
        self.going_on()?;
        let outcome = match &mut self.connection {
            Link::Sqlite(connection) => connection.execute(sql.into(), args),
            Link::Postgres(lease) => lease.execute(sql.into(), args).await,
        };
        outcome.map_err(|failure| self.fail(failure))
    }

    /// Runs several statements without values, for as long as they take.
    pub(crate) async fn script(&mut self, script: &'static str) -> kit::Result<()> {
        self.going_on()?;
        let outcome = match &mut self.connection {
            Link::Sqlite(connection) => connection.script(script),
            Link::Postgres(lease) => lease.script(script).await,
        };
        outcome.map_err(|failure| self.fail(failure))
    }

    /// Tells everybody who listens, here and on other replicas, once this is committed.
    pub fn announce(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Does something once this is committed, and never when it is not. It runs before the
    /// writer is answered and where everybody else's transactions run, so it must not
    /// block; what it does is lost with the process.
    pub fn after_commit(&mut self, deed: impl FnOnce() + Send + 'static) {
        self.afterwards.push(Box::new(deed));
    }

    fn going_on(&self) -> kit::Result<()> {
        match self.failed {
            None => Ok(()),
            Some(_) => Err(misuse("a statement after one that failed in the same transaction")),
        }
    }

    fn fail(&mut self, failure: Failure) -> kit::Error {
        self.failed = Some(failure.cure);
        failure.error
    }

    /// What came of a deed, given what it returned.
    pub(crate) fn judge(&mut self, returned: kit::Result<()>) -> Result<(), Failure> {
        match (self.failed.take(), returned) {
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => Err(error.into()),
            (Some(cure), Err(error)) => Err(Failure { error, cure }),
            (Some(cure), Ok(())) => {
                Err(Failure { error: misuse("a deed hid that a statement of it failed"), cure })
            }
        }
    }
}

/// A deed on its way: what is to be done, as often as it takes, and who waits for it.
pub(crate) trait Deed: Send {
    /// Does it once.
    fn attempt<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, kit::Result<()>>;

    /// Answers whoever waits: with what the last attempt returned, or with the error.
    fn finish(self: Box<Self>, end: kit::Result<()>);
}

struct Pending<F, T> {
    deed: F,
    outcome: Option<T>,
    answer: oneshot::Sender<kit::Result<T>>,
}

/// A deed, and where its answer arrives.
pub(crate) fn pending<T, F>(deed: F) -> (Box<dyn Deed>, oneshot::Receiver<kit::Result<T>>)
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, kit::Result<T>> + Send + Sync + 'static,
{
    let (answer, answered) = oneshot::channel();
    (Box::new(Pending { deed, outcome: None, answer }), answered)
}

impl<T, F> Deed for Pending<F, T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, kit::Result<T>> + Send + Sync + 'static,
{
    fn attempt<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, kit::Result<()>> {
        Box::pin(async move {
            self.outcome = Some((self.deed)(tx).await?);
            Ok(())
        })
    }

    fn finish(self: Box<Self>, end: kit::Result<()>) {
        let Self { outcome, answer, .. } = *self;
        // Whoever asked may be gone; the deed is done all the same.
        let _ = answer.send(end.and_then(|()| outcome.ok_or_else(closed)));
    }
}
