//! Local files: the suite, and what only a disk does to them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use blobs::{FreeSpace, Key, Options, Place, Store};
use bytes::Bytes;
use kit::{Kind, Subject};
use oci::Algorithm;

use crate::backend::{
    Backend, content, id, listed, pieces, push, read_all, sha256, soon, write_chunk,
};

crate::every_promise!(backend());

fn backend() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    Backend { place: Place::Files { root: folder.path().to_owned() }, _folder: Some(folder) }
}

fn root(backend: &Backend) -> &Path {
    let Place::Files { root } = &backend.place else { unreachable!() };
    root
}

fn uploads(backend: &Backend) -> Vec<PathBuf> {
    let folder = root(backend).join("haven/uploads");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_blob_lies_in_the_folder_that_its_digest_says() {
    let backend = backend();
    let store = backend.open().await;
    let bytes = content(100, 70);
    let hex = sha256(&bytes).hex();
    let stored = push(&store, &bytes).await;
    let path = format!("haven/blobs/sha256/{}/{hex}.", &hex[..2]);
    assert!(stored.key.as_str().starts_with(&path));
    assert_eq!(fs::read(root(&backend).join(stored.key.as_str())).unwrap(), bytes);
    assert!(uploads(&backend).is_empty());
}

/// What the distribution project or Harbor has laid down.
#[tokio::test]
async fn an_adopted_blob_is_listed_read_and_deleted_where_it_lies() {
    let backend = backend();
    let store = backend.open().await;
    let bytes = content(1000, 75);
    let hex = sha256(&bytes).hex();
    let folder = format!("docker/registry/v2/blobs/sha256/{}/{hex}", &hex[..2]);
    let key = Key::new(format!("{folder}/data")).unwrap();
    fs::create_dir_all(root(&backend).join(&folder)).unwrap();
    fs::write(root(&backend).join(key.as_str()), &bytes).unwrap();

    assert_eq!(listed(&store).await.into_keys().collect::<Vec<_>>(), std::slice::from_ref(&key));
    let adopted = blobs::Stored { key: key.clone(), size: 1000 };
    assert_eq!(read_all(&store, &adopted).await, bytes);
    store.delete(std::slice::from_ref(&key)).await.unwrap();
    assert!(listed(&store).await.is_empty());
    assert!(!root(&backend).join(folder).exists());
}

#[tokio::test]
async fn a_damaged_blob_is_healed_by_pushing_it_again() {
    let backend = backend();
    let store = backend.open().await;
    let bytes = content(5000, 71);
    let stored = push(&store, &bytes).await;
    fs::write(root(&backend).join(stored.key.as_str()), b"damaged").unwrap();
    let again = push(&store, &bytes).await;
    store.replace(&stored.key, &again.key).await.unwrap();
    assert_eq!(
        listed(&store).await.into_keys().collect::<Vec<_>>(),
        std::slice::from_ref(&stored.key)
    );
    assert_eq!(read_all(&store, &stored).await, bytes);
}

/// What the kernel has not in memory is read by another thread; the bytes are the same.
#[tokio::test]
async fn a_blob_on_a_cold_disk_is_read_too() {
    let backend = backend();
    let store = backend.open().await;
    for size in [10_000, 3_000_000] {
        let bytes = content(size, 79);
        let stored = push(&store, &bytes).await;
        let file = fs::File::open(root(&backend).join(stored.key.as_str())).unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        assert_eq!(read_all(&store, &stored).await, bytes);
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_writer_that_is_dropped() {
    let backend = backend();
    let store = backend.open().await;
    let mut writer = store.resume(store.begin(&id()), Algorithm::Sha256).await.unwrap();
    for piece in pieces(&content(3_000_000, 72), 100_000) {
        writer.write(piece).await.unwrap();
    }
    assert_eq!(uploads(&backend).len(), 1);
    drop(writer);
    soon(async || uploads(&backend).is_empty()).await;
}

/// After a power failure the file may be shorter than it was said to be, or hold other bytes.
#[tokio::test]
async fn after_a_power_failure_nothing_is_taken_for_granted() {
    let backend = backend();
    let store = backend.open().await;
    let bytes = content(10_000, 73);
    let after_boot = |upload: &blobs::Upload| {
        let mut state = serde_json::to_value(upload).unwrap();
        state["progress"]["file"]["boot"] = "an earlier one".into();
        serde_json::from_value::<blobs::Upload>(state).unwrap()
    };

    let whole = after_boot(&write_chunk(&store, store.begin(&id()), &bytes).await);
    let writer = store.resume(whole, Algorithm::Sha256).await.unwrap();
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);

    let other = after_boot(&write_chunk(&store, store.begin(&id()), &bytes).await);
    fs::write(&uploads(&backend)[0], vec![0; bytes.len()]).unwrap();
    let writer = store.resume(other, Algorithm::Sha256).await.unwrap();
    let error = writer.finish(&sha256(&bytes)).await.unwrap_err();
    assert_eq!((error.kind, error.subject), (Kind::Invalid, Subject::Digest));

    let short = after_boot(&write_chunk(&store, store.begin(&id()), &bytes).await);
    fs::write(&uploads(&backend)[0], &bytes[..9000]).unwrap();
    let error = store.resume(short, Algorithm::Sha256).await.map(|_| ()).unwrap_err();
    assert_eq!((error.kind, error.subject), (Kind::NotFound, Subject::Upload));
}

#[tokio::test]
async fn what_a_crash_leaves_is_no_blob() {
    let backend = backend();
    let store = backend.open().await;
    let blobs = root(&backend).join("haven/blobs/sha256");
    fs::create_dir_all(blobs.join("ab").join("ab".repeat(32))).unwrap();
    fs::write(blobs.join("ab/stray"), b"x").unwrap();
    fs::write(blobs.join("stray"), b"x").unwrap();
    assert!(listed(&store).await.is_empty());
    let stored = push(&store, &content(10, 74)).await;
    assert_eq!(listed(&store).await.into_keys().collect::<Vec<_>>(), [stored.key]);
}

#[tokio::test]
async fn uploads_stop_while_the_disk_is_nearly_full() {
    let free = Arc::new(AtomicU64::new(50));
    let options = Options { free_space: FreeSpace::Manual(free.clone()), ..Options::default() };
    let store = backend().open_with(&options).await;
    store.room().await.unwrap();
    free.store(49, Ordering::SeqCst);
    let error = store.room().await.unwrap_err();
    assert!(error.is(Kind::Unavailable) && error.retry_after.is_some());
    free.store(1000, Ordering::SeqCst);
    store.room().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("file");
    fs::write(&root, b"not a folder").unwrap();
    let place = Place::Files { root: root.clone() };
    let error = Store::open(&place, &Options::default()).await.map(|_| ()).unwrap_err();
    assert!(error.is(Kind::Unavailable));
    assert!(error.to_string().contains(root.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_store_that_goes_away_is_unavailable_until_it_is_back() {
    let backend = backend();
    let store = backend.open().await;
    let bytes = content(10_000, 75);
    let stored = push(&store, &bytes).await;
    let (here, away) = (root(&backend).join("haven"), root(&backend).join("away"));

    fs::rename(&here, &away).unwrap();
    assert!(store.check().await.unwrap_err().is(Kind::Unavailable));
    let mut writer = store.resume(store.begin(&id()), Algorithm::Sha256).await.unwrap();
    writer.write(bytes.clone()).await.unwrap();
    let error = writer.finish(&sha256(&bytes)).await.unwrap_err();
    assert!(error.is(Kind::Unavailable) && error.retry_after.is_some(), "{error:?}");

    fs::rename(&away, &here).unwrap();
    store.check().await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);
    push(&store, &content(10, 76)).await;
}

/// A limit on the size of files stands for the full disk: the write comes back with an error
/// in the middle of an upload. The limit belongs to a process, so the test runs itself again
/// in one of its own.
#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    const LIMITED: &str = "HAVEN_TEST_WITHIN_LIMIT";
    if std::env::var_os(LIMITED).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(write_more_than_fits());
        return;
    }
    let ended = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "files::a_full_disk_is_told_and_loses_nothing"])
        .env(LIMITED, "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && output.contains("1 passed"), "{output}");
}

async fn write_more_than_fits() {
    let backend = backend();
    let store = backend.open().await;
    let first = content(500_000, 77);
    let stored = push(&store, &first).await;
    let upload = write_chunk(&store, store.begin(&id()), &first).await;

    let mut writer = store.resume(upload.clone(), Algorithm::Sha256).await.unwrap();
    let mut failed = None;
    for piece in pieces(&content(8_000_000, 78), 100_000) {
        if let Err(error) = writer.write(piece).await {
            failed = Some(error);
            break;
        }
    }
    let error = failed.unwrap();
    assert!(error.is(Kind::Unavailable) && error.retry_after.is_some(), "{error:?}");
    assert!(error.to_string().contains("no room"), "{error}");
    assert!(writer.pause().await.is_err(), "a gap must not be acknowledged");

    assert_eq!(read_all(&store, &stored).await, first);
    let more = Bytes::from_static(b"and so on");
    let upload = write_chunk(&store, upload, &more).await;
    let writer = store.resume(upload, Algorithm::Sha256).await.unwrap();
    let bytes = Bytes::from([first, more].concat());
    let stored = writer.finish(&sha256(&bytes)).await.unwrap();
    assert_eq!(read_all(&store, &stored).await, bytes);
}
