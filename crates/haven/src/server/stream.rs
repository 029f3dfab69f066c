//! A connection's stream of bytes: notes for the guard, files sent by the kernel, and the
//! beginning read twice.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    files::{Files, Wire},
    guard::Flow,
};

/// What an HTTP/2 client that knows whom it talks to begins with (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream that notes what happens to it.
pub(super) struct Stream<S> {
    inner: S,
    flow: Arc<Flow>,
    files: Files,
    /// Bytes read to tell HTTP/1.1 from HTTP/2, to be read again.
    put_back: [u8; PREFACE.len()],
    put_back_from: usize,
    put_back_to: usize,
}

impl<S> Stream<S> {
    /// Notes in `flow` what happens.
    pub(super) fn new(inner: S, flow: Arc<Flow>) -> Self {
        let put_back = [0; PREFACE.len()];
        Self { inner, flow, files: Files::default(), put_back, put_back_from: 0, put_back_to: 0 }
    }

    /// Notes how a write went.
    fn note<T>(
        &self,
        outcome: Poll<io::Result<T>>,
        written: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match &outcome {
            Poll::Pending => self.flow.bytes_wait(),
            Poll::Ready(Ok(done)) => self.flow.bytes_went(written(done)),
            Poll::Ready(Err(_)) => {}
        }
        outcome
    }
}

impl<S: AsyncRead + Unpin> Stream<S> {
    /// Whether the client begins with HTTP/2's preface. What was read for that is read
    /// again by whoever reads next.
    ///
    /// # Errors
    /// When the stream fails.
    pub(super) async fn begins_http2(&mut self) -> io::Result<bool> {
        std::future::poll_fn(|cx| {
            while self.put_back_to < PREFACE.len() {
                let from = self.put_back_to;
                let mut bytes = [0; PREFACE.len()];
                let mut buffer = ReadBuf::new(&mut bytes[from..]);
                ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer))?;
                let to = from + buffer.filled().len();
                self.flow.bytes_came();
                self.put_back[from..to].copy_from_slice(&bytes[from..to]);
                self.put_back_to = to;
                if to == from || self.put_back[..to] != PREFACE[..to] {
                    return Poll::Ready(Ok(false));
                }
            }
            Poll::Ready(Ok(true))
        })
        .await
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
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
        let outcome = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if outcome.is_ready() {
            self.flow.bytes_came();
        }
        outcome
    }
}

impl<S: AsyncWrite + Wire + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note(outcome, |written| *written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { inner, files, .. } = &mut *self;
        let sent = inner.plain().and_then(|socket| files.poll_write(socket, pieces, cx));
        let outcome =
            sent.unwrap_or_else(|| Pin::new(&mut self.inner).poll_write_vectored(cx, pieces));
        self.note(outcome, |written| *written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(cx);
        self.note(outcome, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.note(outcome, |()| 0)
    }
}
