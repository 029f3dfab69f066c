//! The change log: how replicas learn what the others changed.
//!
//! A transaction that announces changes writes them into the table `changes` just before
//! it commits. Every replica asks for new rows four times a second, and at once when a
//! notification wakes it; notifications carry nothing and may be lost.
//!
//! Rows become visible in the order of commits, not of their ids, so asking for the ids
//! after the last one seen would skip what commits late. Each row therefore carries the id
//! of its transaction, and a reader asks for the rows of every transaction that could
//! still have been running when it last looked. It reads some rows twice and remembers
//! which.
//!
//! Whatever was missed while there was no contact is not looked for: with the first look
//! on a new connection everybody is told that anything may have changed.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kit::Result;
use parking_lot::Mutex;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::{Lease, pool::Pool};
use crate::{Args, Change, Sql, args, change::Listeners, error::Failure};

/// How often to look.
const EVERY: Duration = Duration::from_millis(250);

/// A replica whose last look began longer ago than this does not trust its copies.
const IN_TOUCH: Duration = Duration::from_secs(1);

/// A look that takes longer than this is given up, with its connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// Rows are kept this long after their transactions are known to be over. A replica that
/// did not look for half of it starts over.
const KEPT: Duration = Duration::from_secs(60);

/// How long our own rows are believed like those of others after a commit in doubt.
const DOUBT: Duration = Duration::from_secs(60);

/// The most changes of one transaction that are written down one by one: as many as there are
/// when a batch of artifacts is deleted.
const MOST_CHANGES: usize = 1024;

/// Where notifications are sent.
const CHANNEL: &str = "haven_changes";

pub(super) struct Log {
    /// Who we are, so that we know our own rows.
    replica: String,
    /// When the last look that succeeded began, in milliseconds after `epoch`; 0 for never.
    touched: AtomicU64,
    epoch: Instant,
    doubted: Mutex<Option<Instant>>,
    look: Notify,
    wake_others: AtomicBool,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Log {
    /// Begins to follow the log.
    pub(super) fn follow(pool: Arc<Pool>, listeners: Arc<Listeners>) -> Arc<Self> {
        let log = Arc::new(Self {
            replica: uuid::Uuid::new_v4().simple().to_string(),
            touched: AtomicU64::new(0),
            epoch: Instant::now(),
            doubted: Mutex::default(),
            look: Notify::new(),
            wake_others: AtomicBool::new(false),
            tasks: Mutex::default(),
        });
        let following = tokio::spawn(log.clone().keep_looking(pool.clone(), listeners));
        let listening = tokio::spawn(log.clone().keep_listening(pool));
        *log.tasks.lock() = vec![following.abort_handle(), listening.abort_handle()];
        log
    }

    pub(super) fn stop(&self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
        self.touched.store(0, Ordering::SeqCst);
    }

    pub(super) fn in_touch(&self) -> bool {
        let touched = self.touched.load(Ordering::SeqCst);
        touched != 0 && self.now().saturating_sub(touched) < millis(IN_TOUCH)
    }

    /// Looks at once.
    pub(super) fn look(&self) {
        self.look.notify_one();
    }

    /// Has the others look at once, soon and once for many commits. The notification is
    /// no part of any transaction: PostgreSQL commits those that notify one by one.
    pub(super) fn wake_others(&self) {
        if !self.wake_others.swap(true, Ordering::SeqCst) {
            self.look.notify_one();
        }
    }

    /// Believes our own rows like those of others for a while.
    pub(super) fn doubt_ourselves(&self) {
        *self.doubted.lock() = Some(Instant::now());
    }

    /// The statement that writes changes into the log. Their number is rounded up to a
    /// power of two, with the last one again, so that few distinct statements exist; more
    /// than a deed should have are written as one that says that anything may have changed.
    pub(super) fn entries(&self, changes: &[Change]) -> (Sql, Args) {
        let everything = [Change::everything()];
        let changes = if changes.len() > MOST_CHANGES { &everything } else { changes };
        let rows = changes.len().next_power_of_two();
        let mut values = args![&self.replica];
        for change in changes.iter().chain(changes.last().into_iter().cycle()).take(rows) {
            values.push(change.topic());
            values.push(change.key());
        }
        let sql = Sql::rows(
            "INSERT INTO changes (xid, replica, topic, key) \
             SELECT pg_current_xact_id()::text::bigint, $1, v.topic, v.key FROM (VALUES ",
            2,
            rows,
            ") AS v (topic, key)",
        );
        (sql, values)
    }

    async fn keep_looking(self: Arc<Self>, pool: Arc<Pool>, listeners: Arc<Listeners>) {
        loop {
            if let Err(failure) = self.look_while_connected(&pool, &listeners).await {
                tracing::debug!(error = ?failure.error, "no contact with the change log");
            }
            let _ = timeout(EVERY, self.look.notified()).await;
        }
    }

    /// Looks until something fails.
    async fn look_while_connected(
        &self,
        pool: &Arc<Pool>,
        listeners: &Listeners,
    ) -> Result<(), Failure> {
        let mut reader = Reader::start(pool).await?;
        loop {
            let began = Instant::now();
            let changes =
                timeout(PATIENCE, reader.read(self)).await.map_err(|_| Failure::timed_out())??;
            listeners.tell(&changes);
            self.touched.store(millis(began - self.epoch).max(1), Ordering::SeqCst);

            if self.wake_others.swap(false, Ordering::SeqCst) {
                timeout(PATIENCE, reader.notify(&self.replica))
                    .await
                    .map_err(|_| Failure::timed_out())??;
            }
            let _ = timeout(EVERY, self.look.notified()).await;
        }
    }

    /// Listens for notifications as long as the server lets us; through a PgBouncer in
    /// transaction mode none arrive, and looking often is enough.
    async fn keep_listening(self: Arc<Self>, pool: Arc<Pool>) {
        loop {
            if let Err(cause) = self.listen(&pool).await {
                tracing::debug!(error = %cause, "no notifications of changes");
            }
            sleep(Duration::from_secs(5)).await;
        }
    }

    async fn listen(&self, pool: &Pool) -> sqlx::Result<()> {
        let one = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
        let mut listener = PgListener::connect_with(&one.connect_with(pool.place()).await?).await?;
        listener.listen(CHANNEL).await?;
        loop {
            let notification = listener.recv().await?;
            if notification.payload() != self.replica {
                self.look();
            }
        }
    }

    fn believes_itself(&self) -> bool {
        self.doubted.lock().is_none_or(|since| since.elapsed() > DOUBT)
    }

    fn now(&self) -> u64 {
        millis(self.epoch.elapsed())
    }
}

/// What one connection has read of the log.
struct Reader {
    lease: Lease,
    /// The oldest transaction that was running at the last look.
    horizon: Option<i64>,
    /// The rows of transactions from the horizon on that were seen.
    seen: HashSet<i64>,
    looked: Instant,
    /// Transactions before this one were over at that moment.
    over: (i64, Instant),
}

impl Reader {
    async fn start(pool: &Arc<Pool>) -> Result<Self, Failure> {
        let lease = timeout(PATIENCE, pool.extra()).await.map_err(|_| Failure::timed_out())??;
        Ok(Self {
            lease,
            horizon: None,
            seen: HashSet::new(),
            looked: Instant::now(),
            over: (0, Instant::now()),
        })
    }

    /// What changed since the last look, except by ourselves.
    async fn read(&mut self, log: &Log) -> Result<Vec<Change>, Failure> {
        let began = Instant::now();
        let from = self.horizon.unwrap_or(i64::MAX);
        // One statement, so one snapshot: every transaction before its xmin is over, and
        // its rows are in the result or in an earlier one.
        let rows = self
            .lease
            .all_at_once(
                "SELECT s.xmin, c.id, c.replica, c.topic, c.key \
                 FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) AS s \
                 LEFT JOIN changes AS c ON c.xid >= $1 ORDER BY c.id"
                    .into(),
                args![from],
            )
            .await?;
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let horizon: i64 = first.get(0)?;

        let mut seen = HashSet::new();
        let mut changes = Vec::new();
        for row in &rows {
            let Some(id) = row.get::<Option<i64>>(1)? else {
                break;
            };
            let known = self.seen.contains(&id);
            seen.insert(id);
            let told_already = row.get::<String>(2)? == log.replica && log.believes_itself();
            if !known && !told_already {
                changes.push(Change::read(row.get(3)?, row.get(4)?));
            }
        }

        // The first look, a server that went back in time, or a replica that slept.
        let lost =
            self.horizon.is_none_or(|last| horizon < last) || self.looked.elapsed() > KEPT / 2;
        if lost {
            changes = vec![Change::everything()];
        }
        self.horizon = Some(horizon);
        self.seen = seen;
        self.looked = began;
        self.purge(horizon).await?;
        Ok(changes)
    }

    /// Removes rows that every replica in touch has seen.
    async fn purge(&mut self, horizon: i64) -> Result<(), Failure> {
        let (over, since) = self.over;
        if since.elapsed() < KEPT {
            return Ok(());
        }
        self.over = (horizon, Instant::now());
        if over == 0 {
            return Ok(());
        }
        self.lease.all_at_once("DELETE FROM changes WHERE xid < $1".into(), args![over]).await?;
        Ok(())
    }

    /// A notification that says who sent it, so that the sender can ignore it.
    async fn notify(&mut self, replica: &str) -> Result<(), Failure> {
        self.lease
            .all_at_once("SELECT pg_notify('haven_changes', $1)::text".into(), args![replica])
            .await?;
        Ok(())
    }
}

fn millis(while_: Duration) -> u64 {
    u64::try_from(while_.as_millis()).unwrap_or(u64::MAX)
}
