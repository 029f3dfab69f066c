//! Bodies that are not what they should be: broken JSON, wrong lengths, aborted
//! transfers, other bytes than the digest says.

use crate::{Scene, assert_refusal};
use haven_tests::{
    Blob, Manifest,
    content::{self, OCI_INDEX, OCI_MANIFEST},
    eventually, on_each_setup,
    raw::Raw,
    repository::with_digest,
};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn broken_manifests_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let whole = String::from_utf8(scene.image.manifest.bytes.to_vec()).unwrap();
        let mut broken: Vec<Vec<u8>> = [
            "",
            "{",
            "}",
            "null",
            "[]",
            "7",
            "\"text\"",
            "\u{0}",
            "{}",
            "nul",
            "{\"schemaVersion\": 2",
            "{\"schemaVersion\": \"2\"}",
            "{\"schemaVersion\": 2, \"mediaType\": 7}",
            "{\"schemaVersion\": 1}",
            "{\"schemaVersion\": 99}",
        ]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
        broken.push(b"\xff\xfe\xfd".to_vec());
        broken.push(whole.as_bytes()[..whole.len() / 2].to_vec());
        broken.push(format!("{whole}{whole}").into_bytes());
        broken.push("[".repeat(1_000_000).into_bytes());
        broken.push("{\"a\":".repeat(500_000).into_bytes());
        broken.push(
            format!(
                "{{\"schemaVersion\": 2, \"annotations\": {}1{}}}",
                "[".repeat(9000),
                "]".repeat(9000)
            )
            .into_bytes(),
        );
        for bytes in broken {
            let manifest = Manifest::new(OCI_MANIFEST, bytes);
            let answer = scene.repository.put("broken", &manifest).await;
            let answer = answer.refused(400, "MANIFEST_INVALID");
            assert!(answer.body.len() < 4096, "the error repeats the input");
        }
        scene.repository.head_manifest("broken").await.refused(404, "");
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn fields_of_the_wrong_type_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let good: Value = serde_json::from_slice(&scene.image.manifest.bytes).unwrap();
        let wrong = [
            ("/config", json!(null)),
            ("/config", json!([])),
            ("/config/digest", json!("sha256:short")),
            ("/config/digest", json!(7)),
            ("/config/size", json!(-1)),
            ("/config/size", json!("7")),
            ("/config/size", json!(1.5)),
            ("/config/mediaType", json!(7)),
            ("/layers", json!({})),
            ("/layers", json!("none")),
            ("/layers/0", json!(null)),
            ("/layers/0/digest", json!("../../etc/passwd")),
            ("/layers/0/size", json!(-5)),
        ];
        for (place, value) in wrong {
            let mut manifest = good.clone();
            *manifest.pointer_mut(place).unwrap() = value.clone();
            let manifest = Manifest::json(OCI_MANIFEST, &manifest);
            let answer = scene.repository.put("wrong", &manifest).await;
            assert_eq!(answer.status, 400, "{place} = {value}: {}", answer.describe());
            answer.assert_error_format();
        }
        for (name, value) in [
            ("subject", json!("text")),
            ("subject", json!({"digest": "no"})),
            ("annotations", json!([])),
            ("annotations", json!({"a": 7})),
            ("artifactType", json!(7)),
        ] {
            let mut manifest = good.clone();
            manifest[name] = value.clone();
            let manifest = Manifest::json(OCI_MANIFEST, &manifest);
            let answer = scene.repository.put("wrong", &manifest).await;
            assert_eq!(answer.status, 400, "{name} = {value}: {}", answer.describe());
        }
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": {}});
        let answer = scene.repository.put("wrong", &Manifest::json(OCI_INDEX, &index)).await;
        answer.refused(400, "MANIFEST_INVALID");
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn a_name_given_twice_does_not_smuggle_anything_in() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let text = String::from_utf8(scene.image.manifest.bytes.to_vec()).unwrap();
        let absent = content::sha256(b"absent");
        let other = format!(
            "\"config\": {{\"mediaType\": \"a/b\", \"digest\": \"{absent}\", \"size\": 6}},"
        );
        let twice = text.replacen('{', &format!("{{{other}"), 1);
        let answer = scene.repository.put("twice", &Manifest::new(OCI_MANIFEST, twice)).await;
        assert_eq!(answer.status, 400, "{}", answer.describe());
        answer.assert_error_format();
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn a_transfer_that_breaks_off_stores_nothing_half() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let repository = &scene.repository;
        let blob = Blob::random(500_000);
        let length = format!("Content-Length: {}", blob.bytes.len());
        for sent in [0, 1, 1000, 499_999] {
            let location = repository.begin().await;
            let put = with_digest(&location, &blob.digest);
            let mut connection = Raw::connect(scene.host()).await;
            connection.send(scene.head("PUT", &put, &[&length])).await;
            connection.send(&blob.bytes[..sent]).await;
            drop(connection);
            repository.head_blob(&blob.digest).await.refused(404, "");
            // What the server says of the upload is true, so a client can go on.
            let mut kept = 0;
            eventually("the upload can go on", Duration::from_secs(20), async || {
                let status = repository.client.get(&location).await.expect(204);
                let range = status.header("range").strip_prefix("0-").unwrap().to_owned();
                kept = range.parse::<usize>().unwrap();
                kept = if kept == 0 { 0 } else { kept + 1 };
                let rest = &blob.bytes[kept.min(blob.bytes.len())..];
                let answer = repository.chunk(&location, kept, rest).await;
                answer.status == 202
            })
            .await;
            assert!(kept <= sent, "{kept} bytes kept of {sent}");
            let put = repository.client.request("PUT", &put).send().await;
            put.expect(201);
            assert!(repository.blob(&blob.digest).await.expect(200).body == blob.bytes);
            let path = repository.path(&format!("blobs/{}", blob.digest));
            repository.client.delete(&path).await.expect(202);
        }
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn a_manifest_that_breaks_off_is_not_stored() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let path = scene.repository.path("manifests/half");
        let bytes = &scene.image.manifest.bytes;
        let length = format!("Content-Length: {}", bytes.len());
        let kind = format!("Content-Type: {OCI_MANIFEST}");
        let mut connection = Raw::connect(scene.host()).await;
        connection.send(scene.head("PUT", &path, &[&kind, &length])).await;
        connection.send(&bytes[..bytes.len() - 1]).await;
        connection.end().await;
        if let Some(answer) = connection.answer().await {
            assert_refusal("half a manifest", &answer);
        }
        scene.repository.head_manifest("half").await.refused(404, "");
        // White space up to the length that was announced is another manifest.
        let length = format!("Content-Length: {}", bytes.len() + 1);
        let longer = [&bytes[..], b"\n"].concat();
        let target = scene.repository.path(&format!("manifests/{}", scene.image.manifest.digest));
        let answer = scene.ask("PUT", &target, &[&kind, &length], &longer).await.unwrap();
        assert_refusal("another manifest", &answer);
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn lengths_that_contradict_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let repository = &scene.repository;
        for lines in [
            &["Content-Length: -1"][..],
            &["Content-Length: x"],
            &["Content-Length: 99999999999999999999999"],
            &["Content-Length: 5", "Content-Length: 6"],
            &["Content-Length: 5, 6"],
            &["Transfer-Encoding: nonsense"],
            &["Transfer-Encoding: chunked, identity"],
        ] {
            let location = repository.begin().await;
            let answer = scene.ask("PATCH", &location, lines, b"12345").await;
            let answer = answer.unwrap_or_else(|| panic!("no answer to {lines:?}"));
            assert!((400..=501).contains(&answer.status), "{lines:?}: {}", answer.head);
            assert_ne!(answer.status, 500, "{lines:?}");
        }
        // A body whose pieces are no pieces.
        let location = repository.begin().await;
        let lines = ["Transfer-Encoding: chunked"];
        let answer = scene.ask("PATCH", &location, &lines, b"zz\r\nhello\r\n0\r\n\r\n").await;
        if let Some(answer) = answer {
            assert!((400..500).contains(&answer.status), "{}", answer.head);
        }
        // Both at once is how requests are smuggled: whatever the answer, the
        // second request hidden in the body must not be answered.
        let location = repository.begin().await;
        let lines = ["Content-Length: 4", "Transfer-Encoding: chunked"];
        let mut connection = Raw::connect(scene.host()).await;
        connection.send(scene.head("PATCH", &location, &lines)).await;
        let hidden = format!(
            "0\r\n\r\n{}",
            scene.head("DELETE", &scene.repository.path("manifests/latest"), &[])
        );
        connection.send(hidden).await;
        connection.answer().await;
        drop(connection);
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn other_bytes_than_the_digest_says_are_never_kept() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let repository = &scene.repository;
        let (said, sent) = (Blob::random(1000), Blob::random(1000));
        let sha512 = content::sha512(&sent.bytes);
        let wrong512 = content::sha512(&said.bytes);
        for digest in [&said.digest, &wrong512] {
            let location = repository.begin().await;
            let answer = repository.finish(&location, digest, &sent).await;
            answer.refused(400, "DIGEST_INVALID");
            repository.head_blob(digest).await.refused(404, "");
            // Nothing of the mistake is left, whether the upload is or not.
            let status = repository.client.get(&location).await;
            if status.status != 404 {
                assert_eq!(status.expect(204).header("range"), "0-0");
            }
        }
        // Announced as one algorithm, ended with the other: right is right.
        let path = repository.path("blobs/uploads/?digest-algorithm=sha256");
        let begun = repository.client.request("POST", &path).send().await.expect(202);
        let answer = repository.finish(&begun.location(), &sha512, &sent).await;
        assert!([201, 400].contains(&answer.status), "{}", answer.describe());
        if answer.status == 201 {
            assert!(repository.blob(&sha512).await.expect(200).body == sent.bytes);
        }
        scene.assert_unharmed().await;
    })
    .await;
}
