//! Connections that are kept.
//!
//! The driver's own pool asks the server for a sign of life whenever a connection comes
//! back, which costs a round trip for each statement. Here a connection comes back at
//! once if its last answer was read to the end, and is hung up on otherwise.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kit::Error;
use parking_lot::Mutex;
use sqlx::{ConnectOptions, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::Lease;
use crate::{
    Options,
    error::{Failure, closed},
};

/// Prepared statements kept for each connection; the house has about as many.
const STATEMENTS: usize = 256;

/// A connection is closed after this long, so that load spreads when servers come and go.
const OLDEST: Duration = Duration::from_secs(30 * 60);

/// A connection unused for this long is closed when the next one comes back.
const LONGEST_IDLE: Duration = Duration::from_secs(5 * 60);

pub(crate) struct Pool {
    place: PgConnectOptions,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Kept>>,
    wait: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) named_statements: bool,
}

/// A connection and its history.
pub(super) struct Kept {
    pub(super) connection: PgConnection,
    pub(super) made: Instant,
    pub(super) used: Instant,
}

impl Pool {
    pub(super) fn new(place: PgConnectOptions, options: &Options) -> Self {
        let place = place
            .application_name("haven")
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        Self {
            place,
            free: Arc::new(Semaphore::new(options.max_connections.max(1) as usize)),
            idle: Mutex::default(),
            wait: options.wait_for_connection,
            statement_timeout: options.statement_timeout,
            named_statements: options.named_statements,
        }
    }

    /// A connection: one that is idle, or else a new one.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Lease, Failure> {
        let slot = self.slot().await?;
        if let Some(kept) = self.newest() {
            return Ok(Lease::new(kept, self.clone(), Some(slot), true));
        }
        self.connect_in(slot).await
    }

    /// A new connection, after an idle one turned out to be broken; the other idle ones
    /// probably are too.
    pub(super) async fn connect(self: &Arc<Self>) -> Result<Lease, Failure> {
        self.idle.lock().clear();
        let slot = self.slot().await?;
        self.connect_in(slot).await
    }

    async fn connect_in(self: &Arc<Self>, slot: OwnedSemaphorePermit) -> Result<Lease, Failure> {
        Ok(Lease::new(self.kept().await?, self.clone(), Some(slot), false))
    }

    /// A connection beside those of requests, for the change log.
    pub(super) async fn extra(self: &Arc<Self>) -> Result<Lease, Failure> {
        Ok(Lease::new(self.kept().await?, self.clone(), None, false))
    }

    /// A new connection. Whatever goes wrong here, the statement is not to blame.
    async fn kept(&self) -> Result<Kept, Failure> {
        let connected = timeout(self.wait, self.place.connect()).await;
        let connected = connected.map_err(|_| Failure::timed_out())?;
        let connection = connected.map_err(Failure::while_connecting)?;
        let now = Instant::now();
        Ok(Kept { connection, made: now, used: now })
    }

    /// Where the server is, for a connection that listens.
    pub(super) fn place(&self) -> PgConnectOptions {
        self.place.clone()
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(slot) = self.free.clone().try_acquire_owned() {
            return Ok(slot);
        }
        match timeout(self.wait, self.free.clone().acquire_owned()).await {
            Ok(slot) => slot.map_err(|_| closed().into()),
            Err(_) => Err(Error::unavailable("all connections to the database are in use").into()),
        }
    }

    fn newest(&self) -> Option<Kept> {
        let kept = self.idle.lock().pop()?;
        let fresh = kept.made.elapsed() < OLDEST && kept.used.elapsed() < LONGEST_IDLE;
        fresh.then_some(kept)
    }

    /// Takes a connection back.
    pub(super) fn keep(&self, mut kept: Kept) {
        if self.free.is_closed() {
            return;
        }
        kept.used = Instant::now();
        let mut idle = self.idle.lock();
        idle.push(kept);
        // The first is the one used longest ago.
        if idle[0].used.elapsed() > LONGEST_IDLE {
            idle.remove(0);
        }
    }

    /// Refuses whoever comes and says goodbye on idle connections.
    pub(super) async fn close(&self) {
        self.free.close();
        let idle = std::mem::take(&mut *self.idle.lock());
        for kept in idle {
            let _ = timeout(Duration::from_secs(1), kept.connection.close()).await;
        }
    }

    /// Says which database an error is about, without its password.
    pub(super) fn named(&self, error: Error) -> Error {
        let place = &self.place;
        let cause = error.source.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        let message = format!(
            "cannot use the database {} at {}:{} as {}: {}{cause}",
            place.get_database().unwrap_or_else(|| place.get_username()),
            place
                .get_socket()
                .map_or_else(|| place.get_host().to_owned(), |path| path.display().to_string()),
            place.get_port(),
            place.get_username(),
            error.message,
        );
        Error { message: message.into(), ..error }
    }
}
