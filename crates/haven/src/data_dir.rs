//! The data folder belongs to one server at a time.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use kit::{Error, Result};
use rustix::fs::FlockOperation;

const LOCK_FILE: &str = "haven.lock";

/// Holds a data folder. The kernel lets go of it when the process ends, however that
/// happens, so nothing has to be cleaned up after a crash.
#[derive(Debug)]
pub struct DataDir {
    _lock: File,
}

impl DataDir {
    /// Makes the folder if it is missing and takes it for this process.
    ///
    /// # Errors
    /// When it cannot be made or written to, or another process has it.
    pub fn take(path: &Path) -> Result<Self> {
        let cannot = |what: &str, error: io::Error| {
            Error::unavailable(format!("cannot {what} the data folder {}: {error}", path.display()))
        };
        // What lies in it is nobody else's business.
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| cannot("make", error))?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK_FILE))
            .map_err(|error| cannot("write to", error))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(in_use(path, &mut lock)),
            Err(error) => return Err(cannot("lock", error.into())),
        }
        leave_process_id(&mut lock).map_err(|error| cannot("write to", error))?;
        Ok(Self { _lock: lock })
    }
}

fn in_use(path: &Path, lock: &mut File) -> Error {
    let mut holder = String::new();
    let _ = lock.take(32).read_to_string(&mut holder);
    let holder = match holder.trim() {
        "" => String::new(),
        id => format!(" (process {id})"),
    };
    Error::conflict(format!(
        "the data folder {} is in use by another haven{holder}",
        path.display()
    ))
}

/// Leaves our process id in the lock file, for the message that another server gives.
fn leave_process_id(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}
