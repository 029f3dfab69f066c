//! Container daemons of a test's own: nothing they keep outlives the test, and
//! no network is made, because pushing and pulling need none.

use crate::tool::{self, Home};
use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A private daemon; dropping it ends it and removes what it kept.
pub struct Daemon {
    child: Child,
    folder: TempDir,
    socket: PathBuf,
}

impl Daemon {
    /// A docker daemon. It speaks plain HTTP to 127.0.0.0/8 by itself.
    pub async fn docker() -> Daemon {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut command = as_root("dockerd");
        command
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("-H")
            .arg(format!("unix://{}", at("socket").display()));
        Daemon::start(command, folder, &["docker", "version"]).await
    }

    /// A containerd daemon.
    pub async fn containerd() -> Daemon {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let configuration = format!(
            "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [plugins.\"io.containerd.internal.v1.opt\"]\n  path = \"{}\"\n",
            at("opt").display()
        );
        std::fs::write(at("config.toml"), configuration).unwrap();
        let mut command = as_root("containerd");
        command
            .arg("--config")
            .arg(at("config.toml"))
            .arg("--root")
            .arg(at("data"))
            .arg("--state")
            .arg(at("state"))
            .arg("--address")
            .arg(at("socket"));
        Daemon::start(command, folder, &["ctr", "version"]).await
    }

    async fn start(mut command: Command, folder: TempDir, probe: &[&str]) -> Daemon {
        let log = File::create(folder.path().join("log")).unwrap();
        command
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = command.spawn().unwrap();
        let socket = folder.path().join("socket");
        let mut daemon = Daemon { child, folder, socket };
        daemon.wait_until_ready(probe).await;
        daemon
    }

    async fn wait_until_ready(&mut self, probe: &[&str]) {
        let home = self.home();
        let deadline = Instant::now() + Duration::from_secs(60);
        while home.run(probe[0], &probe[1..]).await.code != Some(0) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the daemon does not serve: {}",
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A home whose docker and ctr talk to this daemon.
    pub fn home(&self) -> Home {
        let mut home = Home::new();
        home.set("DOCKER_HOST", &format!("unix://{}", self.socket.display()));
        home.set("CONTAINERD_ADDRESS", &self.socket.display().to_string());
        home
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Asked politely it ends its own children and unmounts its layers.
        crate::server::signal(&self.child, rustix::process::Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(15);
        while self.child.try_wait().ok().flatten().is_none() {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

// These daemons need root; a developer's machine has sudo for that.
fn as_root(program: &str) -> Command {
    let program = tool::find(program);
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("--non-interactive").arg("--").arg(program);
    command
}
