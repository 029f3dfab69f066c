//! The database and the store go away, by being cut off and by falling silent,
//! and come back.

use haven_tests::{
    Answer, Blob, Image, Repository, Role, Server, Settings, eventually,
    proxy::Proxy,
    services::{S3, variable},
};
use std::time::Duration;

/// How long a client waits for the answer that the store is away.
const PATIENT: Duration = Duration::from_secs(25);

/// How soon a server works again once what it needs is back.
const SOON: Duration = Duration::from_secs(20);

fn postgres() -> String {
    let url = variable("HAVEN_TEST_POSTGRES_URL");
    let (_, after) = url.split_once('@').unwrap();
    after.split_once('/').unwrap().0.to_owned()
}

async fn scene(server: &Server) -> (Repository, Image) {
    let project = server.admin.project(false).await;
    let user = project.member(Role::Developer).await;
    let repository = project.repository(&user, "app");
    let image = Image::random(&[100_000]);
    repository.push("latest", &image).await;
    repository.assert_holds("latest", &image).await;
    (repository, image)
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.describe());
    answer.assert_error_format();
    assert_eq!(answer.json()["errors"][0]["code"], "UNAVAILABLE");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=120).contains(&seconds));
}

async fn back(server: &Server, repository: &Repository, image: &Image) {
    eventually("the server works again", SOON, async || {
        repository.manifest("latest").await.status == 200
            && repository.head_blob(&image.layers[0].digest).await.status == 200
    })
    .await;
    repository.assert_holds("latest", image).await;
    let newer = Image::random(&[1000]);
    repository.push("newer", &newer).await;
    repository.assert_holds("newer", &newer).await;
    let health = server.admin.get("/api/v2.0/health").await.expect(200);
    assert_eq!(health.json()["status"], "healthy", "{}", health.describe());
}

#[tokio::test]
async fn without_a_database_the_answer_is_503_until_it_is_back() {
    let proxy = Proxy::before(&postgres()).await;
    let settings = Settings::cluster().postgres_by(&proxy.address);
    let server = Server::start(&settings).await;
    let (repository, image) = scene(&server).await;
    proxy.cut();
    // Rights can no longer be checked once a second without contact has passed.
    eventually("reads are refused", Duration::from_secs(10), async || {
        repository.manifest("latest").await.status == 503
    })
    .await;
    assert_unavailable(&repository.manifest("latest").await);
    assert_unavailable(&repository.blob(&image.layers[0].digest).await);
    let post = repository.client.request("POST", &repository.path("blobs/uploads/"));
    assert_unavailable(&post.send().await);
    assert_unavailable(&repository.put("newer", &image.manifest).await);
    proxy.restore();
    back(&server, &repository, &image).await;
}

#[tokio::test]
async fn a_silent_database_does_not_hold_requests_for_long() {
    let proxy = Proxy::before(&postgres()).await;
    let settings = Settings::cluster().postgres_by(&proxy.address);
    let server = Server::start(&settings).await;
    let (repository, image) = scene(&server).await;
    proxy.silence();
    let asks = (0..20).map(|n| {
        let path = repository.path(&format!("manifests/silent-{n}"));
        let put = repository.client.request("PUT", &path);
        let put = put.header("content-type", &image.manifest.media_type);
        let put = put.body(image.manifest.bytes.clone());
        tokio::spawn(put.timeout(Duration::from_secs(45)).send())
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_unavailable(&ask.await.unwrap());
    }
    proxy.restore();
    back(&server, &repository, &image).await;
}

#[tokio::test]
async fn without_a_store_the_answer_is_503_until_it_is_back() {
    let endpoint = S3.endpoint.strip_prefix("http://").unwrap();
    let proxy = Proxy::before(endpoint).await;
    let settings = Settings::cluster().s3_by(&proxy.address);
    let server = Server::start(&settings).await;
    let (repository, image) = scene(&server).await;
    let location = repository.begin().await;
    let chunk = repository.chunk(&location, 0, &[7; 1000]).await.expect(202);
    proxy.cut();
    // Manifests lie in the database and are served on.
    assert!(repository.manifest("latest").await.expect(200).body == image.manifest.bytes);
    let ask = repository
        .client
        .request("GET", &repository.path(&format!("blobs/{}", image.layers[0].digest)));
    assert_unavailable(&ask.timeout(PATIENT).send().await);
    let blob = Blob::random(1000);
    let begun = repository.begin().await;
    let put = haven_tests::repository::with_digest(&begun, &blob.digest);
    let put = repository.client.request("PUT", &put).body(blob.bytes.clone());
    assert_unavailable(&put.timeout(PATIENT).send().await);
    proxy.restore();
    back(&server, &repository, &image).await;
    // The upload from before goes on where it was acknowledged.
    let status = repository.client.get(&chunk.location()).await.expect(204);
    assert_eq!(status.header("range"), "0-999");
    let whole = Blob::new([7; 2000].to_vec());
    let rest = Blob::new([7; 1000].to_vec());
    let end = repository.finish(&status.location(), &whole.digest, &rest).await;
    end.expect(201);
    assert!(repository.blob(&whole.digest).await.expect(200).body == whole.bytes);
}
