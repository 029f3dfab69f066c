//! Additions and icons.

use oci::{Algorithm, artifact::Addition};
use serde_json::{Value, json};

use super::*;
use crate::{
    access,
    rights::{Action, Resource},
    testing::{add_project, add_user},
};

/// A chart with the file `values.yaml`, which says `a: 1`.
const CHART: &[u8] = include_bytes!("chart.tgz");
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(Algorithm::Sha256, content),
        "size": content.len()})
}

/// Pushes an artifact with a configuration and layers.
async fn push_parts(
    world: &World,
    config: (&str, &[u8]),
    layers: &[(&str, &[u8], Value)],
    more: Value,
) {
    world.push_blob(&name(), config.1).await;
    let mut manifest = more;
    manifest["schemaVersion"] = json!(2);
    manifest["mediaType"] = json!(media_type::OCI_MANIFEST);
    manifest["config"] = descriptor(config.0, config.1);
    manifest["layers"] = json!([]);
    for (of_type, content, annotations) in layers {
        world.push_blob(&name(), content).await;
        let mut layer = descriptor(of_type, content);
        layer["annotations"] = annotations.clone();
        manifest["layers"].as_array_mut().unwrap().push(layer);
    }
    put(world, tag("x"), Bytes::from(manifest.to_string())).await.unwrap();
}

async fn added(world: &World, which: Addition) -> kit::Result<(String, &'static str)> {
    let right = Right::new(Resource::ArtifactAddition, Action::Read);
    let allowed = crate::testing::allowed(&world.context, "library", right).await;
    let shown = addition(&world.context, &allowed, &name(), &tag("x"), which).await?;
    Ok((String::from_utf8(shown.content.to_vec()).unwrap(), shown.media_type))
}

async fn refused(world: &World, which: Addition) -> (Kind, String) {
    let error = added(world, which).await.unwrap_err();
    (error.kind, error.message.to_string())
}

#[tokio::test]
async fn an_image_has_a_history_and_a_chart_its_files() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        assert_eq!(refused(&world, Addition::Files).await.0, Kind::NotFound);
        let config = br#"{"history":[{"created_by":"RUN x","empty_layer":true}]}"#;
        push_parts(&world, (media_type::OCI_CONFIG, config), &[], json!({})).await;
        let (history, of_type) = added(&world, Addition::BuildHistory).await.unwrap();
        assert_eq!(history, r#"[{"created_by":"RUN x","empty_layer":true}]"#);
        assert_eq!(of_type, "application/json; charset=utf-8");
        let message = "addition VALUES.YAML isn't supported for IMAGE(manifest version 2)";
        assert_eq!(refused(&world, Addition::Values).await, (Kind::Invalid, message.to_owned()));

        let config = br#"{"name":"app","dependencies":[{"name":"db","version":"1"}]}"#;
        let layer = (media_type::HELM_CHART, CHART, json!({}));
        push_parts(&world, (media_type::HELM_CONFIG, config), &[layer], json!({})).await;
        assert_eq!(added(&world, Addition::Values).await.unwrap().0, "a: 1\n");
        assert_eq!(added(&world, Addition::Readme).await.unwrap().0, "");
        let needed = added(&world, Addition::Dependencies).await.unwrap().0;
        assert_eq!(needed, r#"[{"name":"db","version":"1"}]"#);
        assert_eq!(refused(&world, Addition::License).await.0, Kind::Invalid);
        let layer = (media_type::HELM_CHART, b"no chart".as_slice(), json!({}));
        push_parts(&world, (media_type::HELM_CONFIG, b"{}"), &[layer], json!({})).await;
        assert_eq!(refused(&world, Addition::Values).await.0, Kind::Invalid);
        assert_eq!(added(&world, Addition::Dependencies).await.unwrap().0, "[]");
        push_parts(&world, ("text/plain", b"{}"), &[], json!({})).await;
        let message = "the processor for artifact UNKNOWN not found, cannot get the addition";
        assert_eq!(refused(&world, Addition::Readme).await.1, message);
    }
}

#[tokio::test]
async fn a_model_has_documents_and_a_bill_is_shown_whole() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let path = |path: &str| json!({"org.cncf.model.filepath": path});
        let raw = "application/vnd.cncf.model.doc.v1.raw";
        let layers = [
            (raw, b"# Model".as_slice(), path("README.md")),
            ("application/vnd.cncf.model.weight.v1.raw", b"weights".as_slice(), path("w/a.bin")),
        ];
        let of_type = json!({"artifactType": "application/vnd.cncf.model.manifest.v1+json"});
        let config = ("application/vnd.cncf.model.config.v1+json", b"{}".as_slice());
        push_parts(&world, config, &layers, of_type).await;
        let readme = added(&world, Addition::Readme).await.unwrap();
        assert_eq!(readme, ("# Model".to_owned(), "text/markdown; charset=utf-8"));
        let missing = (Kind::NotFound, "license layer not found".to_owned());
        assert_eq!(refused(&world, Addition::License).await, missing);
        let files: Value =
            serde_json::from_str(&added(&world, Addition::Files).await.unwrap().0).unwrap();
        assert_eq!(files[0]["children"][0], json!({"name": "a.bin", "type": "file", "size": 7}));

        let bill = (media_type::HARBOR_SBOM, b"{}".as_slice());
        let layer = ("application/json", b"bill".as_slice(), json!({}));
        push_parts(&world, bill, std::slice::from_ref(&layer), json!({})).await;
        assert_eq!(added(&world, Addition::Sbom).await.unwrap().0, "bill");
        push_parts(&world, bill, &[layer.clone(), layer], json!({})).await;
        assert_eq!(refused(&world, Addition::Sbom).await.0, Kind::NotFound);
    }
}

#[tokio::test]
async fn icons_of_artifacts_are_shown_to_who_sees_these() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let marked = json!({"io.goharbor.artifact.v1alpha1.icon": ""});
        let layer = ("image/png", PNG, marked);
        push_parts(&world, ("text/plain", b"{}"), &[layer], json!({})).await;
        let own = Digest::of(Algorithm::Sha256, PNG);
        let alice = add_user(context, "alice").await;
        let sight = access::sight(context, &alice).await.unwrap();
        let png = Icon { media_type: "image/png", content: Bytes::from_static(PNG) };
        assert_eq!(icon(context, &sight, &own).await.unwrap(), png, "library is public");
        for known in ["IMAGE", "CHART", "CNAB", "WASM", "CNAI", "SBOM", "other"] {
            let digest = icons::of_kind(known).parse().unwrap();
            let found = icon(context, &sight, &digest).await.unwrap();
            assert!(found.content.starts_with(b"<svg"), "{known}");
        }
        add_project(context, "closed", false).await;
        let hidden = b"GIF89a and so on";
        let digest = world.push_blob(&"closed/x".parse().unwrap(), hidden).await;
        let refused = icon(context, &sight, &digest).await.unwrap_err();
        assert!(refused.is(Kind::NotFound), "a blob is no icon unless an artifact says so");
    }
}
