//! An installation with blobs in it, for the tests of uploads and artifacts.
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use db::Engine;
use futures_util::{Stream, stream};
use oci::{Algorithm, Digest, Reference, RepositoryName, media_type};

use crate::{
    Context, Settings,
    access::{self, Allowed, Caller, Right},
    artifacts::{self, Condition, Push},
    testing::{self, Place},
    uploads::{self, Chunk, Step},
};

/// The engines that every behaviour is proved on.
pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// An installation that goes with the test.
pub(crate) struct World {
    pub(crate) context: Arc<Context>,
    place: Place,
}

impl World {
    /// A new installation.
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, Settings::default()).await
    }

    /// A new installation that behaves as told.
    pub(crate) async fn with(engine: Engine, settings: Settings) -> Self {
        let place = match engine {
            Engine::Sqlite => testing::sqlite(),
            Engine::Postgres => testing::postgres().await,
        };
        let mut context = place.open().await;
        context.settings = settings;
        Self { context: Arc::new(context), place }
    }

    /// Where the blob store keeps its files.
    pub(crate) fn storage(&self) -> PathBuf {
        self.place.folder.path().join("storage")
    }

    /// The proof that Haven itself may do something with a repository.
    pub(crate) async fn allowed(&self, name: &RepositoryName, right: Right) -> Allowed {
        access::on_repository(&self.context, &Caller::system(), name, right).await.unwrap()
    }

    /// Pushes a blob in one piece.
    pub(crate) async fn push_blob(&self, name: &RepositoryName, content: &[u8]) -> Digest {
        self.try_push_blob(name, content).await.unwrap()
    }

    /// Pushes a blob in one piece, which may be refused.
    pub(crate) async fn try_push_blob(
        &self,
        name: &RepositoryName,
        content: &[u8],
    ) -> kit::Result<Digest> {
        let digest = Digest::of(Algorithm::Sha256, content);
        let allowed = self.allowed(name, Right::PUSH).await;
        let ticket = uploads::begin(&self.context, &allowed, name, &Caller::system(), None)?;
        let (chunk, body) = (Chunk::default(), body(content));
        let step =
            uploads::finish(&self.context, &allowed, name, &ticket, digest, chunk, body).await?;
        assert_eq!(step, Step::Done(()));
        Ok(digest)
    }

    /// Pushes an image of some blobs by its digest.
    pub(crate) async fn push_image(
        &self,
        name: &RepositoryName,
        blobs: &[Digest],
        note: &str,
    ) -> kit::Result<Digest> {
        let content = image_of(blobs, note);
        let reference = Reference::Digest(Digest::of(Algorithm::Sha256, &content));
        let allowed = self.allowed(name, Right::PUSH).await;
        let push = Push {
            name: name.clone(),
            reference,
            tags: Vec::new(),
            content_type: None,
            content,
            condition: Condition::Always,
        };
        Ok(artifacts::push(&self.context, &allowed, push).await?.digest)
    }

    /// Deletes an image.
    pub(crate) async fn delete_image(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> kit::Result<()> {
        let allowed = self.allowed(name, Right::DELETE).await;
        artifacts::delete(&self.context, &allowed, name, digest).await
    }
}

/// An image whose config and layers are some blobs, told apart by a note.
pub(crate) fn image_of(blobs: &[Digest], note: &str) -> Bytes {
    let part = |blob: &Digest| {
        let kind = "application/vnd.oci.image.layer.v1.tar";
        serde_json::json!({"mediaType": kind, "digest": blob.to_string(), "size": 1})
    };
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "config": {"mediaType": media_type::OCI_CONFIG, "digest": blobs[0].to_string(), "size": 1},
        "layers": blobs.iter().map(part).collect::<Vec<_>>(), "annotations": {"note": note},
    });
    Bytes::from(manifest.to_string())
}

/// A body that brings some bytes in small pieces.
pub(crate) fn body(content: &[u8]) -> impl Stream<Item = std::io::Result<Bytes>> + Unpin + use<> {
    let pieces: Vec<_> =
        content.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}
