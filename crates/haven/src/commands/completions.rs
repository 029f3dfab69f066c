//! `haven completions`: a script for a shell.

use std::io::{ErrorKind, Write};

use clap_complete::Shell;
use kit::{Error, Result};

/// Prints the script.
///
/// # Errors
/// When it cannot be written. A reader that has seen enough is no error.
pub fn print(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::cli::with_keys(), "haven", &mut script);
    match std::io::stdout().write_all(&script) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::internal(error)),
        _ => Ok(()),
    }
}
