//! What the configuration of an artifact says of it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value, value::RawValue};

use super::{ArtifactKind, kind::is_wasm_image};
use crate::{Manifest, manifest::is_too_deep};

/// The most bytes of a configuration that are read; a longer one says nothing.
pub const LONGEST_CONFIG: u64 = 4 * 1024 * 1024;

/// The most bytes that the attributes of an artifact take: lists show a hundred of them at once.
/// What is larger than the rest is left out.
pub const LONGEST_ATTRIBUTES: usize = 64 * 1024;

/// The most members of an object that are looked at.
const MOST_MEMBERS: usize = 4096;

/// The most steps of a history that are shown.
const MOST_STEPS: usize = 10_000;

/// Which members of the configuration Harbor does not show, with commas between.
const SKIP_LIST: &str = "io.goharbor.artifact.v1alpha1.skip-list";

/// What the image-spec says of how an image is run; tools write more, which is not shown.
const EXECUTION: [&str; 10] = [
    "ArgsEscaped",
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Labels",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];

impl ArtifactKind {
    /// Whether [`attributes`] of this kind come from the configuration.
    pub fn reads_config(&self, manifest: &Manifest) -> bool {
        match self {
            Self::Image | Self::Chart | Self::Model | Self::Sbom | Self::Named(_) => true,
            Self::Wasm => is_wasm_image(manifest),
            // A bundle's is that of a manifest which it lists.
            Self::Cnab => true,
            Self::Unknown => false,
        }
    }
}

/// What is to be shown of an artifact beside its manifest, as a JSON object. The configuration
/// is that of the manifest; of a bundle, that of the manifest which its index marks.
pub fn attributes(
    kind: &ArtifactKind,
    manifest: &Manifest,
    config: Option<&[u8]>,
) -> Option<String> {
    let shown = match kind {
        ArtifactKind::Image if manifest.config.is_some() => of_image(config?)?,
        ArtifactKind::Wasm if is_wasm_image(manifest) => {
            let mut shown = of_image(config?)?;
            let config_type = manifest.config.as_ref().map(|config| config.media_type.clone());
            shown.insert("manifest.config.mediaType".to_owned(), config_type.into());
            shown
        }
        ArtifactKind::Wasm => of_module(manifest),
        ArtifactKind::Chart | ArtifactKind::Model | ArtifactKind::Sbom | ArtifactKind::Cnab => {
            of_members(members(config?)?)?
        }
        ArtifactKind::Named(_) => {
            let mut found = members(config?)?;
            let skipped = manifest.config.as_ref().and_then(|c| c.annotations.get(SKIP_LIST));
            for key in skipped.iter().flat_map(|skipped| skipped.split(',')) {
                found.remove(key);
            }
            of_members(found)?
        }
        ArtifactKind::Image | ArtifactKind::Unknown => return None,
    };
    serde_json::to_string(&shown).ok()
}

/// The steps by which an image was built, as a JSON list.
pub fn history(config: &[u8]) -> String {
    #[derive(Default, Deserialize, Serialize)]
    #[serde(default)]
    struct Step {
        #[serde(skip_serializing_if = "Option::is_none")]
        created: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        created_by: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        author: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        empty_layer: Option<bool>,
    }
    let steps = members(config).and_then(|members| {
        let steps = members.get("history")?;
        serde_json::from_str::<Vec<Step>>(steps.get()).ok()
    });
    let mut steps = steps.unwrap_or_default();
    steps.truncate(MOST_STEPS);
    serde_json::to_string(&steps).unwrap_or_else(|_| "[]".to_owned())
}

/// A member of a configuration, as JSON.
pub fn member(config: &[u8], name: &str) -> Option<String> {
    let members = members(config)?;
    let value: Value = serde_json::from_str(members.get(name)?.get()).ok()?;
    Some(value.to_string())
}

type Members = BTreeMap<String, Box<RawValue>>;

/// The members of a JSON object, each unread.
fn members(bytes: &[u8]) -> Option<Members> {
    struct Bounded(Members);

    impl<'de> Deserialize<'de> for Bounded {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = Members;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: de::MapAccess<'de>>(
                    self,
                    mut pairs: A,
                ) -> Result<Members, A::Error> {
                    let mut members = Members::new();
                    while let Some((name, value)) = pairs.next_entry()? {
                        members.insert(name, value);
                        if members.len() > MOST_MEMBERS {
                            return Err(de::Error::custom("too many members"));
                        }
                    }
                    Ok(members)
                }
            }
            deserializer.deserialize_map(Visitor).map(Self)
        }
    }

    if bytes.is_empty() {
        // The configuration of nothing.
        return Some(Members::new());
    }
    if is_too_deep(bytes) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::from_str::<Bounded>(text).ok().map(|members| members.0)
}

/// Members as they are shown: the largest are left out until the rest fits.
fn of_members(members: Members) -> Option<Map<String, Value>> {
    fit(members, LONGEST_ATTRIBUTES)
}

fn fit(members: Members, most: usize) -> Option<Map<String, Value>> {
    let mut by_size: Vec<(String, Box<RawValue>)> = members.into_iter().collect();
    by_size.sort_by_key(|(name, value)| name.len() + value.get().len());
    let (mut shown, mut size) = (Map::new(), 2);
    for (name, value) in by_size {
        let value: Value = serde_json::from_str(value.get()).ok()?;
        // Written anew it may be longer than it was, as numbers are.
        let name_and_value = serde_json::to_string(&name).ok()?.len() + value.to_string().len() + 2;
        size += name_and_value;
        if size > most {
            break;
        }
        shown.insert(name, value);
    }
    Some(shown)
}

/// What the attributes of an image take beside its `config`.
const SHORT_ATTRIBUTES: usize = 4 * 1024;

fn of_image(config: &[u8]) -> Option<Map<String, Value>> {
    let members = members(config)?;
    let text = |name: &str, most: usize| {
        let text: String = serde_json::from_str(members.get(name)?.get()).ok()?;
        (text.len() <= most).then_some(text)
    };
    let execution = members.get("config").and_then(|config| self::members(config.get().as_bytes()));
    let mut execution = execution.unwrap_or_default();
    execution.retain(|name, value| EXECUTION.contains(&name.as_str()) && !is_empty(value));
    let author = text("author", 1024)
        .filter(|author| !author.is_empty())
        .or_else(|| author_of(execution.get("Labels")?))
        .unwrap_or_default();
    let mut shown = Map::new();
    shown.insert("architecture".into(), text("architecture", 128).unwrap_or_default().into());
    shown.insert("author".into(), author.into());
    let execution = fit(execution, LONGEST_ATTRIBUTES - SHORT_ATTRIBUTES)?;
    shown.insert("config".into(), execution.into());
    shown.insert("created".into(), text("created", 64).into());
    shown.insert("os".into(), text("os", 128).unwrap_or_default().into());
    Some(shown)
}

fn is_empty(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "\"\"" | "[]" | "{}" | "false")
}

/// Who made an image, by its labels.
fn author_of(labels: &RawValue) -> Option<String> {
    let labels = members(labels.get().as_bytes())?;
    ["org.opencontainers.image.authors", "maintainer"].iter().find_map(|label| {
        let author: String = serde_json::from_str(labels.get(*label)?.get()).ok()?;
        (!author.is_empty() && author.len() <= 1024).then_some(author)
    })
}

/// What a manifest says of a WebAssembly module that is its layer.
fn of_module(manifest: &Manifest) -> Map<String, Value> {
    let mut shown = Map::new();
    let config_type = manifest.config.as_ref().map(|config| config.media_type.clone());
    shown.insert("manifest.config.mediaType".into(), config_type.into());
    if let Some(layer) = manifest.layers.first() {
        let title = layer.annotations.get("org.opencontainers.image.title");
        let title = title.filter(|title| title.len() <= 1024).cloned().unwrap_or_default();
        shown.insert("manifest.layers.mediaType".into(), layer.media_type.clone().into());
        shown.insert("org.opencontainers.image.title".into(), title.into());
    }
    shown
}

#[cfg(test)]
mod tests;
