//! An installation with blobs in it, for the tests of uploads and artifacts.
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use db::Engine;
use futures_util::{Stream, stream};
use oci::{Algorithm, Digest, RepositoryName};

use crate::{
    Context, Settings,
    access::{self, Allowed, Caller, Right},
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
        let digest = Digest::of(Algorithm::Sha256, content);
        let allowed = self.allowed(name, Right::PUSH).await;
        let ticket =
            uploads::begin(&self.context, &allowed, name, &Caller::system(), None).unwrap();
        let (chunk, body) = (Chunk::default(), body(content));
        let step =
            uploads::finish(&self.context, &allowed, name, &ticket, digest, chunk, body).await;
        assert_eq!(step.unwrap(), Step::Done(()));
        digest
    }
}

/// A body that brings some bytes in small pieces.
pub(crate) fn body(content: &[u8]) -> impl Stream<Item = std::io::Result<Bytes>> + Unpin + use<> {
    let pieces: Vec<_> =
        content.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}
