//! `haven completions`: a script for a shell.

use clap_complete::Shell;

/// Prints the script.
pub fn print(shell: Shell) {
    let mut command = crate::cli::with_keys();
    clap_complete::generate(shell, &mut command, "haven", &mut std::io::stdout());
}
