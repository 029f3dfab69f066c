//! Descriptors: how one piece of content names another (image-spec `descriptor.md`).

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Digest, media_type};

/// Names content by digest, with its media type and size.
///
/// Its `data` field, a copy of the content inside the descriptor, is not read: the content is
/// stored under its digest like any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes, at most 2^63 - 1.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// Where else it can be downloaded.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Free facts about it.
    #[serde(default, deserialize_with = "annotations", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// If it is an artifact, of which type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// In an index, the platform it is for.
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// A descriptor with the three fields that each must have.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        }
    }

    /// Whether its content may be kept elsewhere, so that it need not be here.
    pub fn is_foreign(&self) -> bool {
        !self.urls.is_empty() || media_type::is_foreign_layer(&self.media_type)
    }
}

/// What an image runs on (image-spec `image-index.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The processor architecture, in Go's words, such as `amd64`.
    #[serde(default)]
    pub architecture: String,
    /// The operating system, in Go's words, such as `linux`.
    #[serde(default)]
    pub os: String,
    /// The version of the operating system.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the operating system must be able to do.
    #[serde(
        default,
        rename = "os.features",
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// The variant of the processor, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// What is written as an object. What serde derives takes an array, too, as the fields one after
/// the other; other readers would refuse what was taken so.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(fields)).map(Object)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Reads an object, or `null` for none.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

/// Reads a list of objects, or `null` for none.
pub(crate) fn objects<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(objects.map(|objects| objects.into_iter().map(|object| object.0).collect()))
}

/// The most annotations that one object may have. The image-spec sets no limit; real ones have
/// a handful, and each costs more memory than it has bytes.
pub(crate) const MOST_ANNOTATIONS: usize = 4096;

/// Reads `null`, which programs written in Go leave for an empty list, like an absent field.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads annotations. A name that comes twice is refused: readers would not agree on its value.
pub(crate) fn annotations<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Pairs;
    impl<'de> de::Visitor<'de> for Pairs {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with strings as values")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut pairs: A) -> Result<Self::Value, A::Error> {
            let mut annotations = BTreeMap::new();
            while let Some((name, value)) = pairs.next_entry()? {
                if annotations.insert(name, value).is_some() {
                    return Err(de::Error::custom("the same annotation comes twice"));
                }
                if annotations.len() > MOST_ANNOTATIONS {
                    let message = format!("more than {MOST_ANNOTATIONS} annotations");
                    return Err(de::Error::custom(message));
                }
            }
            Ok(annotations)
        }
    }
    deserializer.deserialize_any(Pairs)
}

/// Reads a size. It is an `int64` in the specification, and in a database.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    if i64::try_from(size).is_err() {
        return Err(de::Error::custom("a size is at most 9223372036854775807"));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::Algorithm;

    #[test]
    fn every_field_comes_back() {
        let json = json!({
            "mediaType": media_type::OCI_MANIFEST,
            "digest": Digest::of(Algorithm::Sha256, b"x"),
            "size": 7,
            "urls": ["https://example.org/x"],
            "annotations": {"a": "b"},
            "artifactType": "application/vnd.example",
            "platform": {
                "architecture": "arm64", "os": "windows", "os.version": "10.0",
                "os.features": ["win32k"], "variant": "v8"
            },
        });
        let descriptor: Descriptor = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(descriptor).unwrap(), json);
    }

    #[test]
    fn what_is_empty_or_null_is_left_out() {
        let digest = Digest::of(Algorithm::Sha256, b"x");
        let bare = json!({"mediaType": "a/b", "digest": digest, "size": 0});
        let mut nulls = bare.clone();
        for field in ["urls", "annotations", "artifactType", "platform"] {
            nulls[field] = json!(null);
        }
        let descriptor: Descriptor = serde_json::from_value(nulls).unwrap();
        assert_eq!(descriptor, Descriptor::new("a/b", digest, 0));
        assert_eq!(serde_json::to_value(descriptor).unwrap(), bare);
    }

    #[test]
    fn content_with_urls_or_of_a_foreign_type_may_be_elsewhere() {
        let digest = Digest::of(Algorithm::Sha256, b"x");
        let mut layer = Descriptor::new("application/vnd.oci.image.layer.v1.tar", digest, 1);
        assert!(!layer.is_foreign());
        layer.urls.push("https://example.org/x".into());
        assert!(layer.is_foreign());
    }
}
