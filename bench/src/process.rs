//! Processes under measurement: starting and stopping our own, and reading what they use.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit};

use crate::Outcome;

/// Linux counts process time for user space in hundredths of a second (USER_HZ), on every
/// architecture Haven is built for.
const TICK: Duration = Duration::from_millis(10);
/// How long a server may take to end after SIGTERM before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A child process that ends with this value.
pub struct Running {
    child: Child,
    name: String,
}

impl Running {
    /// Starts `command` with its output in `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Outcome<Running> {
        let explain = |error| format!("start {name}: {error}");
        let out = File::create(log).map_err(explain)?;
        let err = out.try_clone().map_err(explain)?;
        let child =
            command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().map_err(explain)?;
        Ok(Running { child, name: name.to_owned() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with the end of the log when the process is gone.
    pub fn check(&mut self, log: &Path) -> Outcome<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                let text = fs::read_to_string(log).unwrap_or_default();
                let tail: Vec<&str> = text.lines().rev().take(20).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                Err(format!("{} ended ({status}):\n{}", self.name, tail.join("\n")))
            }
            Err(error) => Err(format!("wait for {}: {error}", self.name)),
        }
    }

    /// Asks the process to end and waits; kills it when it does not.
    pub fn stop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
            && matches!(self.child.try_wait(), Ok(None))
        {
            // The process may end in between; then there is nothing left to ask.
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Lets this process, and the ones it starts, open as many files as the system allows: 500
/// clients and the server's answers to them need more than the usual 1024.
pub fn raise_open_files() -> Outcome<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)
        .map_err(|error| format!("raise the limit of open files: {error}"))
}

/// A loopback address that nobody listens on at the moment.
pub fn free_address() -> Outcome<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("find a free port: {error}"))
}

/// CPU time of all threads of a process so far, the ended ones included: user plus system, which
/// the kernel keeps exact to the nanosecond and shows in steps of 10 ms.
pub fn cpu(pid: u32) -> Outcome<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    parse_cpu(&text).ok_or_else(|| format!("{path}: {text:?}"))
}

fn parse_cpu(stat: &str) -> Option<Duration> {
    // The command's name may hold anything, so count the fields after its closing bracket:
    // utime and stime are the 14th and 15th of all, the 12th and 13th of these.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let user: u32 = fields.get(11)?.parse().ok()?;
    let system: u32 = fields.get(12)?.parse().ok()?;
    Some(TICK * (user + system))
}

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Resident {
    /// At this moment.
    pub now: u64,
    /// The highest since the start or the last [`forget_peak`].
    pub peak: u64,
}

/// Reads the resident memory of a process.
pub fn resident(pid: u32) -> Outcome<Resident> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let field = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024)
    };
    match (field("VmRSS:"), field("VmHWM:")) {
        (Some(now), Some(peak)) => Ok(Resident { now, peak }),
        _ => Err(format!("{path} holds no VmRSS")),
    }
}

/// Sets the peak of [`resident`] back to the present value.
pub fn forget_peak(pid: u32) -> Outcome<()> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").map_err(|error| format!("{path}: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_user_plus_system_whatever_the_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 1 0 5 6 7";
        assert_eq!(parse_cpu(stat), Some(Duration::from_millis(420)));
        assert_eq!(parse_cpu("7 (x) S 1"), None);
    }

    #[test]
    fn our_own_process_has_memory_and_time() {
        let pid = std::process::id();
        let memory = resident(pid).unwrap();
        assert!(memory.now > 0 && memory.peak >= memory.now / 2);
        let before = cpu(pid).unwrap();
        let started = Instant::now();
        let mut sum = 0u64;
        while cpu(pid).unwrap() == before {
            sum = sum.wrapping_mul(31).wrapping_add(7);
            assert!(started.elapsed() < Duration::from_secs(10), "{sum}");
        }
    }
}
