//! [`Db`], which is all that other crates see of a database.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use kit::{
    Result,
    metrics::{DatabaseOperation, Metrics},
};

use crate::{
    Args, Engine, Migrated, Migrations, OnChange, Options, Row, Sql, Tx, args, change::Listeners,
    error::closed, migrate, options::Place, postgres::Postgres, sqlite::Sqlite, tx::pending,
};

/// A database. Clones are the same database.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    listeners: Arc<Listeners>,
    metrics: Metrics,
}

enum Store {
    Sqlite(Sqlite),
    Postgres(Arc<Postgres>),
}

impl Db {
    /// Opens `sqlite:/path/to/file` or `postgres://user:password@host:port/database`, and
    /// makes the file if there is none. The schema is [`Db::migrate`]'s.
    ///
    /// # Errors
    /// Invalid for another kind of URL, and as the crate's documentation says.
    pub async fn open(url: &str, options: &Options) -> Result<Self> {
        let listeners = Arc::new(Listeners::default());
        let store = match url.parse()? {
            Place::Sqlite(path) => {
                let (max_connections, listeners) = (options.max_connections, listeners.clone());
                let opening = move || Sqlite::open(path, max_connections, listeners);
                Store::Sqlite(
                    tokio::task::spawn_blocking(opening).await.map_err(kit::Error::internal)??,
                )
            }
            Place::Postgres(place) => {
                Store::Postgres(Postgres::open(*place, options, listeners.clone()).await?)
            }
        };
        let metrics = options.metrics.clone();
        Ok(Self { inner: Arc::new(Inner { store, listeners, metrics }) })
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match self.inner.store {
            Store::Sqlite(_) => Engine::Sqlite,
            Store::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs the migrations that are missing, under a lock, each in a transaction.
    ///
    /// # Errors
    /// Invalid when the database was migrated by a newer program that no longer serves this
    /// one, or by another script of the same number; and as the crate's documentation says.
    pub async fn migrate(&self, migrations: &Migrations) -> Result<Migrated> {
        let migrated = migrate::migrate(self, migrations).await?;
        if let Store::Postgres(postgres) = &self.inner.store {
            postgres.look();
        }
        Ok(migrated)
    }

    /// The number of the last migration that ran here, 0 for none.
    ///
    /// # Errors
    /// As the crate's documentation says.
    pub async fn schema_version(&self) -> Result<u32> {
        migrate::version(self).await
    }

    /// All rows of one reading statement.
    ///
    /// # Errors
    /// As the crate's documentation says.
    pub async fn all(&self, sql: impl Into<Sql>, args: Args) -> Result<Vec<Row>> {
        self.query(sql.into(), args, usize::MAX).await
    }

    /// The first row of one reading statement, if there is one.
    ///
    /// # Errors
    /// As the crate's documentation says.
    pub async fn one(&self, sql: impl Into<Sql>, args: Args) -> Result<Option<Row>> {
        let mut rows = self.query(sql.into(), args, 1).await?;
        rows.truncate(1);
        Ok(rows.pop())
    }

    async fn query(&self, sql: Sql, args: Args, limit: usize) -> Result<Vec<Row>> {
        let asking = async {
            match &self.inner.store {
                Store::Sqlite(sqlite) => sqlite.query(sql, args, limit).await,
                Store::Postgres(postgres) => postgres.clone().all(sql, args).await,
            }
        };
        self.inner.metrics.database(DatabaseOperation::Read).time(asking).await
    }

    /// Does a deed in a transaction and commits it; what is returned is durable.
    ///
    /// The deed is done on its own: a caller that goes away leaves no half of it. It is
    /// done again when it loses against another one, so it has no effect but on its
    /// transaction, and it waits for nothing but its transaction. An error it returns, and
    /// a panic, take everything back. Listeners are told what it announced before this
    /// returns.
    ///
    /// # Errors
    /// What the deed returned, and as the crate's documentation says.
    pub async fn write<T, F>(&self, deed: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let (deed, answered) = pending(deed);
        match &self.inner.store {
            Store::Sqlite(sqlite) => sqlite.write(deed)?,
            Store::Postgres(postgres) => {
                tokio::spawn(tracing::Instrument::in_current_span(postgres.clone().write(deed)));
            }
        }
        let done = self.inner.metrics.database(DatabaseOperation::Write).time(answered).await;
        done.map_err(|_| closed())?
    }

    /// Does a deed that only reads, on one snapshot. Keep it short: a snapshot holds up the
    /// tidying of the whole database.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn read<T, F>(&self, deed: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let (deed, answered) = pending(deed);
        match &self.inner.store {
            Store::Sqlite(sqlite) => sqlite.read(deed)?,
            Store::Postgres(postgres) => {
                tokio::spawn(tracing::Instrument::in_current_span(postgres.clone().read(deed)));
            }
        }
        answered.await.map_err(|_| closed())?
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// As the crate's documentation says.
    pub async fn ping(&self) -> Result<()> {
        self.one("SELECT 1", args![]).await.map(|_| ())
    }

    /// Prepares a statement without running it, for the test of all statements.
    ///
    /// # Errors
    /// Internal, with the database's reason, when it is wrong.
    pub async fn check(&self, sql: &str) -> Result<()> {
        match &self.inner.store {
            Store::Sqlite(sqlite) => sqlite.check(sql).await,
            Store::Postgres(postgres) => postgres.check(sql).await,
        }
    }

    /// Registers a listener. It is told what deeds here announced, after their commit and
    /// before their writers are answered, and what deeds on other replicas announced; and
    /// [`Change::everything`](crate::Change::everything) when contact with them was lost.
    pub fn on_change(&self, listener: OnChange) {
        self.inner.listeners.add(listener);
    }

    /// Whether changes of other replicas arrive. When not, the last look that succeeded
    /// began a second ago or longer, and copies in memory must not be used. With SQLite
    /// there are no other replicas.
    pub fn in_touch(&self) -> bool {
        match &self.inner.store {
            Store::Sqlite(_) => true,
            Store::Postgres(postgres) => postgres.in_touch(),
        }
    }

    /// Finishes what was asked for and closes the database. Whoever asks later is refused.
    pub async fn close(&self) {
        match &self.inner.store {
            Store::Sqlite(sqlite) => sqlite.close().await,
            Store::Postgres(postgres) => postgres.close().await,
        }
    }
}
