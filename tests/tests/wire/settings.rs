//! Behaviour that an operator turns on or limits.

use crate::repository;
use haven_tests::{Blob, Image, Server, Settings, eventually};
use std::time::Duration;

fn both(name: &str, value: &str) -> [Settings; 2] {
    [Settings::appliance(), Settings::cluster()].map(|settings| settings.with(name, value))
}

#[tokio::test]
async fn redirects_lead_to_the_store_for_blobs_and_for_nothing_else() {
    let settings = Settings::cluster().with("HAVEN_STORAGE_S3_REDIRECT", "true");
    let server = Server::start(&settings).await;
    let repository = repository(&server).await;
    let image = Image::random(&[300_000]);
    repository.push("latest", &image).await;
    let blob = &image.layers[0];
    let path = repository.path(&format!("blobs/{}", blob.digest));
    let answer = repository.client.get(&path).await.expect(307);
    assert_eq!(answer.header("docker-content-digest"), blob.digest);
    // The address is good by itself, for the whole and for a part.
    let store = server.anonymous.clone();
    let location = answer.header("location");
    let whole = store.get(location).await.expect(200);
    assert!(whole.body == blob.bytes);
    let part = store.request("GET", location).header("range", "bytes=10-19").send().await;
    assert!(part.expect(206).body == blob.bytes[10..20]);
    let head = repository.client.head(&path).await.expect(200);
    assert_eq!(head.header("content-length"), blob.bytes.len().to_string());
    assert!(repository.manifest("latest").await.expect(200).body == image.manifest.bytes);
    // Who may not read gets no address.
    server.anonymous.get(&path).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_client_may_have_so_many_uploads_and_no_more() {
    for settings in both("HAVEN_UPLOADS_MAX_PER_CLIENT", "3") {
        let server = Server::start(&settings).await;
        let repository = repository(&server).await;
        let mut locations = Vec::new();
        for _ in 0..3 {
            let location = repository.begin().await;
            let chunk = repository.chunk(&location, 0, b"waiting").await.expect(202);
            locations.push(chunk.location());
        }
        let path = repository.path("blobs/uploads/");
        let mut fourth = repository.client.request("POST", &path).send().await;
        if fourth.status == 202 {
            fourth = repository.chunk(&fourth.location(), 0, b"one too many").await;
        }
        fourth.refused(429, "TOOMANYREQUESTS");
        // One that ends makes room for another.
        let blob = Blob::new("waiting");
        let empty = Blob::new("");
        repository.finish(&locations[0], &blob.digest, &empty).await.expect(201);
        let location = repository.begin().await;
        repository.chunk(&location, 0, b"another").await.expect(202);
        // Others are not held up by it.
        let other = crate::repository(&server).await;
        other.upload(&Blob::random(10)).await;
    }
}

#[tokio::test]
async fn an_upload_left_alone_is_given_up() {
    for settings in both("HAVEN_UPLOADS_MAX_AGE", "1s") {
        let server = Server::start(&settings).await;
        let repository = repository(&server).await;
        let location = repository.begin().await;
        let chunk = repository.chunk(&location, 0, b"never continued").await;
        let location = chunk.expect(202).location();
        eventually("the upload is given up", Duration::from_secs(30), async || {
            repository.client.get(&location).await.status == 404
        })
        .await;
        let late = repository.chunk(&location, 15, b"late").await;
        late.refused(404, "BLOB_UPLOAD_UNKNOWN");
        repository.upload(&Blob::random(10)).await;
    }
}

#[tokio::test]
async fn sparse_images_are_taken_when_allowed() {
    for settings in both("HAVEN_REGISTRY_ALLOW_MISSING_REFERENCES", "true") {
        let server = Server::start(&settings).await;
        let repository = repository(&server).await;
        let image = Image::random(&[10]);
        repository.put("sparse", &image.manifest).await.expect(201);
        assert!(repository.manifest("sparse").await.expect(200).body == image.manifest.bytes);
        repository.blob(&image.config.digest).await.refused(404, "BLOB_UNKNOWN");
        // What was missing may come later.
        repository.push("sparse", &image).await;
        repository.assert_holds("sparse", &image).await;
    }
}
