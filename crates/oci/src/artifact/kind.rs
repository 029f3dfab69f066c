//! The kinds of artifacts.

use std::{fmt, str::FromStr};

use crate::{Manifest, ManifestKind, media_type};

/// What kind of thing an artifact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// A container image, or an index of such.
    Image,
    /// A Helm chart.
    Chart,
    /// A cloud native application bundle.
    Cnab,
    /// A WebAssembly module.
    Wasm,
    /// A model (CNCF's model specification).
    Model,
    /// A software bill of materials that Harbor made.
    Sbom,
    /// What its configuration's media type calls it, in capitals.
    Named(String),
    /// Nothing tells.
    Unknown,
}

/// Something more that can be shown of an artifact, read from its content when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addition {
    /// The steps by which an image was built.
    BuildHistory,
    /// The default values of a chart.
    Values,
    /// What a chart or a model says of itself.
    Readme,
    /// The charts that a chart needs.
    Dependencies,
    /// The license of a model.
    License,
    /// The files of a model.
    Files,
    /// A bill of materials.
    Sbom,
}

impl Addition {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::BuildHistory,
        Self::Values,
        Self::Readme,
        Self::Dependencies,
        Self::License,
        Self::Files,
        Self::Sbom,
    ];

    /// Its name in an address.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuildHistory => "build_history",
            Self::Values => "values.yaml",
            Self::Readme => "readme.md",
            Self::Dependencies => "dependencies",
            Self::License => "license",
            Self::Files => "files",
            Self::Sbom => "sbom",
        }
    }
}

/// A text that names no addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an addition is one of build_history, values.yaml, readme.md, dependencies, license, files and sbom"
)]
pub struct AdditionError;

impl FromStr for Addition {
    type Err = AdditionError;

    fn from_str(text: &str) -> Result<Self, AdditionError> {
        Self::ALL.into_iter().find(|addition| addition.name() == text).ok_or(AdditionError)
    }
}

/// The media type of a bundle, which an index has in its annotations.
const CNAB: &str = "application/vnd.cnab.manifest.v1";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v1+json";
const MODEL: &str = "application/vnd.cncf.model.manifest.v1+json";

/// By which annotations an image is a WebAssembly module.
const WASM_ANNOTATIONS: [(&str, &str); 2] =
    [("module.wasm.image/variant", "compat"), ("run.oci.handler", "wasm")];

impl ArtifactKind {
    /// The kind of the artifact that a manifest describes.
    pub fn of(manifest: &Manifest) -> Self {
        if is_wasm_image(manifest) {
            return Self::Wasm;
        }
        let content_type = content_type(manifest);
        match manifest.artifact_type.as_deref().unwrap_or(content_type) {
            media_type::OCI_CONFIG | media_type::DOCKER_CONFIG => Self::Image,
            media_type::OCI_INDEX | media_type::DOCKER_MANIFEST_LIST => Self::Image,
            media_type::HELM_CONFIG => Self::Chart,
            media_type::HARBOR_SBOM => Self::Sbom,
            CNAB => Self::Cnab,
            WASM_CONFIG => Self::Wasm,
            MODEL => Self::Model,
            _ => named(content_type).map_or(Self::Unknown, Self::Named),
        }
    }

    /// Its name in Harbor's API.
    pub fn name(&self) -> &str {
        match self {
            Self::Image => "IMAGE",
            Self::Chart => "CHART",
            Self::Cnab => "CNAB",
            Self::Wasm => "WASM",
            Self::Model => "CNAI",
            Self::Sbom => "SBOM",
            Self::Named(name) => name,
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Self {
        let known = [
            Self::Image,
            Self::Chart,
            Self::Cnab,
            Self::Wasm,
            Self::Model,
            Self::Sbom,
            Self::Unknown,
        ];
        known
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or_else(|| Self::Named(name.to_owned()))
    }

    /// What more can be shown of an artifact of this kind; of an index it is nothing.
    pub fn additions(&self) -> &'static [Addition] {
        match self {
            Self::Image | Self::Wasm => &[Addition::BuildHistory],
            Self::Chart => &[Addition::Values, Addition::Readme, Addition::Dependencies],
            Self::Model => &[Addition::Readme, Addition::License, Addition::Files],
            Self::Sbom => &[Addition::Sbom],
            Self::Cnab | Self::Named(_) | Self::Unknown => &[],
        }
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What Harbor calls the media type of an artifact: that of its configuration; of an index its
/// own, unless its annotations give it one.
pub fn content_type(manifest: &Manifest) -> &str {
    if is_wasm_image(manifest) {
        return WASM_CONFIG;
    }
    match (&manifest.config, manifest.kind) {
        (Some(config), _) => &config.media_type,
        (None, ManifestKind::Index) => manifest
            .annotations
            .get("org.opencontainers.artifactType")
            .filter(|annotated| media_type::parse(annotated) == Some(annotated.as_str()))
            .unwrap_or(&manifest.media_type),
        (None, _) => &manifest.media_type,
    }
}

/// Whether an image says by its annotations that it is a WebAssembly module.
pub(super) fn is_wasm_image(manifest: &Manifest) -> bool {
    manifest.kind == ManifestKind::Image
        && WASM_ANNOTATIONS
            .iter()
            .any(|(key, value)| manifest.annotations.get(*key).is_some_and(|is| is == value))
}

/// The words between organisation and `config` in
/// `application/vnd.<organisation>.<words>.config.<version>+json`, in capitals.
fn named(media_type: &str) -> Option<String> {
    let rest = media_type.strip_prefix("application/vnd.")?.strip_suffix("+json")?;
    let (_organisation, rest) = rest.split_once('.')?;
    let (words, _version) = rest.rsplit_once('.')?;
    let words = words.strip_suffix(".config")?;
    (!words.is_empty()).then(|| words.to_uppercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn manifest(media_type: &str, mut fields: Value) -> Manifest {
        fields["schemaVersion"] = json!(2);
        Manifest::parse(fields.to_string().as_bytes(), Some(media_type)).unwrap()
    }

    fn with_config(config: &str, mut more: Value) -> Manifest {
        more["config"] = json!({"mediaType": config, "size": 2,
            "digest": format!("sha256:{}", "0".repeat(64))});
        manifest(media_type::OCI_MANIFEST, more)
    }

    #[test]
    fn a_manifest_is_of_the_kind_that_harbor_finds() {
        let of_config = |config| ArtifactKind::of(&with_config(config, json!({}))).to_string();
        for (config, kind) in [
            (media_type::OCI_CONFIG, "IMAGE"),
            (media_type::DOCKER_CONFIG, "IMAGE"),
            (media_type::HELM_CONFIG, "CHART"),
            (media_type::HARBOR_SBOM, "SBOM"),
            (WASM_CONFIG, "WASM"),
            ("application/vnd.acme.rocket.config.v1+json", "ROCKET"),
            ("application/vnd.acme.big.rocket.config.v1alpha1+json", "BIG.ROCKET"),
            ("application/vnd.cncf.model.config.v1+json", "MODEL"),
            ("application/vnd.acme.rocket.config", "UNKNOWN"),
            ("application/vnd.acme.config.v1+json", "UNKNOWN"),
            ("application/vnd.acme..config.v1+json", "UNKNOWN"),
            (media_type::OCI_EMPTY, "UNKNOWN"),
            ("text/plain", "UNKNOWN"),
        ] {
            assert_eq!(of_config(config), kind, "{config}");
        }
        let typed = |of_type, config| {
            ArtifactKind::of(&with_config(config, json!({"artifactType": of_type}))).to_string()
        };
        assert_eq!(typed(MODEL, "application/vnd.cncf.model.config.v1+json"), "CNAI");
        assert_eq!(typed(media_type::HARBOR_SBOM, media_type::OCI_EMPTY), "SBOM");
        assert_eq!(typed("application/vnd.acme", media_type::OCI_EMPTY), "UNKNOWN");
        assert_eq!(typed("application/vnd.acme", media_type::OCI_CONFIG), "IMAGE");
        let wasm = json!({"annotations": {"run.oci.handler": "wasm"}});
        let wasm = with_config(media_type::OCI_CONFIG, wasm);
        assert_eq!(
            (ArtifactKind::of(&wasm), content_type(&wasm)),
            (ArtifactKind::Wasm, WASM_CONFIG)
        );
    }

    #[test]
    fn an_index_may_be_a_bundle() {
        for index in [media_type::OCI_INDEX, media_type::DOCKER_MANIFEST_LIST] {
            let plain = manifest(index, json!({"manifests": []}));
            assert_eq!(
                (ArtifactKind::of(&plain), content_type(&plain)),
                (ArtifactKind::Image, index)
            );
        }
        let annotated = |value: &str| {
            let annotations = json!({"org.opencontainers.artifactType": value});
            manifest(media_type::OCI_INDEX, json!({"manifests": [], "annotations": annotations}))
        };
        let bundle = annotated(CNAB);
        assert_eq!((ArtifactKind::of(&bundle), content_type(&bundle)), (ArtifactKind::Cnab, CNAB));
        assert_eq!(content_type(&annotated("no media type")), media_type::OCI_INDEX);
    }

    #[test]
    fn names_lead_back_to_kinds_and_additions() {
        for name in ["IMAGE", "CHART", "CNAB", "WASM", "CNAI", "SBOM", "UNKNOWN", "ROCKET"] {
            assert_eq!(ArtifactKind::from_name(name).name(), name);
        }
        for addition in Addition::ALL {
            assert_eq!(addition.name().parse(), Ok(addition));
        }
        assert_eq!("README.MD".parse::<Addition>(), Err(AdditionError));
    }
}
