//! Taking the bytes of an upload.

use bytes::Bytes;
use kit::{Error, Kind, Subject};
use oci::{Digest, Hasher};

use crate::{Key, files::FileWriter, upload::Upload};

/// Takes the bytes of an upload in their order, hashing them as they pass.
///
/// Ends with [`Writer::pause`] or [`Writer::finish`]. Dropped without either, it forgets the
/// bytes it took, and the upload is as it was before.
pub struct Writer {
    pub(crate) upload: Upload,
    pub(crate) hasher: Option<Hasher>,
    pub(crate) sink: Sink,
}

pub(crate) enum Sink {
    File(FileWriter),
}

/// A blob that lies in the store, durably.
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
        match &mut self.sink {
            Sink::File(file) => file.write(bytes).await,
        }
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
        let Self {
            mut upload,
            hasher,
            sink,
        } = self;
        upload.progress = match sink {
            Sink::File(file) => file.pause().await?,
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
    pub async fn finish(mut self, digest: &Digest) -> kit::Result<Stored> {
        let running = self
            .hasher
            .take()
            .filter(|hasher| hasher.algorithm() == digest.algorithm());
        let actual = match running {
            Some(hasher) => hasher.finish(),
            None => self.read_back(digest).await?,
        };
        if actual != *digest {
            self.discard().await?;
            return Err(
                Error::new(Kind::Invalid, "the content does not have this digest")
                    .about(Subject::Digest)
                    .with(
                        "digest mismatch",
                        vec![
                            ("expected", digest.to_string()),
                            ("actual", actual.to_string()),
                        ],
                    ),
            );
        }
        match self.sink {
            Sink::File(file) => file.finish(digest).await,
        }
    }

    /// Hashes the whole content: it was announced under another algorithm, or hashed by
    /// another version.
    async fn read_back(&mut self, digest: &Digest) -> kit::Result<Digest> {
        match &mut self.sink {
            Sink::File(file) => file.digest(digest.algorithm()).await,
        }
    }

    async fn discard(self) -> kit::Result<()> {
        match self.sink {
            Sink::File(file) => file.discard().await,
        }
    }
}
