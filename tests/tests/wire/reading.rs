//! Ranges, conditional requests and headers of what is read.

use crate::repository;
use haven_tests::{
    Answer, Blob, Image, Repository,
    content::{OCI_INDEX, OCI_MANIFEST},
    on_each_setup,
};

async fn get_range(repository: &Repository, blob: &Blob, range: &str) -> Answer {
    repository
        .client
        .request("GET", &repository.path(&format!("blobs/{}", blob.digest)))
        .header("range", range)
        .send()
        .await
}

#[tokio::test]
async fn one_range_gives_exactly_those_bytes() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        for length in [1000, 6_000_000] {
            let blob = Blob::random(length);
            repository.upload(&blob).await;
            let last = length - 1;
            for (range, first, end) in [
                ("bytes=0-0".to_owned(), 0, 0),
                ("bytes=10-19".to_owned(), 10, 19),
                ("bytes=500-".to_owned(), 500, last),
                ("bytes=-100".to_owned(), length - 100, last),
                (format!("bytes=-{}", length * 2), 0, last),
                (format!("bytes=990-{}", length * 2), 990, last),
                (format!("bytes={last}-{last}"), last, last),
            ] {
                let answer = get_range(&repository, &blob, &range).await.expect(206);
                let said = answer.header("content-range");
                assert_eq!(said, format!("bytes {first}-{end}/{length}"), "{range}");
                let wanted = (end - first + 1).to_string();
                assert_eq!(answer.header("content-length"), wanted, "{range}");
                assert!(answer.body == blob.bytes[first..=end], "{range}");
                assert_eq!(answer.header("docker-content-digest"), blob.digest);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_range_that_cannot_be_is_416() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let blob = Blob::random(1000);
        repository.upload(&blob).await;
        for range in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"] {
            let answer = get_range(&repository, &blob, range).await;
            let answer = answer.refused(416, "RANGE_INVALID");
            assert_eq!(answer.header("content-range"), "bytes */1000", "{range}");
            let length = answer.body.len().to_string();
            assert_eq!(answer.header("content-length"), length, "{range}");
        }
        let backwards = get_range(&repository, &blob, "bytes=500-0").await.expect(416);
        assert_eq!(backwards.header("content-range"), "bytes */1000");
        // Another unit means nothing here: the whole blob is a right answer.
        let answer = get_range(&repository, &blob, "lines=1-2").await.expect(200);
        assert!(answer.body == blob.bytes);
    })
    .await;
}

#[tokio::test]
async fn several_ranges_come_in_parts() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let blob = Blob::random(100_000);
        repository.upload(&blob).await;
        let ranges = [(0, 1), (5, 6), (50_000, 59_999), (99_990, 99_999)];
        let list: Vec<String> = ranges.iter().map(|(a, b)| format!("{a}-{b}")).collect();
        let wanted = format!("bytes={}", list.join(","));
        let answer = get_range(&repository, &blob, &wanted).await.expect(206);
        let length = answer.body.len().to_string();
        assert_eq!(answer.header("content-length"), length);
        let parts = parts(&answer);
        assert_eq!(parts.len(), ranges.len());
        for ((first, last), (said, bytes)) in ranges.iter().zip(&parts) {
            assert_eq!(said, &format!("bytes {first}-{last}/100000"));
            assert!(bytes == &blob.bytes[*first..=*last]);
        }
        // Too many are 400, which clients take for: fetch the whole.
        let many: Vec<String> = (0..5000).map(|n| format!("{0}-{0}", n * 10)).collect();
        let answer = get_range(&repository, &blob, &format!("bytes={}", many.join(","))).await;
        assert!([400, 431].contains(&answer.status), "{}", answer.describe());
    })
    .await;
}

/// Takes a multipart answer apart: each part's Content-Range and bytes.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let kind = answer.header("content-type");
    assert!(kind.starts_with("multipart/byteranges"), "{kind}");
    let (_, boundary) = kind.split_once("boundary=").unwrap();
    let opening = format!("--{}\r\n", boundary.trim_matches('"'));
    let closing = format!("--{}--", boundary.trim_matches('"'));
    let mut parts = Vec::new();
    let mut rest = &answer.body[..];
    while let Some(at) = position(rest, opening.as_bytes()) {
        rest = &rest[at + opening.len()..];
        let head_end = position(rest, b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&rest[..head_end]).to_lowercase();
        let said = head.lines().find_map(|line| line.strip_prefix("content-range:"));
        let said = said.unwrap().trim().to_owned();
        let (span, _) = said.strip_prefix("bytes ").unwrap().split_once('/').unwrap();
        let (first, last) = span.split_once('-').unwrap();
        let length = last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1;
        let body = &rest[head_end + 4..][..length];
        parts.push((said, body.to_vec()));
        rest = &rest[head_end + 4 + length..];
    }
    assert!(position(rest, closing.as_bytes()).is_some(), "no end");
    parts
}

fn position(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

#[tokio::test]
async fn a_blob_says_what_it_is_and_304_saves_its_bytes() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let blob = Blob::random(1000);
        repository.upload(&blob).await;
        let path = repository.path(&format!("blobs/{}", blob.digest));
        for method in ["GET", "HEAD"] {
            let answer = repository.client.request(method, &path).send().await.expect(200);
            assert_eq!(answer.header("content-type"), "application/octet-stream");
            assert_eq!(answer.header("content-length"), "1000");
            assert_eq!(answer.header("accept-ranges"), "bytes");
            assert_eq!(answer.header("docker-content-digest"), blob.digest);
            assert_eq!(answer.header("etag"), format!("\"{}\"", blob.digest));
            assert!(answer.header("cache-control").contains("immutable"));
            assert!(answer.maybe("content-encoding").is_none());
        }
        let tag = format!("\"{}\"", blob.digest);
        let conditional = |name: &'static str, value: String| {
            repository.client.request("GET", &path).header(name, value)
        };
        let same = conditional("if-none-match", tag.clone()).send().await.expect(304);
        assert!(same.body.is_empty());
        let other = conditional("if-none-match", "\"other\"".into()).send().await;
        assert!(other.expect(200).body == blob.bytes);
        let part = conditional("if-range", tag).header("range", "bytes=0-9");
        assert!(part.send().await.expect(206).body == blob.bytes[..10]);
        let stale = conditional("if-range", "\"other\"".into()).header("range", "bytes=0-9");
        assert!(stale.send().await.expect(200).body == blob.bytes);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_is_served_as_stored_whatever_the_client_accepts() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[10]);
        repository.push("latest", &image).await;
        let path = repository.path("manifests/latest");
        for accept in
            ["", "text/html", OCI_INDEX, "application/vnd.docker.distribution.manifest.v2+json"]
        {
            let request = repository.client.request("GET", &path).header("accept", accept);
            let answer = request.send().await.expect(200);
            assert_eq!(answer.header("content-type"), OCI_MANIFEST);
            assert!(answer.body == image.manifest.bytes);
        }
        let tag = repository.manifest("latest").await.header("etag").to_owned();
        for etag in [&tag, &format!("W/{tag}"), "*"] {
            for method in ["GET", "HEAD"] {
                let request = repository.client.request(method, &path);
                let answer = request.header("if-none-match", etag).send().await;
                assert_eq!(answer.status, 304, "{etag}: {}", answer.describe());
                assert_eq!(answer.header("docker-content-digest"), image.manifest.digest);
            }
        }
        let request = repository.client.request("GET", &path);
        request.header("if-none-match", "\"sha256:0\"").send().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn blobs_and_manifests_do_not_answer_for_each_other() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[10]);
        repository.push("latest", &image).await;
        let answer = repository.manifest(&image.config.digest).await;
        answer.refused(404, "MANIFEST_UNKNOWN");
        // A tag may look like a digest and is still a tag.
        let alike = image.manifest.digest.replace(':', "-");
        repository.manifest(&alike).await.refused(404, "MANIFEST_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn every_answer_of_the_registry_carries_its_headers() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let client = &repository.client;
        let answers = [
            client.get("/v2/").await.expect(200),
            client.anonymous().get("/v2/").await.refused(401, "UNAUTHORIZED"),
            client.get(&repository.path("manifests/none")).await.expect(404),
            client.get(&repository.path("nothing/here")).await.expect(404),
            client.request("PATCH", &repository.path("manifests/none")).send().await.expect(405),
            client.request("POST", &repository.path("blobs/uploads/")).send().await.expect(202),
        ];
        for answer in &answers {
            let version = answer.maybe("docker-distribution-api-version");
            assert_eq!(version, Some("registry/2.0"), "{}", answer.describe());
            assert!(!answer.header("x-request-id").is_empty());
            if answer.status >= 400 {
                answer.assert_error_format();
            }
        }
        let request = client.request("GET", "/v2/").header("x-request-id", "mine-1");
        assert_eq!(request.send().await.header("x-request-id"), "mine-1");
        let bare = client.get("/v2").await;
        assert!([200, 301, 308].contains(&bare.status), "{}", bare.describe());
    })
    .await;
}

#[tokio::test]
async fn a_head_has_the_headers_of_its_get_and_no_body() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[10]);
        repository.push("latest", &image).await;
        for path in [
            repository.path("manifests/latest"),
            repository.path("manifests/none"),
            repository.path(&format!("blobs/{}", image.config.digest)),
            repository.path(&format!("blobs/{}", haven_tests::content::sha256(b"none"))),
        ] {
            let get = repository.client.get(&path).await;
            let head = repository.client.head(&path).await;
            assert_eq!(head.status, get.status, "{path}");
            assert!(head.body.is_empty(), "{path}");
            for name in ["content-type", "docker-content-digest", "etag"] {
                assert_eq!(head.maybe(name), get.maybe(name), "{name} of {path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn paths_may_be_percent_encoded_and_names_may_look_like_verbs() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        for name in ["blobs/uploads", "manifests/latest/tags", "tags/list", "a/referrers/b"] {
            let repository = project.repository(&server.admin, name);
            let image = Image::random(&[10]);
            repository.push("latest", &image).await;
            repository.assert_holds("latest", &image).await;
            assert_eq!(repository.tags().await, ["latest"]);
            let encoded = image.config.digest.replace(':', "%3A");
            assert!(repository.blob(&encoded).await.expect(200).body == image.config.bytes);
        }
    })
    .await;
}

#[tokio::test]
async fn many_readers_of_many_ranges_of_one_blob_are_served_at_once() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let blob = Blob::random(3_000_000);
        repository.upload(&blob).await;
        let reads = (0..64).map(|n| {
            let (repository, blob) = (repository.clone(), blob.clone());
            tokio::spawn(async move {
                let (first, last) = (n * 40_000, n * 40_000 + 65_535);
                let range = format!("bytes={first}-{last}");
                let answer = get_range(&repository, &blob, &range).await.expect(206);
                assert!(answer.body == blob.bytes[first..=last]);
            })
        });
        for read in reads.collect::<Vec<_>>() {
            read.await.unwrap();
        }
    })
    .await;
}
