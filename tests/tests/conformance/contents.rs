//! Manifests of every kind are kept byte for byte, and bad ones are refused.

use crate::repository;
use haven_tests::{
    Blob, Image, Manifest, Repository,
    content::{self, OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER, OCI_MANIFEST},
    on_each_setup,
};
use serde_json::{Value, json};

/// Pushes by tag and by digest, pulls by both, and deletes again.
async fn assert_round_trip(repository: &Repository, name: &str, manifest: &Manifest) {
    println!("{name}");
    for reference in [manifest.digest.as_str(), name] {
        let answer = repository.put(reference, manifest).await.expect(201);
        assert_eq!(answer.header("docker-content-digest"), manifest.digest);
        let subject = serde_json::from_slice::<Value>(&manifest.bytes).unwrap()["subject"].clone();
        assert_eq!(answer.maybe("oci-subject"), subject["digest"].as_str());
        let stored = repository.client.get(answer.header("location")).await;
        assert!(stored.expect(200).body == manifest.bytes);
    }
    for reference in [manifest.digest.as_str(), name] {
        let head = repository.head_manifest(reference).await.expect(200);
        assert_eq!(head.header("content-type"), manifest.media_type);
        assert_eq!(head.header("docker-content-digest"), manifest.digest);
        assert_eq!(head.header("content-length"), manifest.bytes.len().to_string());
        let whole = repository.manifest(reference).await.expect(200);
        assert_eq!(whole.header("content-type"), manifest.media_type);
        assert!(whole.body == manifest.bytes, "{}", whole.describe());
    }
    assert!(repository.tags().await.contains(&name.to_owned()));
}

async fn push_blobs(repository: &Repository, image: &Image) {
    for blob in image.blobs() {
        repository.upload(blob).await;
    }
}

/// `{}`, as artifacts have it for a configuration.
fn empty() -> Blob {
    Blob::new("{}")
}

#[tokio::test]
async fn images_of_every_shape_are_kept() {
    on_each_setup(async |server| {
        let repository = repository(server).await;

        let image = Image::random(&[1000, 50_000]);
        push_blobs(&repository, &image).await;
        assert_round_trip(&repository, "image", &image.manifest).await;

        let bare = Image::random(&[]);
        push_blobs(&repository, &bare).await;
        assert_round_trip(&repository, "no-layers", &bare.manifest).await;

        let hollow = Image::random(&[0]);
        push_blobs(&repository, &hollow).await;
        assert_round_trip(&repository, "empty-blob", &hollow.manifest).await;

        let custom = Image::with(&[10], json!({"org.example.custom": {"deep": [1, 2.5, null]}}));
        push_blobs(&repository, &custom).await;
        assert_round_trip(&repository, "custom-fields", &custom.manifest).await;

        let annotated = Image::with(&[10], json!({"annotations": {"a": "b", "": "ünïcödé"}}));
        push_blobs(&repository, &annotated).await;
        assert_round_trip(&repository, "annotations", &annotated.manifest).await;
    })
    .await;
}

#[tokio::test]
async fn artifacts_of_any_type_are_kept() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        repository.upload(&empty()).await;
        let layer = Blob::new("an artifact's content");
        repository.upload(&layer).await;

        let typed = Manifest::json(
            OCI_MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "artifactType": "application/vnd.example.thing.v1",
                "config": empty().descriptor(OCI_EMPTY),
                "layers": [layer.descriptor("application/vnd.example.part+json")],
            }),
        );
        assert_round_trip(&repository, "artifact-type", &typed).await;

        let by_config = Manifest::json(
            OCI_MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": empty().descriptor("application/vnd.example.config.v1+json"),
                "layers": [layer.descriptor("text/plain")],
            }),
        );
        assert_round_trip(&repository, "config-type", &by_config).await;

        let mut inline = empty().descriptor(OCI_EMPTY);
        inline["data"] = json!("e30=");
        let with_data = Manifest::json(
            OCI_MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "artifactType": "application/vnd.example.data",
                "config": inline,
                "layers": [inline],
            }),
        );
        assert_round_trip(&repository, "data-field", &with_data).await;
    })
    .await;
}

#[tokio::test]
async fn indexes_of_every_shape_are_kept() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let images = [Image::random(&[100]), Image::random(&[200])];
        for image in &images {
            push_blobs(&repository, image).await;
            let digest = &image.manifest.digest;
            repository.put(digest, &image.manifest).await.expect(201);
        }
        let children = [&images[0].manifest, &images[1].manifest];
        let index = Manifest::index(&children, json!({}));
        assert_round_trip(&repository, "index", &index).await;

        let nested = Manifest::index(&[&index, children[0]], json!({}));
        assert_round_trip(&repository, "nested", &nested).await;

        let nothing = Manifest::index(&[], json!({}));
        assert_round_trip(&repository, "no-children", &nothing).await;

        let typed = Manifest::index(&children, json!({"artifactType": "application/vnd.example"}));
        assert_round_trip(&repository, "artifact-index", &typed).await;

        let about = Manifest::index(&children, json!({"subject": index.descriptor()}));
        assert_round_trip(&repository, "subject-index", &about).await;
    })
    .await;
}

#[tokio::test]
async fn a_subject_need_not_be_there() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let absent = Manifest::json(OCI_MANIFEST, &json!({"never": "pushed"}));
        let image = Image::with(&[10], json!({"subject": absent.descriptor()}));
        push_blobs(&repository, &image).await;
        assert_round_trip(&repository, "subject-missing", &image.manifest).await;
    })
    .await;
}

#[tokio::test]
async fn layers_that_may_not_be_distributed_need_not_be_there() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let config = Blob::new("{\"os\": \"windows\"}");
        repository.upload(&config).await;
        for media_type in [
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ] {
            let mut layer = Blob::random(10).descriptor(media_type);
            layer["urls"] = json!(["https://example.org/layer"]);
            let manifest = Manifest::json(
                OCI_MANIFEST,
                &json!({
                    "schemaVersion": 2,
                    "mediaType": OCI_MANIFEST,
                    "config": config.descriptor(OCI_CONFIG),
                    "layers": [layer],
                }),
            );
            let tag = if media_type.contains("docker") { "foreign" } else { "nondistributable" };
            assert_round_trip(&repository, tag, &manifest).await;
        }
    })
    .await;
}

#[tokio::test]
async fn manifests_are_addressed_by_sha512_too() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let layer = content::random(500);
        let config = b"{\"os\": \"linux\"}".to_vec();
        let mut descriptors = Vec::new();
        for bytes in [&config, &layer] {
            let digest = content::sha512(bytes);
            let location = repository.begin().await;
            repository.finish(&location, &digest, &Blob::new(bytes.clone())).await.expect(201);
            descriptors.push(json!({"digest": digest, "size": bytes.len()}));
        }
        descriptors[0]["mediaType"] = json!(OCI_CONFIG);
        descriptors[1]["mediaType"] = json!(OCI_LAYER);
        let manifest = Manifest::json(
            OCI_MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": descriptors[0],
                "layers": [descriptors[1]],
            }),
        );
        let digest = content::sha512(&manifest.bytes);
        let answer =
            repository.put(&format!("{digest}?tag=one&tag=two"), &manifest).await.expect(201);
        assert_eq!(answer.header("docker-content-digest"), digest);
        for reference in [digest.as_str(), "one", "two"] {
            let answer = repository.manifest(reference).await.expect(200);
            assert_eq!(answer.header("docker-content-digest"), digest);
            assert!(answer.body == manifest.bytes);
        }
    })
    .await;
}

#[tokio::test]
async fn tags_ride_along_with_a_push_by_digest() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[100]);
        push_blobs(&repository, &image).await;
        let tags: Vec<String> = (0..10).map(|n| format!("tag-{n}")).collect();
        let query = tags.join("&tag=");
        let answer = repository
            .put(&format!("{}?tag={query}", image.manifest.digest), &image.manifest)
            .await
            .expect(201);
        let mut said: Vec<&str> = answer
            .all("oci-tag")
            .iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        said.sort_unstable();
        assert_eq!(said, tags);
        assert_eq!(repository.tags().await, tags);
        for tag in &tags {
            repository.assert_holds(tag, &image).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_manifest_of_almost_four_megabytes_passes_and_a_larger_one_does_not() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::with(&[10], json!({"annotations": {"long": "x".repeat(3_900_000)}}));
        push_blobs(&repository, &image).await;
        assert_round_trip(&repository, "large", &image.manifest).await;
        let padding = "x".repeat(4 * 1024 * 1024);
        let image = Image::with(&[10], json!({"annotations": {"long": padding}}));
        push_blobs(&repository, &image).await;
        let answer = repository.put("too-large", &image.manifest).await;
        answer.refused(413, "MANIFEST_INVALID");
    })
    .await;
}

#[tokio::test]
async fn what_a_manifest_names_must_be_there() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[100, 200]);
        repository.upload(&image.config).await;
        let answer = repository.put("incomplete", &image.manifest).await;
        let errors = answer.refused(400, "MANIFEST_BLOB_UNKNOWN").json();
        let errors = errors["errors"].as_array().unwrap().clone();
        assert_eq!(errors.len(), 2, "one error for each missing layer");
        for layer in &image.layers {
            let named = errors.iter().any(|error| error.to_string().contains(&layer.digest));
            assert!(named, "{} is not named in {errors:?}", layer.digest);
        }
        let index = Manifest::index(&[&image.manifest], json!({}));
        repository.put("incomplete", &index).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
        repository.head_manifest("incomplete").await.refused(404, "");
    })
    .await;
}

#[tokio::test]
async fn a_manifest_under_a_digest_that_is_not_its_own_is_refused() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[100]);
        push_blobs(&repository, &image).await;
        let other = content::sha256(b"other");
        let answer = repository.put(&other, &image.manifest).await;
        answer.refused(400, "DIGEST_INVALID");
        // One byte of white space more is another manifest.
        let mut bytes = image.manifest.bytes.to_vec();
        bytes.push(b'\n');
        let longer = Manifest::new(OCI_MANIFEST, bytes);
        let answer = repository.put(&image.manifest.digest, &longer).await;
        answer.refused(400, "DIGEST_INVALID");
        repository.put("spaced", &longer).await.expect(201);
        assert!(repository.manifest("spaced").await.expect(200).body == longer.bytes);
    })
    .await;
}

#[tokio::test]
async fn media_types_of_header_and_body_must_agree() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[100]);
        push_blobs(&repository, &image).await;
        let claims_index = Manifest::new(OCI_INDEX, image.manifest.bytes.clone());
        let answer = repository.put("confused", &claims_index).await;
        answer.refused(400, "MANIFEST_INVALID");
        let with_parameter = format!("{OCI_MANIFEST}; charset=utf-8");
        let polite = Manifest::new(&with_parameter, image.manifest.bytes.clone());
        repository.put("polite", &polite).await.expect(201);
        let answer = repository.manifest("polite").await.expect(200);
        assert_eq!(answer.header("content-type"), OCI_MANIFEST);
        // Without a header the body speaks for itself.
        let answer = repository
            .client
            .request("PUT", &repository.path("manifests/silent"))
            .body(image.manifest.bytes.clone())
            .send()
            .await;
        answer.expect(201);
        let answer = repository.manifest("silent").await.expect(200);
        assert_eq!(answer.header("content-type"), OCI_MANIFEST);
    })
    .await;
}

#[tokio::test]
async fn what_is_unknown_is_404_and_what_is_malformed_never_500() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let digest = content::sha256(b"unknown");
        let answer = repository.manifest(&digest).await;
        answer.refused(404, "MANIFEST_UNKNOWN");
        let answer = repository.manifest("unknown").await;
        answer.refused(404, "MANIFEST_UNKNOWN");
        let answer = repository.blob(&digest).await;
        answer.refused(404, "BLOB_UNKNOWN");
        repository.head_manifest(&digest).await.refused(404, "");
        repository.head_blob(&digest).await.refused(404, "");
        for path in ["manifests/sha256:baddigeststring", "blobs/sha256:baddigeststring"] {
            let answer = repository.client.get(&repository.path(path)).await;
            assert!([400, 404].contains(&answer.status), "{}", answer.describe());
            answer.assert_error_format();
        }
    })
    .await;
}
