//! What is read from a manifest is what any other JSON reader finds in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Descriptor, Manifest, ManifestKind, media_type};
use serde_json::Value;

const HEADERS: [Option<&str>; 5] = [
    None,
    Some(media_type::OCI_MANIFEST),
    Some(media_type::OCI_INDEX),
    Some(media_type::OCI_ARTIFACT_MANIFEST),
    Some("application/vnd.example+json; charset=utf-8"),
];

fuzz_target!(|bytes: &[u8]| {
    for header in HEADERS {
        match Manifest::parse(bytes, header) {
            Ok(manifest) => check(&manifest, bytes),
            Err(error) => assert!(error.to_string().len() < 600),
        }
    }
});

fn check(manifest: &Manifest, bytes: &[u8]) {
    assert_eq!(
        media_type::parse(&manifest.media_type),
        Some(&*manifest.media_type)
    );
    let again = Manifest::parse(bytes, Some(&manifest.media_type));
    assert_eq!(again.as_ref(), Ok(manifest));
    let blobs = manifest.blob_references().count() + manifest.foreign_layers().count();
    assert_eq!(
        blobs,
        manifest.layers.len() + usize::from(manifest.config.is_some())
    );
    if manifest.kind == ManifestKind::Other {
        return;
    }
    let json: Value = serde_json::from_slice(bytes).expect("an image or index is JSON");
    assert_eq!(json["schemaVersion"], 2);
    check_list(&manifest.layers, &json["layers"]);
    check_list(&manifest.manifests, &json["manifests"]);
    match &manifest.config {
        Some(config) => check_descriptor(config, &json["config"]),
        None => assert_eq!(manifest.kind, ManifestKind::Index),
    }
    match &manifest.subject {
        Some(subject) => check_descriptor(subject, &json["subject"]),
        None => assert!(json["subject"].is_null()),
    }
}

fn check_list(descriptors: &[Descriptor], json: &Value) {
    let list = json.as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(descriptors.len(), list.len());
    for (descriptor, json) in descriptors.iter().zip(list) {
        check_descriptor(descriptor, json);
    }
}

fn check_descriptor(descriptor: &Descriptor, json: &Value) {
    assert_eq!(json["digest"], descriptor.digest.to_string());
    assert_eq!(json["size"], descriptor.size);
    assert_eq!(json["mediaType"], descriptor.media_type);
}
