#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    Algorithm, Digest, Platform,
    media_type::{
        DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED,
        OCI_ARTIFACT_MANIFEST, OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST,
    },
};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn descriptor(media_type: &str, content: &str) -> Descriptor {
    Descriptor::new(
        media_type,
        Digest::of(Algorithm::Sha256, content.as_bytes()),
        content.len() as u64,
    )
}

fn image() -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, "config"),
        "layers": [descriptor(LAYER, "one"), descriptor(LAYER, "two")],
    })
}

fn index() -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [descriptor(OCI_MANIFEST, "amd64"), descriptor(OCI_INDEX, "nested")],
    })
}

/// A value with some members set, or removed where the new value is null.
fn with(mut value: Value, members: Value) -> Value {
    for (name, member) in members.as_object().unwrap() {
        let object = value.as_object_mut().unwrap();
        if member.is_null() {
            object.remove(name)
        } else {
            object.insert(name.clone(), member.clone())
        };
    }
    value
}

fn parse(value: &Value, content_type: Option<&str>) -> Result<Manifest, ManifestError> {
    Manifest::parse(&serde_json::to_vec(value).unwrap(), content_type)
}

fn malformed(value: &Value) -> String {
    match parse(value, Some(OCI_MANIFEST)) {
        Err(ManifestError::Malformed(reason)) => reason,
        other => panic!("{value} gave {other:?}"),
    }
}

#[test]
fn an_image_needs_its_configuration_and_layers() {
    let manifest = parse(&image(), Some(OCI_MANIFEST)).unwrap();
    assert_eq!(manifest.kind, ManifestKind::Image);
    assert_eq!(manifest.media_type, OCI_MANIFEST);
    let sizes: Vec<u64> = manifest.blob_references().map(|blob| blob.size).collect();
    assert_eq!(sizes, [6, 3, 3]);
    assert_eq!(manifest.foreign_layers().count(), 0);
    assert_eq!(manifest.subject, None);
}

#[test]
fn an_index_lists_manifests() {
    let mut listed = descriptor(OCI_MANIFEST, "arm64");
    listed.platform =
        Some(Platform { architecture: "arm64".into(), os: "linux".into(), ..Platform::default() });
    let manifest = parse(&with(index(), json!({"manifests": [listed]})), None).unwrap();
    assert_eq!(manifest.kind, ManifestKind::Index);
    assert_eq!(manifest.manifests, [listed]);
    assert_eq!(manifest.blob_references().count(), 0);
}

#[test]
fn docker_types_are_the_same_shapes() {
    let image = with(image(), json!({"mediaType": DOCKER_MANIFEST}));
    assert_eq!(parse(&image, Some(DOCKER_MANIFEST)).unwrap().kind, ManifestKind::Image);
    let list = with(index(), json!({"mediaType": DOCKER_MANIFEST_LIST}));
    assert_eq!(parse(&list, Some(DOCKER_MANIFEST_LIST)).unwrap().kind, ManifestKind::Index);
}

#[test]
fn lists_may_be_empty_null_or_absent_and_fields_unknown() {
    for layers in [json!({"layers": []}), json!({"layers": null})] {
        assert_eq!(parse(&with(image(), layers), None).unwrap().layers, []);
    }
    let bytes = serde_json::to_vec(&with(image(), json!({"layers": []}))).unwrap();
    let null = String::from_utf8(bytes).unwrap().replace("[]", "null");
    assert_eq!(Manifest::parse(null.as_bytes(), None).unwrap().layers, []);
    assert_eq!(parse(&with(index(), json!({"manifests": []})), None).unwrap().manifests, []);
    assert_eq!(parse(&with(index(), json!({"manifests": null})), None).unwrap().manifests, []);

    let mut config = serde_json::to_value(descriptor(OCI_EMPTY, "{}")).unwrap();
    config["data"] = json!("e30=");
    let extended = with(
        image(),
        json!({"org.example": {"a": [1, {"b": null}]}, "blobs": 7, "config": config}),
    );
    assert!(parse(&extended, None).is_ok());
}

#[test]
fn layers_kept_elsewhere_are_told_apart() {
    let foreign =
        descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign");
    let mut linked = descriptor(LAYER, "linked");
    linked.urls.push("https://example.org".into());
    let layers = json!({"layers": [foreign, descriptor(LAYER, "here"), linked]});
    let manifest = parse(&with(image(), layers), None).unwrap();
    let foreign_layers: Vec<&Descriptor> = manifest.foreign_layers().collect();
    assert_eq!(foreign_layers, [&foreign, &linked]);
    let sizes: Vec<u64> = manifest.blob_references().map(|blob| blob.size).collect();
    assert_eq!(sizes, [6, 4]);
}

#[test]
fn the_artifact_type_is_the_field_or_else_the_configuration() {
    let cases = [
        (image(), Some(OCI_CONFIG)),
        (with(image(), json!({"artifactType": ""})), Some(OCI_CONFIG)),
        (with(image(), json!({"artifactType": "a/b"})), Some("a/b")),
        (index(), None),
        (with(index(), json!({"artifactType": ""})), None),
        (with(index(), json!({"artifactType": "a/b"})), Some("a/b")),
    ];
    for (value, expected) in cases {
        assert_eq!(parse(&value, None).unwrap().artifact_type.as_deref(), expected, "{value}");
    }
}

#[test]
fn subject_and_annotations_are_read_from_both_shapes() {
    let subject = descriptor(OCI_MANIFEST, "subject");
    for value in [image(), index()] {
        let value = with(value, json!({"subject": subject, "annotations": {"a": "b"}}));
        let manifest = parse(&value, None).unwrap();
        assert_eq!(manifest.subject.as_ref(), Some(&subject));
        assert_eq!(manifest.annotations["a"], "b");
    }
}

#[test]
fn header_and_body_say_together_what_it_is() {
    let bare = with(image(), json!({"mediaType": null}));
    let empty = with(image(), json!({"mediaType": ""}));
    assert_eq!(parse(&image(), None).unwrap().media_type, OCI_MANIFEST);
    for value in [&bare, &empty, &image()] {
        let manifest = parse(value, Some(&format!("{OCI_MANIFEST}; charset=utf-8"))).unwrap();
        assert_eq!(manifest.media_type, OCI_MANIFEST);
    }
    assert_eq!(parse(&bare, None), Err(ManifestError::MissingMediaType));
    assert_eq!(Manifest::parse(b"", None), Err(ManifestError::MissingMediaType));
    assert_eq!(Manifest::parse(b"not json", None), Err(ManifestError::MissingMediaType));
    for header in ["", "json", "a/b\r\nc"] {
        assert_eq!(
            parse(&image(), Some(header)),
            Err(ManifestError::InvalidMediaType("Content-Type"))
        );
    }
    let odd = with(image(), json!({"mediaType": "a/b;c"}));
    assert_eq!(parse(&odd, None), Err(ManifestError::InvalidMediaType("mediaType")));
    for other in [OCI_INDEX, DOCKER_MANIFEST, "application/json"] {
        let error = parse(&image(), Some(other)).unwrap_err();
        assert!(matches!(error, ManifestError::MediaTypeMismatch { .. }), "{error}");
    }
}

#[test]
fn schema_1_is_refused_however_it_is_sent() {
    let schema1 =
        json!({"schemaVersion": 1, "name": "a", "tag": "b", "fsLayers": [], "history": []});
    for header in [DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, "application/json", OCI_MANIFEST] {
        assert_eq!(parse(&schema1, Some(header)), Err(ManifestError::Schema1), "{header}");
    }
    let unfamiliar = json!({"schemaVersion": 1});
    assert!(parse(&unfamiliar, Some("application/vnd.example+json")).is_ok());
}

#[test]
fn the_version_has_to_be_2() {
    for version in [json!(3), json!(0), json!(null)] {
        let value = with(image(), json!({"schemaVersion": version}));
        assert_eq!(parse(&value, None), Err(ManifestError::SchemaVersion), "{version}");
        let value = with(index(), json!({"schemaVersion": version}));
        assert_eq!(parse(&value, None), Err(ManifestError::SchemaVersion), "{version}");
    }
}

#[test]
fn one_shape_must_not_pass_for_the_other() {
    let both = with(image(), json!({"manifests": []}));
    assert!(matches!(parse(&both, None), Err(ManifestError::Ambiguous { field: "manifests", .. })));
    for field in ["config", "layers"] {
        let both = with(index(), json!({field: image()[field]}));
        let Err(ManifestError::Ambiguous { field: found, .. }) = parse(&both, None) else {
            panic!("{field} was taken");
        };
        assert_eq!(found, field);
    }
}

#[test]
fn an_error_names_the_field() {
    let digest = Digest::of(Algorithm::Sha256, b"");
    let layer = |members| json!({"layers": [descriptor(LAYER, "a"), with(json!(descriptor(LAYER, "b")), members)]});
    let cases = [
        (json!({"config": null}), "config"),
        (json!({"config": []}), "config"),
        (json!({"config": "x"}), "config"),
        (json!({"layers": {}}), "layers"),
        (json!({"layers": [7]}), "layers[0]"),
        (json!({"schemaVersion": "2"}), "schemaVersion"),
        (json!({"artifactType": 7}), "artifactType"),
        (json!({"annotations": {"a": 1}}), "annotations"),
        (json!({"annotations": []}), "annotations"),
        (json!({"subject": {"mediaType": "a/b", "size": 1}}), "subject"),
        (layer(json!({"size": -1})), "layers[1].size"),
        (layer(json!({"size": 1.5})), "layers[1].size"),
        (layer(json!({"size": "1"})), "layers[1].size"),
        (layer(json!({"size": i64::MAX as u64 + 1})), "layers[1].size"),
        (layer(json!({"size": null})), "layers[1]"),
        (layer(json!({"digest": "sha256:abc"})), "layers[1].digest"),
        (layer(json!({"digest": format!("sha384:{}", digest.hex())})), "layers[1].digest"),
        (layer(json!({"mediaType": 1})), "layers[1].mediaType"),
        (layer(json!({"urls": "x"})), "layers[1].urls"),
        (layer(json!({"platform": {"os": 1}})), "layers[1].platform.os"),
    ];
    for (members, field) in cases {
        let reason = malformed(&with(image(), members));
        assert!(reason.contains(field), "{reason} does not name {field}");
    }
}

#[test]
fn an_array_is_no_object() {
    let Descriptor { media_type, digest, size, .. } = descriptor(LAYER, "one");
    let array = json!([media_type, digest, size]);
    for (field, value) in [
        ("config", array.clone()),
        ("layers", json!([array])),
        ("subject", array.clone()),
        ("config", with(json!(descriptor(LAYER, "x")), json!({"platform": ["amd64", "linux"]}))),
    ] {
        let said = malformed(&with(image(), json!({ field: value })));
        assert!(said.starts_with(field) && said.contains("expected an object"), "{said}");
    }
    let said = malformed(&json!([OCI_MANIFEST, 2, null, descriptor(OCI_CONFIG, "config")]));
    assert!(said.contains("expected an object"), "{said}");
    let unknown = json!({"subject": array});
    assert_eq!(parse(&unknown, Some("a/b")).unwrap().subject, None);
    assert_eq!(parse(&json!(["a/b"]), None), Err(ManifestError::MissingMediaType));
}

#[test]
fn a_field_that_comes_twice_is_refused() {
    let text = serde_json::to_string(&image()).unwrap();
    let twice = [
        text.replacen('{', "{\"config\":null,", 1),
        text.replacen('{', "{\"mediaType\":\"a/b\",", 1),
        text.replacen("{\"digest\"", "{\"size\":1,\"digest\"", 1),
        text.replacen('{', "{\"annotations\":{\"a\":\"1\",\"a\":\"2\"},", 1),
    ];
    for text in twice {
        let error = Manifest::parse(text.as_bytes(), Some(OCI_MANIFEST)).unwrap_err();
        assert!(matches!(error, ManifestError::Malformed(_)), "{text}: {error}");
    }
}

#[test]
fn annotations_are_counted() {
    use crate::descriptor::MOST_ANNOTATIONS;
    let many = |count: usize| -> Value {
        (0..count).map(|i| (i.to_string(), json!(""))).collect::<serde_json::Map<_, _>>().into()
    };
    assert!(parse(&with(image(), json!({"annotations": many(MOST_ANNOTATIONS)})), None).is_ok());
    let reason = malformed(&with(image(), json!({"annotations": many(MOST_ANNOTATIONS + 1)})));
    assert!(reason.contains("annotations"), "{reason}");
}

#[test]
fn size_and_depth_are_bounded() {
    let length = serde_json::to_vec(&with(image(), json!({"x": ""}))).unwrap().len();
    let padded =
        |extra: usize| with(image(), json!({"x": "y".repeat(LONGEST_MANIFEST - length + extra)}));
    assert!(parse(&padded(0), None).is_ok());
    assert_eq!(parse(&padded(1), None), Err(ManifestError::TooLarge(LONGEST_MANIFEST + 1)));

    let nested = |depth: usize| {
        let text = serde_json::to_string(&image()).unwrap();
        let deep =
            format!("{{\"x\":{}\"[[\\\"[\"{},", "[".repeat(depth - 1), "]".repeat(depth - 1));
        Manifest::parse(text.replacen('{', &deep, 1).as_bytes(), Some(OCI_MANIFEST))
    };
    assert!(nested(DEEPEST_MANIFEST).is_ok());
    assert_eq!(nested(DEEPEST_MANIFEST + 1), Err(ManifestError::TooDeep));
    let bottomless = vec![b'['; LONGEST_MANIFEST];
    assert_eq!(Manifest::parse(&bottomless, Some(OCI_INDEX)), Err(ManifestError::TooDeep));
    assert_eq!(Manifest::parse(&bottomless, Some("a/b")).unwrap().kind, ManifestKind::Other);
}

#[test]
fn broken_json_is_refused() {
    let whole = serde_json::to_vec(&image()).unwrap();
    let mut latin1 = whole.clone();
    latin1.splice(1..1, b"\"\xe9\":1,".iter().copied());
    for bytes in [
        b"".as_slice(),
        b"null",
        b"[]",
        b"{",
        &whole[..whole.len() - 1],
        &[&whole[..], b"x"].concat(),
        &latin1,
    ] {
        let error = Manifest::parse(bytes, Some(OCI_MANIFEST)).unwrap_err();
        assert!(
            matches!(error, ManifestError::Malformed(_) | ManifestError::SchemaVersion),
            "{error:?}"
        );
    }
    assert!(Manifest::parse(&[&whole[..], b" \n"].concat(), Some(OCI_MANIFEST)).is_ok());
}

#[test]
fn an_error_stays_short() {
    let reason = malformed(&with(image(), json!({"schemaVersion": "é".repeat(100_000)})));
    assert!(reason.len() < 400, "{} bytes", reason.len());
}

#[test]
fn any_other_type_is_taken_with_its_subject_if_it_has_one() {
    let subject = descriptor(OCI_MANIFEST, "subject");
    let value =
        json!({"subject": subject, "artifactType": "a/b", "annotations": {"a": "b"}, "layers": 7});
    let manifest = parse(&value, Some("application/vnd.example+json")).unwrap();
    assert_eq!(manifest.kind, ManifestKind::Other);
    assert_eq!(manifest.subject, Some(subject));
    assert_eq!(manifest.artifact_type.as_deref(), Some("a/b"));
    assert_eq!(manifest.annotations["a"], "b");

    let odd = json!({"subject": "x", "artifactType": 1, "annotations": [2], "schemaVersion": "y"});
    let manifest = parse(&odd, Some("application/vnd.example+json")).unwrap();
    assert_eq!((manifest.subject, manifest.artifact_type), (None, None));
    for bytes in [b"".as_slice(), b"\xff\x00", b"text", b"[1]"] {
        assert!(Manifest::parse(bytes, Some("application/vnd.example")).is_ok());
    }
}

#[test]
fn the_blobs_of_an_artifact_manifest_are_its_layers() {
    let blob = descriptor("text/plain", "blob");
    let value = json!({"mediaType": OCI_ARTIFACT_MANIFEST, "artifactType": "a/b", "blobs": [blob]});
    let manifest = parse(&value, None).unwrap();
    assert_eq!(manifest.kind, ManifestKind::Other);
    assert_eq!(manifest.blob_references().collect::<Vec<_>>(), [&blob]);
}

fn descriptors() -> impl Strategy<Value = Descriptor> {
    let annotations = prop::collection::btree_map(".{0,5}", ".{0,5}", 0..3);
    let parts = (
        any::<[u8; 4]>(),
        any::<bool>(),
        0..=i64::MAX as u64,
        "[a-z]{1,5}/[a-z]{1,5}",
        annotations,
    );
    parts.prop_map(|(content, long, size, media_type, annotations)| {
        let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
        let digest = Digest::of(algorithm, &content);
        Descriptor { annotations, ..Descriptor::new(media_type, digest, size) }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        config in descriptors(),
        layers in prop::collection::vec(descriptors(), 0..4),
        subject in prop::option::of(descriptors()),
    ) {
        let mut value = json!({"schemaVersion": 2, "config": config, "layers": layers});
        if let Some(subject) = &subject {
            value["subject"] = json!(subject);
        }
        let manifest = parse(&value, Some(OCI_MANIFEST)).unwrap();
        prop_assert_eq!(manifest.config, Some(config));
        prop_assert_eq!(manifest.layers, layers);
        prop_assert_eq!(manifest.subject, subject);
    }

    #[test]
    fn a_changed_byte_never_panics(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = serde_json::to_vec(&image()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        for header in [None, Some(OCI_MANIFEST), Some("application/vnd.example")] {
            let _ = Manifest::parse(&bytes, header);
        }
    }
}
