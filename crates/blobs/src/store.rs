//! The verbs of the store.

use std::{collections::HashSet, ops::Range, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use kit::{
    Error, Kind, Time,
    metrics::{Metrics, StoreOperation},
};
use oci::Algorithm;
use url::Url;

use crate::{
    Key, Options, Place, Reader, Upload, Writer,
    files::{Begun, FileWriter, Files},
    objects::{ObjectWriter, Objects},
    pool::Pool,
    room::Room,
    writer::Sink,
};

/// The blob store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    backend: Backend,
    pool: Pool,
    room: Room,
    metrics: Metrics,
}

enum Backend {
    Files(Files),
    Objects(Objects),
}

/// A blob as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Time,
    /// The upload it came from, where the key tells. While that upload goes on, an entry
    /// without a row may hold its bytes and is no garbage.
    pub upload: Option<String>,
}

/// The disk of a store, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// What may be used.
    pub total: u64,
    /// What is free of it.
    pub free: u64,
}

impl Store {
    /// Opens a store and makes sure that it can be written.
    ///
    /// # Errors
    /// Unavailable, with the place's name, if it cannot.
    pub async fn open(place: &Place, options: &Options) -> kit::Result<Self> {
        let pool = Pool::new(options.buffers);
        let room = Room::new(options.free_space.clone());
        let backend = match place {
            Place::Files { root } => Backend::Files(Files::open(root.clone()).await?),
            Place::S3(place) => Backend::Objects(Objects::open(place, options.patience).await?),
        };
        let metrics = options.metrics.clone();
        Ok(Self(Arc::new(Inner { backend, pool, room, metrics })))
    }

    /// Whether the store is there and can be written.
    ///
    /// # Errors
    /// Unavailable if not.
    pub async fn check(&self) -> kit::Result<()> {
        match &self.0.backend {
            Backend::Files(files) => files.check().await,
            Backend::Objects(objects) => objects.check().await,
        }
    }

    /// Whether there is room for another upload: at least 5 % of the disk, so that deletes and
    /// the database can still commit. An object store always has room.
    ///
    /// # Errors
    /// Unavailable if there is not.
    pub async fn room(&self) -> kit::Result<()> {
        match &self.0.backend {
            Backend::Files(files) => self.0.room.check(files).await,
            Backend::Objects(_) => Ok(()),
        }
    }

    /// What kind of store it is, as Harbor names it.
    pub fn kind(&self) -> &'static str {
        match &self.0.backend {
            Backend::Files(_) => "filesystem",
            Backend::Objects(_) => "s3",
        }
    }

    /// The disk; none for an object store, which has no end.
    ///
    /// # Errors
    /// Unavailable if it cannot be measured.
    pub async fn volume(&self) -> kit::Result<Option<Volume>> {
        match &self.0.backend {
            Backend::Files(files) => files.volume().await.map(Some),
            Backend::Objects(_) => Ok(None),
        }
    }

    /// Opens a range of a blob for reading. The size is the whole blob's.
    ///
    /// # Errors
    /// Range if the range is not within the blob, not found (blob) if its bytes are missing,
    /// unavailable if the store fails.
    pub async fn read(&self, key: &Key, size: u64, range: Range<u64>) -> kit::Result<Reader> {
        if range.start > range.end || range.end > size {
            return Err(Error::new(Kind::Range, "the range is not within the blob"));
        }
        self.0.metrics.store(StoreOperation::Read).time(self.open_range(key, size, range)).await
    }

    async fn open_range(&self, key: &Key, size: u64, range: Range<u64>) -> kit::Result<Reader> {
        match &self.0.backend {
            Backend::Files(files) => match files.read(&self.0.pool, key, range).await? {
                Begun::Whole(bytes) => Ok(Reader::whole(bytes)),
                Begun::Stream(reader) => Ok(Reader::file(reader)),
            },
            Backend::Objects(objects) => {
                let length = range.end - range.start;
                Ok(Reader::object(objects.read(&self.0.pool, key, size, range).await?, length))
            }
        }
    }

    /// A link by which a client gets a blob from the object store itself, for a while. None if
    /// the store is not to be reached that way.
    ///
    /// # Errors
    /// Internal if the link cannot be signed.
    pub async fn link(&self, key: &Key, lifetime: Duration) -> kit::Result<Option<Url>> {
        match &self.0.backend {
            Backend::Files(_) => Ok(None),
            Backend::Objects(objects) => objects.link(key, lifetime).await,
        }
    }

    /// The state of a new upload. Nothing happens in the store yet. The id must be new: ASCII
    /// letters, digits, `-` and `_`, at most 64.
    pub fn begin(&self, id: &str) -> Upload {
        Upload::new(id)
    }

    /// Goes on with an upload after the bytes of its state; whatever came later is cut off.
    /// The algorithm counts for a new upload: it is the one hashed with while bytes come.
    ///
    /// An upload taken up twice from one state is safe for the later of the two; the earlier
    /// one can no longer finish.
    ///
    /// # Errors
    /// Not found (upload) if its bytes are gone, unavailable if the store fails.
    pub async fn resume(&self, upload: Upload, algorithm: Algorithm) -> kit::Result<Writer> {
        upload.check()?;
        let (sink, trusted) = match &self.0.backend {
            Backend::Files(files) => {
                let writer = FileWriter::resume(files, &self.0.pool, &upload).await?;
                (Sink::File(writer), files.wrote(&upload))
            }
            Backend::Objects(objects) => {
                let writer = ObjectWriter::resume(objects, &self.0.pool, &upload)?;
                (Sink::Object(writer), true)
            }
        };
        let hasher = if trusted { upload.hasher(algorithm) } else { None };
        Ok(Writer { upload, hasher, sink, metrics: self.0.metrics.clone() })
    }

    /// Goes on with an upload whose bytes have become a blob already, without the caller
    /// having come to write that down: its process ended in between. The writer only hashes;
    /// it finishes if all bytes together have the digest of a blob that lies in its place.
    /// None where that cannot be: the upload is then lost.
    pub fn resume_published(&self, upload: Upload) -> Option<Writer> {
        let Backend::Files(files) = &self.0.backend else { return None };
        let hasher = upload.hasher_so_far()?;
        let sink = Sink::Published(files.clone());
        Some(Writer { upload, hasher: Some(hasher), sink, metrics: self.0.metrics.clone() })
    }

    /// Removes what an upload left in the store. One that left nothing is fine.
    ///
    /// # Errors
    /// Unavailable if the store fails.
    pub async fn abort(&self, upload: &Upload) -> kit::Result<()> {
        upload.check()?;
        match &self.0.backend {
            Backend::Files(files) => files.abort(upload).await,
            Backend::Objects(objects) => objects.abort(&upload.progress).await,
        }
    }

    /// Removes blobs. One that is not there is fine.
    ///
    /// # Errors
    /// Unavailable if the store fails; some may be gone by then.
    pub async fn delete(&self, keys: &[Key]) -> kit::Result<()> {
        let deleting = async {
            match &self.0.backend {
                Backend::Files(files) => files.delete(keys).await,
                Backend::Objects(objects) => objects.delete(keys).await,
            }
        };
        self.0.metrics.store(StoreOperation::Delete).time(deleting).await
    }

    /// The content of a blob came once more: it takes the place of what is there, which heals
    /// bytes that were damaged, or goes where objects cannot be replaced without being copied.
    ///
    /// # Errors
    /// Unavailable if the store fails; then it is left for the sweep.
    pub async fn replace(&self, place: &Key, with: &Key) -> kit::Result<()> {
        match &self.0.backend {
            Backend::Files(files) => files.replace(place, with).await,
            Backend::Objects(objects) => objects.delete(std::slice::from_ref(with)).await,
        }
    }

    /// All blobs in the store, whether a row names them or not.
    pub fn list(&self) -> impl Stream<Item = kit::Result<Entry>> + Send + use<> {
        match &self.0.backend {
            Backend::Files(files) => files.list().left_stream(),
            Backend::Objects(objects) => objects.list().right_stream(),
        }
    }

    /// Removes what uploads left that are not among the ids to keep and were last written
    /// before a moment. Gives the number of things removed.
    ///
    /// # Errors
    /// Unavailable if the store fails; the next sweep goes on.
    pub async fn sweep_uploads(&self, before: Time, keep: &HashSet<String>) -> kit::Result<u64> {
        match &self.0.backend {
            Backend::Files(files) => files.sweep_uploads(before, keep.clone()).await,
            Backend::Objects(objects) => objects.sweep_uploads(before, keep).await,
        }
    }
}
