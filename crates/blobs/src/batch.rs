//! Bytes gathered on their way to the store, and the share of the pool that covers them.

use bytes::{Bytes, BytesMut};

use crate::pool::Share;

/// Pieces below this size are copied together. Each kept piece costs some memory of its own,
/// and a client that sends single bytes must not multiply what it sends.
const SMALL: usize = 4096;

/// How much memory small pieces are copied into at a time.
const TOGETHER: usize = 64 * 1024;

/// Bytes in order, as they came: large pieces are not copied.
#[derive(Default)]
pub(crate) struct Batch {
    pieces: Vec<Bytes>,
    /// Small pieces being copied together; they come after all others.
    small: BytesMut,
    bytes: usize,
    share: Option<Share>,
    covered: usize,
}

impl Batch {
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
    pub(crate) fn push(&mut self, bytes: Bytes) {
        self.bytes += bytes.len();
        if bytes.len() < SMALL {
            if self.small.capacity() - self.small.len() < bytes.len() {
                self.close_small();
                self.small.reserve(TOGETHER);
            }
            self.small.extend_from_slice(&bytes);
            return;
        }
        self.close_small();
        self.pieces.push(bytes);
    }

    /// The pieces in order, and the share to be held as long as they are.
    pub(crate) fn take(&mut self) -> (Vec<Bytes>, Option<Share>) {
        self.close_small();
        let taken = std::mem::take(self);
        (taken.pieces, taken.share)
    }

    fn close_small(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push(self.small.split().freeze());
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
        let mut batch = Batch::default();
        batch.cover(pool.take(300_000).await.unwrap(), 300_000);
        let content: Vec<u8> =
            (0..260_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        let mut rest = Bytes::from(content.clone());
        for size in [1, 4095, 4096, 2, 3, 100_000].into_iter().chain(std::iter::repeat_n(7, 20_000))
        {
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
