//! What every store promises about uploads.

use std::time::Duration;

use blobs::{Options, Upload};
use bytes::Bytes;
use http_body_util::BodyExt;
use kit::{Kind, Subject};
use oci::{Algorithm, Digest};

use crate::backend::{
    Backend, content, id, kept, listed, pieces, push, read_all, sha256, soon, write_chunk,
};

const MIB: usize = 1024 * 1024;

pub async fn a_blob_is_read_as_it_was_written(backend: &Backend) {
    let store = backend.open().await;
    for size in [1, 4095, 4096, 65_536, 65_537, 300_000, MIB - 1, MIB, MIB + 1, 7 * MIB + 3] {
        let bytes = content(size, 1);
        let stored = push(&store, &bytes).await;
        assert_eq!(stored.size, size as u64);
        assert_eq!(read_all(&store, &stored).await, bytes, "{size}");
    }
}

pub async fn no_byte_is_a_blob_too(backend: &Backend) {
    let store = backend.open().await;
    let nothing = Bytes::new();
    let stored = push(&store, &nothing).await;
    assert_eq!((stored.size, read_all(&store, &stored).await), (0, nothing.clone()));

    // Also after a pause without a byte, and with an empty piece.
    let mut writer = store.resume(store.begin(&id()), Algorithm::Sha512).await.unwrap();
    writer.write(Bytes::new()).await.unwrap();
    let upload = kept(&writer.pause().await.unwrap());
    assert_eq!(upload.size, 0);
    let writer = store.resume(upload, Algorithm::Sha512).await.unwrap();
    let stored = writer.finish(&Digest::of(Algorithm::Sha512, b"")).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, nothing);
}

pub async fn an_upload_survives_its_process(backend: &Backend) {
    let bytes = content(12 * MIB, 2);
    let mut upload = backend.open().await.begin(&id());
    for chunk in pieces(&bytes, 4_900_000) {
        let store = backend.open().await;
        upload = write_chunk(&store, upload, &chunk).await;
    }
    assert_eq!(upload.size, bytes.len() as u64);
    let store = backend.open().await;
    let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);
}

pub async fn many_chunks_of_odd_sizes_make_one_blob(backend: &Backend) {
    let store = backend.open().await;
    let bytes = content(64 * MIB, 3);
    let mut upload = store.begin(&id());
    let mut rest = bytes.clone();
    for size in [1, 5 * MIB, 3, 5 * MIB - 4, 10 * MIB + 1, 100, 20 * MIB, 7, 11 * MIB + 77] {
        upload = write_chunk(&store, upload, &rest.split_to(size)).await;
        assert_eq!(upload.size, (bytes.len() - rest.len()) as u64);
    }
    let mut writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    for piece in pieces(&rest, 12_345) {
        writer.write(piece).await.unwrap();
    }
    assert_eq!(writer.size(), bytes.len() as u64);
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);
}

pub async fn what_was_not_acknowledged_is_cut_off(backend: &Backend) {
    let store = backend.open().await;
    for (first, lost, second) in [(1000, 2000, 500), (6 * MIB, 7 * MIB, MIB), (0, 300_000, 10)] {
        let (first, lost, second) = (content(first, 4), content(lost, 5), content(second, 6));
        let acknowledged = write_chunk(&store, store.begin(&id()), &first).await;
        // This chunk reaches the store, but its state was never kept.
        write_chunk(&store, acknowledged.clone(), &lost).await;

        let upload = write_chunk(&backend.open().await, acknowledged, &second).await;
        let bytes = [first, second].concat();
        assert_eq!(upload.size, bytes.len() as u64);
        let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
        let stored = writer.finish(&sha256(&bytes)).await.unwrap();
        assert_eq!(read_all(&store, &stored).await, bytes);
    }
}

pub async fn a_writer_that_is_dropped_changes_nothing(backend: &Backend) {
    let store = backend.open().await;
    let (first, lost) = (content(6 * MIB, 7), content(6 * MIB, 8));
    let upload = write_chunk(&store, store.begin(&id()), &first).await;
    for _ in 0..3 {
        let mut writer = store.resume(upload.clone(), Algorithm::Sha256).await.unwrap();
        for piece in pieces(&lost, 200_000) {
            writer.write(piece).await.unwrap();
        }
        drop(writer);
    }
    let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    let stored = writer.finish(&sha256(&first)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, first);
}

pub async fn a_late_writer_reaches_nobody(backend: &Backend) {
    for size in [100_000, 6 * MIB] {
        let store = backend.open().await;
        let (first, wrong, right) = (content(size, 9), content(size, 10), content(size, 11));
        let upload = write_chunk(&store, store.begin(&id()), &first).await;

        let mut late = store.resume(upload.clone(), Algorithm::Sha256).await.unwrap();
        late.write(wrong.slice(..size / 2)).await.unwrap();
        let mut successor = backend.open().await.resume(upload, Algorithm::Sha256).await.unwrap();
        for (wrong, right) in pieces(&wrong.slice(size / 2..), 99_000).zip(pieces(&right, 198_000))
        {
            let _ = late.write(wrong).await;
            successor.write(right).await.unwrap();
        }
        let _ = late.pause().await;
        let bytes = Bytes::from([first, right].concat());
        // The successor ends with the right blob, or it is told to begin again; never does it
        // end with a wrong one.
        match successor.finish(&sha256(&bytes)).await {
            Ok(stored) => assert_eq!(read_all(&store, &stored).await, bytes),
            Err(error) => {
                assert_eq!((error.kind, error.subject), (Kind::NotFound, Subject::Upload));
            }
        }
    }
}

pub async fn a_wrong_digest_discards_the_upload(backend: &Backend) {
    let store = backend.open().await;
    for size in [0, 10, 6 * MIB] {
        let bytes = content(size, 12);
        for digest in
            [Digest::of(Algorithm::Sha256, b"another"), Digest::of(Algorithm::Sha512, b"another")]
        {
            let upload = write_chunk(&store, store.begin(&id()), &bytes).await;
            let writer = store.resume(upload.clone(), Algorithm::Sha256).await.unwrap();
            let error = writer.finish(&digest).await.unwrap_err();
            assert_eq!((error.kind, error.subject), (Kind::Invalid, Subject::Digest));
            if size > 0 {
                assert!(is_gone(&store, upload).await);
            }
        }
    }
    assert!(listed(&store).await.is_empty());
}

/// Whether nothing can come of an upload any more.
async fn is_gone(store: &blobs::Store, upload: Upload) -> bool {
    let mut writer = match store.resume(upload, Algorithm::Sha256).await {
        Ok(writer) => writer,
        Err(error) => {
            assert_eq!((error.kind, error.subject), (Kind::NotFound, Subject::Upload));
            return true;
        }
    };
    // A store that does not look until it has to is found out by then.
    match writer.write(content(6 * MIB, 13)).await {
        Ok(()) => writer.pause().await.is_err(),
        Err(_) => true,
    }
}

pub async fn another_algorithm_than_announced_is_hashed_again(backend: &Backend) {
    let store = backend.open().await;
    for size in [77, 300_000, 11 * MIB] {
        let bytes = content(size, 14);
        for (announced, given) in [
            (Algorithm::Sha512, Algorithm::Sha512),
            (Algorithm::Sha256, Algorithm::Sha512),
            (Algorithm::Sha512, Algorithm::Sha256),
        ] {
            let mut writer = store.resume(store.begin(&id()), announced).await.unwrap();
            for piece in pieces(&bytes, 70_000) {
                writer.write(piece).await.unwrap();
            }
            let upload = kept(&writer.pause().await.unwrap());
            let writer = store.resume(upload, given).await.unwrap();
            let stored = writer.finish(&Digest::of(given, &bytes)).await.unwrap();
            assert_eq!(read_all(&store, &stored).await, bytes);
        }
    }
}

pub async fn an_unknown_hash_state_is_hashed_again(backend: &Backend) {
    let store = backend.open().await;
    let bytes = content(100_000, 15);
    let upload = write_chunk(&store, store.begin(&id()), &bytes.slice(..60_000)).await;
    let mut state = serde_json::to_value(&upload).unwrap();
    state["hash"] = "/wAA".into();
    let upload = serde_json::from_value(state).unwrap();
    let upload = write_chunk(&store, upload, &bytes.slice(60_000..)).await;
    let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);
}

pub async fn the_same_blob_from_many_at_once(backend: &Backend) {
    let store = backend.open().await;
    let bytes = content(200_000, 16);
    let pushes = (0..20).map(|_| {
        let (store, bytes) = (store.clone(), bytes.clone());
        tokio::spawn(async move { push(&store, &bytes).await })
    });
    for pushed in futures_util::future::join_all(pushes).await {
        assert_eq!(read_all(&store, &pushed.unwrap()).await, bytes);
    }
}

pub async fn single_bytes_make_a_blob(backend: &Backend) {
    let store = backend.open().await;
    let bytes = content(20_000, 17);
    let mut writer = store.resume(store.begin(&id()), Algorithm::Sha256).await.unwrap();
    for piece in pieces(&bytes, 1) {
        writer.write(piece).await.unwrap();
    }
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);
}

pub async fn a_small_pool_serves_many(backend: &Backend) {
    let store = backend.open_with(&Options { buffers: MIB, ..Options::default() }).await;
    let transfers = (0..12).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let bytes = content(6 * MIB + n, 18 + n as u64);
            let stored = push(&store, &bytes).await;
            // Read like a connection does: nothing is kept while more is asked for.
            let mut body = store.read(&stored.key, stored.size, 0..stored.size).await.unwrap();
            let mut rest = bytes;
            while let Some(frame) = body.frame().await {
                let piece = frame.unwrap().into_data().unwrap();
                assert_eq!(piece, rest.split_to(piece.len()));
            }
            assert!(rest.is_empty());
        })
    });
    let all = futures_util::future::join_all(transfers);
    for ended in tokio::time::timeout(Duration::from_secs(60), all).await.unwrap() {
        ended.unwrap();
    }
}

pub async fn an_aborted_upload_is_gone(backend: &Backend) {
    let store = backend.open().await;
    store.abort(&store.begin(&id())).await.unwrap();
    for size in [500, 6 * MIB] {
        let upload = write_chunk(&store, store.begin(&id()), &content(size, 30)).await;
        store.abort(&upload).await.unwrap();
        store.abort(&upload).await.unwrap();
        assert!(is_gone(&store, upload).await);
    }
    soon(async || listed(&store).await.is_empty()).await;
}

pub async fn the_state_of_another_store_is_refused(backend: &Backend) {
    let store = backend.open().await;
    let foreign = [
        r#"{"file":{"name":"x.0","boot":"b"}}"#,
        r#"{"file":{"name":"../x.0","boot":"b"}}"#,
        r#"{"object":{"parts":null,"tail":{"key":"haven/blobs/00/x.0","size":9},"stale":[]}}"#,
    ];
    for progress in foreign {
        let state = format!(r#"{{"id":"x","size":9,"hash":null,"progress":{progress}}}"#);
        assert!(is_gone(&store, serde_json::from_str(&state).unwrap()).await, "{progress}");
    }
    for id in ["", "a/b", "..", "a.b", &"a".repeat(65)] {
        let error = store.resume(store.begin(id), Algorithm::Sha256).await.map(|_| ()).unwrap_err();
        assert!(error.is(Kind::Internal), "{id}");
    }
}
