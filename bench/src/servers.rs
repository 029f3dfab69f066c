//! The servers of a session, each with its own folder, on a free port of loopback.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::http1::{Connection, Method};
use crate::process::{Running, free_address};
use crate::registry::Registry;

/// The administrator.
pub const ADMIN: &str = "admin";
/// The administrator's password.
pub const PASSWORD: &str = "Bench-Password-1";
/// How long a server may take until it answers.
const STARTING: Duration = Duration::from_secs(30);

/// A server that answers.
pub struct Server {
    /// Its name in tables.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process to the first answer on `/v2/`.
    pub ready_after: Duration,
    running: Running,
    log: PathBuf,
    asks_for_token: bool,
}

impl Server {
    /// The id of the process that serves.
    pub fn pid(&self) -> u32 {
        self.running.id()
    }

    /// The server as a registry, with a fresh token where it wants one.
    pub fn registry(&self) -> Outcome<Registry> {
        if self.asks_for_token {
            Registry::log_in(self.address, ADMIN, PASSWORD)
        } else {
            Ok(Registry::open(self.address))
        }
    }

    fn start(
        name: &'static str,
        address: SocketAddr,
        asks_for_token: bool,
        command: &mut Command,
        log: PathBuf,
    ) -> Outcome<Server> {
        let started = Instant::now();
        let running = Running::start(name, command, &log)?;
        let mut server =
            Server { name, address, ready_after: Duration::ZERO, running, log, asks_for_token };
        server.wait_until_it_answers(started)?;
        server.ready_after = started.elapsed();
        Ok(server)
    }

    fn wait_until_it_answers(&mut self, started: Instant) -> Outcome<()> {
        let ping = Registry::open(self.address).request("GET", "/v2/", "");
        loop {
            let answer = Connection::open(self.address, 0)
                .and_then(|mut connection| connection.exchange(&[ping.as_bytes()], Method::Other));
            match answer {
                Ok(answer) if answer.status < 500 => return Ok(()),
                _ if started.elapsed() > STARTING => {
                    return Err(format!("{} does not answer", self.name));
                }
                _ => self.running.check(&self.log)?,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends the server and waits for it.
    pub fn stop(mut self) {
        self.running.stop();
    }
}

/// Where the data of a Haven lie.
#[derive(Debug, Clone)]
pub enum Store {
    /// In the data folder, all of it.
    Files,
    /// Where these variables say.
    Named(Vec<(String, String)>),
}

/// Haven with its data in `folder` or where the store says; what is there already is served.
pub fn haven(binary: &Path, folder: &Path, store: &Store, under: &[String]) -> Outcome<Server> {
    let address = free_address()?;
    make(folder)?;
    let mut command = match under {
        [] => Command::new(binary),
        [tool, arguments @ ..] => {
            let mut command = Command::new(tool);
            command.args(arguments).arg(binary);
            command
        }
    };
    // Nothing but what is set here: Haven refuses variables it does not know.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HAVEN_") {
            command.env_remove(name);
        }
    }
    command
        .arg("serve")
        .env("HAVEN_LISTEN", address.to_string())
        .env("HAVEN_DATA_DIR", folder.join("data"))
        .env("HAVEN_ADMIN_PASSWORD", PASSWORD);
    if let Store::Named(variables) = store {
        command.envs(variables.iter().map(|(name, value)| (name, value)));
    }
    Server::start("haven", address, true, &mut command, folder.join("log"))
}

/// Debian's docker-registry as its package configures it, but without authentication.
pub fn docker_registry(peers: &Path, folder: &Path) -> Outcome<Server> {
    let address = free_address()?;
    make(folder)?;
    let settings = format!(
        "version: 0.1\n\
         log:\n  fields:\n    service: registry\n\
         storage:\n  cache:\n    blobdescriptor: inmemory\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n\
         http:\n  addr: {address}\n  headers:\n    X-Content-Type-Options: [nosniff]\n\
         health:\n  storagedriver:\n    enabled: true\n    interval: 10s\n    threshold: 3\n",
        folder.join("data").display()
    );
    let file = write(folder, "config.yml", &settings)?;
    let mut command = Command::new(peers.join("docker-registry"));
    command.arg("serve").arg(file);
    Server::start("docker-registry", address, false, &mut command, folder.join("log"))
}

/// nginx in one process, serving the files under `folder/root`.
pub fn nginx(peers: &Path, folder: &Path, sendfile: bool) -> Outcome<Server> {
    let address = free_address()?;
    make(&folder.join("root"))?;
    let place = folder.display();
    let switch = if sendfile { "on" } else { "off" };
    let settings = format!(
        "daemon off;\nmaster_process off;\npid {place}/pid;\nevents {{ worker_connections 1024; }}\n\
         http {{\n  sendfile {switch};\n  access_log {place}/access;\n  keepalive_requests 1000000;\n\
         client_body_temp_path {place}/t1;\n  proxy_temp_path {place}/t2;\n  fastcgi_temp_path {place}/t3;\n\
         uwsgi_temp_path {place}/t4;\n  scgi_temp_path {place}/t5;\n\
         server {{ listen {address}; root {place}/root; }}\n}}\n"
    );
    let file = write(folder, "nginx.conf", &settings)?;
    let mut command = Command::new(peers.join("nginx"));
    command.arg("-e").arg(folder.join("errors")).arg("-c").arg(file).arg("-p").arg(folder);
    let name = if sendfile { "nginx, sendfile" } else { "nginx, no sendfile" };
    Server::start(name, address, false, &mut command, folder.join("log"))
}

/// The bare receiver of [`crate::bare`], leaving its files in `folder/data`.
pub fn bare(folder: &Path) -> Outcome<Server> {
    let address = free_address()?;
    make(&folder.join("data"))?;
    let ourselves =
        std::env::current_exe().map_err(|error| format!("find our executable: {error}"))?;
    let mut command = Command::new(ourselves);
    command.arg("bare").arg(address.to_string()).arg(folder.join("data"));
    let log = folder.join("log");
    let started = Instant::now();
    let mut running = Running::start("bare receiver", &mut command, &log)?;
    while Connection::open(address, 0).is_err() {
        running.check(&log)?;
        if started.elapsed() > STARTING {
            return Err("the bare receiver does not listen".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(Server {
        name: "bare receiver",
        address,
        ready_after: started.elapsed(),
        running,
        log,
        asks_for_token: false,
    })
}

fn make(folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder).map_err(|error| format!("make {}: {error}", folder.display()))
}

fn write(folder: &Path, name: &str, text: &str) -> Outcome<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, text).map_err(|error| format!("write {}: {error}", file.display()))?;
    Ok(file)
}
