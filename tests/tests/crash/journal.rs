//! What the server has acknowledged, and the proof that it kept it.

use haven_tests::{Client, Manifest, Repository, content};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, atomic::AtomicBool},
};

/// Everything that was acknowledged, by all clients.
#[derive(Default)]
pub struct Journal {
    /// Blobs: repository and digest.
    pub blobs: Mutex<BTreeSet<(String, String)>>,
    /// Manifests: repository, digest, and the blobs they name.
    pub manifests: Mutex<BTreeMap<(String, String), Manifest>>,
    /// Tags: repository and tag, and the digest it has, or none once deleted.
    pub tags: Mutex<BTreeMap<(String, String), Option<String>>>,
    /// Set when the killing is over and the clients may go home.
    pub over: AtomicBool,
}

impl Journal {
    /// How much there is.
    pub fn summary(&self) -> String {
        format!(
            "{} blobs, {} manifests, {} tags",
            self.blobs.lock().unwrap().len(),
            self.manifests.lock().unwrap().len(),
            self.tags.lock().unwrap().len()
        )
    }

    /// Reads back everything; panics when a byte differs.
    pub async fn assert_kept(&self, admin: &Client) {
        let blobs = self.blobs.lock().unwrap().clone();
        assert!(!blobs.is_empty());
        for (name, digest) in blobs {
            let answer = Repository::new(admin, &name).blob(&digest).await.expect(200);
            assert_eq!(content::sha256(&answer.body), digest, "in {name}");
        }
        let manifests = self.manifests.lock().unwrap().clone();
        assert!(!manifests.is_empty());
        for ((name, digest), manifest) in manifests {
            let answer = Repository::new(admin, &name).manifest(&digest).await.expect(200);
            assert!(answer.body == manifest.bytes, "{}", answer.describe());
        }
        let tags = self.tags.lock().unwrap().clone();
        assert!(!tags.is_empty());
        let mut listed = BTreeMap::<String, BTreeSet<String>>::new();
        for ((name, tag), digest) in tags {
            let repository = Repository::new(admin, &name);
            match digest {
                Some(digest) => {
                    let answer = repository.manifest(&tag).await.expect(200);
                    assert_eq!(answer.header("docker-content-digest"), digest);
                    listed.entry(name).or_default().insert(tag);
                }
                None => {
                    repository.manifest(&tag).await.refused(404, "MANIFEST_UNKNOWN");
                }
            }
        }
        for (name, tags) in listed {
            let found = Repository::new(admin, &name).tags().await;
            assert_eq!(BTreeSet::from_iter(found), tags, "in {name}");
        }
    }
}
