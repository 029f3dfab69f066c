//! What is broken by hand is found.
#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use db::Engine;
use oci::RepositoryName;

use super::*;
use crate::world::World;

#[tokio::test]
async fn broken_and_lost_bytes_and_leftovers_are_found() {
    let world = World::new(Engine::Sqlite).await;
    let name: RepositoryName = "library/x".parse().unwrap();
    let broken = world.push_blob(&name, b"to be broken").await;
    let lost = world.push_blob(&name, b"to be lost").await;
    world.push_blob(&name, b"whole").await;
    let clean = verify(&world.context).await.unwrap();
    assert_eq!((clean.blobs, clean.bytes, clean.problems.len()), (3, 27, 0));
    assert!(clean.leftovers.is_empty());

    let family =
        |digest: &Digest| world.storage().join("haven/blobs/sha256").join(&digest.hex()[..2]);
    let file = |digest: &Digest| {
        let is_it = |path: &PathBuf| path.display().to_string().contains(&digest.hex());
        let files = fs::read_dir(family(digest)).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(is_it).unwrap()
    };
    fs::write(file(&broken), b"to be Broken").unwrap();
    fs::remove_file(file(&lost)).unwrap();
    let nobodys = Digest::of(oci::Algorithm::Sha256, b"nobody's");
    fs::create_dir_all(family(&nobodys)).unwrap();
    fs::write(family(&nobodys).join(nobodys.hex()), b"nobody's").unwrap();

    let report = verify(&world.context).await.unwrap();
    assert_eq!(report.problems.len(), 2);
    assert!(report.problems.contains(&Problem::BlobCorrupt(broken)));
    assert!(report.problems.contains(&Problem::BlobMissing(lost)));
    assert_eq!(report.leftovers.len(), 1);
    assert!(report.leftovers[0].contains(&nobodys.hex()));
}
