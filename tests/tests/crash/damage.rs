//! `haven verify` finds what a disk has done to the blobs.

use haven_tests::{Image, Role, Server, Settings};
use std::path::PathBuf;

/// Where a blob lies in a folder of local files.
fn file_of(server: &Server, digest: &str) -> PathBuf {
    let hex = digest.strip_prefix("sha256:").unwrap();
    let family = server.data().join("storage/haven/blobs/sha256").join(&hex[..2]);
    let mut files = std::fs::read_dir(family).unwrap().map(|entry| entry.unwrap());
    files.find(|entry| entry.file_name().to_string_lossy().starts_with(hex)).unwrap().path()
}

#[tokio::test]
async fn verify_names_every_blob_that_is_not_what_it_was() {
    let mut server = Server::start(&Settings::appliance()).await;
    let project = server.admin.project(false).await;
    let user = project.member(Role::Developer).await;
    let repository = project.repository(&user, "app");
    let image = Image::random(&[1000, 2000, 3000, 4000]);
    repository.push("latest", &image).await;
    assert!(server.stop().await.success());
    server.run(&["verify"]).await.ok();

    let [changed, shortened, lost, whole] = [0, 1, 2, 3].map(|n| &image.layers[n]);
    let mut bytes = changed.bytes.to_vec();
    bytes[500] ^= 1;
    std::fs::write(file_of(&server, &changed.digest), bytes).unwrap();
    std::fs::write(file_of(&server, &shortened.digest), &shortened.bytes[..1999]).unwrap();
    std::fs::remove_file(file_of(&server, &lost.digest)).unwrap();

    let verified = server.run(&["verify"]).await;
    assert_eq!(verified.code, Some(1), "{}", verified.describe());
    for blob in [changed, shortened, lost] {
        assert!(verified.stdout.contains(&blob.digest), "{}", verified.describe());
    }
    assert!(!verified.stdout.contains(&whole.digest), "{}", verified.describe());

    // The server says that a blob is missing, serves the rest, and takes it anew.
    server.start_again().await;
    let answer = repository.blob(&lost.digest).await;
    assert!([404, 500].contains(&answer.status), "{}", answer.describe());
    answer.assert_error_format();
    assert!(repository.blob(&whole.digest).await.expect(200).body == whole.bytes);
}
