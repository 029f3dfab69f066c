//! Cuts connections whose client makes no progress.
//!
//! A timer per request would cost more than a small request itself, so there is one lazy
//! timer per connection: the stream and the requests note what happens, and whenever the
//! connection has nothing to do, its [`Patience`] looks at the notes.
//!
//! | the connection is                          | it may last              |
//! |--------------------------------------------|--------------------------|
//! | new, or in the middle of a request head    | `header_timeout`         |
//! | between requests                           | `idle_timeout`           |
//! | blocked on a client that does not read     | `stall_timeout`          |
//! | busy with a request                        | as long as that takes    |
//!
//! A request body that stands still is cut by `body::Received`, which can still answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;

use super::{Limits, timer::LazyTimer};

/// A client that took this many bytes while its timer ran is slow, not gone. More than
/// HTTP/2's own pings, which a client answers even when it reads nothing.
const PROGRESS: u64 = 1024;

/// What happens on a connection, noted by its stream and its requests.
///
/// The notes are hints between tasks that wake each other through hyper, so relaxed
/// order is enough: a value seen late moves a deadline by one turn of the timer.
pub(super) struct Flow {
    base: Instant,
    /// How many requests have begun, and how many of them are open.
    begun: AtomicU64,
    open: AtomicUsize,
    idle_since: Moment,
    /// When the head of the next request began.
    head_since: Moment,
    blocked_since: Moment,
    written: AtomicU64,
    /// How many response bodies gave a piece that is still to be taken, and when the
    /// last piece was given.
    bodies_waiting: AtomicUsize,
    last_given: Moment,
}

/// A moment that may not be set: microseconds after the connection's beginning, plus one.
#[derive(Default)]
struct Moment(AtomicU64);

impl Flow {
    /// A connection that has just been opened.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            base: Instant::now(),
            begun: AtomicU64::default(),
            open: AtomicUsize::default(),
            idle_since: Moment::default(),
            head_since: Moment::default(),
            blocked_since: Moment::default(),
            written: AtomicU64::default(),
            bodies_waiting: AtomicUsize::default(),
            last_given: Moment::default(),
        })
    }

    /// A request's head is complete.
    pub(super) fn request_begins(&self) {
        self.begun.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        self.head_since.clear();
    }

    /// A request is answered to the last byte, or given up.
    pub(super) fn request_ends(&self, now: Instant) {
        self.idle_since.set(self.base, now);
        self.open.fetch_sub(1, Relaxed);
    }

    /// A response body gave a piece and waits for the client to take it.
    pub(super) fn body_waits(&self) {
        self.last_given.set(self.base, Instant::now());
        self.bodies_waiting.fetch_add(1, Relaxed);
    }

    /// A response body that waited was asked for more, or ended.
    pub(super) fn body_goes_on(&self) {
        self.bodies_waiting.fetch_sub(1, Relaxed);
    }

    /// Bytes came from the client.
    pub(super) fn bytes_came(&self) {
        if self.open.load(Relaxed) == 0 && !self.head_since.is_set() {
            self.head_since.set(self.base, Instant::now());
        }
    }

    /// Bytes went to the client.
    pub(super) fn bytes_went(&self, count: usize) {
        self.blocked_since.clear();
        self.written.fetch_add(count as u64, Relaxed);
    }

    /// The client takes no bytes for now.
    pub(super) fn bytes_wait(&self) {
        if !self.blocked_since.is_set() {
            self.blocked_since.set(self.base, Instant::now());
        }
    }
}

impl Moment {
    fn set(&self, base: Instant, now: Instant) {
        let micros = u64::try_from((now - base).as_micros()).unwrap_or(u64::MAX - 1);
        self.0.store(micros + 1, Relaxed);
    }

    fn clear(&self) {
        // Most often it is clear already, and a look is cheaper than a write.
        if self.is_set() {
            self.0.store(0, Relaxed);
        }
    }

    fn is_set(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    fn get(&self, base: Instant) -> Option<Instant> {
        let micros = self.0.load(Relaxed).checked_sub(1)?;
        Some(base + Duration::from_micros(micros))
    }
}

/// How long one connection's client is waited for.
pub(super) struct Patience {
    flow: Arc<Flow>,
    limits: Limits,
    /// Whether the bytes of a request head can be told from others: not within HTTP/2.
    heads_are_seen: bool,
    /// How much was written when the timer last looked, and when that was.
    mark: (u64, Instant),
    timer: LazyTimer,
}

impl Patience {
    /// With the client of one connection.
    pub(super) fn new(flow: Arc<Flow>, limits: Limits, http2: bool) -> Self {
        let mark = (0, flow.base);
        Self { flow, limits, heads_are_seen: !http2, mark, timer: LazyTimer::default() }
    }

    /// To be asked whenever the connection has nothing to do. Ready when the client's time
    /// is over; until then the task is woken in time to ask again.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(deadline) = self.deadline() {
            if self.timer.poll(cx, deadline).is_pending() {
                return Poll::Pending;
            }
            if !self.client_took_bytes() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// Whether no request is open and all that was answered is sent. Within HTTP/2 that
    /// cannot be told, and need not be: its own goodbye is gentler.
    pub(super) fn owes_nothing(&self) -> bool {
        self.heads_are_seen
            && self.flow.open.load(Relaxed) == 0
            && !self.flow.blocked_since.is_set()
    }

    /// When patience ends, if it is the client that we wait for.
    fn deadline(&self) -> Option<Instant> {
        let flow = &self.flow;
        if let Some(since) = flow.blocked_since.get(flow.base) {
            return Some(since + self.limits.stall_timeout);
        }
        if flow.open.load(Relaxed) == 0 {
            return Some(self.idle_deadline());
        }
        if flow.bodies_waiting.load(Relaxed) == 0 {
            return None;
        }
        let last_given = flow.last_given.get(flow.base).unwrap_or(flow.base);
        Some(last_given.max(self.mark.1) + self.limits.stall_timeout)
    }

    fn idle_deadline(&self) -> Instant {
        let flow = &self.flow;
        if self.heads_are_seen {
            if let Some(since) = flow.head_since.get(flow.base) {
                return since + self.limits.header_timeout;
            }
            if flow.begun.load(Relaxed) == 0 {
                return flow.base + self.limits.header_timeout;
            }
        }
        flow.idle_since.get(flow.base).unwrap_or(flow.base) + self.limits.idle_timeout
    }

    /// Whether a client with an open response has taken bytes since the last look.
    fn client_took_bytes(&mut self) -> bool {
        let written = self.flow.written.load(Relaxed);
        let waits_for_response =
            !self.flow.blocked_since.is_set() && self.flow.open.load(Relaxed) > 0;
        let took = waits_for_response && written - self.mark.0 >= PROGRESS;
        self.mark = (written, Instant::now());
        took
    }
}
