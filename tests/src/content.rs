//! Content to push: blobs, manifests, whole images, and their digests.

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

/// Media type of an OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an OCI index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of Docker's manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Media type of an OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of a plain layer.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Media type of the two bytes `{}`.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// `sha256:` and 64 hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// `sha512:` and 128 hex digits.
pub fn sha512(bytes: &[u8]) -> String {
    format!("sha512:{}", hex(&Sha512::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that no other call gives.
pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes[..]);
    bytes
}

/// A short name that no other call gives: lowercase letters and digits.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{:08x}", rand::random::<u32>())
}

/// Bytes with their sha256.
#[derive(Clone, Debug)]
pub struct Blob {
    /// The content.
    pub bytes: Bytes,
    /// Its sha256 digest.
    pub digest: String,
}

impl Blob {
    /// A blob of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Blob {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        Blob { bytes, digest }
    }

    /// A blob that no other call gives.
    pub fn random(length: usize) -> Blob {
        Blob::new(random(length))
    }

    /// How a manifest speaks of this blob.
    pub fn descriptor(&self, media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": self.digest, "size": self.bytes.len()})
    }
}

/// A manifest's bytes as they go over the wire.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The `Content-Type` to push it with.
    pub media_type: String,
    /// The exact bytes.
    pub bytes: Bytes,
    /// Their sha256 digest.
    pub digest: String,
}

impl Manifest {
    /// These bytes under this media type.
    pub fn new(media_type: &str, bytes: impl Into<Bytes>) -> Manifest {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        Manifest { media_type: media_type.into(), bytes, digest }
    }

    /// This JSON, written with indentation: a server that writes manifests anew
    /// instead of keeping the bytes is found out.
    pub fn json(media_type: &str, value: &Value) -> Manifest {
        Manifest::new(media_type, serde_json::to_vec_pretty(value).unwrap())
    }

    /// An image manifest over these parts, with `more` fields merged in.
    pub fn image(config: &Blob, layers: &[Blob], more: Value) -> Manifest {
        let mut value = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.descriptor(OCI_CONFIG),
            "layers": layers.iter().map(|layer| layer.descriptor(OCI_LAYER)).collect::<Vec<_>>(),
        });
        merge(&mut value, more);
        Manifest::json(OCI_MANIFEST, &value)
    }

    /// An index over these manifests, with `more` fields merged in.
    pub fn index(children: &[&Manifest], more: Value) -> Manifest {
        let mut value = json!({
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": children.iter().map(|child| child.descriptor()).collect::<Vec<_>>(),
        });
        merge(&mut value, more);
        Manifest::json(OCI_INDEX, &value)
    }

    /// How an index or a `subject` speaks of this manifest.
    pub fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len()})
    }
}

fn merge(value: &mut Value, more: Value) {
    if let Value::Object(more) = more {
        value.as_object_mut().unwrap().extend(more);
    }
}

/// An image with its parts, ready to push.
#[derive(Clone, Debug)]
pub struct Image {
    /// The configuration blob.
    pub config: Blob,
    /// The layers, bottom first.
    pub layers: Vec<Blob>,
    /// The manifest that names them.
    pub manifest: Manifest,
}

impl Image {
    /// An image that no other call gives, with layers of these lengths.
    pub fn random(layers: &[usize]) -> Image {
        Image::with(layers, json!({}))
    }

    /// The same, with `more` fields in the manifest.
    pub fn with(layers: &[usize], more: Value) -> Image {
        Image::of(layers.iter().map(|&length| Blob::random(length)).collect(), more)
    }

    /// An image of these layers, uncompressed tar files where it is to be unpacked.
    pub fn of(layers: Vec<Blob>, more: Value) -> Image {
        let config = Blob::new(
            serde_json::to_vec(&json!({
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|l| &l.digest).collect::<Vec<_>>()},
                "created": "2026-01-01T00:00:00Z",
                "author": unique("author"),
            }))
            .unwrap(),
        );
        let manifest = Manifest::image(&config, &layers, more);
        Image { config, layers, manifest }
    }

    /// Every blob of the image.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        std::iter::once(&self.config).chain(&self.layers)
    }
}
