//! Bodies on their way through: counted, and bounded in how long they stand still.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{exchange::Record, guard::Flow, timer::LazyTimer};

/// A body that the application could not have whole.
#[derive(Debug, thiserror::Error)]
pub enum BrokenBody {
    /// The connection or the framing failed.
    #[error(transparent)]
    Connection(#[from] hyper::Error),
    /// The client stopped sending.
    #[error("the client sent nothing for {0:?}")]
    Stalled(Duration),
}

/// A request's body.
pub(super) struct Received {
    body: Incoming,
    bytes: Arc<AtomicU64>,
    stall_timeout: Duration,
    waiting_since: Option<Instant>,
    timer: LazyTimer,
}

impl Received {
    /// Counts a body's bytes in `bytes` and breaks it off when it stands still.
    pub(super) fn new(body: Incoming, bytes: Arc<AtomicU64>, stall_timeout: Duration) -> Self {
        Self { body, bytes, stall_timeout, waiting_since: None, timer: LazyTimer::default() }
    }
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            let since = *self.waiting_since.get_or_insert_with(Instant::now);
            let deadline = since + self.stall_timeout;
            if self.timer.poll(cx, deadline).is_ready() {
                return Poll::Ready(Some(Err(BrokenBody::Stalled(self.stall_timeout))));
            }
            return Poll::Pending;
        };
        self.waiting_since = None;
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.bytes.fetch_add(data.len() as u64, Relaxed);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BrokenBody::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body. When it goes, the request is over.
pub(super) struct Sent {
    body: Body,
    flow: Arc<Flow>,
    /// Whether the last piece given is still to be taken.
    waiting: bool,
    bytes: u64,
    expected: Option<u64>,
    ended: bool,
    record: Record,
}

impl Sent {
    /// Follows a body to its end, and with it the record of its request.
    pub(super) fn new(body: Body, flow: Arc<Flow>, record: Record) -> Self {
        let expected = http_body::Body::size_hint(&body).exact();
        Self { body, flow, waiting: false, bytes: 0, expected, ended: false, record }
    }

    fn go_on(&mut self) {
        if self.waiting {
            self.waiting = false;
            self.flow.body_goes_on();
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.go_on();
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            return Poll::Pending;
        };
        match &frame {
            Some(Ok(frame)) => {
                self.bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                self.waiting = true;
                self.flow.body_waits();
            }
            Some(Err(error)) => tracing::warn!(%error, "a response body broke off"),
            None => self.ended = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.go_on();
        self.record.sent = self.bytes;
        self.record.whole = self.ended
            || self.expected == Some(self.bytes)
            || http_body::Body::is_end_stream(&self.body);
    }
}
