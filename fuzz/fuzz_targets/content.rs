//! What is read of an artifact's content is bounded, and the same however it comes in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{
    Manifest,
    artifact::{
        AccessoryKind, ArtifactKind, LONGEST_ATTRIBUTES, attributes, chart_file, content_type,
        files, history, joined_files, member,
    },
    media_type,
};
use serde_json::{Map, Value};

fuzz_target!(|bytes: &[u8]| {
    let _found = chart_file(bytes, "values.yaml");
    if let Ok(joined) = joined_files(bytes) {
        assert!(joined.len() <= bytes.len());
    }
    assert!(serde_json::from_str::<Vec<Value>>(&history(bytes)).is_ok());
    if let Some(member) = member(bytes, "dependencies") {
        assert!(serde_json::from_str::<Value>(&member).is_ok());
    }
    // The bytes as a configuration, and, up to a line, as the manifest before it.
    let split = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (manifest, config) = bytes.split_at(split);
    for header in [media_type::OCI_MANIFEST, media_type::OCI_INDEX] {
        let Ok(manifest) = Manifest::parse(manifest, Some(header)) else { continue };
        let kind = ArtifactKind::of(&manifest);
        assert_eq!(ArtifactKind::from_name(kind.name()).name(), kind.name());
        assert!(!content_type(&manifest).is_empty() || manifest.config.is_some());
        assert!(AccessoryKind::of(&manifest, None).len() <= 1);
        assert!(serde_json::from_str::<Vec<Value>>(&files(&manifest)).is_ok());
        if let Some(shown) = attributes(&kind, &manifest, Some(config)) {
            assert!(shown.len() <= LONGEST_ATTRIBUTES);
            assert!(serde_json::from_str::<Map<String, Value>>(&shown).is_ok());
        }
    }
});
