//! Installations for tests: a database and a store of their own, on either engine.
#![allow(clippy::unwrap_used)]

use std::{
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use blobs::{Place, Store};
use db::{Db, Engine};
use futures_util::{Stream, stream};
use kit::{Clock, Seal, Time};
use oci::{Algorithm, Digest, RepositoryName};
use tempfile::TempDir;

use crate::{
    Context, Settings,
    access::{self, Caller, Right},
    projects::Allowed,
    uploads::{self, Chunk, Step},
};

/// The engines that every behaviour is proved on.
pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// The moment at which every test begins.
pub(crate) const BEGIN: Time = Time(1_700_000_000_000_000);

/// An installation that goes with the test.
pub(crate) struct World {
    pub(crate) ctx: Arc<Context>,
    folder: TempDir,
    database: Option<String>,
}

impl World {
    /// A new installation.
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, Settings::default()).await
    }

    /// A new installation that behaves as told.
    pub(crate) async fn with(engine: Engine, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, database) = match engine {
            Engine::Sqlite => (format!("sqlite:{}/haven.db", folder.path().display()), None),
            Engine::Postgres => {
                let name = format!("haven_domain_{:016x}", rand::random::<u64>());
                create_database(&name);
                (url_of(&name), Some(name))
            }
        };
        let db = Db::open(&url, &db::Options::default()).await.unwrap();
        db.migrate(&db::migrations()).await.unwrap();
        let place = Place::Files { root: folder.path().join("storage") };
        let store = Store::open(&place, &blobs::Options::default()).await.unwrap();
        let seal = Seal::ephemeral().unwrap();
        let clock = Clock::manual(BEGIN);
        let (ctx, _) =
            Context::open(db, store, clock, seal, settings, Some("Passw0rd".into())).await.unwrap();
        Self { ctx: Arc::new(ctx), folder, database }
    }

    /// Where the blob store keeps its files.
    pub(crate) fn storage(&self) -> std::path::PathBuf {
        self.folder.path().join("storage")
    }

    /// The proof that Haven itself may do something with a repository.
    pub(crate) async fn allowed(&self, name: &RepositoryName, right: Right) -> Allowed {
        access::on_repository(&self.ctx, &Caller::system(), name, right).await.unwrap()
    }

    /// Pushes a blob in one piece.
    pub(crate) async fn push_blob(&self, name: &RepositoryName, content: &[u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, content);
        let allowed = self.allowed(name, Right::PUSH).await;
        let ticket =
            uploads::begin(&self.ctx, &allowed, name, &Caller::system(), None).unwrap();
        let body = body(content);
        let chunk = Chunk::default();
        let step = uploads::finish(&self.ctx, &allowed, name, &ticket, digest, chunk, body).await;
        assert_eq!(step.unwrap(), Step::Done(()));
        digest
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(name) = self.database.take() {
            let _ = psql(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// A body that brings some bytes in small pieces.
pub(crate) fn body(content: &[u8]) -> impl Stream<Item = std::io::Result<bytes::Bytes>> + Unpin + use<> {
    let pieces: Vec<_> =
        content.chunks(1000).map(|piece| Ok(bytes::Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

/// The server of the tests. Without one there is nothing to prove, so its absence fails.
fn server() -> String {
    std::env::var("HAVEN_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("HAVEN_TEST_POSTGRES_URL must name a PostgreSQL server (see tests/services)")
    })
}

fn url_of(database: &str) -> String {
    let server = server();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{database}")
}

fn psql(statement: &str) -> std::process::Output {
    Command::new("psql").args(["-q", "-d", &server(), "-c", statement]).output().unwrap()
}

/// The template is locked while another test copies it.
fn create_database(name: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let output = psql(&format!("CREATE DATABASE {name}"));
        if output.status.success() {
            return;
        }
        assert!(Instant::now() < deadline, "{}", String::from_utf8_lossy(&output.stderr));
        std::thread::sleep(Duration::from_millis(20));
    }
}
