//! Tags in order and page by page, referrers with their filters, and deletes.

use crate::repository;
use haven_tests::{
    Blob, Image, Manifest, Repository,
    content::{OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, sha256},
    on_each_setup,
};
use serde_json::{Value, json};

async fn push_under(repository: &Repository, tags: &[&str]) -> Image {
    let image = Image::random(&[100]);
    for tag in tags {
        repository.push(tag, &image).await;
    }
    image
}

/// Follows the `Link`s from this path to the end and gives every page's tags.
async fn pages(repository: &Repository, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let answer = repository.client.get(&path).await.expect(200);
        let json = answer.json();
        assert_eq!(json["name"], repository.name);
        let tags = json["tags"].as_array().unwrap().iter();
        pages.push(tags.map(|tag| tag.as_str().unwrap().to_owned()).collect());
        next = answer.maybe("link").map(|link| {
            let (url, rel) = link.split_once(';').unwrap();
            assert_eq!(rel.trim(), "rel=\"next\"");
            url.trim_matches(['<', '>']).to_owned()
        });
        assert!(pages.len() < 100, "the pages do not end");
    }
    pages
}

#[tokio::test]
async fn tags_come_in_order_and_page_by_page() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let sorted = ["10", "9", "B", "_z", "a", "b.c-d", "latest"];
        push_under(&repository, &["latest", "a", "_z", "B", "9", "b.c-d", "10"]).await;
        let list = repository.path("tags/list");
        assert_eq!(pages(&repository, &list).await, [sorted.to_vec()]);
        let by_three = pages(&repository, &format!("{list}?n=3")).await;
        assert_eq!(by_three, [&sorted[..3], &sorted[3..6], &sorted[6..]]);
        // The last page is exactly full: no further page is promised.
        let by_seven = pages(&repository, &format!("{list}?n=7")).await;
        assert_eq!(by_seven, [sorted.to_vec()]);
        let many = pages(&repository, &format!("{list}?n=1000000000")).await;
        assert_eq!(many, [sorted.to_vec()]);
        // `last` is left out itself, works alone, and need not be a tag that is there.
        let after = pages(&repository, &format!("{list}?last=B")).await;
        assert_eq!(after, [sorted[3..].to_vec()]);
        let after = pages(&repository, &format!("{list}?n=2&last=A")).await;
        assert_eq!(after, [&sorted[2..4], &sorted[4..6], &sorted[6..]]);
        let none = repository.client.get(&format!("{list}?n=0")).await.expect(200);
        assert_eq!(none.json()["tags"], json!([]));
        assert!(none.maybe("link").is_none());
        for n in ["-1", "many", "1.5", ""] {
            let answer = repository.client.get(&format!("{list}?n={n}")).await;
            answer.refused(400, "PAGINATION_NUMBER_INVALID");
        }
    })
    .await;
}

#[tokio::test]
async fn deleting_a_tag_keeps_the_manifest_and_deleting_the_manifest_takes_its_tags() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = push_under(&repository, &["one", "two", "three"]).await;
        let delete = async |reference: &str| {
            let path = repository.path(&format!("manifests/{reference}"));
            repository.client.delete(&path).await
        };
        delete("one").await.expect(202);
        repository.manifest("one").await.refused(404, "MANIFEST_UNKNOWN");
        assert_eq!(repository.tags().await, ["three", "two"]);
        repository.assert_holds("two", &image).await;
        delete("one").await.refused(404, "MANIFEST_UNKNOWN");
        delete(&image.manifest.digest).await.expect(202);
        for reference in ["two", "three", &image.manifest.digest] {
            repository.manifest(reference).await.refused(404, "MANIFEST_UNKNOWN");
            repository.head_manifest(reference).await.refused(404, "");
        }
        delete(&image.manifest.digest).await.refused(404, "MANIFEST_UNKNOWN");
        repository.push("two", &image).await;
        repository.assert_holds("two", &image).await;
    })
    .await;
}

#[tokio::test]
async fn parents_are_deleted_before_their_parts() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = push_under(&repository, &["child"]).await;
        let index = Manifest::index(&[&image.manifest], json!({}));
        repository.put("parent", &index).await.expect(201);
        let delete = async |path: String| {
            let path = repository.path(&path);
            repository.client.delete(&path).await.expect(202);
        };
        delete(format!("manifests/{}", index.digest)).await;
        delete(format!("manifests/{}", image.manifest.digest)).await;
        for blob in image.blobs() {
            delete(format!("blobs/{}", blob.digest)).await;
            repository.head_blob(&blob.digest).await.refused(404, "");
        }
    })
    .await;
}

/// A manifest about a subject.
fn about(subject: &Manifest, artifact_type: &str, annotations: Value) -> Manifest {
    Manifest::json(
        OCI_MANIFEST,
        &json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": Blob::new("{}").descriptor(OCI_EMPTY),
            "layers": [],
            "subject": subject.descriptor(),
            "annotations": annotations,
        }),
    )
}

#[tokio::test]
async fn referrers_name_everything_about_a_subject() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let subject = push_under(&repository, &["subject"]).await.manifest;
        let empty = Blob::new("{}");
        repository.upload(&empty).await;

        let nothing = repository.referrers(&subject.digest, "").await.expect(200);
        assert_eq!(nothing.header("content-type"), OCI_INDEX);
        assert_eq!(
            nothing.json(),
            json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
        );

        let signature = about(&subject, "application/vnd.example.signature", json!({"by": "me"}));
        let sbom = about(&subject, "application/vnd.example.sbom", json!({}));
        repository.put(&signature.digest, &signature).await.expect(201);
        repository.put("sbom", &sbom).await.expect(201);
        let by_config = Manifest::json(
            OCI_MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": empty.descriptor("application/vnd.example.config"),
                "layers": [],
                "subject": subject.descriptor(),
            }),
        );
        repository.put(&by_config.digest, &by_config).await.expect(201);
        let index = Manifest::index(&[], json!({"subject": subject.descriptor()}));
        repository.put(&index.digest, &index).await.expect(201);

        let all = repository.referrers(&subject.digest, "").await.expect(200).json();
        let find = |manifest: &Manifest| {
            let list = all["manifests"].as_array().unwrap();
            let found = list.iter().find(|one| one["digest"] == manifest.digest);
            found.unwrap_or_else(|| panic!("{} is missing in {all}", manifest.digest)).clone()
        };
        assert_eq!(all["manifests"].as_array().unwrap().len(), 4);
        let found = find(&signature);
        assert_eq!(found["mediaType"], OCI_MANIFEST);
        assert_eq!(found["size"], signature.bytes.len());
        assert_eq!(found["artifactType"], "application/vnd.example.signature");
        assert_eq!(found["annotations"], json!({"by": "me"}));
        assert_eq!(find(&by_config)["artifactType"], "application/vnd.example.config");
        assert_eq!(find(&index)["mediaType"], OCI_INDEX);
        assert!(find(&index).get("artifactType").is_none());

        let filter = "?artifactType=application%2Fvnd.example.sbom";
        let some = repository.referrers(&subject.digest, filter).await.expect(200);
        assert_eq!(some.header("oci-filters-applied"), "artifactType");
        let list = some.json()["manifests"].as_array().unwrap().clone();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0]["digest"], sbom.digest);

        // A referrer that is deleted is gone from the list at once; a deleted
        // subject keeps its referrers.
        let path = repository.path(&format!("manifests/{}", sbom.digest));
        repository.client.delete(&path).await.expect(202);
        let left = repository.referrers(&subject.digest, filter).await.expect(200);
        assert_eq!(left.json()["manifests"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn referrers_of_what_was_never_pushed_are_an_index_too() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let absent = Manifest::json(OCI_MANIFEST, &json!({"never": "pushed"}));
        repository.upload(&Blob::new("{}")).await;
        let early = about(&absent, "application/vnd.example.early", json!({}));
        let answer = repository.put(&early.digest, &early).await.expect(201);
        assert_eq!(answer.header("oci-subject"), absent.digest);
        let list = repository.referrers(&absent.digest, "").await.expect(200).json();
        assert_eq!(list["manifests"][0]["digest"], early.digest);
        let nobody = repository.referrers(&sha256(b"nobody"), "").await.expect(200);
        assert_eq!(nobody.json()["manifests"], json!([]));
        let unknown = Repository::new(&repository.client, &format!("{}-unknown", repository.name));
        let answer = unknown.referrers(&absent.digest, "").await.expect(200);
        assert_eq!(answer.json()["manifests"], json!([]));
        let answer = repository.referrers("sha256:short", "").await;
        answer.refused(400, "DIGEST_INVALID");
    })
    .await;
}
