//! What is broken by hand is found.
#![allow(clippy::unwrap_used)]

use std::fs;

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

    let file = |digest: &Digest| {
        let hex = digest.hex();
        let blobs = world.storage().join("haven/blobs/sha256");
        blobs.join(&hex[..2]).join(hex)
    };
    fs::write(file(&broken), b"to be Broken").unwrap();
    fs::remove_file(file(&lost)).unwrap();
    let nobodys = Digest::of(oci::Algorithm::Sha256, b"nobody's");
    fs::create_dir_all(file(&nobodys).parent().unwrap()).unwrap();
    fs::write(file(&nobodys), b"nobody's").unwrap();

    let report = verify(&world.context).await.unwrap();
    assert_eq!(report.problems.len(), 2);
    assert!(report.problems.contains(&Problem::BlobCorrupt(broken)));
    assert!(report.problems.contains(&Problem::BlobMissing(lost)));
    assert_eq!(report.leftovers.len(), 1);
    assert!(report.leftovers[0].contains(&nobodys.hex()));
}
