//! What is read of an artifact's content: at the push what lists show of it, and what is too
//! much for lists when somebody asks for it. Every read is bounded.

use bytes::{Bytes, BytesMut};
use db::args;
use http_body_util::BodyExt;
use kit::{Error, Kind, Result};
use oci::{
    Descriptor, Digest, Manifest, ManifestKind, RepositoryName,
    artifact::{ArtifactKind, LONGEST_CONFIG, attributes, content_type, icon_type},
};

use super::{pull::stored, sql};
use crate::{Context, repositories, uploads};

/// What an artifact is, as its content says.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) kind: ArtifactKind,
    /// Harbor's `media_type`.
    pub(super) content_type: String,
    /// Its attributes, as JSON.
    pub(super) attributes: Option<String>,
    /// The digest of its own icon.
    pub(super) icon: Option<String>,
}

/// The annotation of the layer that is an artifact's icon.
const ICON: &str = "io.goharbor.artifact.v1alpha1.icon";

/// The most bytes of an icon.
pub(super) const LARGEST_ICON: u64 = 1024 * 1024;

/// The annotation by which the index of a bundle marks the manifest of its configuration.
const BUNDLE_PART: &str = "io.cnab.manifest.type";

/// Reads what is to be known of the artifact that a manifest describes. What is missing or not
/// what it should be says nothing: the push decides whether that matters. Of a manifest that is
/// pushed once more nothing is read again.
///
/// # Errors
/// Unavailable when the store or the database is away.
pub(super) async fn read(
    context: &Context,
    name: &RepositoryName,
    manifest: &Manifest,
    digest: &Digest,
) -> Result<Content> {
    let (kind, content_type) = (ArtifactKind::of(manifest), content_type(manifest).to_owned());
    let reads_config = kind.reads_config(manifest);
    if reads_config && let Some((attributes, icon)) = known(context, name, digest, &kind).await? {
        return Ok(Content { kind, content_type, attributes, icon });
    }
    let config = match reads_config {
        false => None,
        true => match &kind {
            ArtifactKind::Cnab => bundle_config(context, name, manifest).await?,
            _ => config(context, name, manifest).await?,
        },
    };
    Ok(Content {
        attributes: attributes(&kind, manifest, config.as_deref()),
        content_type,
        icon: icon(context, name, manifest, &kind).await?,
        kind,
    })
}

/// What was read of an artifact that the repository has: its attributes and its icon. The same
/// bytes of the same kind say the same. None where nothing could be read, or perhaps not all.
async fn known(
    context: &Context,
    name: &RepositoryName,
    digest: &Digest,
    kind: &ArtifactKind,
) -> Result<Option<(Option<String>, Option<String>)>> {
    if context.settings.allow_missing_references {
        return Ok(None);
    }
    let Some(repository) = repositories::find(context, name).await? else { return Ok(None) };
    let arguments = args![repository.id, digest.to_string(), kind.name()];
    let row = context.db.one(sql::KNOWN_CONTENT, arguments).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// The configuration of an artifact.
///
/// # Errors
/// As [`read`].
pub(super) async fn config(
    context: &Context,
    name: &RepositoryName,
    manifest: &Manifest,
) -> Result<Option<Bytes>> {
    let Some(config) = &manifest.config else { return Ok(None) };
    if config.size == 0 {
        return Ok(Some(Bytes::new()));
    }
    blob(context, name, &config.digest, LONGEST_CONFIG).await
}

/// The configuration of a bundle, which one of the manifests that its index lists has.
async fn bundle_config(
    context: &Context,
    name: &RepositoryName,
    index: &Manifest,
) -> Result<Option<Bytes>> {
    let marked =
        |part: &&Descriptor| part.annotations.get(BUNDLE_PART).is_some_and(|part| part == "config");
    let Some(part) = index.manifests.iter().find(marked) else { return Ok(None) };
    let Some(repository) = repositories::find(context, name).await? else { return Ok(None) };
    let Some(part) = stored(context, repository.id, &part.digest).await? else { return Ok(None) };
    match Manifest::parse(&part.content, Some(&part.media_type)) {
        Ok(manifest) => config(context, name, &manifest).await,
        Err(_) => Ok(None),
    }
}

/// The icon that an artifact of a kind without one brings: a picture among its layers.
async fn icon(
    context: &Context,
    name: &RepositoryName,
    manifest: &Manifest,
    kind: &ArtifactKind,
) -> Result<Option<String>> {
    let has_its_own = matches!(kind, ArtifactKind::Named(_) | ArtifactKind::Unknown);
    if !has_its_own || manifest.kind != ManifestKind::Image {
        return Ok(None);
    }
    let marked = |layer: &&Descriptor| layer.annotations.contains_key(ICON);
    let Some(layer) = manifest.layers.iter().find(marked) else { return Ok(None) };
    let picture = blob(context, name, &layer.digest, LARGEST_ICON).await?;
    Ok(picture.and_then(|bytes| icon_type(&bytes)).map(|_| layer.digest.to_string()))
}

/// A blob of a repository with all its bytes; none if it is not there or too large.
///
/// # Errors
/// As [`read`].
pub(super) async fn blob(
    context: &Context,
    name: &RepositoryName,
    digest: &Digest,
    most: u64,
) -> Result<Option<Bytes>> {
    let Some(held) = uploads::held(context, name, digest).await? else { return Ok(None) };
    if held.size > most {
        return Ok(None);
    }
    let mut reader = match uploads::read(context, &held, 0..held.size).await {
        Err(error) if error.is(Kind::NotFound) => return Ok(None),
        reader => reader?,
    };
    let mut bytes = BytesMut::with_capacity(usize::try_from(held.size).map_err(Error::internal)?);
    while let Some(frame) = reader.frame().await {
        let gone = |cause| Error::unavailable("the content cannot be read").because(cause);
        if let Ok(part) = frame.map_err(gone)?.into_data() {
            bytes.extend_from_slice(&part);
        }
    }
    Ok(Some(bytes.freeze()))
}
