//! A connection while it is used, and statements on it.

use std::{borrow::Cow, sync::Arc};

use kit::Error;
use sqlx::{
    AssertSqlSafe, Executor as _, PgConnection, SqlSafeStr as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::pool::{Kept, Pool};
use crate::{
    Args, Engine, Row, Sql, Type, Value,
    error::{Cure, Failure, misuse},
    row::Columns,
};

/// The oldest server that serves: the first whose transaction ids do not wrap around.
const OLDEST_SERVER: u32 = 13;

/// A statement with a list of values is planned for them each time, if it has more values than
/// this. A plan for any values takes a repository to hold what repositories hold on average, a
/// handful: it goes through all of one that holds a hundred thousand for a list of ten.
///
/// Outside of transactions whole pages are named by their numbers, which no plan gets wrong.
const PLANNED_ONCE: usize = 8;
const PLANNED_ONCE_OUTSIDE: usize = 200;

pub(crate) struct Lease {
    kept: Option<Kept>,
    pool: Arc<Pool>,
    /// None for a connection beside those of requests; it is not kept either.
    slot: Option<OwnedSemaphorePermit>,
    was_idle: bool,
    /// The last answer was read to the end.
    sound: bool,
    in_transaction: bool,
}

impl Lease {
    pub(super) fn new(
        kept: Kept,
        pool: Arc<Pool>,
        slot: Option<OwnedSemaphorePermit>,
        was_idle: bool,
    ) -> Self {
        Self { kept: Some(kept), pool, slot, was_idle, sound: true, in_transaction: false }
    }

    /// Whether the connection lay idle before, so that it may have broken unseen.
    pub(super) fn was_idle(&self) -> bool {
        self.was_idle
    }

    /// Refuses a server that is too old.
    pub(super) fn require_version(&self) -> kit::Result<()> {
        let version = self
            .kept
            .as_ref()
            .and_then(|kept| kept.connection.server_version_num())
            .unwrap_or_default();
        if version >= OLDEST_SERVER * 10_000 {
            return Ok(());
        }
        Err(Error::invalid(format!("PostgreSQL {OLDEST_SERVER} or newer is needed")))
    }

    /// `BEGIN`, `COMMIT` or `ROLLBACK`.
    pub(super) async fn command(&mut self, command: &'static str) -> Result<(), Failure> {
        let patience = self.pool.statement_timeout;
        let ended = timeout(patience, self.script(command)).await;
        let ended = ended.unwrap_or_else(|_| Err(Failure::timed_out()));
        self.in_transaction = command.starts_with("BEGIN") || ended.is_err();
        ended
    }

    /// Runs statements without values, for as long as they take.
    pub(crate) async fn script(&mut self, script: &'static str) -> Result<(), Failure> {
        self.run(async |connection| connection.execute(sqlx::raw_sql(script)).await.map(|_| ()))
            .await
    }

    /// All rows of a result.
    pub(crate) async fn all(&mut self, sql: Sql, args: Args) -> Result<Vec<Row>, Failure> {
        let query = self.query(sql, args)?;
        let rows = self.in_time(async |connection| query.fetch_all(connection).await).await?;
        Ok(rows.into_iter().map(row).collect())
    }

    /// The first row of a result.
    pub(crate) async fn one(&mut self, sql: Sql, args: Args) -> Result<Option<Row>, Failure> {
        let query = self.query(sql, args)?;
        let found = self.in_time(async |connection| query.fetch_optional(connection).await).await?;
        Ok(found.map(row))
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: Sql, args: Args) -> Result<u64, Failure> {
        let query = self.query(sql, args)?;
        let done = self.in_time(async |connection| query.execute(connection).await).await?;
        Ok(done.rows_affected())
    }

    /// All rows of a statement outside of any transaction.
    ///
    /// Without a named statement, preparing and running one are two steps, and a PgBouncer
    /// in transaction mode may hand each to another server unless a transaction holds
    /// them together.
    pub(super) async fn all_at_once(
        &mut self,
        sql: Sql,
        mut args: Args,
    ) -> Result<Vec<Row>, Failure> {
        sql.fill(&mut args);
        if self.is_named(&sql, &args) {
            return self.all(sql, args).await;
        }
        self.command("BEGIN").await?;
        let outcome = self.all(sql, args).await;
        let ended = self.command("ROLLBACK").await;
        let rows = outcome?;
        ended.map(|()| rows)
    }

    /// Prepares a statement without running it.
    pub(super) async fn check(&mut self, sql: &str) -> Result<(), Failure> {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        self.in_time(async |connection| connection.prepare(sql).await.map(|_| ())).await
    }

    fn query(
        &self,
        sql: Sql,
        mut args: Args,
    ) -> Result<Query<'static, sqlx::Postgres, PgArguments>, Failure> {
        args.refuse_nul()?;
        sql.fill(&mut args);
        let is_named = self.is_named(&sql, &args);
        let text: Cow<'static, str> = sql.into_text(Engine::Postgres);
        let arguments = arguments(args)?;
        // Every part of the text was written in the source: see `Sql`.
        Ok(sqlx::query_with(AssertSqlSafe(text), arguments).persistent(is_named))
    }

    /// Whether a statement with such values is prepared once for a connection.
    fn is_named(&self, sql: &Sql, args: &Args) -> bool {
        let most = if self.in_transaction { PLANNED_ONCE } else { PLANNED_ONCE_OUTSIDE };
        self.pool.named_statements && !(sql.is_list() && args.len() > most)
    }

    async fn in_time<T>(
        &mut self,
        talk: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, Failure> {
        let patience = self.pool.statement_timeout;
        timeout(patience, self.run(talk)).await.unwrap_or_else(|_| Err(Failure::timed_out()))
    }

    /// Talks to the server. Whoever stops listening halfway leaves the connection unsound.
    async fn run<T>(
        &mut self,
        talk: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, Failure> {
        let kept = self.kept.as_mut().ok_or_else(|| misuse("a connection that was given back"))?;
        if !self.sound {
            return Err(misuse("a connection that was not listened to").into());
        }
        self.sound = false;
        let outcome = talk(&mut kept.connection).await.map_err(Failure::from);
        self.sound = !matches!(&outcome, Err(failure) if failure.cure == Cure::Reconnect);
        outcome
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let reusable = self.sound && !self.in_transaction && self.slot.is_some();
        if let Some(kept) = self.kept.take()
            && reusable
        {
            self.pool.keep(kept);
        }
    }
}

fn row(found: PgRow) -> Row {
    Row(Columns::Postgres(found))
}

fn arguments(args: Args) -> Result<PgArguments, Failure> {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
    for value in args.0 {
        let added = match value {
            Value::Null(Type::Int) => arguments.add(None::<i64>),
            Value::Null(Type::Text) => arguments.add(None::<String>),
            Value::Null(Type::Bool) => arguments.add(None::<bool>),
            Value::Null(Type::Bytes) => arguments.add(None::<Vec<u8>>),
            Value::Null(Type::Real) => arguments.add(None::<f64>),
            Value::Int(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bool(truth) => arguments.add(truth),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Real(number) => arguments.add(number),
        };
        added.map_err(Error::internal)?;
    }
    Ok(arguments)
}
