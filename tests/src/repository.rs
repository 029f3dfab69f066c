//! One repository as a client sees it: push, pull, list, delete.

use crate::{Answer, Blob, Client, Image, Manifest};

/// A repository on a server, seen by somebody.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Who looks.
    pub client: Client,
    /// The whole name, project first.
    pub name: String,
}

impl Repository {
    /// The repository of this name, seen by this client.
    pub fn new(client: &Client, name: &str) -> Repository {
        Repository { client: client.clone(), name: name.into() }
    }

    /// The same repository, seen by somebody else.
    pub fn seen_by(&self, client: &Client) -> Repository {
        Repository::new(client, &self.name)
    }

    /// `host:port/name`, as tools want it.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.client.host(), self.name)
    }

    /// A path below `/v2/<name>/`.
    pub fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.name)
    }

    /// Begins an upload and gives its location.
    pub async fn begin(&self) -> String {
        let answer =
            self.client.request("POST", &self.path("blobs/uploads/")).send().await.expect(202);
        answer.location()
    }

    /// Pushes a blob by POST and PUT.
    pub async fn upload(&self, blob: &Blob) -> Answer {
        let location = self.begin().await;
        self.finish(&location, &blob.digest, blob).await.expect(201)
    }

    /// Ends an upload with this blob's bytes as the last piece.
    pub async fn finish(&self, location: &str, digest: &str, last: &Blob) -> Answer {
        self.client
            .request("PUT", &with_digest(location, digest))
            .header("content-type", "application/octet-stream")
            .body(last.bytes.clone())
            .send()
            .await
    }

    /// Sends one chunk that begins at `offset`.
    pub async fn chunk(&self, location: &str, offset: usize, bytes: &[u8]) -> Answer {
        self.client
            .request("PATCH", location)
            .header("content-type", "application/octet-stream")
            .header("content-range", format!("{offset}-{}", (offset + bytes.len()).wrapping_sub(1)))
            .body(bytes.to_vec())
            .send()
            .await
    }

    /// GET of a blob.
    pub async fn blob(&self, digest: &str) -> Answer {
        self.client.get(&self.path(&format!("blobs/{digest}"))).await
    }

    /// HEAD of a blob.
    pub async fn head_blob(&self, digest: &str) -> Answer {
        self.client.head(&self.path(&format!("blobs/{digest}"))).await
    }

    /// A request on a manifest, by tag or digest.
    pub async fn manifest(&self, reference: &str) -> Answer {
        self.client.get(&self.path(&format!("manifests/{reference}"))).await
    }

    /// HEAD of a manifest.
    pub async fn head_manifest(&self, reference: &str) -> Answer {
        self.client.head(&self.path(&format!("manifests/{reference}"))).await
    }

    /// PUT of a manifest under a tag or its digest.
    pub async fn put(&self, reference: &str, manifest: &Manifest) -> Answer {
        self.client
            .request("PUT", &self.path(&format!("manifests/{reference}")))
            .header("content-type", &manifest.media_type)
            .body(manifest.bytes.clone())
            .send()
            .await
    }

    /// Pushes a whole image under a tag.
    pub async fn push(&self, tag: &str, image: &Image) {
        for blob in image.blobs() {
            self.upload(blob).await;
        }
        self.put(tag, &image.manifest).await.expect(201);
    }

    /// Pulls a whole image by tag; panics unless every byte is as it was pushed.
    pub async fn assert_holds(&self, tag: &str, image: &Image) {
        let answer = self.manifest(tag).await.expect(200);
        assert!(answer.body == image.manifest.bytes, "another manifest: {}", answer.describe());
        assert_eq!(answer.header("content-type"), image.manifest.media_type);
        assert_eq!(answer.header("docker-content-digest"), image.manifest.digest);
        for blob in image.blobs() {
            let answer = self.blob(&blob.digest).await.expect(200);
            assert!(answer.body == blob.bytes, "{} is damaged", blob.digest);
        }
    }

    /// The tags, in the server's order.
    pub async fn tags(&self) -> Vec<String> {
        let answer = self.client.get(&self.path("tags/list")).await.expect(200);
        let json = answer.json();
        let tags = json["tags"].as_array().unwrap().iter();
        tags.map(|tag| tag.as_str().unwrap().to_owned()).collect()
    }

    /// The referrers index of a manifest.
    pub async fn referrers(&self, digest: &str, query: &str) -> Answer {
        self.client.get(&self.path(&format!("referrers/{digest}{query}"))).await
    }
}

/// A location with the digest its last request must name.
pub fn with_digest(location: &str, digest: &str) -> String {
    let joint = if location.contains('?') { '&' } else { '?' };
    format!("{location}{joint}digest={digest}")
}
