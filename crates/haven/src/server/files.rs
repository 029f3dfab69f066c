//! Files on their way to a plain socket, sent by the kernel.
//!
//! A response's body may be bytes that nobody has read ([`Unread`]). Of a write that has them,
//! this sends what stands before them from memory and then that part of the file. The thread
//! never waits for the disk: what the kernel does not have in memory is first loaded by a
//! blocking thread.

use std::{
    future::Future,
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use blobs::Unread;
use rustix::{
    io::Errno,
    net::{SendAncillaryBuffer, SendFlags},
};
use tokio::{
    io::Interest,
    net::TcpStream,
    task::{JoinHandle, spawn_blocking},
};
use tokio_rustls::server::TlsStream;

/// A stream of bytes that may be a plain socket.
pub(super) trait Wire {
    /// The socket, if bytes go to it as they are.
    fn plain(&self) -> Option<&TcpStream>;
}

impl Wire for TcpStream {
    fn plain(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

impl Wire for TlsStream<TcpStream> {
    fn plain(&self) -> Option<&TcpStream> {
        None
    }
}

/// The files that one connection sends.
#[derive(Default)]
pub(super) struct Files {
    /// Addresses of bytes that the kernel was found to have. Should they be another file's by
    /// now, a thread may wait for the disk once.
    loaded: Range<usize>,
    loading: Option<JoinHandle<io::Result<()>>>,
}

impl Files {
    /// Writes as much as the socket takes, if there is anything unread among these pieces;
    /// otherwise none, and they are to be written as usual.
    pub(super) fn poll_write(
        &mut self,
        socket: &TcpStream,
        pieces: &[IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> Option<Poll<io::Result<usize>>> {
        let (count, unread) = pieces
            .iter()
            .enumerate()
            .find_map(|(count, piece)| Some((count, Unread::at(piece)?)))?;
        if count > 0 {
            return Some(poll_write(socket, cx, || send_before_more(socket, &pieces[..count])));
        }
        let addresses = pieces[0].as_ptr_range();
        let addresses = addresses.start.addr()..addresses.end.addr();
        match self.poll_load(&unread, addresses, cx) {
            Poll::Ready(Ok(())) => {}
            other => return Some(other.map_ok(|()| 0)),
        }
        let sent = poll_write(socket, cx, || send(socket, &unread));
        match sent {
            // A file system whose files the kernel cannot send: they are read after all.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => None,
            sent => Some(sent),
        }
    }

    /// Makes sure that the kernel has the bytes behind these addresses.
    fn poll_load(
        &mut self,
        unread: &Unread,
        addresses: Range<usize>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.loaded.contains(&addresses.start) && addresses.end <= self.loaded.end {
            return Poll::Ready(Ok(()));
        }
        if self.loading.is_none() && !unread.is_loaded() {
            let unread = unread.clone();
            self.loading = Some(spawn_blocking(move || unread.load()));
        }
        if let Some(loading) = &mut self.loading {
            let ended = ready!(Pin::new(loading).poll(cx));
            self.loading = None;
            ended.map_err(io::Error::other)??;
        }
        self.loaded = addresses;
        Poll::Ready(Ok(()))
    }
}

/// Writes as soon as the socket takes something.
fn poll_write(
    socket: &TcpStream,
    cx: &mut Context<'_>,
    mut write: impl FnMut() -> rustix::io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_write_ready(cx))?;
        match socket.try_io(Interest::WRITABLE, || write().map_err(io::Error::from)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return Poll::Ready(outcome),
        }
    }
}

/// Sends what stands before a file, to leave in one packet with the beginning of it.
fn send_before_more(socket: &TcpStream, pieces: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
    let mut nothing = SendAncillaryBuffer::default();
    rustix::net::sendmsg(socket, pieces, &mut nothing, SendFlags::MORE | SendFlags::NOSIGNAL)
}

fn send(socket: &TcpStream, unread: &Unread) -> rustix::io::Result<usize> {
    let (file, mut offset, length) = unread.place();
    match rustix::fs::sendfile(socket, file, Some(&mut offset), length) {
        // The file has become shorter, which no blob does. Nothing else may be sent for it.
        Ok(0) => Err(Errno::IO),
        outcome => outcome,
    }
}
