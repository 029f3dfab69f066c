//! A small file system in memory: a disk that a test can fill and lock.

use std::{path::Path, process::Command};
use tempfile::TempDir;

/// A mounted tmpfs; dropping it unmounts it.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// An empty disk of so many MiB.
    pub fn new(mebibytes: u32) -> SmallDisk {
        let folder = TempDir::new().unwrap();
        let options = format!("size={mebibytes}m,mode=0777");
        let path = folder.path().to_str().unwrap();
        as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs", path]);
        SmallDisk { folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes every free byte, but so many KiB.
    pub fn fill(&self, leave: u64) {
        let status = rustix::fs::statvfs(self.path()).unwrap();
        let free = status.f_bavail * status.f_frsize;
        let ballast = std::fs::File::create(self.path().join("ballast")).unwrap();
        let length = free.saturating_sub(leave * 1024);
        rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), 0, length).unwrap();
    }

    /// Gives back what `fill` took.
    pub fn relieve(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }

    /// Allows or forbids every write.
    pub fn set_read_only(&self, read_only: bool) {
        let option = if read_only { "remount,ro" } else { "remount,rw" };
        as_root(&["mount", "-o", option, self.path().to_str().unwrap()]);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that is still being torn down must not keep it.
        let path = self.folder.path().to_str().unwrap().to_owned();
        let _ = command(&["umount", "--lazy", &path]).output();
    }
}

fn as_root(arguments: &[&str]) {
    let output = command(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

fn command(arguments: &[&str]) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]);
        return command;
    }
    let mut command = Command::new("sudo");
    command.arg("--non-interactive").arg("--").args(arguments);
    command
}
