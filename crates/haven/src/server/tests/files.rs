//! Files that the kernel sends by itself.

use std::{
    future::poll_fn,
    io::{IoSlice, Write},
};

use axum::body::Bytes;
use blobs::{Options, Place, Store, Stored, Unread};
use http_body_util::BodyExt;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

use super::fixture::{Running, generous};
use crate::server::files::Files;

/// More than the sockets of both sides hold.
const SIZE: usize = 20_000_000;

/// A store with one blob, and its bytes.
async fn stored(folder: &std::path::Path) -> (Store, Stored, Bytes) {
    let place = Place::Files { root: folder.to_owned() };
    let store = Store::open(&place, &Options::default()).await.unwrap();
    let bytes: Bytes = (0..SIZE).map(|n| (n % 251 + n / 65_536) as u8).collect();
    let digest = oci::Digest::of(oci::Algorithm::Sha256, &bytes);
    let mut writer = store.resume(store.begin("upload"), digest.algorithm()).await.unwrap();
    writer.write(bytes.clone()).await.unwrap();
    let stored = writer.finish(&digest).await.unwrap();
    (store, stored, bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_comes_whole_over_every_kind_of_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (store, stored, bytes) = stored(folder.path()).await;
    let server = Running::with_limits(generous());
    assert!(server.application.blob.set((store, stored)).is_ok());
    let url = format!("http://{}/blob", server.address);
    let http2 = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let http1 = reqwest::Client::new();
    for client in [http1, http2] {
        for _ in 0..3 {
            let answer = client.get(&url).send().await.unwrap();
            assert_eq!(answer.content_length(), Some(SIZE as u64 - 1));
            assert!(answer.bytes().await.unwrap() == bytes.slice(1..));
        }
    }
    // Who leaves in the middle harms nobody.
    for _ in 0..3 {
        let mut client = server.connect().await;
        client.send("GET /blob HTTP/1.1\r\nhost: x\r\n\r\n").await;
        client.0.read_exact(&mut [0; 1000]).await.unwrap();
    }
    server.until_quiet().await;
}

#[tokio::test]
async fn the_kernel_sends_what_nobody_has_read() {
    let folder = tempfile::tempdir().unwrap();
    let (store, stored, bytes) = stored(folder.path()).await;
    let mut reader = store.read(&stored.key, stored.size, 5..stored.size).await.unwrap();
    reader.unread();
    let piece = reader.frame().await.unwrap().unwrap().into_data().unwrap();
    if Unread::at(&piece).is_none() {
        return; // This kernel cannot tell what it has in memory: blobs are read.
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    let mut files = Files::default();
    let mut write = async |pieces: &[&[u8]]| {
        let pieces: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        poll_fn(|cx| match files.poll_write(&socket, &pieces, cx) {
            Some(outcome) => outcome.map(Some),
            None => std::task::Poll::Ready(None),
        })
        .await
        .map(Result::unwrap)
    };

    assert_eq!(write(&[b"only ", b"memory"]).await, None);
    // First what stands before the file, then the file.
    assert_eq!(write(&[b"a ", b"head", &piece]).await, Some(6));
    let sent = write(&[&piece, b"tail"]).await.unwrap();
    assert!(sent > 0 && sent <= piece.len());
    let mut received = vec![0; 6 + sent];
    client.read_exact(&mut received).await.unwrap();
    assert_eq!(received[..6], *b"a head");
    assert!(received[6..] == bytes[5..5 + sent]);

    // Nothing else is sent for a file that has become shorter.
    let path = folder.path().join(stored.key.as_str());
    let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(path).unwrap();
    file.write_all(b"x").unwrap();
    let pieces = [IoSlice::new(&piece)];
    let outcome = poll_fn(|cx| files.poll_write(&socket, &pieces, cx).unwrap()).await;
    assert!(outcome.is_err());
}
