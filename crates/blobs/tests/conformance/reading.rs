//! What every store promises about reading.

use blobs::{Key, Store, Stored};
use http_body_util::BodyExt;
use kit::{Kind, Subject};

use crate::backend::{Backend, content, push, read};

pub async fn every_range_is_exact(backend: &Backend) {
    let store = backend.open().await;
    let size = 1_500_000_u64;
    let bytes = content(1_500_000, 40);
    let stored = push(&store, &bytes).await;
    let ranges = [
        0..0,
        0..1,
        0..size,
        size - 1..size,
        size..size,
        1..size - 1,
        4095..4097,
        100..65_636,
        100..65_637,
        262_143..262_145,
        700_000..1_400_000,
    ];
    for range in ranges {
        let expected = bytes.slice(range.start as usize..range.end as usize);
        assert_eq!(read(&store, &stored, range.clone()).await, expected, "{range:?}");
        let mut reader = store.read(&stored.key, size, range.clone()).await.unwrap();
        reader.unread();
        assert_eq!(reader.collect().await.unwrap().to_bytes(), expected, "{range:?}, unread");
    }
}

pub async fn a_range_outside_is_refused(backend: &Backend) {
    let store = backend.open().await;
    let stored = push(&store, &content(100, 41)).await;
    #[expect(clippy::reversed_empty_ranges)]
    for range in [0..101, 101..101, 5..4, 0..u64::MAX] {
        let refused = store.read(&stored.key, 100, range).await.map(|_| ()).unwrap_err();
        assert!(refused.is(Kind::Range));
    }
}

pub async fn a_missing_blob_is_not_found(backend: &Backend) {
    let store = backend.open().await;
    for key in ["docker/registry/v2/blobs/sha256/00/00/data", "haven/blobs/00/x.0", "x"] {
        for size in [0, 10, 1_000_000] {
            assert_missing(&store, &Stored { key: Key::new(key).unwrap(), size }).await;
        }
    }
}

pub async fn a_blob_too_short_for_its_row_is_not_found(backend: &Backend) {
    let store = backend.open().await;
    let mut stored = push(&store, &content(200_000, 42)).await;
    for size in [200_001, 400_000] {
        stored.size = size;
        assert_missing(&store, &stored).await;
        let tail = store.read(&stored.key, size, 200_000..size).await.map(|_| ()).unwrap_err();
        assert_eq!((tail.kind, tail.subject), (Kind::NotFound, Subject::Blob));
    }
}

async fn assert_missing(store: &Store, stored: &Stored) {
    let error = store.read(&stored.key, stored.size, 0..stored.size).await.map(|_| ()).unwrap_err();
    assert_eq!((error.kind, error.subject), (Kind::NotFound, Subject::Blob), "{stored:?}");
}

pub async fn a_reader_keeps_what_it_opened(backend: &Backend) {
    let store = backend.open().await;
    let bytes = content(100_000, 43);
    let stored = push(&store, &bytes).await;
    let reader = store.read(&stored.key, stored.size, 0..stored.size).await.unwrap();
    store.delete(std::slice::from_ref(&stored.key)).await.unwrap();
    assert_eq!(reader.collect().await.unwrap().to_bytes(), bytes);
}
