//! Object storage: the suite, and what only an object store promises.

use std::time::Duration;

use blobs::{Options, Place, S3Place, Store};
use futures_util::StreamExt as _;
use kit::Kind;
use oci::Algorithm;

use crate::{
    backend::{Backend, content, id, pieces, push, read_all, sha256, write_chunk},
    wire::Wire,
};

crate::every_promise!(backend());

fn variable(name: &str) -> String {
    let name = format!("HAVEN_TEST_S3_{name}");
    std::env::var(&name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: these tests need an S3 server (eval \"$(tests/services start)\")"
        )
    })
}

/// A prefix of its own in the bucket.
fn place() -> S3Place {
    S3Place {
        endpoint: Some(variable("ENDPOINT").parse().unwrap()),
        region: variable("REGION"),
        bucket: variable("BUCKET"),
        prefix: format!("blobs-{}/a b", id()),
        access_key: variable("ACCESS_KEY"),
        secret_key: variable("SECRET_KEY").into(),
        path_style: true,
        redirect: false,
    }
}

fn backend() -> Backend {
    Backend { place: Place::S3(place()), _folder: None }
}

#[tokio::test]
async fn a_link_lets_a_client_in() {
    let plain = backend();
    let stored = push(&plain.open().await, &content(5000, 60)).await;
    let lifetime = Duration::from_secs(60);
    assert!(plain.open().await.link(&stored.key, lifetime).await.unwrap().is_none());

    let Place::S3(place) = plain.place.clone() else { unreachable!() };
    let redirecting = Place::S3(S3Place { redirect: true, ..place });
    let store = Store::open(&redirecting, &Options::default()).await.unwrap();
    let link = store.link(&stored.key, lifetime).await.unwrap().unwrap();
    let answer = reqwest::get(link.clone()).await.unwrap().error_for_status().unwrap();
    assert_eq!(answer.bytes().await.unwrap(), content(5000, 60));

    let mut forged = link;
    forged.set_path(&forged.path().replace("blobs", "blobz"));
    assert_eq!(reqwest::get(forged).await.unwrap().status(), 403);
    plain.clear().await;
}

#[tokio::test]
async fn no_server_is_told_at_once_and_passes() {
    let refused = |place: S3Place| async move {
        let options = Options { patience: Duration::from_secs(1), ..Options::default() };
        let error = Store::open(&Place::S3(place), &options).await.map(|_| ());
        let error = error.unwrap_err();
        assert!(error.is(Kind::Unavailable), "{error:?}");
        assert!(error.retry_after.is_some());
        error.to_string()
    };
    let wrong_key = S3Place { secret_key: "wrong".into(), ..place() };
    assert!(!format!("{wrong_key:?}").contains("wrong"));
    refused(wrong_key).await;
    let message = refused(S3Place { bucket: "no-such-bucket".into(), ..place() }).await;
    assert!(message.contains("no-such-bucket"), "{message}");
}

#[tokio::test]
async fn a_small_blob_that_was_paused_is_not_written_twice() {
    let backend = backend();
    let store = backend.open().await;
    let bytes = content(3000, 61);
    let upload = write_chunk(&store, store.begin(&id()), &bytes).await;
    let state = serde_json::to_value(&upload).unwrap();
    let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(state["progress"]["object"]["tail"]["key"], stored.key.as_str());
    assert_eq!(read_all(&store, &stored).await, bytes);
    backend.clear().await;
}

/// A store at the far end of a wire.
async fn behind_a_wire() -> (Wire, Backend) {
    let mut place = place();
    let wire = Wire::to(place.endpoint.as_ref().unwrap()).await;
    place.endpoint = Some(wire.url());
    (wire, Backend { place: Place::S3(place), _folder: None })
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let (wire, backend) = behind_a_wire().await;
    let store = backend.open().await;
    let bytes = content(3_000_000, 62);
    let stored = push(&store, &bytes).await;
    wire.break_after(1_000_000);
    assert_eq!(read_all(&store, &stored).await, bytes);
    assert!(wire.has_broken());
    backend.clear().await;
}

#[tokio::test]
async fn many_blobs_are_deleted_with_one_request() {
    let (wire, backend) = behind_a_wire().await;
    let store = backend.open().await;
    let mut keys = Vec::new();
    for seed in 70..90 {
        keys.push(push(&store, &content(100, seed)).await.key);
    }
    let before = wire.requests();
    store.delete(&keys).await.unwrap();
    assert_eq!(wire.requests() - before, 1);
    let left: Vec<_> = store.list().collect().await;
    assert!(left.is_empty(), "{left:?}");
    backend.clear().await;
}

#[tokio::test]
async fn a_server_that_is_gone_for_a_moment_is_not_noticed() {
    let (wire, backend) = behind_a_wire().await;
    let store = backend.open().await;
    let bytes = content(12_000_000, 63);
    let mut writer = store.resume(store.begin(&id()), Algorithm::Sha256).await.unwrap();
    for (n, piece) in pieces(&bytes, 300_000).enumerate() {
        if n == 20 {
            wire.cut_for(3);
        }
        writer.write(piece).await.unwrap();
    }
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert!(wire.is_whole());
    assert_eq!(read_all(&store, &stored).await, bytes);
    backend.clear().await;
}

#[tokio::test]
async fn a_server_that_stays_away_is_unavailable_until_it_is_back() {
    let (wire, backend) = behind_a_wire().await;
    let patience = Duration::from_secs(1);
    let store = backend.open_with(&Options { patience, ..Options::default() }).await;
    let (first, more) = (content(6_000_000, 64), content(6_000_000, 65));
    let upload = write_chunk(&store, store.begin(&id()), &first).await;
    let stored = push(&store, &more).await;

    wire.cut();
    let reading = store.read(&stored.key, stored.size, 0..stored.size);
    let mut writer = store.resume(upload.clone(), Algorithm::Sha256).await.unwrap();
    let writing = async {
        for piece in pieces(&more, 300_000) {
            writer.write(piece).await?;
        }
        writer.pause().await
    };
    let (read, written, checked) = tokio::join!(reading, writing, store.check());
    let errors = [read.map(|_| ()), written.map(|_| ()), checked].map(Result::unwrap_err);
    for error in errors {
        assert!(error.is(Kind::Unavailable) && error.retry_after.is_some(), "{error:?}");
    }

    wire.mend();
    store.check().await.unwrap();
    let upload = write_chunk(&store, upload, &more).await;
    let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    let bytes = [first, more].concat();
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);
    backend.clear().await;
}
