//! What is read of an artifact's content when it is pushed.

use oci::Algorithm;
use serde_json::{Value, json};

use super::*;
use crate::rights::{Action, Resource};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

async fn push_json(world: &World, reference: Reference, content: &Value) -> Digest {
    put(world, reference, Bytes::from(content.to_string())).await.unwrap().digest
}

fn descriptor(media_type: &str, digest: &Digest, size: usize) -> Value {
    json!({"mediaType": media_type, "digest": digest, "size": size})
}

async fn shown(world: &World, reference: Reference) -> Details {
    let right = Right::new(Resource::Artifact, Action::Read);
    let allowed = crate::testing::allowed(&world.context, "library", right).await;
    let with = With { tags: true, labels: false, accessories: true, inherited: false };
    details(&world.context, &allowed, &name(), &reference, with).await.unwrap()
}

fn attributes(of: &Details) -> Value {
    of.attributes.as_ref().map_or(Value::Null, |text| serde_json::from_str(text.get()).unwrap())
}

/// Pushes an image of one layer with a configuration.
async fn push_image(world: &World, config_type: &str, config: &[u8], more: Value) -> Digest {
    let config_digest = world.push_blob(&name(), config).await;
    let layer = world.push_blob(&name(), PNG).await;
    let mut manifest = more;
    manifest["schemaVersion"] = json!(2);
    manifest["mediaType"] = json!(media_type::OCI_MANIFEST);
    let annotations = manifest["config"]["annotations"].take();
    manifest["config"] = descriptor(config_type, &config_digest, config.len());
    if !annotations.is_null() {
        manifest["config"]["annotations"] = annotations;
    }
    let mut layer = descriptor("image/png", &layer, PNG.len());
    layer["annotations"] = json!({"io.goharbor.artifact.v1alpha1.icon": ""});
    manifest["layers"] = json!([layer, layer]);
    push_json(world, tag("x"), &manifest).await
}

#[tokio::test]
async fn an_image_is_known_by_its_configuration() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let config = br#"{"os":"linux","architecture":"arm64","config":{"User":"me"}}"#;
        push_image(&world, media_type::OCI_CONFIG, config, json!({})).await;
        let image = shown(&world, tag("x")).await;
        assert_eq!(
            (image.kind.as_str(), image.content_type.as_str()),
            ("IMAGE", media_type::OCI_CONFIG)
        );
        let expected = json!({"os": "linux", "architecture": "arm64", "config": {"User": "me"},
            "author": "", "created": null});
        assert_eq!(attributes(&image), expected);
        assert_eq!(image.icon, icons::of_kind("IMAGE"), "images have no icon of their own");
        // Each layer counts, as often as it is listed.
        let manifest = get(&world, &tag("x")).await.unwrap().content.len();
        let size = manifest + config.len() + 2 * PNG.len();
        assert_eq!(image.size, i64::try_from(size).unwrap());
        // An index takes what its parts take.
        let part: Digest = image.digest.parse().unwrap();
        let index = index(&[&part, &part]);
        let index_size = i64::try_from(index.len()).unwrap();
        put(&world, tag("index"), index).await.unwrap();
        let index = shown(&world, tag("index")).await;
        assert_eq!((index.kind.as_str(), index.size), ("IMAGE", index_size + 2 * image.size));
        assert_eq!(
            (index.content_type.as_str(), index.attributes.is_none()),
            (media_type::OCI_INDEX, true)
        );
        assert_eq!(index.children.len(), 2);
    }
}

#[tokio::test]
async fn other_kinds_bring_what_they_are_shown_by() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let rocket = "application/vnd.acme.rocket.config.v1+json";
        let skipping = json!({"config": {"annotations":
            {"io.goharbor.artifact.v1alpha1.skip-list": "secret"}}});
        push_image(&world, rocket, br#"{"thrust":7,"secret":1}"#, skipping).await;
        let shown_rocket = shown(&world, tag("x")).await;
        assert_eq!(shown_rocket.kind, "ROCKET");
        assert_eq!(attributes(&shown_rocket), json!({"thrust": 7}));
        let picture = Digest::of(Algorithm::Sha256, PNG).to_string();
        assert_eq!(shown_rocket.icon, picture);
        push_image(&world, media_type::HELM_CONFIG, br#"{"name":"app"}"#, json!({})).await;
        let chart = shown(&world, tag("x")).await;
        assert_eq!((chart.kind.as_str(), attributes(&chart)), ("CHART", json!({"name": "app"})));
        assert_eq!(chart.icon, icons::of_kind("CHART"));
        // A configuration that is not what it should be says nothing, and the push succeeds.
        push_image(&world, media_type::HELM_CONFIG, b"name: app", json!({})).await;
        let chart = shown(&world, tag("x")).await;
        assert_eq!((chart.kind.as_str(), chart.attributes.is_none()), ("CHART", true));
    }
}

#[tokio::test]
async fn a_bundle_is_known_by_the_part_that_it_marks() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let config = br#"{"name":"bundle","version":"1"}"#;
        let part =
            push_image(&world, "application/vnd.cnab.config.v1+json", config, json!({})).await;
        let mut entry = descriptor(media_type::OCI_MANIFEST, &part, 10);
        entry["annotations"] = json!({"io.cnab.manifest.type": "config"});
        entry["urls"] = json!(["https://example.org/x"]);
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX,
            "manifests": [entry],
            "annotations": {"org.opencontainers.artifactType": "application/vnd.cnab.manifest.v1"}});
        push_json(&world, tag("bundle"), &index).await;
        let bundle = shown(&world, tag("bundle")).await;
        assert_eq!(
            (bundle.kind.as_str(), bundle.content_type.as_str()),
            ("CNAB", "application/vnd.cnab.manifest.v1")
        );
        assert_eq!(attributes(&bundle), json!({"name": "bundle", "version": "1"}));
        assert_eq!(bundle.children[0].urls.as_ref().unwrap().get(), r#"["https://example.org/x"]"#);
    }
}

#[tokio::test]
async fn an_artifact_that_is_pushed_again_is_read_only_where_nothing_is_known() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let push = async || {
            push_image(&world, media_type::HELM_CONFIG, br#"{"name":"app"}"#, json!({})).await;
            let chart = shown(&world, tag("x")).await;
            (chart.kind.clone(), attributes(&chart))
        };
        push().await;
        for (forget, expected) in [
            ("UPDATE artifacts SET kind = 'UNKNOWN', extra_attrs = NULL", json!({"name": "app"})),
            ("UPDATE artifacts SET extra_attrs = NULL", json!({"name": "app"})),
            ("UPDATE artifacts SET kind = 'IMAGE', extra_attrs = '{}'", json!({"name": "app"})),
            (r#"UPDATE artifacts SET extra_attrs = '{"known":1}'"#, json!({"known": 1})),
        ] {
            let db = &world.context.db;
            db.write(move |tx| Box::pin(tx.execute(forget, args![]))).await.unwrap();
            assert_eq!(push().await, ("CHART".to_owned(), expected), "{forget}");
        }
    }
}
