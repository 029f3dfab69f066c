//! What every store promises about keeping house.

use std::{collections::HashSet, time::Duration};

use kit::{Clock, Kind};
use oci::Algorithm;

use crate::backend::{Backend, content, id, listed, push, read_all, sha256, write_chunk};

pub async fn deleted_blobs_are_gone(backend: &Backend) {
    let store = backend.open().await;
    let mut keys = Vec::new();
    for n in 0..5 {
        keys.push(push(&store, &content(1000 + n, 50)).await.key);
    }
    let (kept, deleted) = keys.split_first().unwrap();
    store.delete(deleted).await.unwrap();
    store.delete(deleted).await.unwrap();
    store.delete(&[]).await.unwrap();
    assert_eq!(listed(&store).await.keys().collect::<Vec<_>>(), [kept]);
    let gone = store.read(&deleted[0], 1001, 0..1001).await.map(|_| ()).unwrap_err();
    assert!(gone.is(Kind::NotFound));

    // What is pushed again is there again.
    let again = push(&store, &content(1001, 50)).await;
    assert_eq!(read_all(&store, &again).await, content(1001, 50));
}

pub async fn every_blob_is_listed_once(backend: &Backend) {
    let store = backend.open().await;
    assert!(listed(&store).await.is_empty());
    let mut expected = std::collections::HashMap::new();
    for n in 0..12 {
        let stored = push(&store, &content(100 * n, 51)).await;
        expected.insert(stored.key, stored.size);
    }
    let large = push(&store, &content(6_000_000, 52)).await;
    expected.insert(large.key, large.size);
    assert_eq!(listed(&store).await, expected);
}

pub async fn the_sweep_takes_what_nobody_knows(backend: &Backend) {
    let store = backend.open().await;
    let (bytes, more) = (content(6 * 1024 * 1024, 53), content(1000, 54));
    let blob = push(&store, &more).await;
    let known = write_chunk(&store, store.begin(&id()), &bytes).await;
    write_chunk(&store, store.begin(&id()), &bytes).await;
    write_chunk(&store, store.begin(&id()), &bytes).await;
    let keep = HashSet::from([known.id.clone()]);

    let now = Clock::System.now();
    let hour = Duration::from_secs(3600);
    assert_eq!(store.sweep_uploads(now.before(hour), &keep).await.unwrap(), 0);
    assert!(store.sweep_uploads(now.after(hour), &keep).await.unwrap() >= 2);
    assert_eq!(store.sweep_uploads(now.after(hour), &keep).await.unwrap(), 0);

    assert_eq!(read_all(&store, &blob).await, more);
    let known = write_chunk(&store, known, &more).await;
    let writer = store.resume(known, Algorithm::Sha256).await.unwrap();
    let stored = writer.finish(&sha256(&[bytes, more].concat())).await.unwrap();
    assert_eq!(stored.size, 6 * 1024 * 1024 + 1000);
}

pub async fn a_store_answers_for_its_health(backend: &Backend) {
    let store = backend.open().await;
    store.check().await.unwrap();
    store.room().await.unwrap();
    assert!(listed(&store).await.is_empty());
}
