//! Bytes gathered on their way to the store, and the share of the pool that covers them.

use bytes::Bytes;

use crate::pool::{Buffer, Pool, Share};

/// Bytes in order, in as many pieces as it takes.
pub(crate) struct Batch {
    gather: Gather,
    pool: Pool,
    pieces: Vec<Bytes>,
    /// What is being copied together, and how much of it is there; it comes after all pieces.
    open: Option<(Buffer, usize)>,
    bytes: usize,
    share: Option<Share>,
    covered: usize,
}

/// How bytes are gathered.
#[derive(Clone, Copy)]
pub(crate) enum Gather {
    /// Pieces are kept as they came, to be written at once. Only small ones are copied
    /// together: each kept piece costs memory of its own, and a client that sends single bytes
    /// must not multiply what it sends.
    AsTheyCame,
    /// All bytes are copied together, to be kept for long. A piece from the network keeps
    /// about twice its size alive, because it is cut out of a buffer that was not full; and
    /// while it is kept, that buffer cannot be used again. Measured: 500 uploads took half as
    /// much memory again without the copy.
    Copied,
}

impl Gather {
    /// Pieces below this size are copied together.
    fn copied_below(self) -> usize {
        match self {
            Self::AsTheyCame => 4096,
            Self::Copied => usize::MAX,
        }
    }

    /// How much memory is copied into at a time.
    fn together(self) -> usize {
        match self {
            Self::AsTheyCame => 64 * 1024,
            Self::Copied => 256 * 1024,
        }
    }
}

impl Batch {
    /// Nothing yet.
    pub(crate) fn new(gather: Gather, pool: Pool) -> Self {
        Self { gather, pool, pieces: Vec::new(), open: None, bytes: 0, share: None, covered: 0 }
    }

    /// How many bytes it holds.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// How many bytes its share still covers.
    pub(crate) fn room(&self) -> usize {
        self.covered.saturating_sub(self.bytes)
    }

    /// How many bytes its share covers altogether.
    pub(crate) fn covered(&self) -> usize {
        self.covered
    }

    /// Adds a share for more bytes.
    pub(crate) fn cover(&mut self, share: Share, bytes: usize) {
        self.covered += bytes;
        match &mut self.share {
            Some(held) => held.merge(share),
            None => self.share = Some(share),
        }
    }

    /// Adds bytes, which the share must cover.
    pub(crate) fn push(&mut self, mut bytes: Bytes) {
        self.bytes += bytes.len();
        if bytes.len() >= self.gather.copied_below() {
            self.close();
            self.pieces.push(bytes);
            return;
        }
        while !bytes.is_empty() {
            let (buffer, filled) =
                self.open.get_or_insert_with(|| (self.pool.memory(self.gather.together()), 0));
            let free = &mut buffer.as_mut()[*filled..];
            let fitting = bytes.len().min(free.len());
            let full = fitting == free.len();
            free[..fitting].copy_from_slice(&bytes.split_to(fitting));
            *filled += fitting;
            if full {
                self.close();
            }
        }
    }

    /// The pieces in order, and the share to be held as long as they are.
    pub(crate) fn take(&mut self) -> (Vec<Bytes>, Option<Share>) {
        self.close();
        let taken = std::mem::replace(self, Self::new(self.gather, self.pool.clone()));
        (taken.pieces, taken.share)
    }

    fn close(&mut self) {
        if let Some((buffer, filled)) = self.open.take() {
            self.pieces.push(buffer.into_bytes(filled));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::pool::Pool;

    #[tokio::test]
    async fn keeps_the_order_and_joins_what_is_small() {
        let pool = Pool::new(1 << 20);
        let content: Vec<u8> =
            (0..260_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        for gather in [Gather::AsTheyCame, Gather::Copied] {
            let mut batch = Batch::new(gather, pool.clone());
            batch.cover(pool.take(300_000).await.unwrap(), 300_000);
            let mut rest = Bytes::from(content.clone());
            let sizes = [1, 4095, 4096, 2, 3, 100_000];
            for size in sizes.into_iter().chain(std::iter::repeat_n(7, 20_000)) {
                batch.push(rest.split_to(size.min(rest.len())));
            }
            batch.push(rest);
            assert_eq!((batch.len(), batch.room()), (260_000, 40_000));
            let (pieces, share) = batch.take();
            assert!(pieces.len() < 12, "{} pieces", pieces.len());
            assert_eq!(pieces.concat(), content);
            assert_eq!((batch.len(), batch.room()), (0, 0));
            drop(share);
            assert_eq!(pool.free(), 1 << 20);
        }
    }
}
