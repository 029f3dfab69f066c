//! The binary under test: started on a free port, killed, stopped, started again.

use crate::{Client, services, tool, tool::Output};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The administrator's password on every server under test.
pub const ADMIN_PASSWORD: &str = "Admin-For-Tests-1";

/// How long a debug binary on a busy machine may take to serve or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server stands on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// PostgreSQL and S3 instead of SQLite and files.
    cluster: bool,
    /// `host:port` to reach PostgreSQL at, when not the real one.
    postgres_address: Option<String>,
    /// URL to reach S3 at, when not the real one.
    s3_endpoint: Option<String>,
    /// Further variables of the environment.
    environment: Vec<(String, String)>,
    /// The data folder, when not one of its own.
    data: Option<PathBuf>,
}

impl Settings {
    /// SQLite and local files.
    pub fn appliance() -> Settings {
        Settings {
            cluster: false,
            postgres_address: None,
            s3_endpoint: None,
            environment: Vec::new(),
            data: None,
        }
    }

    /// PostgreSQL and S3, each with a place of its own there.
    pub fn cluster() -> Settings {
        Settings { cluster: true, ..Settings::appliance() }
    }

    /// One more variable.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Settings {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A data folder that the test prepared.
    pub fn in_folder(mut self, folder: &Path) -> Settings {
        self.data = Some(folder.into());
        self
    }

    /// PostgreSQL by way of this `host:port`.
    pub fn postgres_by(mut self, address: &str) -> Settings {
        self.postgres_address = Some(address.into());
        self
    }

    /// S3 by way of this `host:port`.
    pub fn s3_by(mut self, address: &str) -> Settings {
        self.s3_endpoint = Some(format!("http://{address}"));
        self
    }
}

/// What replicas have in common.
struct Shared {
    settings: Settings,
    /// Kept for its end: dropping it drops the database.
    database: Option<services::Database>,
    /// Where in the bucket.
    prefix: String,
    /// Folder of the key that seals secrets at rest.
    keys: TempDir,
}

impl Shared {
    fn of(settings: &Settings) -> Shared {
        Shared {
            settings: settings.clone(),
            database: settings.cluster.then(services::Database::create),
            prefix: format!("test-{:016x}", rand::random::<u64>()),
            keys: TempDir::new().unwrap(),
        }
    }
}

/// A running server. Dropping it kills the process and, when the test has
/// failed, prints the log.
pub struct Server {
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// Somebody unknown.
    pub anonymous: Client,
    /// The system's administrator.
    pub admin: Client,
    child: Option<Child>,
    port: Port,
    scratch: TempDir,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts a server and waits until it serves.
    pub async fn start(settings: &Settings) -> Server {
        Server::on(Arc::new(Shared::of(settings))).await
    }

    /// A further replica on the same database and store.
    pub async fn replica(&self) -> Server {
        Server::on(self.shared.clone()).await
    }

    /// Starts a server that must not start, and gives what it said.
    pub async fn refused(settings: &Settings) -> Output {
        let server = Server::at_rest(Arc::new(Shared::of(settings)));
        server.run(&["serve"]).await
    }

    async fn on(shared: Arc<Shared>) -> Server {
        let mut server = Server::at_rest(shared);
        server.start_again().await;
        server
    }

    fn at_rest(shared: Arc<Shared>) -> Server {
        let port = Port::reserve();
        let url = format!("http://127.0.0.1:{}", port.number);
        let anonymous = Client::new(&url);
        let admin = anonymous.login("admin", ADMIN_PASSWORD);
        Server {
            url,
            anonymous,
            admin,
            child: None,
            port,
            scratch: TempDir::new().unwrap(),
            shared,
        }
    }

    /// Starts the process again on the same port and data, and waits until it serves.
    pub async fn start_again(&mut self) {
        assert!(self.child.is_none(), "still running");
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command();
        command.arg("serve");
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap_or_else(|error| {
            panic!("{}: {error}", binary().display());
        }));
        self.wait_until_ready().await;
    }

    async fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let probe = self.anonymous.request("GET", "/v2/");
            let answer = probe.timeout(Duration::from_secs(5)).try_send().await;
            if let Some(status) = self.exited() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            if answer.is_ok_and(|answer| matches!(answer.status, 200 | 401)) {
                return;
            }
            assert!(Instant::now() < deadline, "the server does not serve:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The exit status, once the process has ended by itself.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().unwrap()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and the exit status of the graceful stop.
    pub async fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the server runs");
        signal(&child, rustix::process::Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                panic!("the server does not stop:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Runs statements in the PostgreSQL database that it stands on, and gives what they answer.
    pub fn ask_database(&self, statement: &str) -> String {
        self.shared.database.as_ref().expect("it stands on PostgreSQL").ask(statement)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// Runs another command of the binary on the same data, `verify` for example.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command();
        command.args(arguments);
        tool::run(command, Duration::from_secs(120)).await
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        match &self.shared.settings.data {
            Some(folder) => folder.clone(),
            None => self.scratch.path().join("data"),
        }
    }

    /// What the server has written so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.scratch.path().join("log")
    }

    fn command(&self) -> Command {
        let Shared { settings, prefix, .. } = &*self.shared;
        let mut command = Command::new(binary());
        // Nothing of the caller's own configuration may reach the test.
        for (name, _) in std::env::vars() {
            if name.starts_with("HAVEN_") {
                command.env_remove(name);
            }
        }
        command
            .env("HAVEN_LISTEN", format!("127.0.0.1:{}", self.port.number))
            .env("HAVEN_DATA_DIR", self.data())
            .env("HAVEN_ADMIN_PASSWORD", ADMIN_PASSWORD);
        if let Some(database) = &self.shared.database {
            let address = settings.postgres_address.clone();
            let address = address.unwrap_or_else(|| database.address());
            let s3 = &*services::S3;
            command
                .env("HAVEN_DATABASE_URL", database.url_at(&address))
                .env("HAVEN_STORAGE_URL", format!("s3://{}/{prefix}", s3.bucket))
                .env(
                    "HAVEN_STORAGE_S3_ENDPOINT",
                    settings.s3_endpoint.as_ref().unwrap_or(&s3.endpoint),
                )
                .env("HAVEN_STORAGE_S3_REGION", &s3.region)
                .env("HAVEN_STORAGE_S3_ACCESS_KEY", &s3.access_key)
                .env("HAVEN_STORAGE_S3_SECRET_KEY", &s3.secret_key)
                .env("HAVEN_STORAGE_S3_PATH_STYLE", "true")
                .env("HAVEN_SECRET_KEY_FILE", self.shared.keys.path().join("key"));
        }
        command.envs(settings.environment.iter().cloned());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("--- the end of the log of {} ---", self.url);
            for line in tail.iter().rev() {
                eprintln!("{line}");
            }
        }
    }
}

/// The binary under test: `HAVEN_BIN`, or what a plain `cargo build` leaves.
pub fn binary() -> PathBuf {
    match std::env::var_os("HAVEN_BIN") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/haven"),
    }
}

/// A port for one server, kept while it is down too: a server that is started
/// again must find it free, and no client may meet another server there.
struct Port {
    number: u16,
    /// Locked, so that no other test takes the port, in whatever process.
    _lock: File,
}

impl Port {
    /// A port that nothing listens on, outside the ranges of `tests/services` and of
    /// the kernel's own choices.
    fn reserve() -> Port {
        let user = rustix::process::geteuid().as_raw();
        let folder = std::env::temp_dir().join(format!("haven-test-ports-{user}"));
        std::fs::create_dir_all(&folder).unwrap();
        loop {
            let number = rand::random_range(10_000..20_000);
            let lock = File::create(folder.join(number.to_string())).unwrap();
            let ours = rustix::fs::FlockOperation::NonBlockingLockExclusive;
            if rustix::fs::flock(&lock, ours).is_err() {
                continue;
            }
            if std::net::TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Port { number, _lock: lock };
            }
        }
    }
}

/// Sends a signal to a process that this test started.
pub fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Runs a test on SQLite with files, then on PostgreSQL with S3, each time on a
/// server of its own.
pub async fn on_each_setup(test: impl AsyncFn(&Server)) {
    for settings in [Settings::appliance(), Settings::cluster()] {
        test(&Server::start(&settings).await).await;
    }
}
