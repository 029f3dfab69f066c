//! The one bounded pool of memory for bytes on their way through the process.
//!
//! Whoever keeps bytes between two network or disk operations holds a [`Share`] of the pool
//! for them. That bounds the memory of any number of downloads and uploads together. Three
//! rules keep it from jamming:
//! - who waits for a share holds none (a writer first passes on what it holds);
//! - the more is in use, the smaller the shares get, so slow clients cannot take all of it;
//! - in the last quarter, nothing is kept any longer than one operation takes.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the pool is counted in: a page. Smaller pieces count as one, since they are likely
/// to keep more memory alive than they show.
const UNIT: usize = 4096;

/// The usual size of a read, in bytes. Measured over loopback, in processor time per GiB of
/// 1 MiB and 256 MiB blobs, against 512 KiB: 64 KiB takes 2.1 and 1.1 times as much, 256 KiB
/// 1.6 and 1.0 times, 1 MiB 1.3 and 1.1 times.
pub(crate) const CHUNK: usize = 512 * 1024;

/// The sizes in which memory is used again: a piece of what is gathered for an object store,
/// and a chunk. From the allocator, which keeps what one thread asked for apart from what
/// another did, 500 uploads took twice the pool.
const SIZES: [usize; 2] = [CHUNK / 2, CHUNK];

/// How many of each size are kept for reuse while most of the pool is free.
const SPARES: usize = 16;

/// The pool; clones share it.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    units: Arc<Semaphore>,
    total: usize,
    spares: [Mutex<Vec<Box<[u8]>>>; SIZES.len()],
}

/// A part of the pool. It flows back when dropped.
pub(crate) struct Share(OwnedSemaphorePermit);

impl Share {
    /// Takes in another share.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

/// Takes shares one after the other, from within a poll.
pub(crate) struct Claim {
    pool: Pool,
    waiting: Option<(usize, BoxFuture<'static, kit::Result<Share>>)>,
}

impl Claim {
    /// Nothing is claimed yet.
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool, waiting: None }
    }

    /// A share, and for how many bytes it is: as many as asked for when it was first asked for.
    pub(crate) fn poll_take(
        &mut self,
        bytes: usize,
        cx: &mut Context<'_>,
    ) -> Poll<kit::Result<(Share, usize)>> {
        let (bytes, share) = match &mut self.waiting {
            Some((bytes, share)) => (*bytes, share),
            None => {
                if let Some(share) = self.pool.try_take(bytes) {
                    return Poll::Ready(Ok((share, bytes)));
                }
                let pool = self.pool.clone();
                let share = async move { pool.take(bytes).await }.boxed();
                let (bytes, share) = self.waiting.insert((bytes, share));
                (*bytes, share)
            }
        };
        let share = ready!(share.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(share.map(|share| (share, bytes)))
    }

    /// The pool it takes from.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }
}

/// How much of the pool is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pressure {
    /// At least half is free.
    Low,
    /// At least a quarter is free.
    Some,
    /// Less than a quarter is free.
    High,
}

impl Pool {
    /// A pool of so many bytes; never less than 1 MiB, and at most 16 TiB.
    pub(crate) fn new(bytes: usize) -> Self {
        let total = (bytes / UNIT).clamp(256, u32::MAX as usize);
        Self(Arc::new(Inner {
            units: Arc::new(Semaphore::new(total)),
            total,
            spares: Default::default(),
        }))
    }

    /// A share for so many bytes, if that much is free. One that is larger than the pool
    /// counts as the whole pool.
    pub(crate) fn try_take(&self, bytes: usize) -> Option<Share> {
        let permits = self.0.units.clone().try_acquire_many_owned(self.units_for(bytes));
        permits.ok().map(Share)
    }

    /// A share for so many bytes, as soon as it is free; first come, first served. The caller
    /// must hold no other share that does not flow back without it.
    pub(crate) async fn take(&self, bytes: usize) -> kit::Result<Share> {
        let permits = self.0.units.clone().acquire_many_owned(self.units_for(bytes)).await;
        permits.map(Share).map_err(kit::Error::internal)
    }

    /// How much of it is in use.
    pub(crate) fn pressure(&self) -> Pressure {
        let free = self.0.units.available_permits();
        if free >= self.0.total / 2 {
            Pressure::Low
        } else if free >= self.0.total / 4 {
            Pressure::Some
        } else {
            Pressure::High
        }
    }

    /// How many bytes to read at once just now.
    pub(crate) fn chunk(&self) -> usize {
        match self.pressure() {
            Pressure::Low => CHUNK,
            Pressure::Some => CHUNK / 4,
            Pressure::High => CHUNK / 16,
        }
    }

    /// Memory to read into, on a share that covers it.
    pub(crate) fn buffer(&self, share: Share, size: usize) -> Buffer {
        let mut buffer = self.memory(size);
        buffer.share = Some(share);
        buffer
    }

    /// Memory for bytes that a share covers, which its holder keeps.
    pub(crate) fn memory(&self, length: usize) -> Buffer {
        let of_size = SIZES.iter().position(|size| (size / 2 + 1..=*size).contains(&length));
        let memory = match of_size {
            Some(of) => self.0.spares[of].lock().pop().unwrap_or_else(|| zeroed(SIZES[of])),
            None => zeroed(length),
        };
        Buffer { memory, length, pool: self.clone(), share: None }
    }

    /// Takes memory back, to be used again soon if the pool is busy.
    fn take_back(&self, memory: Box<[u8]>) {
        let Some(of_size) = SIZES.iter().position(|size| *size == memory.len()) else {
            return;
        };
        let mut spares = self.0.spares[of_size].lock();
        spares.push(memory);
        if self.pressure() == Pressure::Low {
            spares.truncate(SPARES);
        }
    }

    fn units_for(&self, bytes: usize) -> u32 {
        let units = bytes.div_ceil(UNIT).clamp(1, self.0.total);
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    /// How many bytes are free.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.0.units.available_permits() * UNIT
    }
}

/// Bytes that came in memory of their own, and the share that covers it for as long as
/// anybody holds them.
pub(crate) fn covered(bytes: Bytes, share: Share) -> Bytes {
    struct Covered(Bytes, #[expect(dead_code, reason = "held")] Share);
    impl AsRef<[u8]> for Covered {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    Bytes::from_owner(Covered(bytes, share))
}

fn zeroed(size: usize) -> Box<[u8]> {
    vec![0; size].into_boxed_slice()
}

/// Initialised memory from the pool. It flows back when the last [`Bytes`] made of it is
/// dropped, which for a response is when the kernel has taken them.
pub(crate) struct Buffer {
    memory: Box<[u8]>,
    length: usize,
    pool: Pool,
    /// Held as long as the memory, unless another holder covers it.
    share: Option<Share>,
}

impl Buffer {
    /// What to read into, as long as asked for.
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }

    /// The first so many bytes, as they were read.
    pub(crate) fn into_bytes(mut self, length: usize) -> Bytes {
        self.length = self.length.min(length);
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.take_back(std::mem::take(&mut self.memory));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn never_gives_out_more_than_it_has() {
        let pool = Pool::new(1 << 20);
        let whole = pool.take(usize::MAX).await.unwrap();
        assert_eq!(pool.free(), 0);
        assert!(pool.try_take(1).is_none());
        drop(whole);
        assert_eq!(pool.free(), 1 << 20);
    }

    #[tokio::test]
    async fn shares_shrink_while_it_empties() {
        let pool = Pool::new(1 << 20);
        assert_eq!((pool.pressure(), pool.chunk()), (Pressure::Low, CHUNK));
        let _half = pool.take((1 << 19) + 1).await.unwrap();
        assert_eq!((pool.pressure(), pool.chunk()), (Pressure::Some, CHUNK / 4));
        let _more = pool.take(1 << 18).await.unwrap();
        assert_eq!((pool.pressure(), pool.chunk()), (Pressure::High, CHUNK / 16));
    }

    #[tokio::test]
    async fn bytes_return_their_memory() {
        let pool = Pool::new(1 << 20);
        let share = pool.take(CHUNK).await.unwrap();
        let mut buffer = pool.buffer(share, CHUNK);
        buffer.as_mut()[..5].copy_from_slice(b"haven");
        let bytes = buffer.into_bytes(5);
        let slice = bytes.slice(1..3);
        drop(bytes);
        assert_eq!(&slice[..], b"av");
        assert_eq!(pool.free(), (1 << 20) - CHUNK);
        drop(slice);
        assert_eq!(pool.free(), 1 << 20);
        assert_eq!(pool.0.spares[1].lock().len(), 1);
    }

    #[tokio::test]
    async fn what_a_busy_pool_used_goes_back_when_it_is_idle() {
        let pool = Pool::new(40 * CHUNK);
        let share = pool.take(40 * CHUNK).await.unwrap();
        let busy: Vec<Buffer> = (0..40).map(|_| pool.memory(CHUNK)).collect();
        let last = pool.memory(CHUNK);
        drop(busy);
        assert_eq!(pool.0.spares[1].lock().len(), 40);
        drop((share, last));
        assert_eq!(pool.0.spares[1].lock().len(), SPARES);
    }
}
