//! A store under test, opened as often as a test likes, and what tests do with it all the time.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use blobs::{Key, Options, Place, Store, Stored, Upload};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::BodyExt;
use kit::Clock;
use oci::{Algorithm, Digest};

/// A place of its own for one test.
pub struct Backend {
    pub place: Place,
    /// Kept for as long as the test runs.
    pub _folder: Option<tempfile::TempDir>,
}

impl Backend {
    /// Opens the store as a new process would.
    pub async fn open(&self) -> Store {
        self.open_with(&Options::default()).await
    }

    pub async fn open_with(&self, options: &Options) -> Store {
        Store::open(&self.place, options).await.unwrap()
    }

    /// Leaves nothing behind on the server.
    pub async fn clear(self) {
        let store = self.open().await;
        let keys: Vec<_> = listed(&store).await.into_keys().collect();
        store.delete(&keys).await.unwrap();
        let later = Clock::System.now().after(std::time::Duration::from_secs(3600));
        store.sweep_uploads(later, &HashSet::new()).await.unwrap();
    }
}

/// Bytes that look like nothing and are the same each time.
pub fn content(size: usize, seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

/// A new id for an upload.
pub fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Writes some bytes and pauses; the state passes through JSON, as it does in the database.
pub async fn write_chunk(store: &Store, upload: Upload, bytes: &Bytes) -> Upload {
    let mut writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    for piece in pieces(bytes, 100_000) {
        writer.write(piece).await.unwrap();
    }
    kept(&writer.pause().await.unwrap())
}

/// The state as it comes back from the database.
pub fn kept(upload: &Upload) -> Upload {
    serde_json::from_str(&serde_json::to_string(upload).unwrap()).unwrap()
}

/// Uploads a blob in one go.
pub async fn push(store: &Store, bytes: &Bytes) -> Stored {
    let mut writer = store.resume(store.begin(&id()), Algorithm::Sha256).await.unwrap();
    for piece in pieces(bytes, 300_000) {
        writer.write(piece).await.unwrap();
    }
    writer.finish(&sha256(bytes)).await.unwrap()
}

pub fn pieces(bytes: &Bytes, size: usize) -> impl Iterator<Item = Bytes> {
    let bytes = bytes.clone();
    let count = bytes.len().div_ceil(size);
    (0..count).map(move |n| bytes.slice(n * size..bytes.len().min((n + 1) * size)))
}

/// Reads a range as the body of a response.
pub async fn read(store: &Store, stored: &Stored, range: Range<u64>) -> Bytes {
    let length = range.end - range.start;
    let mut reader = store.read(&stored.key, stored.size, range).await.unwrap();
    assert_eq!(http_body::Body::size_hint(&reader).exact(), Some(length));
    // Copied: what a reader gives is memory of the pool, and all of it may be more.
    let mut bytes = Vec::new();
    while let Some(frame) = reader.frame().await {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    bytes.into()
}

pub async fn read_all(store: &Store, stored: &Stored) -> Bytes {
    read(store, stored, 0..stored.size).await
}

/// All blobs in the store, with their sizes.
pub async fn listed(store: &Store) -> HashMap<Key, u64> {
    let entries: Vec<_> = store.list().try_collect().await.unwrap();
    let count = entries.len();
    let listed: HashMap<_, _> = entries.into_iter().map(|entry| (entry.key, entry.size)).collect();
    assert_eq!(listed.len(), count, "a blob is listed twice");
    listed
}

/// Waits for something that happens soon after, in the background.
pub async fn soon(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "it did not happen within 10 s");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
