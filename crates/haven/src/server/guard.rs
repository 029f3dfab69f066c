//! Cuts connections whose client makes no progress.
//!
//! A timer per request would cost more than a small request itself, so the guard keeps
//! one lazy timer per connection: it is set once, and when it fires the guard looks
//! whether the deadline has moved meanwhile.
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
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{Limits, timer::LazyTimer};

/// A client that took this many bytes while its timer ran is slow, not gone. More than
/// HTTP/2's own pings, which a client answers even when it reads nothing.
const PROGRESS: u64 = 1024;

/// The longest HTTP/2 preface, and so the most bytes a connection can have put back.
const PREFACE: usize = 24;

/// What a connection's guard and its requests tell each other.
///
/// The numbers are hints between tasks that wake each other through hyper, so relaxed
/// order is enough: a value seen late moves a deadline by one turn of the timer.
pub struct Flow {
    base: Instant,
    begun: AtomicU64,
    open: AtomicUsize,
    idle_since: AtomicU64,
    bodies_waiting: AtomicUsize,
    last_taken: AtomicU64,
}

impl Flow {
    /// A connection that has just been opened.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            base: Instant::now(),
            begun: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            bodies_waiting: AtomicUsize::new(0),
            last_taken: AtomicU64::new(0),
        })
    }

    /// A request's head is complete.
    pub fn begin(&self) {
        self.begun.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
    }

    /// A request is answered to the last byte, or given up.
    pub fn end(&self, now: Instant) {
        self.idle_since.store(self.offset(now), Relaxed);
        self.open.fetch_sub(1, Relaxed);
    }

    /// A response body gave a piece and waits for the client to take it.
    pub fn body_waits(&self) {
        self.last_taken.store(self.offset(Instant::now()), Relaxed);
        self.bodies_waiting.fetch_add(1, Relaxed);
    }

    /// A response body that waited was asked for more, or ended.
    pub fn body_goes_on(&self) {
        self.bodies_waiting.fetch_sub(1, Relaxed);
    }

    fn offset(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.base).as_millis()).unwrap_or(u64::MAX)
    }

    fn instant(&self, offset: u64) -> Instant {
        self.base + std::time::Duration::from_millis(offset)
    }
}

/// A connection's stream of bytes, under guard.
pub struct Guard<S> {
    stream: S,
    flow: Arc<Flow>,
    limits: Limits,
    /// Bytes read to tell HTTP/1.1 from HTTP/2, to be read again.
    put_back: [u8; PREFACE],
    put_back_from: usize,
    put_back_to: usize,
    /// Whether request heads can be told from other bytes: not within HTTP/2.
    heads_are_seen: bool,
    /// When a request head began, and how many requests had begun by then.
    head: Option<(Instant, u64)>,
    blocked_since: Option<Instant>,
    written: u64,
    /// How much was written when the timer last looked, and when that was.
    mark: (u64, Instant),
    timer: LazyTimer,
}

impl<S> Guard<S> {
    /// Puts a stream under guard.
    pub fn new(stream: S, flow: Arc<Flow>, limits: Limits) -> Self {
        let now = flow.base;
        Self {
            stream,
            flow,
            limits,
            put_back: [0; PREFACE],
            put_back_from: 0,
            put_back_to: 0,
            heads_are_seen: true,
            head: None,
            blocked_since: None,
            written: 0,
            mark: (0, now),
            timer: LazyTimer::default(),
        }
    }

    /// Tells the guard that the connection speaks HTTP/2.
    pub fn speaks_http2(&mut self) {
        self.heads_are_seen = false;
    }

    /// When the patience with this client ends, if it is the client we wait for.
    fn deadline(&self) -> Option<Instant> {
        if let Some(since) = self.blocked_since {
            return Some(since + self.limits.stall_timeout);
        }
        if self.flow.open.load(Relaxed) == 0 {
            return Some(self.idle_deadline());
        }
        if self.flow.bodies_waiting.load(Relaxed) == 0 {
            return None;
        }
        let last_taken = self.flow.instant(self.flow.last_taken.load(Relaxed));
        Some(last_taken.max(self.mark.1) + self.limits.stall_timeout)
    }

    fn idle_deadline(&self) -> Instant {
        let begun = self.flow.begun.load(Relaxed);
        if self.heads_are_seen {
            if let Some((since, begun_then)) = self.head
                && begun_then == begun
            {
                return since + self.limits.header_timeout;
            }
            if begun == 0 {
                return self.flow.base + self.limits.header_timeout;
            }
        }
        self.flow.instant(self.flow.idle_since.load(Relaxed)) + self.limits.idle_timeout
    }

    /// Called whenever the stream makes us wait: sees to it that the task wakes in time,
    /// and fails when the client's time is over.
    fn wait(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(deadline) = self.deadline() {
            if self.timer.poll(cx, deadline).is_pending() {
                return Ok(());
            }
            if !self.client_took_bytes() {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client made no progress",
                ));
            }
        }
        Ok(())
    }

    /// Whether a client with an open response has taken bytes since the last look.
    fn client_took_bytes(&mut self) -> bool {
        let took = self.blocked_since.is_none()
            && self.flow.open.load(Relaxed) > 0
            && self.written - self.mark.0 >= PROGRESS;
        self.mark = (self.written, Instant::now());
        took
    }

    fn note_read(&mut self) {
        if !self.heads_are_seen || self.flow.open.load(Relaxed) > 0 {
            return;
        }
        let begun = self.flow.begun.load(Relaxed);
        if self.head.is_none_or(|(_, begun_then)| begun_then != begun) {
            self.head = Some((Instant::now(), begun));
        }
    }

    /// Takes note of how a write went.
    fn note_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
        written: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match outcome {
            Poll::Pending => {
                self.blocked_since.get_or_insert_with(Instant::now);
                self.wait(cx)?;
                Poll::Pending
            }
            Poll::Ready(Ok(done)) => {
                self.blocked_since = None;
                self.written += written(&done) as u64;
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Whether the client begins with HTTP/2's preface. What was read for that is read
    /// again by whoever reads next.
    ///
    /// # Errors
    /// When the stream fails or the client sends nothing in time.
    pub async fn begins_http2(&mut self) -> io::Result<bool> {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        std::future::poll_fn(|cx| {
            while self.put_back_to < PREFACE {
                let from = self.put_back_to;
                let mut bytes = [0; PREFACE];
                let mut buffer = ReadBuf::new(&mut bytes[from..]);
                ready!(self.poll_stream(cx, &mut buffer))?;
                let to = from + buffer.filled().len();
                self.put_back[from..to].copy_from_slice(&bytes[from..to]);
                self.put_back_to = to;
                if to == from || self.put_back[..to] != preface[..to] {
                    return Poll::Ready(Ok(false));
                }
            }
            Poll::Ready(Ok(true))
        })
        .await
    }

    fn poll_stream(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Pending => {
                self.wait(cx)?;
                Poll::Pending
            }
            Poll::Ready(outcome) => {
                self.note_read();
                Poll::Ready(outcome)
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (from, to) = (self.put_back_from, self.put_back_to);
        if from < to {
            let count = (to - from).min(buffer.remaining());
            buffer.put_slice(&self.put_back[from..from + count]);
            self.put_back_from += count;
            return Poll::Ready(Ok(()));
        }
        self.poll_stream(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_write(cx, outcome, |written| *written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.note_write(cx, outcome, |written| *written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.note_write(cx, outcome, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.note_write(cx, outcome, |()| 0)
    }
}
