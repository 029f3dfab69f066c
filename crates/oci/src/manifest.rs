//! What a registry must know about a manifest (image-spec `manifest.md` and `image-index.md`).
//!
//! The bytes are stored and served as they came; this reads only what they refer to.
//! A name that an object holds twice is refused wherever its value is read, as two readers could
//! take two different values for it; fields that nobody here reads are not looked into.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    Descriptor,
    descriptor::{Object, annotations, object, objects},
    media_type,
};

/// The most bytes a manifest may have. The distribution-spec asks registries for at least this.
pub const LONGEST_MANIFEST: usize = 4 * 1024 * 1024;

/// How deep objects and arrays may be nested in a manifest. The specifications need four levels;
/// the rest is for fields that they do not know.
pub const DEEPEST_MANIFEST: usize = 64;

/// The shape of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManifestKind {
    /// A configuration and layers: an image, or an artifact in its clothes.
    Image,
    /// A list of manifests.
    Index,
    /// Anything else. What it refers to is not known, but for its subject.
    Other,
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its media type, without parameters.
    pub media_type: String,
    /// Its shape, which follows from the media type.
    pub kind: ManifestKind,
    /// The type of the artifact as the referrers API gives it: the field of that name, else for
    /// an image the media type of its configuration.
    pub artifact_type: Option<String>,
    /// An image's configuration.
    pub config: Option<Descriptor>,
    /// An image's layers; the blobs of an OCI artifact manifest.
    pub layers: Vec<Descriptor>,
    /// What an index lists. BuildKit's cache lists layers here, too.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this one is about; it need not exist.
    pub subject: Option<Descriptor>,
    /// Free facts about it.
    pub annotations: BTreeMap<String, String>,
}

/// Why bytes are not a manifest that we take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is longer than [`LONGEST_MANIFEST`].
    #[error("a manifest has at most {LONGEST_MANIFEST} bytes, this one has {0}")]
    TooLarge(usize),
    /// Neither the `Content-Type` header nor the field `mediaType` says what it is.
    #[error("the media type is missing: neither Content-Type nor mediaType is given")]
    MissingMediaType,
    /// The media type is not well formed.
    #[error("{0} does not hold a media type such as application/vnd.oci.image.manifest.v1+json")]
    InvalidMediaType(&'static str),
    /// The `Content-Type` header and the field `mediaType` disagree.
    #[error("Content-Type says {content_type}, but mediaType says {media_type}")]
    MediaTypeMismatch {
        /// What the header says.
        content_type: String,
        /// What the field says, shortened.
        media_type: String,
    },
    /// It is of Docker's schema 1.
    #[error(
        "manifests of Docker's schema 1 are not supported: push with a client that writes schema 2 or OCI manifests"
    )]
    Schema1,
    /// `schemaVersion` is missing or not 2.
    #[error("schemaVersion has to be 2")]
    SchemaVersion,
    /// It is nested deeper than [`DEEPEST_MANIFEST`].
    #[error("objects and arrays are nested more than {DEEPEST_MANIFEST} deep")]
    TooDeep,
    /// It is not the JSON that its media type asks for.
    #[error("{0}")]
    Malformed(String),
    /// It has a field of the other shape, so that clients could take it for either
    /// (CVE-2021-41190).
    #[error("{media_type} has no field {field}")]
    Ambiguous {
        /// What it is said to be.
        media_type: String,
        /// The field.
        field: &'static str,
    },
}

impl Manifest {
    /// Reads a manifest from its bytes and, if the request has one, its `Content-Type` header.
    ///
    /// Without the header the field `mediaType` counts; where both are given they have to agree.
    /// Media types other than those of images and indexes are taken whatever their bytes are.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, ManifestError> {
        if bytes.len() > LONGEST_MANIFEST {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        let peek = Peek::into(bytes);
        let media_type = media_type(content_type, &peek)?;
        let kind = if media_type::is_image(&media_type) {
            ManifestKind::Image
        } else if media_type::is_index(&media_type) {
            ManifestKind::Index
        } else {
            ManifestKind::Other
        };
        if media_type::is_schema1(&media_type) || peek.is_schema1(kind) {
            return Err(ManifestError::Schema1);
        }
        match kind {
            ManifestKind::Image => parse_json::<Body>(bytes)?.into_image(media_type),
            ManifestKind::Index => parse_json::<Body>(bytes)?.into_index(media_type),
            ManifestKind::Other if media_type == media_type::OCI_ARTIFACT_MANIFEST => {
                Ok(parse_json::<ArtifactBody>(bytes)?.into_manifest(media_type))
            }
            ManifestKind::Other => Ok(peek.into_opaque(media_type)),
        }
    }

    /// The blobs that have to be there for the manifest to be whole: its configuration and its
    /// layers, but for those that are kept elsewhere.
    pub fn blob_references(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(self.layers.iter().filter(|layer| !layer.is_foreign()))
    }

    /// The layers that may be kept elsewhere. A client may have pushed them all the same.
    pub fn foreign_layers(&self) -> impl Iterator<Item = &Descriptor> {
        self.layers.iter().filter(|layer| layer.is_foreign())
    }
}

/// Chooses between what the header and what the body says.
fn media_type(content_type: Option<&str>, peek: &Peek<'_>) -> Result<String, ManifestError> {
    let written = peek.text(peek.media_type);
    let Some(header) = content_type else {
        let written = written.ok_or(ManifestError::MissingMediaType)?;
        return match media_type::parse(&written) {
            Some(parsed) if parsed == written => Ok(written),
            _ => Err(ManifestError::InvalidMediaType("mediaType")),
        };
    };
    let declared =
        media_type::parse(header).ok_or(ManifestError::InvalidMediaType("Content-Type"))?;
    match written {
        Some(written) if written != declared => Err(ManifestError::MediaTypeMismatch {
            content_type: declared.to_owned(),
            media_type: shortened(written),
        }),
        _ => Ok(declared.to_owned()),
    }
}

/// A first look at what may be JSON: the fields that count for any media type, each still unread,
/// so that a type we do not know may mean something else by them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peek<'a> {
    #[serde(borrow, default)]
    media_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    schema_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    fs_layers: Option<&'a RawValue>,
    #[serde(borrow, default)]
    artifact_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    subject: Option<&'a RawValue>,
    #[serde(borrow, default)]
    annotations: Option<&'a RawValue>,
}

impl<'a> Peek<'a> {
    /// Sees nothing in bytes that are not a JSON object, or one that is too deep to read.
    fn into(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if !is_too_deep(bytes) => {
                serde_json::from_str(text).map_or_else(|_| Self::default(), |Object(peek)| peek)
            }
            _ => Self::default(),
        }
    }

    fn text(&self, field: Option<&RawValue>) -> Option<String> {
        read(field).filter(|text: &String| !text.is_empty())
    }

    /// Schema 1 has no field `mediaType`, and old clients sent it as `application/json`.
    fn is_schema1(&self, kind: ManifestKind) -> bool {
        let says_so = read(self.schema_version) == Some(1);
        says_so && (kind != ManifestKind::Other || self.fs_layers.is_some())
    }

    fn into_opaque(self, media_type: String) -> Manifest {
        #[derive(Default, Deserialize)]
        struct Annotations(#[serde(deserialize_with = "annotations")] BTreeMap<String, String>);

        Manifest {
            media_type,
            kind: ManifestKind::Other,
            artifact_type: self.text(self.artifact_type),
            config: None,
            layers: Vec::new(),
            manifests: Vec::new(),
            subject: read(self.subject).map(|Object(subject)| subject),
            annotations: read::<Annotations>(self.annotations).unwrap_or_default().0,
        }
    }
}

/// The value of a field if it has the type that we expect.
fn read<T: DeserializeOwned>(field: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(field?.get()).ok()
}

/// Reads JSON, strictly; an error names the field that it is about.
fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ManifestError> {
    if is_too_deep(bytes) {
        return Err(ManifestError::TooDeep);
    }
    let malformed = |reason: String| ManifestError::Malformed(shortened(reason));
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let Object(value) = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(error.to_string()))?;
    json.end().map_err(|error| malformed(error.to_string()))?;
    Ok(value)
}

/// The fields of an image manifest and of an index.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    /// Compared before; here so that a second one or one of a wrong type is refused.
    #[serde(default, rename = "mediaType")]
    _media_type: Option<String>,
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default, deserialize_with = "object")]
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "objects")]
    layers: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "objects")]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "object")]
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "annotations")]
    annotations: BTreeMap<String, String>,
}

impl Body {
    fn into_image(self, media_type: String) -> Result<Manifest, ManifestError> {
        self.check_version()?;
        if self.manifests.is_some() {
            return Err(ManifestError::Ambiguous { media_type, field: "manifests" });
        }
        let Some(config) = self.config else {
            return Err(ManifestError::Malformed("missing field `config`".into()));
        };
        let artifact_type = self.artifact_type.unwrap_or_default();
        let artifact_type =
            if artifact_type.is_empty() { config.media_type.clone() } else { artifact_type };
        Ok(Manifest {
            media_type,
            kind: ManifestKind::Image,
            artifact_type: Some(artifact_type),
            config: Some(config),
            layers: self.layers.unwrap_or_default(),
            manifests: Vec::new(),
            subject: self.subject,
            annotations: self.annotations,
        })
    }

    fn into_index(self, media_type: String) -> Result<Manifest, ManifestError> {
        self.check_version()?;
        if self.config.is_some() {
            return Err(ManifestError::Ambiguous { media_type, field: "config" });
        }
        if self.layers.is_some() {
            return Err(ManifestError::Ambiguous { media_type, field: "layers" });
        }
        Ok(Manifest {
            media_type,
            kind: ManifestKind::Index,
            artifact_type: self.artifact_type.filter(|text| !text.is_empty()),
            config: None,
            layers: Vec::new(),
            manifests: self.manifests.unwrap_or_default(),
            subject: self.subject,
            annotations: self.annotations,
        })
    }

    fn check_version(&self) -> Result<(), ManifestError> {
        if self.schema_version == Some(2) { Ok(()) } else { Err(ManifestError::SchemaVersion) }
    }
}

/// The fields of an OCI artifact manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactBody {
    #[serde(default, rename = "mediaType")]
    _media_type: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    blobs: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "object")]
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "annotations")]
    annotations: BTreeMap<String, String>,
}

impl ArtifactBody {
    fn into_manifest(self, media_type: String) -> Manifest {
        Manifest {
            media_type,
            kind: ManifestKind::Other,
            artifact_type: self.artifact_type.filter(|text| !text.is_empty()),
            config: None,
            layers: self.blobs.unwrap_or_default(),
            manifests: Vec::new(),
            subject: self.subject,
            annotations: self.annotations,
        }
    }
}

/// Whether JSON is nested deeper than [`DEEPEST_MANIFEST`]. Works on any bytes, without recursion.
pub(crate) fn is_too_deep(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => _ = bytes.next(),
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_MANIFEST {
            return true;
        }
    }
    false
}

/// A text that may hold anything a client sent, cut so that it fits into an error.
fn shortened(mut text: String) -> String {
    const ENOUGH: usize = 300;
    if text.len() > ENOUGH {
        text.truncate(text.floor_char_boundary(ENOUGH));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
