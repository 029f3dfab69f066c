//! Referrers: several filters at once, pages, and the tags that came before the API.

use crate::repository;
use haven_tests::{
    Blob, Image, Manifest, Repository,
    content::{OCI_EMPTY, OCI_MANIFEST},
    on_each_setup,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn about(subject: &Manifest, artifact_type: &str, more: Value) -> Manifest {
    let mut value = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": Blob::new("{}").descriptor(OCI_EMPTY),
        "layers": [],
        "subject": subject.descriptor(),
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Manifest::json(OCI_MANIFEST, &value)
}

async fn subject(repository: &Repository) -> Manifest {
    let image = Image::random(&[10]);
    repository.push("subject", &image).await;
    repository.upload(&Blob::new("{}")).await;
    image.manifest
}

/// Every digest of the list, over all of its pages.
async fn listed(repository: &Repository, digest: &str) -> (BTreeSet<String>, usize) {
    let mut found = BTreeSet::new();
    let mut next = Some(repository.path(&format!("referrers/{digest}")));
    let mut pages = 0;
    while let Some(path) = next {
        let answer = repository.client.get(&path).await.expect(200);
        assert!(answer.body.len() <= 4 * 1024 * 1024, "a page of {} bytes", answer.body.len());
        for one in answer.json()["manifests"].as_array().unwrap() {
            let digest = one["digest"].as_str().unwrap().to_owned();
            assert!(found.insert(digest), "listed twice: {one}");
        }
        next = answer.maybe("link").map(|link| {
            let (url, rel) = link.split_once(';').unwrap();
            assert_eq!(rel.trim(), "rel=\"next\"");
            url.trim_matches(['<', '>']).to_owned()
        });
        pages += 1;
        assert!(pages < 100, "the pages do not end");
    }
    (found, pages)
}

#[tokio::test]
async fn several_types_may_be_asked_for_at_once() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let subject = subject(&repository).await;
        for kind in ["a", "b", "c"] {
            let referrer = about(&subject, &format!("application/{kind}"), json!({}));
            repository.put(&referrer.digest, &referrer).await.expect(201);
        }
        let query = "?artifactType=application/a&artifactType=application%2Fc";
        let answer = repository.referrers(&subject.digest, query).await.expect(200);
        assert_eq!(answer.header("oci-filters-applied"), "artifactType");
        let json = answer.json();
        let kinds: BTreeSet<&str> = json["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["artifactType"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, BTreeSet::from(["application/a", "application/c"]));
        let none = repository.referrers(&subject.digest, "?artifactType=application/d").await;
        let none = none.expect(200);
        assert_eq!(none.json()["manifests"], json!([]));
        assert_eq!(none.header("oci-filters-applied"), "artifactType");
    })
    .await;
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_clients_can_hold() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let subject = subject(&repository).await;
        let mut pushed = BTreeSet::new();
        for n in 0..50 {
            let more = json!({"annotations": {"n": n.to_string(), "long": "x".repeat(100_000)}});
            let referrer = about(&subject, "application/long", more);
            repository.put(&referrer.digest, &referrer).await.expect(201);
            pushed.insert(referrer.digest);
        }
        let (found, pages) = listed(&repository, &subject.digest).await;
        assert_eq!(found, pushed);
        assert!(pages > 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_fallback_tag_lists_is_listed() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let subject = subject(&repository).await;
        let known = about(&subject, "application/known", json!({}));
        repository.put(&known.digest, &known).await.expect(201);
        let other = Image::random(&[10]);
        repository.push("other", &other).await;
        // A client of before the API keeps this index by itself; it may list what
        // is no referrer, which then must not show.
        let index = Manifest::index(&[&known, &other.manifest], json!({}));
        let tag = subject.digest.replace(':', "-");
        repository.put(&tag, &index).await.expect(201);
        let (found, _) = listed(&repository, &subject.digest).await;
        assert_eq!(found, BTreeSet::from([known.digest.clone()]));
        // The tag itself stays an ordinary tag.
        assert!(repository.manifest(&tag).await.expect(200).body == index.bytes);
        assert!(repository.tags().await.contains(&tag));
    })
    .await;
}
