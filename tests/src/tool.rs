//! The programs people use: run with a home of their own and a time limit.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// No client here needs longer, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// A home folder for tools: logins, caches and keys stay inside.
pub struct Home {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Home {
    /// An empty home.
    pub fn new() -> Home {
        Home { folder: TempDir::new().unwrap(), environment: Vec::new() }
    }

    /// One more variable for every tool run here.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.into(), value.into()));
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file inside.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs a tool here.
    pub async fn run<A: AsRef<OsStr>>(&self, tool: &str, arguments: &[A]) -> Output {
        let mut command = Command::new(find(tool));
        command.args(arguments);
        self.run_command(command, None).await
    }

    /// Runs a tool here with something to read, a password for example.
    pub async fn feed<A: AsRef<OsStr>>(&self, tool: &str, arguments: &[A], input: &str) -> Output {
        let mut command = Command::new(find(tool));
        command.args(arguments);
        self.run_command(command, Some(input)).await
    }

    async fn run_command(&self, mut command: Command, input: Option<&str>) -> Output {
        command
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("LANG", "C.UTF-8")
            .envs(self.environment.iter().cloned())
            .current_dir(self.folder.path());
        if let Some(input) = input {
            let path = self.write(".input", input);
            command.stdin(File::open(path).unwrap());
        }
        run(command, LIMIT).await
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    /// The command line, for messages.
    pub line: String,
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Panics unless the program succeeded; gives its output.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.code == Some(0), "failed: {}", self.describe());
        self.stdout
    }

    /// Panics unless the program failed by itself and said one of these words.
    #[track_caller]
    pub fn refused(self, words: &[&str]) {
        assert!(
            self.code.is_some_and(|code| code != 0),
            "should have been refused: {}",
            self.describe()
        );
        let said = format!("{}{}", self.stdout, self.stderr).to_lowercase();
        assert!(
            words.iter().any(|word| said.contains(&word.to_lowercase())),
            "none of {words:?} in {}",
            self.describe()
        );
    }

    /// Everything, for a message.
    pub fn describe(&self) -> String {
        format!(
            "{} -> {:?}\n--- out\n{}\n--- err\n{}",
            self.line, self.code, self.stdout, self.stderr
        )
    }
}

/// Runs a command to its end without blocking the caller's thread.
pub async fn run(command: Command, limit: Duration) -> Output {
    tokio::task::spawn_blocking(move || run_here(command, limit)).await.unwrap()
}

fn run_here(mut command: Command, limit: Duration) -> Output {
    let line = format!("{command:?}");
    // Files, not pipes: a daemon that a tool leaves behind would hold a pipe open.
    let mut stdout = tempfile::tempfile().unwrap();
    let mut stderr = tempfile::tempfile().unwrap();
    let mut child = command
        .stdout(Stdio::from(stdout.try_clone().unwrap()))
        .stderr(Stdio::from(stderr.try_clone().unwrap()))
        .spawn()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!(
                "not done after {limit:?}: {line}\n{}\n{}",
                read_all(&mut stdout),
                read_all(&mut stderr)
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Output {
        line,
        code: status.code(),
        stdout: read_all(&mut stdout),
        stderr: read_all(&mut stderr),
    }
}

fn read_all(file: &mut File) -> String {
    use std::io::Seek as _;
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where `tests/tools` puts the Go tools.
fn tools_folder() -> PathBuf {
    match std::env::var_os("HAVEN_TOOLS") {
        Some(cache) => Path::new(&cache).join("bin"),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/bin"),
    }
}

// The tools that tests/tools installed come before anything else of that name.
fn search_path() -> String {
    format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", tools_folder().display())
}

/// The full path of a tool; panics when `tests/tools` has not installed it.
pub fn find(tool: &str) -> PathBuf {
    search_path()
        .split(':')
        .map(|folder| Path::new(folder).join(tool))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{tool} is missing: run tests/tools"))
}
