//! A full disk and a locked one: what was acknowledged stays readable, writes are
//! refused in words, and everything works again when there is room.

use crate::Scene;
use haven_tests::{
    Answer, Blob, Image, Repository, Server, Settings, mount::SmallDisk, repository::with_digest,
};
use std::time::Duration;

/// Panics unless the server says that it cannot now and may later.
fn assert_unavailable(answer: &Answer) {
    assert!([503, 507].contains(&answer.status), "{}", answer.describe());
    answer.assert_error_format();
    answer.header("retry-after");
}

/// Pushes one blob and gives the last answer, whatever it is.
async fn push(repository: &Repository, blob: &Blob) -> Answer {
    let path = repository.path("blobs/uploads/");
    let begun = repository.client.request("POST", &path).send().await;
    if begun.status != 202 {
        return begun;
    }
    let put = with_digest(&begun.location(), &blob.digest);
    let request = repository.client.request("PUT", &put);
    request.body(blob.bytes.clone()).send().await
}

async fn works_again(repository: &Repository) {
    let image = Image::random(&[100_000]);
    haven_tests::eventually("pushes work again", Duration::from_secs(20), async || {
        push(repository, &image.layers[0]).await.status == 201
    })
    .await;
    repository.push("again", &image).await;
    repository.assert_holds("again", &image).await;
}

#[tokio::test]
async fn a_full_disk_refuses_pushes_and_serves_on() {
    let disk = SmallDisk::new(96);
    let settings = Settings::appliance().in_folder(&disk.path().join("data"));
    let mut server = Server::start(&settings).await;
    let scene = Scene::on(&server).await;
    let repository = scene.repository.clone();
    let image = scene.image.clone();
    // Until the server itself says stop: it keeps room for deletes and the database.
    let mut pushed = Vec::new();
    let refusal = loop {
        let blob = Blob::random(4_000_000);
        let answer = push(&repository, &blob).await;
        if answer.status != 201 {
            break answer;
        }
        pushed.push(blob);
        assert!(pushed.len() < 96, "the disk never fills");
    };
    assert_unavailable(&refusal);
    assert!(pushed.len() > 10, "full after {} blobs", pushed.len());
    repository.assert_holds("latest", &image).await;
    // Deletes, which make room, still work.
    let path = repository.path(&format!("blobs/{}", pushed[0].digest));
    repository.client.delete(&path).await.expect(202);
    // Now not a byte is left, for the database neither.
    disk.fill(0);
    for _ in 0..3 {
        let answer = push(&repository, &Blob::random(1_000_000)).await;
        assert_unavailable(&answer);
        // The database may have room left in its own files; then it says the truth.
        let answer = repository.put("other", &image.manifest).await;
        match answer.status {
            201 => repository.assert_holds("other", &image).await,
            _ => assert_unavailable(&answer),
        }
        repository.assert_holds("latest", &image).await;
    }
    disk.relieve();
    for blob in &pushed[1..4] {
        let path = repository.path(&format!("blobs/{}", blob.digest));
        assert!(repository.blob(&blob.digest).await.expect(200).body == blob.bytes);
        repository.client.delete(&path).await.expect(202);
    }
    assert!(server.stop().await.success());
    server.run(&["verify"]).await.ok();
    server.start_again().await;
    repository.assert_holds("latest", &image).await;
    for blob in &pushed[4..] {
        assert!(repository.blob(&blob.digest).await.expect(200).body == blob.bytes);
    }
}

#[tokio::test]
async fn a_locked_store_refuses_pushes_and_serves_on() {
    let disk = SmallDisk::new(64);
    let store = format!("file:{}", disk.path().join("storage").display());
    let settings = Settings::appliance().with("HAVEN_STORAGE_URL", store);
    let server = Server::start(&settings).await;
    let scene = Scene::on(&server).await;
    disk.set_read_only(true);
    let answer = push(&scene.repository, &Blob::random(100_000)).await;
    assert_unavailable(&answer);
    scene.repository.assert_holds("latest", &scene.image).await;
    disk.set_read_only(false);
    works_again(&scene.repository).await;
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn a_locked_data_folder_is_named_at_start() {
    let disk = SmallDisk::new(64);
    let data = disk.path().join("data");
    let settings = Settings::appliance().in_folder(&data);
    let mut server = Server::start(&settings).await;
    server.stop().await;
    disk.set_read_only(true);
    let said = Server::refused(&settings).await;
    said.refused(&[data.to_str().unwrap()]);
    disk.set_read_only(false);
    server.start_again().await;
    server.admin.get("/v2/").await.expect(200);
}
