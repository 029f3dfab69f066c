//! Taking the bytes of an upload.

use bytes::Bytes;
use kit::{
    Error, Kind, Subject,
    metrics::{Metrics, StoreOperation},
};
use oci::{Digest, Hasher};

use crate::{
    Key,
    error::unknown_upload,
    files::{FileWriter, Files},
    objects::{ObjectWriter, Objects},
    upload::Upload,
};

/// Takes the bytes of an upload in their order, hashing them as they pass.
///
/// Ends with [`Writer::pause`] or [`Writer::finish`]. Dropped without either, it forgets the
/// bytes it took, and the upload is as it was before.
pub struct Writer {
    pub(crate) upload: Upload,
    pub(crate) hasher: Option<Hasher>,
    pub(crate) sink: Sink,
    pub(crate) metrics: Metrics,
}

pub(crate) enum Sink {
    File(FileWriter),
    Object(ObjectWriter),
    /// The bytes lie in their place already; only the hash goes on.
    Published(Files),
}

/// A blob that lies in the store, durably.
///
/// Nothing else ever lies under its key, but the same upload finished twice may have the same:
/// never delete a key without making sure that no row names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
}

impl Writer {
    /// Takes the next bytes. Waits while the store is slower than the client, or while the
    /// bounded memory for bytes on their way is in use.
    ///
    /// # Errors
    /// Unavailable if the store fails or is full; the writer is then of no further use.
    pub async fn write(&mut self, bytes: Bytes) -> kit::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes);
        }
        self.upload.size += bytes.len() as u64;
        let writing = async {
            match &mut self.sink {
                Sink::File(file) => file.write(bytes).await,
                Sink::Object(object) => object.write(bytes).await,
                Sink::Published(_) => Ok(()),
            }
        };
        self.metrics.store(StoreOperation::Write).time(writing).await
    }

    /// How many bytes the upload has by now, with those of earlier chunks.
    pub fn size(&self) -> u64 {
        self.upload.size
    }

    /// Brings everything taken so far into the store, where it survives the end of this
    /// process, and gives the state to keep for the next chunk.
    ///
    /// It need not survive the machine's power failing: then the upload is found too short or
    /// is hashed again, but a wrong blob never comes of it.
    ///
    /// # Errors
    /// Unavailable if the store fails or is full.
    pub async fn pause(self) -> kit::Result<Upload> {
        let Self { mut upload, hasher, sink, .. } = self;
        upload.progress = match sink {
            Sink::File(file) => file.pause().await?,
            Sink::Object(object) => object.pause().await?,
            Sink::Published(_) => return Err(unknown_upload("its bytes are a blob already")),
        };
        upload.keep_hasher(hasher.as_ref());
        Ok(upload)
    }

    /// Makes the upload a blob, if it is what the digest says. The blob is durable and
    /// readable when this returns.
    ///
    /// # Errors
    /// Invalid (digest) if the content has another digest: then the upload is discarded.
    /// Unavailable if the store fails or is full.
    pub async fn finish(self, digest: &Digest) -> kit::Result<Stored> {
        let metrics = self.metrics.clone();
        metrics.store(StoreOperation::Commit).time(self.become_blob(digest)).await
    }

    async fn become_blob(mut self, digest: &Digest) -> kit::Result<Stored> {
        let algorithm = digest.algorithm();
        let running = self.hasher.take().filter(|hasher| hasher.algorithm() == algorithm);
        let mut actual = running.map(Hasher::finish);
        if actual.is_none()
            && let Sink::File(file) = &mut self.sink
        {
            actual = Some(file.digest(algorithm).await?);
        }
        if let Some(actual) = actual
            && actual != *digest
        {
            match self.sink {
                Sink::File(file) => file.discard().await?,
                Sink::Object(object) => object.discard().await?,
                Sink::Published(_) => {}
            }
            return Err(mismatch(digest, &actual));
        }
        match self.sink {
            Sink::File(file) => file.finish(digest).await,
            Sink::Object(object) if actual.is_some() => object.finish().await,
            Sink::Object(object) => finish_and_check(object, digest).await,
            Sink::Published(files) if actual.is_some() => files
                .published(&self.upload.id, digest, self.upload.size)
                .await?
                .ok_or_else(|| unknown_upload("its bytes are gone")),
            Sink::Published(_) => Err(unknown_upload("its bytes were not hashed so")),
        }
    }
}

/// Parts can only be read once they are one object, so an upload that was not hashed on its
/// way is completed first and checked then. No row names the object yet.
async fn finish_and_check(object: ObjectWriter, digest: &Digest) -> kit::Result<Stored> {
    let objects: Objects = object.objects();
    let stored = object.finish().await?;
    let actual = objects.digest(&stored.key, digest.algorithm()).await?;
    if actual != *digest {
        objects.delete(std::slice::from_ref(&stored.key)).await?;
        return Err(mismatch(digest, &actual));
    }
    Ok(stored)
}

fn mismatch(expected: &Digest, actual: &Digest) -> Error {
    let facts = vec![("expected", expected.to_string()), ("actual", actual.to_string())];
    Error::new(Kind::Invalid, "the content does not have this digest")
        .about(Subject::Digest)
        .with("digest mismatch", facts)
}
