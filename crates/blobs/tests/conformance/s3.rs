//! Object storage: the suite, and what only an object store promises.

use std::time::Duration;

use blobs::{Options, Place, S3Place, Store};
use kit::Kind;
use oci::Algorithm;

use crate::backend::{Backend, content, id, push, read_all, sha256, write_chunk};

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

    let Place::S3(mut place) = plain.place else { unreachable!() };
    place.redirect = true;
    let store = Store::open(&Place::S3(place), &Options::default()).await.unwrap();
    let link = store.link(&stored.key, lifetime).await.unwrap().unwrap();
    let answer = reqwest::get(link.clone()).await.unwrap().error_for_status().unwrap();
    assert_eq!(answer.bytes().await.unwrap(), content(5000, 60));

    let mut forged = link;
    forged.set_path(&forged.path().replace("blobs", "blobz"));
    assert_eq!(reqwest::get(forged).await.unwrap().status(), 403);
}

#[tokio::test]
async fn no_server_is_told_at_once_and_passes() {
    let refused = |place: S3Place| async move {
        let error = Store::open(&Place::S3(place), &Options::default()).await.map(|_| ());
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
    let store = backend().open().await;
    let bytes = content(3000, 61);
    let upload = write_chunk(&store, store.begin(&id()), &bytes).await;
    let state = serde_json::to_value(&upload).unwrap();
    let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(state["progress"]["object"]["tail"]["key"], stored.key.as_str());
    assert_eq!(read_all(&store, &stored).await, bytes);
}
