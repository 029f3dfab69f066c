//! `haven config`: what is in force, and what could be.

use std::io::{self, Write};

use crate::config::{KEYS, Key, Loaded, Mask, Setting};

/// Prints the effective configuration as TOML, each value with its origin.
///
/// # Errors
/// When standard output is closed.
pub fn show(loaded: &Loaded) -> io::Result<()> {
    let lines: Vec<(String, &Setting)> = loaded
        .settings
        .iter()
        .map(|setting| {
            (format!("{} = {}", setting.key.path, toml_value(&setting.shown())), setting)
        })
        .collect();
    let width = lines.iter().map(|(line, _)| line.len()).filter(|width| *width < 60).max();
    let width = width.unwrap_or(0);
    let mut out = io::stdout().lock();
    for (line, setting) in lines {
        writeln!(out, "{line:width$}  # {}", setting.origin)?;
    }
    Ok(())
}

/// Prints every key with what is to be known about it.
///
/// # Errors
/// When standard output is closed.
pub fn list_keys() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for key in KEYS {
        writeln!(out, "{}\n    {}: {}.", key.path, key.about, key.allowed)?;
        writeln!(
            out,
            "    default: {}",
            if key.default.is_empty() { "none" } else { key.default }
        )?;
        writeln!(out, "    variable: {}{}", key.variable(), or_file(key))?;
        if let Some(flag) = key.flag() {
            writeln!(out, "    flag: --{flag}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn or_file(key: &Key) -> String {
    match key.mask {
        Mask::Nothing => String::new(),
        Mask::Password | Mask::All => {
            format!(", or {}_FILE for a file that holds it", key.variable())
        }
    }
}

/// Numbers and truths stand bare in TOML, everything else as a string.
fn toml_value(text: &str) -> String {
    if text.parse::<i64>().is_ok() || text.parse::<bool>().is_ok() {
        return text.to_owned();
    }
    toml::Value::String(text.to_owned()).to_string()
}
