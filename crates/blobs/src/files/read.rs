//! Reading a blob from its file.
//!
//! What the kernel has in memory is opened and read right on the connection's task, in large
//! pieces and without waking another thread; both calls refuse instead of waiting for the disk
//! (`RESOLVE_CACHED`, `RWF_NOWAIT`), and only then a blocking thread does it. Over a plain
//! connection, large ranges are not read at all: the kernel sends them (`mapped.rs`).

use std::{
    fs::File,
    future::Future,
    io::{self, ErrorKind, IoSliceMut},
    ops::Range,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::{Errno, ReadWriteFlags},
};
use tokio::task::{JoinHandle, spawn_blocking};

use super::Files;
use crate::{
    Key,
    error::{disk, lost_task, missing},
    mapped::{is_loaded, map},
    pool::{Buffer, Claim, Pool, Share},
};

/// Ranges up to this size are read before the answer begins, so that head and body leave in
/// one write.
const AT_ONCE: u64 = 64 * 1024;

/// How many bytes are given at once that the kernel is to send.
const UNREAD: usize = 1024 * 1024;

/// The bytes of a range of a file, a chunk at a time.
pub(crate) struct FileReader {
    file: Arc<File>,
    /// All that is still to come, if nobody is to read it.
    unread: Option<Bytes>,
    offset: u64,
    end: u64,
    claim: Claim,
    reading: Option<JoinHandle<io::Result<Buffer>>>,
}

/// What reading a range begins with.
pub(crate) enum Begun {
    /// All of it is here.
    Whole(Bytes),
    /// It comes chunk by chunk.
    Stream(FileReader),
}

impl Files {
    /// Opens a blob for reading a range of it.
    ///
    /// # Errors
    /// Not found (blob) if the file is not there or too short.
    pub(crate) async fn read(
        &self,
        pool: &Pool,
        key: &Key,
        range: Range<u64>,
    ) -> kit::Result<Begun> {
        let opened = match self.open_cached(key) {
            Err(error) if must_wait(error) => {
                let path = self.path(key);
                spawn_blocking(move || File::open(path)).await.map_err(lost_task)?
            }
            opened => opened.map_err(io::Error::from),
        };
        let file = opened.map_err(|error| unreadable(key, error))?;
        let wanted = range.end - range.start;
        if wanted > AT_ONCE {
            let length = file.metadata().map_err(disk("measure a blob"))?.len();
            if length < range.end {
                return Err(missing(key));
            }
            let reader = FileReader::new(file, range, pool.clone());
            return Ok(Begun::Stream(reader));
        }
        let size = usize::try_from(wanted).map_err(kit::Error::internal)?;
        let share = match pool.try_take(size) {
            Some(share) => share,
            None => pool.take(size).await?,
        };
        let mut buffer = pool.buffer(share, size);
        if read_cached(&file, buffer.as_mut(), range.start) != Ok(size) {
            let read = spawn_blocking(move || {
                file.read_exact_at(buffer.as_mut(), range.start).map(|()| buffer)
            });
            buffer = read.await.map_err(lost_task)?.map_err(|error| unreadable(key, error))?;
        }
        Ok(Begun::Whole(buffer.into_bytes(size)))
    }

    /// Opens a blob if that needs no disk.
    fn open_cached(&self, key: &Key) -> Result<File, Errno> {
        let opened = rustix::fs::openat2(
            &self.0.root_folder,
            key.as_str(),
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::CACHED,
        );
        opened.map(File::from)
    }
}

/// Whether a call that must not wait refused for that reason, or because this kernel or file
/// system knows no such call.
fn must_wait(error: Errno) -> bool {
    matches!(error, Errno::AGAIN | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM)
}

fn unreadable(key: &Key, error: io::Error) -> kit::Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::UnexpectedEof => missing(key),
        _ => disk("read a blob")(error),
    }
}

/// Reads what the kernel has in memory.
fn read_cached(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    if buffer.is_empty() {
        return Ok(0);
    }
    rustix::io::preadv2(file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT)
}

impl FileReader {
    fn new(file: File, range: Range<u64>, pool: Pool) -> Self {
        Self {
            file: Arc::new(file),
            unread: None,
            offset: range.start,
            end: range.end,
            claim: Claim::new(pool),
            reading: None,
        }
    }

    /// How many bytes are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.end - self.offset
    }

    /// Gives bytes that the kernel is to send, if it can tell whether it has them.
    pub(crate) fn unread(&mut self) {
        if is_loaded(&self.file, self.offset, 1).is_ok() {
            self.unread = map(&self.file, self.offset..self.end).ok();
        }
    }

    /// The next bytes; none at the end.
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining() == 0 {
            return Poll::Ready(None);
        }
        if let Some(unread) = &mut self.unread {
            let bytes = unread.split_to(unread.len().min(UNREAD));
            self.offset += bytes.len() as u64;
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.reading.is_none() {
            let left = usize::try_from(self.remaining()).unwrap_or(usize::MAX);
            let size = left.min(self.claim.pool().chunk());
            let (share, size) = ready!(self.claim.poll_take(size, cx)).map_err(io::Error::other)?;
            if let Some(bytes) = self.read(share, size)? {
                return Poll::Ready(Some(Ok(bytes)));
            }
        }
        let Some(task) = &mut self.reading else { return Poll::Ready(None) };
        let ended = ready!(Pin::new(task).poll(cx));
        self.reading = None;
        let buffer = ended.map_err(io::Error::other)??;
        let length = buffer.as_ref().len();
        Poll::Ready(Some(Ok(self.pass_on(buffer, length))))
    }

    /// Reads a chunk, or has a blocking thread begin to read it if that needs the disk.
    fn read(&mut self, share: Share, size: usize) -> io::Result<Option<Bytes>> {
        let mut buffer = self.claim.pool().buffer(share, size);
        match read_cached(&self.file, buffer.as_mut(), self.offset) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => Ok(Some(self.pass_on(buffer, length))),
            Err(error) if must_wait(error) => {
                let (file, offset) = (self.file.clone(), self.offset);
                let read = move || file.read_exact_at(buffer.as_mut(), offset).map(|()| buffer);
                self.reading = Some(spawn_blocking(read));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn pass_on(&mut self, buffer: Buffer, length: usize) -> Bytes {
        self.offset += length as u64;
        buffer.into_bytes(length)
    }
}
