//! A haven of its own for every test.

use std::{
    fs::File,
    io::{Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a test waits for something that must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The password of the user `admin` where a test gives one.
pub const PASSWORD: &str = "Sesame-0pen";

/// The binary, with nothing of our own environment.
fn binary(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haven"));
    command.env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
    command
}

/// Runs a command of haven to its end.
pub fn haven(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    binary(variables).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs a command of haven with a text on standard input.
pub fn haven_told(input: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut child = binary(variables)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What a command wrote to standard output, if it ended well.
pub fn told(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command wrote to standard error, if it ended with a status.
pub fn refused(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Waits for a condition.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: this never came true");
        std::thread::yield_now();
    }
}

/// A folder for the data of one installation.
pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The data folder, as a variable's value.
    pub fn data_text(&self) -> String {
        self.data().to_str().unwrap().to_owned()
    }

    /// Stores a file beside the data folder, and gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts a server and waits until it serves.
    pub fn serve(&self, variables: &[(&str, &str)]) -> Server {
        Server::start(self, variables)
    }

    /// Starts a server that must refuse to; gives what it says.
    pub fn serve_in_vain(&self, variables: &[(&str, &str)]) -> String {
        let data = self.data_text();
        let mut all = vec![("HAVEN_LISTEN", "127.0.0.1:0"), ("HAVEN_DATA_DIR", &data)];
        all.extend(variables);
        refused(&haven(&[], &all), 1)
    }
}

/// A server that serves. It is killed when it goes.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// What it wrote to standard output so far.
    pub output: Arc<Mutex<String>>,
    pub address: SocketAddr,
}

impl Server {
    fn start(home: &Home, variables: &[(&str, &str)]) -> Self {
        let log = home.folder.path().join("log");
        let mut child =
            binary(&[("HAVEN_LISTEN", "127.0.0.1:0"), ("HAVEN_ADMIN_PASSWORD", PASSWORD)])
                .env("HAVEN_DATA_DIR", home.data())
                .envs(variables.iter().copied())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(File::create(&log).unwrap())
                .spawn()
                .unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let mut written = child.stdout.take().unwrap();
        let kept = output.clone();
        std::thread::spawn(move || {
            // What is written in one piece is read in one.
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = written.read(&mut piece) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        let mut server = Self { child, log, output, address: ([0, 0, 0, 0], 0).into() };
        server.address = server.wait_for_address();
        server
    }

    fn wait_for_address(&mut self) -> SocketAddr {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = self.announced().first() {
                return *address;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.log());
            }
            assert!(Instant::now() < deadline, "the server does not serve: {}", self.log());
            std::thread::yield_now();
        }
    }

    /// The addresses that it says it serves on.
    pub fn announced(&self) -> Vec<SocketAddr> {
        let output = self.output.lock().unwrap();
        let first = output.lines().next().unwrap_or_default();
        let urls = first.split(' ').filter_map(|word| word.split_once("://"));
        urls.map(|(_, address)| address.parse().unwrap()).collect()
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it ends.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end: {}", self.log());
            std::thread::yield_now();
        }
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        let status = self.ended();
        assert!(status.success(), "{status}: {}", self.log());
        self.log()
    }

    /// A registry token of the user `admin`.
    pub async fn token(&self) -> String {
        let url = self.url("/service/token?service=harbor-registry&scope=registry:catalog:*");
        let request = reqwest::Client::new().get(url).basic_auth("admin", Some(PASSWORD));
        let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Asks the base of the registry who we are; the answer's status.
    pub async fn sign_in(&self, password: &str) -> u16 {
        let request = reqwest::Client::new().get(self.url("/v2/"));
        request.basic_auth("admin", Some(password)).send().await.unwrap().status().as_u16()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a file is there.
pub fn exists(path: &Path) -> bool {
    path.try_exists().unwrap()
}
