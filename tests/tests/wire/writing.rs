//! Uploads and manifests: headers, conditions, and what is refused.

use crate::repository;
use bytes::Bytes;
use haven_tests::{
    Blob, Image, Manifest, Repository, Role, Server, Settings,
    content::{self, DOCKER_MANIFEST, OCI_INDEX},
    on_each_setup,
    repository::with_digest,
};
use serde_json::json;

#[tokio::test]
async fn an_upload_begins_with_the_headers_clients_read() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        for path in ["blobs/uploads/", "blobs/uploads"] {
            let request = repository.client.request("POST", &repository.path(path));
            let answer = request.send().await.expect(202);
            assert!(!answer.header("location").contains('?'), "{}", answer.describe());
            assert!(answer.header("location").contains(answer.header("docker-upload-uuid")));
            assert_eq!(answer.header("range"), "0-0");
            assert_eq!(answer.header("content-length"), "0");
            let location = answer.location();
            let status = repository.client.get(&location).await.expect(204);
            let same = status.header("docker-upload-uuid");
            assert_eq!(same, answer.header("docker-upload-uuid"));
            repository.client.head(&location).await.expect(204);
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_chunk_says_where_to_go_on() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let location = repository.begin().await;
        let first = repository.chunk(&location, 0, b"0123456789").await.expect(202);
        let location = first.location();
        let answer = repository.chunk(&location, 50, b"later").await;
        let answer = answer.refused(416, "BLOB_UPLOAD_INVALID");
        assert_eq!(answer.header("range"), "0-9");
        // A client resumes from exactly what the refusal named.
        let next = repository.chunk(&answer.location(), 10, b"abc").await.expect(202);
        let whole = Blob::new("0123456789abc");
        let put = with_digest(&next.location(), &whole.digest);
        let end = repository.client.request("PUT", &put).send().await;
        let end = end.expect(201);
        assert!(end.location().ends_with(&format!("/blobs/{}", whole.digest)));
        assert!(repository.blob(&whole.digest).await.expect(200).body == whole.bytes);
    })
    .await;
}

#[tokio::test]
async fn a_chunk_that_is_not_what_it_says_is_refused_and_changes_nothing() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let location = repository.begin().await;
        let patch = |range: &str, body: &'static [u8]| {
            let request = repository.client.request("PATCH", &location);
            request.header("content-range", range).body(body).send()
        };
        patch("0-99", b"ten bytes!").await.refused(400, "SIZE_INVALID");
        patch("0-4", b"ten bytes!").await.refused(400, "SIZE_INVALID");
        for range in ["bytes=0-9", "zero-nine", "9-0", "0-", "-9", "0-99999999999999999999999"] {
            let answer = patch(range, b"ten bytes!").await;
            assert!([400, 416].contains(&answer.status), "{range}: {}", answer.describe());
            answer.assert_error_format();
        }
        let status = repository.client.get(&location).await.expect(204);
        assert_eq!(status.header("range"), "0-0");
        let blob = Blob::new("ten bytes!");
        repository.finish(&location, &blob.digest, &blob).await.expect(201);
        assert!(repository.blob(&blob.digest).await.expect(200).body == blob.bytes);
    })
    .await;
}

#[tokio::test]
async fn an_upload_ends_only_with_a_digest_it_can_have() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        for digest in
            ["", "sha256:short", "sha384:00", "md5:d41d8cd98f00b204e9800998ecf8427e", "no"]
        {
            let location = repository.begin().await;
            let answer = repository.finish(&location, digest, &Blob::new("bytes")).await;
            answer.refused(400, "DIGEST_INVALID");
        }
        let location = repository.begin().await;
        let answer = repository.client.request("PUT", &location).body("bytes").send().await;
        answer.refused(400, "DIGEST_INVALID");
    })
    .await;
}

#[tokio::test]
async fn the_same_blob_may_be_pushed_again_and_by_many_at_once() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[200_000]);
        repository.push("latest", &image).await;
        repository.push("latest", &image).await;
        let fresh = Image::random(&[300_000, 10]);
        let pushes: Vec<_> = (0..12)
            .map(|n| {
                let (repository, fresh) = (repository.clone(), fresh.clone());
                tokio::spawn(async move { repository.push(&format!("by-{}", n % 3), &fresh).await })
            })
            .collect();
        for push in pushes {
            push.await.unwrap();
        }
        assert_eq!(repository.tags().await, ["by-0", "by-1", "by-2", "latest"]);
        for tag in ["by-0", "by-1", "by-2"] {
            repository.assert_holds(tag, &fresh).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository_and_its_user() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let one = project.member(Role::Developer).await;
        let two = project.member(Role::Developer).await;
        let mine = project.repository(&one, "mine");
        let location = mine.begin().await;
        let elsewhere = location.replace("/mine/", "/other/");
        assert_ne!(location, elsewhere);
        let stranger = mine.seen_by(&two);
        for (repository, location) in [(&mine, &elsewhere), (&stranger, &location)] {
            let client = &repository.client;
            client.get(location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
            let chunk = repository.chunk(location, 0, b"foreign").await;
            chunk.refused(404, "BLOB_UPLOAD_UNKNOWN");
            let blob = Blob::new("foreign");
            let end = repository.finish(location, &blob.digest, &blob).await;
            end.refused(404, "BLOB_UPLOAD_UNKNOWN");
            client.delete(location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        }
        let blob = Blob::new("still here");
        mine.finish(&location, &blob.digest, &blob).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn an_upload_survives_stop_and_kill() {
    for settings in [Settings::appliance(), Settings::cluster()] {
        let mut server = Server::start(&settings).await;
        let repository = repository(&server).await;
        let bytes = Bytes::from(content::random(9_000_000));
        let mut location = repository.begin().await;
        for (n, end) in [(0, 100), (100, 6_000_000), (6_000_000, 6_000_001), (6_000_001, 8_000_000)]
        {
            let answer = repository.chunk(&location, n, &bytes[n..end]).await.expect(202);
            location = answer.location();
            if n % 2 == 0 {
                server.kill();
            } else {
                assert!(server.stop().await.success());
            }
            server.start_again().await;
            let status = repository.client.get(&location).await.expect(204);
            assert_eq!(status.header("range"), format!("0-{}", end - 1));
        }
        let rest = Blob::new(bytes.slice(8_000_000..));
        let digest = content::sha256(&bytes);
        repository.finish(&location, &digest, &rest).await.expect(201);
        assert!(repository.blob(&digest).await.expect(200).body == bytes);
    }
}

#[tokio::test]
async fn conditions_on_a_put_keep_a_tag_from_being_moved_unseen() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let (first, second) = (Image::random(&[10]), Image::random(&[10]));
        for blob in first.blobs().chain(second.blobs()) {
            repository.upload(blob).await;
        }
        let put = async |image: &Image, name: &str, value: &str| {
            let path = repository.path("manifests/guarded");
            let request = repository.client.request("PUT", &path);
            let request = request.header("content-type", &image.manifest.media_type);
            let body = image.manifest.bytes.clone();
            request.header(name, value).body(body).send().await
        };
        let etag = |image: &Image| format!("\"{}\"", image.manifest.digest);
        put(&first, "if-match", &etag(&first)).await.expect(412).assert_error_format();
        put(&first, "if-none-match", "*").await.expect(201);
        put(&second, "if-none-match", "*").await.expect(412).assert_error_format();
        repository.assert_holds("guarded", &first).await;
        put(&second, "if-match", &etag(&second)).await.expect(412).assert_error_format();
        put(&second, "if-match", &etag(&first)).await.expect(201);
        repository.assert_holds("guarded", &second).await;
    })
    .await;
}

#[tokio::test]
async fn of_many_conditional_writers_one_wins() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let images: Vec<Image> = (0..8).map(|_| Image::random(&[10])).collect();
        for image in &images {
            for blob in image.blobs() {
                repository.upload(blob).await;
            }
        }
        let puts: Vec<_> = images
            .iter()
            .map(|image| {
                let path = repository.path("manifests/once");
                let request = repository.client.request("PUT", &path);
                let request = request
                    .header("content-type", &image.manifest.media_type)
                    .header("if-none-match", "*")
                    .body(image.manifest.bytes.clone());
                tokio::spawn(request.send())
            })
            .collect();
        let mut won = Vec::new();
        for (image, put) in images.iter().zip(puts) {
            match put.await.unwrap() {
                answer if answer.status == 201 => won.push(image),
                answer => answer.expect(412).assert_error_format(),
            }
        }
        assert_eq!(won.len(), 1);
        repository.assert_holds("once", won[0]).await;
    })
    .await;
}

#[tokio::test]
async fn dockers_own_manifests_are_kept_and_the_oldest_refused() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let config = Blob::new("{\"os\": \"linux\", \"architecture\": \"amd64\"}");
        let layer = Blob::random(100);
        repository.upload(&config).await;
        repository.upload(&layer).await;
        let manifest = Manifest::json(
            DOCKER_MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": DOCKER_MANIFEST,
                "config": config.descriptor("application/vnd.docker.container.image.v1+json"),
                "layers": [layer.descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip")],
            }),
        );
        repository.put("docker", &manifest).await.expect(201);
        let mut child = manifest.descriptor();
        child["platform"] = json!({"architecture": "amd64", "os": "linux"});
        let list_type = "application/vnd.docker.distribution.manifest.list.v2+json";
        let list = Manifest::json(
            list_type,
            &json!({"schemaVersion": 2, "mediaType": list_type, "manifests": [child]}),
        );
        repository.put("list", &list).await.expect(201);
        for (tag, manifest) in [("docker", &manifest), ("list", &list)] {
            let answer = repository.manifest(tag).await.expect(200);
            assert_eq!(answer.header("content-type"), manifest.media_type);
            assert!(answer.body == manifest.bytes);
        }
        for kind in ["v1+json", "v1+prettyjws"] {
            let kind = format!("application/vnd.docker.distribution.manifest.{kind}");
            let old = json!({"schemaVersion": 1, "name": "old", "tag": "old", "fsLayers": []});
            let answer = repository.put("old", &Manifest::json(&kind, &old)).await;
            let code = answer.expect(400).json()["errors"][0]["code"].clone();
            assert!(code == "MANIFEST_INVALID" || code == "UNSUPPORTED", "{code}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_index_may_list_blobs_as_build_caches_do() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let (layer, config) = (Blob::random(1000), Blob::new("{\"layers\": []}"));
        repository.upload(&layer).await;
        repository.upload(&config).await;
        let cache = Manifest::json(
            OCI_INDEX,
            &json!({
                "schemaVersion": 2,
                "mediaType": OCI_INDEX,
                "manifests": [
                    layer.descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip"),
                    config.descriptor("application/vnd.buildkit.cacheconfig.v0"),
                ],
            }),
        );
        repository.put("cache", &cache).await.expect(201);
        assert!(repository.manifest("cache").await.expect(200).body == cache.bytes);
        let path = repository.path(&format!("blobs/{}", layer.digest));
        assert!(repository.client.get(&path).await.expect(200).body == layer.bytes);
    })
    .await;
}

#[tokio::test]
async fn what_was_pushed_shows_at_once() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        for n in 0..20 {
            let image = Image::random(&[10]);
            repository.head_manifest("moving").await;
            repository.push("moving", &image).await;
            let head = repository.head_manifest("moving").await.expect(200);
            assert_eq!(head.header("docker-content-digest"), image.manifest.digest);
            repository.push(&format!("n{n:02}"), &image).await;
            assert_eq!(repository.tags().await.len(), n + 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_mount_that_is_no_mount_begins_an_upload() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let blob = Blob::random(10);
        for query in [
            format!("mount={}&from=nobody/nothing", blob.digest),
            format!("mount={}&from=NOT%20A%20NAME", blob.digest),
            format!("mount={}&from=", blob.digest),
            format!("mount={}", blob.digest),
        ] {
            let path = repository.path(&format!("blobs/uploads/?{query}"));
            let answer = repository.client.request("POST", &path).send().await.expect(202);
            let location = answer.location();
            // Some clients take this 202 for a failure and cancel.
            repository.client.delete(&location).await.expect(204);
        }
        let repository = Repository::new(&repository.client, &repository.name);
        repository.upload(&blob).await;
    })
    .await;
}
