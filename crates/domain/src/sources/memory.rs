//! What this process remembers of sources: never passwords or tokens themselves.

use std::{sync::Arc, time::Duration};

use identity::{Failure, oidc::Issuers};
use kit::{Clock, Error, Kind, Result, Time};
use moka::sync::Cache;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::Source;

/// How long what a source vouched for is remembered, and how much of it.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);
const MOST_REMEMBERED: u64 = 100_000;

/// How long a source that is away is not asked again.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(5);

/// How many requests ask sources at a time, and how many wait for that.
const MOST_ASKING: usize = 256;
const MOST_WAITING: usize = 1024;

/// That a source vouched for somebody.
#[derive(Clone)]
pub(super) struct Proof {
    pub(super) user_id: i64,
    source_id: i64,
    version: [u8; 32],
    /// When it ends by itself, as tokens do.
    expires: Option<Time>,
}

impl Proof {
    pub(super) fn new(user_id: i64, source: &Source, expires: Option<Time>) -> Self {
        Self { user_id, source_id: source.id, version: source.version, expires }
    }

    /// Whether it still counts: the source is as it was.
    pub(super) fn holds(&self, sources: &[Arc<Source>], now: Time) -> bool {
        let same =
            |source: &Arc<Source>| source.id == self.source_id && source.version == self.version;
        self.expires.is_none_or(|expires| now < expires) && sources.iter().any(same)
    }
}

/// See the file.
pub(crate) struct Memory {
    /// Providers, with what they said of themselves and their keys.
    pub(super) issuers: Issuers,
    pub(super) proofs: Cache<[u8; 32], Proof>,
    /// Sources that are away, and why.
    away: Cache<(i64, [u8; 32]), Failure>,
    /// Of many who come with the same at once, one asks.
    turns: Cache<[u8; 32], Arc<Mutex<()>>>,
    asking: Semaphore,
    waiting: Semaphore,
}

impl Memory {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            issuers: Issuers::new(clock),
            proofs: Cache::builder()
                .max_capacity(MOST_REMEMBERED)
                .time_to_live(REMEMBERED_FOR)
                .build(),
            away: Cache::builder().max_capacity(1000).time_to_live(LEFT_ALONE_FOR).build(),
            turns: Cache::builder().max_capacity(10_000).time_to_idle(REMEMBERED_FOR).build(),
            asking: Semaphore::new(MOST_ASKING),
            waiting: Semaphore::new(MOST_WAITING),
        }
    }

    /// What waits for those who came with the same.
    pub(super) fn turn(&self, fingerprint: [u8; 32]) -> Arc<Mutex<()>> {
        self.turns.get_with(fingerprint, Arc::default)
    }

    /// A place among those who ask sources.
    ///
    /// # Errors
    /// TooMany when too many wait for one.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>> {
        let Ok(_waiting) = self.waiting.try_acquire() else {
            let mut error = Error::new(Kind::TooMany, "too many logins at once");
            error.retry_after = Some(LEFT_ALONE_FOR);
            return Err(error);
        };
        self.asking.acquire().await.map_err(Error::internal)
    }

    /// Why a source is not to be asked, if it was away a moment ago.
    pub(super) fn away(&self, source: &Source) -> Option<Failure> {
        self.away.get(&(source.id, source.version))
    }

    /// Remembers how asking a source went, if it is away.
    pub(super) fn note(&self, source: &Source, failure: &Failure) {
        if matches!(failure, Failure::Unreachable(_) | Failure::TimedOut) {
            self.away.insert((source.id, source.version), failure.clone());
        }
    }
}
