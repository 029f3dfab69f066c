//! Reading a blob from its object.

use std::{
    io,
    ops::Range,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use oci::{Algorithm, Digest, Hasher};
use tokio::time::timeout;

use super::{ANSWER, Objects, client::RECEIVED, is_out_of_reach, unavailable, unreadable};
use crate::{
    Key,
    error::missing,
    pool::{Claim, Pool, Share, covered},
};

/// The bytes of a range of an object, as they come from the server. An interrupted answer is
/// asked for again from where it broke.
pub(crate) struct ObjectReader {
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    claim: Claim,
    share: Option<Share>,
}

impl Objects {
    /// Opens a blob of a known size for reading a range of it.
    ///
    /// # Errors
    /// Not found (blob) if the object is not there or too short.
    pub(crate) async fn read(
        &self,
        pool: &Pool,
        key: &Key,
        size: u64,
        range: Range<u64>,
    ) -> kit::Result<ObjectReader> {
        let path = self.path(key)?;
        if range.is_empty() {
            self.0.bucket.head(&path).await.map_err(|error| unreadable(key, error))?;
            return Ok(ObjectReader::new(futures_util::stream::empty().boxed(), pool));
        }
        let is_whole = range == (0..size);
        let options = GetOptions {
            range: (!is_whole).then(|| GetRange::Bounded(range.clone())),
            ..GetOptions::default()
        };
        let answer = match self.0.bucket.get_opts(&path, options).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.why_not(key, size, error).await),
        };
        if answer.meta.size < size {
            return Err(missing(key));
        }
        Ok(ObjectReader::new(answer.into_stream(), pool))
    }

    /// Tells an object that is too short from a server that fails. A server that was not
    /// reached is not asked again: who waits has waited long enough.
    async fn why_not(&self, key: &Key, size: u64, error: object_store::Error) -> kit::Error {
        if matches!(error, object_store::Error::Generic { .. })
            && !is_out_of_reach(&error)
            && let Ok(path) = self.path(key)
            && let Ok(Ok(object)) = timeout(ANSWER, self.0.bucket.head(&path)).await
            && object.size < size
        {
            return missing(key);
        }
        unreadable(key, error)
    }

    /// Reads a whole object and computes its digest.
    pub(crate) async fn digest(&self, key: &Key, algorithm: Algorithm) -> kit::Result<Digest> {
        let path = self.path(key)?;
        let answer = self.0.bucket.get(&path).await.map_err(|error| unreadable(key, error))?;
        let mut stream = answer.into_stream();
        let mut hasher = Hasher::new(algorithm);
        while let Some(bytes) = stream.next().await {
            hasher.update(&bytes.map_err(unavailable)?);
        }
        Ok(hasher.finish())
    }

    /// All bytes of a small object.
    pub(super) async fn fetch(&self, key: &Key) -> object_store::Result<Bytes> {
        let path = self.path(key).map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        self.0.bucket.get(&path).await?.bytes().await
    }
}

impl ObjectReader {
    fn new(stream: BoxStream<'static, object_store::Result<Bytes>>, pool: &Pool) -> Self {
        let claim = Claim::new(pool.clone());
        Self { stream, claim, share: None }
    }

    /// The next bytes; none at the end. A share of the pool is taken before they are asked
    /// for: while there is none, the server is not read from either.
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.share.is_none() {
            let taken = ready!(self.claim.poll_take(RECEIVED, cx));
            self.share = Some(taken.map_err(io::Error::other)?.0);
        }
        let bytes = ready!(self.stream.poll_next_unpin(cx));
        let bytes = bytes.map(|bytes| bytes.map_err(io::Error::other));
        Poll::Ready(match (bytes, self.share.take()) {
            (Some(Ok(bytes)), Some(share)) => Some(Ok(covered(bytes, share))),
            (other, _) => other,
        })
    }
}
