#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::media_type;

fn manifest(config: &str, more: Value) -> Manifest {
    let mut fields = more;
    let digest = format!("sha256:{}", "0".repeat(64));
    let annotations = fields["config"]["annotations"].take();
    fields["config"] = json!({"mediaType": config, "size": 2, "digest": digest});
    if !annotations.is_null() {
        fields["config"]["annotations"] = annotations;
    }
    fields["schemaVersion"] = json!(2);
    Manifest::parse(fields.to_string().as_bytes(), Some(media_type::OCI_MANIFEST)).unwrap()
}

fn shown(manifest: &Manifest, config: &str) -> Value {
    let kind = ArtifactKind::of(manifest);
    let text = attributes(&kind, manifest, Some(config.as_bytes()));
    text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

#[test]
fn an_image_shows_who_made_it_and_what_it_runs() {
    let image = manifest(media_type::OCI_CONFIG, json!({}));
    let config = json!({
        "created": "2026-11-26T10:00:00Z", "author": "", "architecture": "arm64", "os": "linux",
        "config": {"Env": ["A=b"], "Cmd": null, "Hostname": "x", "Labels": {"maintainer": "Me"}},
        "rootfs": {"type": "layers"}, "history": [{"created_by": "RUN x", "empty_layer": true}],
    })
    .to_string();
    let expected = json!({
        "created": "2026-11-26T10:00:00Z", "author": "Me", "architecture": "arm64", "os": "linux",
        "config": {"Env": ["A=b"], "Labels": {"maintainer": "Me"}},
    });
    assert_eq!(shown(&image, &config), expected);
    let steps: Value = serde_json::from_str(&history(config.as_bytes())).unwrap();
    assert_eq!(steps, json!([{"created_by": "RUN x", "empty_layer": true}]));
    let nothing =
        json!({"created": null, "author": "", "architecture": "", "os": "", "config": {}});
    assert_eq!(shown(&image, "{}"), nothing);
    assert_eq!(shown(&image, ""), nothing);
    assert_eq!(history(b"{}"), "[]");
    for odd in ["[]", "nothing", "{\"config\":", "\u{feff}{}"] {
        assert_eq!(shown(&image, odd), Value::Null, "{odd}");
        assert_eq!(history(odd.as_bytes()), "[]");
    }
}

#[test]
fn other_kinds_show_their_configuration() {
    let chart = json!({"name": "app", "version": "1.0.0", "dependencies": [{"name": "db"}]});
    let text = chart.to_string();
    assert_eq!(shown(&manifest(media_type::HELM_CONFIG, json!({})), &text), chart);
    assert_eq!(member(text.as_bytes(), "dependencies").unwrap(), r#"[{"name":"db"}]"#);
    assert_eq!(member(text.as_bytes(), "none"), None);
    let rocket = "application/vnd.acme.rocket.config.v1+json";
    let skipping =
        json!({"config": {"annotations": {"io.goharbor.artifact.v1alpha1.skip-list": "a,b"}}});
    assert_eq!(shown(&manifest(rocket, skipping), r#"{"a":1,"b":2,"c":3}"#), json!({"c": 3}));
    assert_eq!(shown(&manifest(media_type::OCI_EMPTY, json!({})), "{}"), Value::Null);
}

#[test]
fn a_module_is_described_by_its_manifest_or_as_an_image() {
    let wasm = "application/vnd.wasm.config.v1+json";
    let layer = json!({"mediaType": "application/vnd.wasm.content.layer.v1+wasm", "size": 1,
        "digest": format!("sha256:{}", "1".repeat(64)),
        "annotations": {"org.opencontainers.image.title": "x.wasm"}});
    let module = manifest(wasm, json!({"layers": [layer]}));
    assert!(!ArtifactKind::of(&module).reads_config(&module));
    let expected = json!({
        "manifest.config.mediaType": wasm, "org.opencontainers.image.title": "x.wasm",
        "manifest.layers.mediaType": "application/vnd.wasm.content.layer.v1+wasm",
    });
    assert_eq!(shown(&module, "ignored"), expected);
    let annotations = json!({"annotations": {"module.wasm.image/variant": "compat"}});
    let image = manifest(media_type::OCI_CONFIG, annotations);
    let shown = shown(&image, r#"{"os":"wasi"}"#);
    assert_eq!(
        (&shown["os"], &shown["manifest.config.mediaType"]),
        (&json!("wasi"), &json!(media_type::OCI_CONFIG))
    );
}

#[test]
fn what_is_too_large_is_left_out() {
    let long = "x".repeat(LONGEST_ATTRIBUTES);
    let config = json!({"os": "linux", "config": {"Labels": {"a": long}, "User": "me"}});
    let image = shown(&manifest(media_type::OCI_CONFIG, json!({})), &config.to_string());
    assert_eq!((&image["os"], &image["config"]), (&json!("linux"), &json!({"User": "me"})));
    let chart = json!({"name": "app", "annotations": {"a": long}});
    let chart = shown(&manifest(media_type::HELM_CONFIG, json!({})), &chart.to_string());
    assert_eq!(chart, json!({"name": "app"}));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(shown(&manifest(media_type::HELM_CONFIG, json!({})), &deep), Value::Null);
    let many: Map<String, Value> = (0..5000).map(|n| (n.to_string(), json!(1))).collect();
    let many = Value::from(many).to_string();
    assert_eq!(shown(&manifest(media_type::HELM_CONFIG, json!({})), &many), Value::Null);
}

proptest! {
    #[test]
    fn whatever_comes_is_a_bounded_object_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for config in [media_type::OCI_CONFIG, media_type::HELM_CONFIG] {
            let manifest = manifest(config, json!({}));
            let kind = ArtifactKind::of(&manifest);
            if let Some(text) = attributes(&kind, &manifest, Some(&bytes)) {
                prop_assert!(text.len() <= LONGEST_ATTRIBUTES);
                prop_assert!(serde_json::from_str::<Map<String, Value>>(&text).is_ok());
            }
        }
        prop_assert!(serde_json::from_str::<Vec<Value>>(&history(&bytes)).is_ok());
    }
}
