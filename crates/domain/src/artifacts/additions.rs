//! Additions: what more an artifact's content says, read when somebody asks for it.
//!
//! How much is read and unpacked is bounded, and so is how many do it at the same time.

use bytes::Bytes;
use kit::{Error, Kind, Result, Subject};
use oci::{
    Manifest, Reference, RepositoryName,
    artifact::{self, Addition, ArchiveError, ArtifactKind, LONGEST_FILE},
    media_type,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{content, details::find, list::known, locate::absent, pull::stored};
use crate::{
    Context,
    access::{Action, Allowed, Resource, Right},
};

/// An addition as it is sent.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it is, for `Content-Type`.
    pub media_type: &'static str,
    /// Its bytes.
    pub content: Bytes,
}

/// The most bytes of the package of a chart.
const LARGEST_PACKAGE: u64 = 16 * 1024 * 1024;

/// The most bytes of a bill of materials.
const LARGEST_BILL: u64 = 32 * 1024 * 1024;

const JSON: &str = "application/json; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// How many additions are read at the same time: each may take as much memory as the largest.
const AT_A_TIME: usize = 4;

/// Who waits to read an addition.
pub(crate) fn readers() -> Semaphore {
    Semaphore::new(AT_A_TIME)
}

/// An addition of an artifact.
///
/// # Errors
/// NotFound when there is no such artifact, or it lacks what is asked for; Invalid when
/// artifacts of its kind have no such addition; TooLarge when there is too much to read.
pub async fn addition(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    addition: Addition,
) -> Result<Shown> {
    allowed.require(Right::new(Resource::ArtifactAddition, Action::Read))?;
    let repository_id = known(context, allowed, name).await?;
    let found = find(context, repository_id, name, reference).await?;
    let kind = ArtifactKind::from_name(&found.kind);
    let is_index = media_type::is_index(&found.media_type);
    // Harbor gives the bill whatever it is asked for.
    let has_it = kind == ArtifactKind::Sbom || kind.additions().contains(&addition);
    if is_index || !has_it {
        return Err(unsupported(&kind, is_index, addition));
    }
    let digest = found.digest.parse().map_err(Error::internal)?;
    let manifest = stored(context, repository_id, &digest).await?;
    let manifest = manifest.ok_or_else(|| absent(name, reference))?;
    let manifest =
        Manifest::parse(&manifest.content, Some(&manifest.media_type)).map_err(Error::internal)?;
    let _one_of_few = context.addition_readers.acquire().await.map_err(Error::internal)?;
    let reading = Reading { context, name, manifest: &manifest };
    match (kind, addition) {
        (ArtifactKind::Sbom, _) => reading.bill().await,
        (ArtifactKind::Chart, Addition::Dependencies) => reading.dependencies().await,
        (ArtifactKind::Chart, Addition::Readme) => reading.in_chart("README.md", MARKDOWN).await,
        (ArtifactKind::Chart, _) => reading.in_chart("values.yaml", PLAIN).await,
        (ArtifactKind::Model, Addition::Files) => Ok(json(artifact::files(&manifest))),
        (ArtifactKind::Model, Addition::License) => {
            reading.document("license", &["LICENSE", "LICENSE.txt"], PLAIN).await
        }
        (ArtifactKind::Model, _) => {
            reading.document("readme", &["README", "README.md"], MARKDOWN).await
        }
        _ => reading.history().await,
    }
}

/// What there is to say of the vulnerabilities of an artifact, which nobody has looked for: an
/// empty object.
///
/// # Errors
/// NotFound when there is no such artifact.
pub async fn vulnerabilities(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Shown> {
    allowed.require(Right::new(Resource::ArtifactAddition, Action::Read))?;
    let repository_id = known(context, allowed, name).await?;
    find(context, repository_id, name, reference).await?;
    Ok(Shown { media_type: "application/json", content: Bytes::from_static(b"{}") })
}

fn unsupported(kind: &ArtifactKind, is_index: bool, addition: Addition) -> Error {
    let addition = addition.name().to_ascii_uppercase();
    let message = match kind {
        ArtifactKind::Named(_) | ArtifactKind::Unknown => {
            format!("the processor for artifact {kind} not found, cannot get the addition")
        }
        _ if is_index => format!("addition {addition} isn't supported"),
        ArtifactKind::Image | ArtifactKind::Wasm => {
            format!("addition {addition} isn't supported for {kind}(manifest version 2)")
        }
        _ => format!("addition {addition} isn't supported for {kind}"),
    };
    Error::invalid(message).about(Subject::Manifest)
}

fn json(text: String) -> Shown {
    Shown { media_type: JSON, content: Bytes::from(text) }
}

fn too_large() -> Error {
    Error::new(Kind::TooLarge, "the file is too large to be processed").about(Subject::Manifest)
}

fn unpacked<T>(found: Result<T, ArchiveError>) -> Result<T> {
    found.map_err(|cause| match cause {
        ArchiveError::TooLarge => too_large(),
        ArchiveError::Malformed => Error::invalid(cause.to_string()).about(Subject::Manifest),
    })
}

/// The reading of one artifact's content.
struct Reading<'a> {
    context: &'a Context,
    name: &'a RepositoryName,
    manifest: &'a Manifest,
}

impl Reading<'_> {
    async fn config(&self) -> Result<Bytes> {
        let config = content::config(self.context, self.name, self.manifest).await?;
        Ok(config.unwrap_or_default())
    }

    /// The content of a layer.
    async fn layer(&self, layer: &oci::Descriptor, most: u64) -> Result<Bytes> {
        if layer.size > most {
            return Err(too_large());
        }
        let missing = || Error::not_found(Subject::Blob, format!("{} not found", layer.digest));
        let read = content::blob(self.context, self.name, &layer.digest, most).await?;
        read.ok_or_else(missing)
    }

    async fn history(&self) -> Result<Shown> {
        Ok(json(artifact::history(&self.config().await?)))
    }

    /// Helm writes what a chart needs into its configuration, whatever the chart's version.
    async fn dependencies(&self) -> Result<Shown> {
        let found = artifact::member(&self.config().await?, "dependencies");
        Ok(json(found.filter(|found| found != "null").unwrap_or_else(|| "[]".to_owned())))
    }

    /// A file of a chart; nothing if the chart has none.
    async fn in_chart(&self, file: &'static str, media_type: &'static str) -> Result<Shown> {
        let config = self.manifest.config.as_ref().map(|config| config.digest);
        let layer = self.manifest.layers.iter().find(|layer| Some(layer.digest) != config);
        let Some(layer) = layer else { return Ok(Shown { media_type, content: Bytes::new() }) };
        let package = self.layer(layer, LARGEST_PACKAGE).await?;
        let find = move || artifact::chart_file(package.as_ref(), file);
        let found = unpacked(spawn_blocking(find).await.map_err(Error::internal)?)?;
        Ok(Shown { media_type, content: Bytes::from(found.unwrap_or_default()) })
    }

    /// A document of a model.
    async fn document(
        &self,
        what: &str,
        names: &[&str],
        media_type: &'static str,
    ) -> Result<Shown> {
        let missing = || Error::not_found(Subject::Blob, format!("{what} layer not found"));
        let (layer, is_tar) = artifact::document(self.manifest, names).ok_or_else(missing)?;
        let content = self.layer(layer, LONGEST_FILE).await?;
        if !is_tar {
            return Ok(Shown { media_type, content });
        }
        let join = move || artifact::joined_files(content.as_ref());
        let joined = unpacked(spawn_blocking(join).await.map_err(Error::internal)?)?;
        Ok(Shown { media_type, content: Bytes::from(joined) })
    }

    async fn bill(&self) -> Result<Shown> {
        let [layer] = self.manifest.layers.as_slice() else {
            return Err(Error::not_found(Subject::Blob, "The sbom is not found"));
        };
        let content = self.layer(layer, LARGEST_BILL).await?;
        Ok(Shown { media_type: media_type::HARBOR_SBOM, content })
    }
}
