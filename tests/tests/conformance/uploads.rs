//! Blobs go in by every road, under both digest algorithms, and come out whole.

use crate::{repository, sibling};
use bytes::Bytes;
use haven_tests::{Answer, Blob, Repository, content, on_each_setup, repository::with_digest};

/// A road by which a blob is pushed.
#[derive(Clone, Copy, Debug)]
enum Road {
    /// One POST with the bytes.
    Post,
    /// POST, then PUT with the bytes.
    PostPut,
    /// POST, one streamed PATCH without a length, an empty PUT.
    Stream,
    /// POST, PATCHes with Content-Range, an empty PUT.
    Chunks,
    /// POST, PATCHes with Content-Range, the last chunk in the PUT.
    ChunksPut,
    /// The same, the last chunk without its Content-Range.
    ChunksPutUnsaid,
}

const ROADS: [Road; 6] =
    [Road::Post, Road::PostPut, Road::Stream, Road::Chunks, Road::ChunksPut, Road::ChunksPutUnsaid];

/// Pushes these bytes by this road under this digest and gives the last answer.
async fn push(repository: &Repository, road: Road, bytes: &Bytes, digest: &str) -> Answer {
    let client = &repository.client;
    if let Road::Post = road {
        return client
            .request("POST", &with_digest(&repository.path("blobs/uploads/"), digest))
            .header("content-type", "application/octet-stream")
            .body(bytes.clone())
            .send()
            .await;
    }
    let mut location = repository.begin().await;
    let chunk = bytes.len().div_ceil(3).max(1);
    let in_chunks = match road {
        Road::Chunks => bytes.len(),
        Road::ChunksPut | Road::ChunksPutUnsaid => bytes.len().saturating_sub(chunk),
        _ => 0,
    };
    let mut offset = 0;
    while offset < in_chunks {
        let end = (offset + chunk).min(in_chunks);
        let answer = repository.chunk(&location, offset, &bytes[offset..end]).await.expect(202);
        assert_eq!(answer.header("range"), format!("0-{}", end - 1));
        location = answer.location();
        offset = end;
    }
    if let Road::Stream = road {
        let answer = client
            .request("PATCH", &location)
            .header("content-type", "application/octet-stream")
            .stream(bytes, 1000)
            .send()
            .await
            .expect(202);
        location = answer.location();
        offset = bytes.len();
    }
    let rest = bytes.slice(offset..);
    let mut put = client.request("PUT", &with_digest(&location, digest));
    if matches!(road, Road::ChunksPut) && !rest.is_empty() {
        put = put.header("content-range", format!("{offset}-{}", bytes.len() - 1));
    }
    put.header("content-type", "application/octet-stream").body(rest).send().await
}

async fn assert_readable(repository: &Repository, digest: &str, bytes: &Bytes) {
    let head = repository.head_blob(digest).await.expect(200);
    assert_eq!(head.header("content-length"), bytes.len().to_string());
    assert_eq!(head.header("docker-content-digest"), digest);
    assert!(head.body.is_empty());
    let whole = repository.blob(digest).await.expect(200);
    assert_eq!(whole.header("docker-content-digest"), digest);
    assert!(whole.body == bytes, "other bytes than were pushed");
}

#[tokio::test]
async fn every_road_takes_blobs_of_every_size_and_algorithm() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        for road in ROADS {
            for length in [0, 1, 4096, 300_000] {
                for algorithm in [content::sha256, content::sha512] {
                    let bytes = Bytes::from(content::random(length));
                    let digest = algorithm(&bytes);
                    println!("{road:?}, {length} bytes, {digest}");
                    let answer = push(&repository, road, &bytes, &digest).await.expect(201);
                    assert_eq!(answer.header("docker-content-digest"), digest);
                    let pulled = repository.client.get(answer.header("location")).await;
                    assert!(pulled.expect(200).body == bytes);
                    assert_readable(&repository, &digest, &bytes).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_digest_is_refused_on_every_road() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        for road in ROADS {
            let bytes = Bytes::from(content::random(5000));
            let wrong = content::sha256(b"something else, pushed by nobody");
            let answer = push(&repository, road, &bytes, &wrong).await;
            answer.refused(400, "DIGEST_INVALID");
            repository.head_blob(&wrong).await.refused(404, "");
            let right = content::sha256(&bytes);
            repository.blob(&right).await.refused(404, "BLOB_UNKNOWN");
        }
    })
    .await;
}

#[tokio::test]
async fn a_large_blob_passes_in_chunks_and_in_a_stream() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        for road in [Road::Chunks, Road::Stream, Road::PostPut] {
            let bytes = Bytes::from(content::random(17_000_001));
            let digest = content::sha256(&bytes);
            push(&repository, road, &bytes, &digest).await.expect(201);
            assert_readable(&repository, &digest, &bytes).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_gap_or_overlap_is_416_and_the_upload_goes_on() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let bytes = Bytes::from(content::random(30_000));
        let location = repository.begin().await;
        let first = repository.chunk(&location, 0, &bytes[..10_000]).await;
        let location = first.expect(202).location();
        for offset in [0, 9_999, 10_001, 20_000] {
            let answer = repository
                .chunk(&location, offset, &bytes[offset..offset + 10_000])
                .await
                .refused(416, "BLOB_UPLOAD_INVALID");
            assert_eq!(answer.header("range"), "0-9999");
        }
        // The same goes for a last chunk that rides on the PUT.
        let digest = content::sha256(&bytes);
        repository
            .client
            .request("PUT", &with_digest(&location, &digest))
            .header("content-range", "20000-29999")
            .body(bytes.slice(20_000..))
            .send()
            .await
            .expect(416);
        let status = repository.client.get(&location).await.expect(204);
        assert_eq!(status.header("range"), "0-9999");
        let second = repository.chunk(&status.location(), 10_000, &bytes[10_000..]).await;
        let location = second.expect(202).location();
        let end = repository.client.request("PUT", &with_digest(&location, &digest)).send().await;
        end.expect(201);
        assert_readable(&repository, &digest, &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn an_upload_tells_its_state_and_can_be_cancelled() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let location = repository.begin().await;
        let status = repository.client.get(&location).await.expect(204);
        assert!(status.header("range").starts_with("0-"));
        assert!(status.maybe("location").is_some());
        let chunk = repository.chunk(&location, 0, b"0123456789").await;
        let location = chunk.expect(202).location();
        let status = repository.client.get(&location).await.expect(204);
        assert_eq!(status.header("range"), "0-9");
        repository.client.delete(&location).await.expect(204);
        let gone = repository.client.get(&location).await;
        gone.refused(404, "BLOB_UPLOAD_UNKNOWN");
        let late = repository.chunk(&location, 10, b"more").await;
        late.refused(404, "BLOB_UPLOAD_UNKNOWN");
        let blob = Blob::new("x");
        let late = repository.finish(&location, &blob.digest, &blob).await;
        late.refused(404, "BLOB_UPLOAD_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn the_announced_algorithm_is_the_one_that_counts() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let bytes = Bytes::from(content::random(100_000));
        let digest = content::sha512(&bytes);
        let path = repository.path("blobs/uploads/?digest-algorithm=sha512");
        let begun = repository.client.request("POST", &path).send().await;
        let location = begun.expect(202).location();
        let chunk = repository.chunk(&location, 0, &bytes).await.expect(202);
        let put = with_digest(&chunk.location(), &digest);
        let end = repository.client.request("PUT", &put).send().await;
        assert_eq!(end.expect(201).header("docker-content-digest"), digest);
        assert_readable(&repository, &digest, &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_mounted_from_a_repository_and_from_nowhere() {
    on_each_setup(async |server| {
        let source = repository(server).await;
        let target = sibling(&source);
        let blob = Blob::random(10_000);
        source.upload(&blob).await;
        target.head_blob(&blob.digest).await.refused(404, "");

        let mount = format!(
            "blobs/uploads/?mount={}&from={}",
            blob.digest.replace(':', "%3A"),
            source.name.replace('/', "%2F")
        );
        let mounted = target.client.request("POST", &target.path(&mount)).send().await.expect(201);
        assert_eq!(mounted.header("docker-content-digest"), blob.digest);
        assert_readable(&target, &blob.digest, &blob.bytes).await;

        // A blob that the source does not hold begins an upload.
        let absent = Blob::random(10);
        let mount = format!("blobs/uploads/?mount={}&from={}", absent.digest, source.name);
        let begun = target.client.request("POST", &target.path(&mount));
        let location = begun.send().await.expect(202).location();
        target.finish(&location, &absent.digest, &absent).await.expect(201);

        // Without a source the server may look where the client may read.
        let third = Repository::new(&source.client, &format!("{}-third", source.name));
        let mount = format!("blobs/uploads/?mount={}", blob.digest);
        let answer = third.client.request("POST", &third.path(&mount)).send().await;
        assert!([201, 202].contains(&answer.status), "{}", answer.describe());
    })
    .await;
}

#[tokio::test]
async fn a_blob_deleted_here_stays_there() {
    on_each_setup(async |server| {
        let first = repository(server).await;
        let second = sibling(&first);
        let blob = Blob::random(2000);
        first.upload(&blob).await;
        second.upload(&blob).await;
        let path = first.path(&format!("blobs/{}", blob.digest));
        first.client.delete(&path).await.expect(202);
        first.head_blob(&blob.digest).await.refused(404, "");
        first.blob(&blob.digest).await.refused(404, "BLOB_UNKNOWN");
        first.client.delete(&path).await.refused(404, "BLOB_UNKNOWN");
        assert_readable(&second, &blob.digest, &blob.bytes).await;
        first.upload(&blob).await;
        assert_readable(&first, &blob.digest, &blob.bytes).await;
    })
    .await;
}
