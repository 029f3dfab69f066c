//! Reading on what a refused client still sends, so that it comes to read the answer: to a
//! client that is cut off while it writes the answer is lost, and so is the next request on
//! the same connection.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, header::EXPECT},
};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;

/// How much of a refused body is read on, in bytes, and for how long.
const MOST_DRAINED: usize = 16 * 1024 * 1024;
const LONGEST_DRAIN: Duration = Duration::from_secs(5);

/// Reads on, within bounds.
pub(crate) async fn drain(headers: &HeaderMap, mut body: Body) {
    // Who waits to be told to go on sends nothing unless the body is asked for.
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
    let mut left = MOST_DRAINED;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            left = left.saturating_sub(length);
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LONGEST_DRAIN, reading).await;
}

/// A body to give away, and where it comes back when it is done with: handlers take a
/// request whole, and drop a body that they do not want.
pub(crate) fn lend(body: Body) -> (Body, oneshot::Receiver<Body>) {
    let (back, returned) = oneshot::channel();
    if body.is_end_stream() {
        return (body, returned);
    }
    (Body::new(Lent { body, back: Some(back) }), returned)
}

struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            // Nobody waits for it when the request itself was given up.
            let _ = back.send(std::mem::take(&mut self.body));
        }
    }
}
