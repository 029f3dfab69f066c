//! The command line. Flags for single values come from the configuration's table, so
//! that every key is a flag without a line here.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{KEYS, Key, Layers};

/// Haven, a container registry in one binary.
///
/// Without a command it serves. Every value can be set by a flag, by a variable or in a
/// TOML file: the key log.level is --log-level, HAVEN_LOG_LEVEL and `level` under
/// [log]. A flag goes before a variable, and a variable before the file.
#[derive(Parser)]
#[command(name = "haven", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "`haven --help` shows every flag, `haven config keys` every key.")]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is to be done.
#[derive(Debug, Default, Subcommand)]
pub enum Command {
    /// Serve (what is done without a command)
    #[default]
    Serve,
    /// Show the effective configuration and where each value came from
    ///
    /// The output is a TOML file with secrets masked.
    Config {
        #[command(subcommand)]
        what: Option<ConfigCommand>,
    },
    /// Bring the database to this version's schema
    ///
    /// `serve` does that too; this is for doing it at a time of your own.
    Migrate,
    /// Check every blob and every reference against the store
    ///
    /// Reads each blob once and compares its digest, and looks for references whose
    /// target is missing. Changes nothing. The exit status is 0 if all is well and 1 if
    /// not.
    Verify {
        /// Check the audit log in place of the store: every entry, and the chain of blocks
        #[arg(long)]
        audit: bool,
    },
    /// Administer from the machine itself
    Admin {
        #[command(subcommand)]
        what: AdminCommand,
    },
    /// Print a script that completes haven's command line
    Completions {
        /// The shell to complete for
        shell: Shell,
    },
}

/// What is to be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether the configuration is valid, with the exit status too
    Check,
    /// List every key: its default, its variable, what is allowed
    Keys,
}

/// What an administrator may do without signing in.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Give the user admin a new password
    ///
    /// The password is the first line of standard input. On a terminal, or if that line
    /// is empty, one is made up and printed.
    ResetPassword,
    /// Sign registry tokens with a new key from now on
    ///
    /// Tokens in circulation stay good until they expire. Replicas on PostgreSQL hear of
    /// the new key within a second; a server on SQLite has to be stopped meanwhile.
    RotateKey,
}

/// What the command line asks for.
pub struct Asked {
    /// What is to be done.
    pub command: Command,
    /// Where the configuration comes from.
    pub layers: Layers,
}

/// Reads the command line; ends the process for `--help`, `--version` and mistakes.
pub fn read() -> Asked {
    let matches = with_keys().get_matches();
    let line = Line::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    Asked { command: line.command.unwrap_or_default(), layers: layers(&matches) }
}

/// The command line with a flag for every key.
pub fn with_keys() -> clap::Command {
    const HEADING: &str = "Configuration";
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help("Read this TOML file [variable: HAVEN_CONFIG, else /etc/haven/haven.toml if it is there]")
        .value_parser(clap::value_parser!(PathBuf))
        .help_heading(HEADING)
        .global(true);
    let flags = KEYS.iter().filter_map(|key| {
        let flag = Arg::new(key.path)
            .long(key.flag()?)
            .value_name(value_name(key))
            .help(help(key))
            .hide_short_help(!key.common)
            .help_heading(HEADING)
            .action(ArgAction::Set)
            .global(true);
        let switch =
            flag.clone().num_args(0..=1).require_equals(true).default_missing_value("true");
        Some(if key.is_switch() { switch } else { flag })
    });
    Line::command().arg(file).args(flags)
}

fn value_name(key: &Key) -> String {
    key.path.rsplit('.').next().unwrap_or(key.path).to_uppercase()
}

fn help(key: &Key) -> String {
    let default = match key.default {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    format!("{}: {}{default}", key.about, key.allowed)
}

/// The values of flags. Flags may stand before and after a command; the innermost
/// command knows all of them.
fn layers(matches: &ArgMatches) -> Layers {
    let mut innermost = matches;
    while let Some((_, inner)) = innermost.subcommand() {
        innermost = inner;
    }
    let value = |key: &Key| innermost.try_get_one::<String>(key.path).ok().flatten().cloned();
    Layers {
        file: innermost.try_get_one::<PathBuf>("config").ok().flatten().cloned(),
        variables: std::env::vars_os().collect(),
        flags: KEYS.iter().filter_map(|key| Some((key.path, value(key)?))).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn flags_of(line: &[&str]) -> Vec<(&'static str, String)> {
        layers(&with_keys().try_get_matches_from(line).unwrap()).flags
    }

    #[test]
    fn the_command_line_is_well_formed() {
        with_keys().debug_assert();
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        let flags = flags_of(&[
            "haven",
            "--listen",
            ":1",
            "config",
            "check",
            "--log-access",
            "--data-dir=/d",
        ]);
        let expected = [("listen", ":1"), ("data_dir", "/d"), ("log.access", "true")];
        assert_eq!(flags, expected.map(|(path, text)| (path, text.to_owned())));
        assert_eq!(flags_of(&["haven", "--log-access=false"])[0].1, "false");
    }

    #[test]
    fn secrets_have_no_flag() {
        assert!(with_keys().try_get_matches_from(["haven", "--admin-password", "x"]).is_err());
    }
}
