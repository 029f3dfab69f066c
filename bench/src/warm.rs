//! Memory that costs nothing to use.
//!
//! In a virtual machine, free memory may have been given back to the host. Touching it again costs
//! ten times as much as the write it is wanted for (2.5 s of CPU per GiB on the machine of the
//! first figures, against 0.2 s), and it is luck whose request pays. A server that writes new
//! files takes fresh pages all the time, so pages are made ready for it before each run: a file
//! is written and removed, and the kernel hands out first what it got back last.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::Outcome;

/// One write, in bytes.
const PIECE: usize = 256 * 1024;

/// Makes the pages of `bytes` bytes of new files ready. Nothing of it reaches the disk, unless the
/// kernel is very quick.
pub fn pages(folder: &Path, bytes: u64) -> Outcome<()> {
    let path = folder.join("warm");
    let explain = |error| format!("{}: {error}", path.display());
    let piece = vec![1; PIECE];
    let mut file = File::create(&path).map_err(explain)?;
    for _ in 0..bytes / PIECE as u64 {
        file.write_all(&piece).map_err(explain)?;
    }
    drop(file);
    fs::remove_file(&path).map_err(explain)
}
