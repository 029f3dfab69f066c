//! Databases of a test's own, and a network that can be cut.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use db::{Db, Migration, Migrations, Options};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// How long a test waits for something that is to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// An empty database, which goes with the test.
pub struct Place {
    pub url: String,
    _folder: Option<TempDir>,
    database: Option<String>,
}

/// The server of the tests. Without one there is nothing to prove, so its absence fails.
pub fn server() -> String {
    std::env::var("HAVEN_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("HAVEN_TEST_POSTGRES_URL must name a PostgreSQL server (see tests/services)")
    })
}

/// A URL of the server with another database.
pub fn url_of(database: &str) -> String {
    let server = server();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{database}")
}

pub fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/haven.db", folder.path().display());
    Place { url, _folder: Some(folder), database: None }
}

pub async fn postgres() -> Place {
    let name = format!("haven_test_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&server()).await.unwrap();
    // The template is locked while another test copies it.
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let quick = format!("ALTER DATABASE {name} SET deadlock_timeout = '50ms'");
    admin.execute(AssertSqlSafe(quick)).await.unwrap();
    Place { url: url_of(&name), _folder: None, database: Some(name) }
}

pub async fn both() -> [Place; 2] {
    [sqlite(), postgres().await]
}

impl Place {
    /// Opens it with the tables of these tests.
    pub async fn open(&self) -> Db {
        let db = self.bare().await;
        db.migrate(&tables()).await.unwrap();
        db
    }

    /// Opens it as it is.
    pub async fn bare(&self) -> Db {
        Db::open(&self.url, &Options::default()).await.unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(name) = self.database.take() else {
            return;
        };
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&server()).await.unwrap();
                let sql = format!("DROP DATABASE {name} WITH (FORCE)");
                let _ = admin.execute(AssertSqlSafe(sql)).await;
            });
        });
        let _ = dropping.join();
    }
}

/// The tables of these tests.
pub fn tables() -> Migrations {
    Migrations::new([Migration::new(
        1,
        "tables",
        "CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, name TEXT, truth BOOLEAN, bytes BLOB, real DOUBLE);
         CREATE TABLE parts (thing BIGINT NOT NULL REFERENCES things (id), number BIGINT NOT NULL);",
        "CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, name TEXT COLLATE \"C\", truth BOOLEAN, bytes BYTEA,
                              real DOUBLE PRECISION);
         CREATE TABLE parts (thing BIGINT NOT NULL REFERENCES things (id), number BIGINT NOT NULL);",
    )])
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A network between us and the server.
pub struct Network {
    port: u16,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Up,
    /// Bytes no longer pass, and nobody is told.
    Silent,
    /// Connections are broken, and new ones refused.
    Down,
}

impl Network {
    pub async fn new() -> Self {
        let (_, address) =
            server().rsplit_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let address = address.split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State::Up));
        let follow = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *follow.borrow() == State::Down {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&address).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(carry(from_client, to_server, follow.subscribe()));
                tokio::spawn(carry(from_server, to_client, follow.subscribe()));
            }
        });
        Self { port, state }
    }

    /// The URL of a database through this network.
    pub fn url(&self, place: &Place) -> String {
        let user = server().split("://").nth(1).unwrap().split('@').next().unwrap().to_owned();
        format!(
            "postgres://{user}@127.0.0.1:{}/{}",
            self.port,
            place.url.rsplit('/').next().unwrap()
        )
    }

    pub fn up(&self) {
        self.state.send_replace(State::Up);
    }

    pub fn silent(&self) {
        self.state.send_replace(State::Silent);
    }

    pub fn down(&self) {
        self.state.send_replace(State::Down);
    }
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut bytes = [0; 4096];
    loop {
        if state.wait_for(|state| *state != State::Silent).await.is_err() {
            return;
        }
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            _ = state.wait_for(|state| *state == State::Down) => 0,
        };
        if read == 0 || state.wait_for(|state| *state != State::Silent).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
