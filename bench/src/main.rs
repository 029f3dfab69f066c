//! Measures Haven beside its peers: `bench/run`. See bench/README.md.

mod api;
mod bare;
mod compare;
mod content;
mod http1;
mod kinds;
mod load;
mod memory;
mod process;
mod profile;
mod registry;
mod report;
mod servers;
mod session;
mod statistics;
mod warm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can fail here stops the measurement; the text says what failed.
pub type Outcome<T> = Result<T, String>;

const HELP: &str = "\
Usage:
  haven-bench run [--quick] [--only NAME,…] [--binary FILE] [--peers FOLDER] [--folder FOLDER]
                  [--json FILE] [--readme FILE]
      Measures Haven beside docker-registry, nginx and a bare receiver and prints the table.
      Names: those of the table's requests, and huge, memory, ready, token, projects, audit,
      storm, lists, retention, gc.
      --quick     shorter and fewer runs
      --binary    the haven to measure (target/release/haven)
      --peers     folder that holds docker-registry and nginx (.cache/peers/bin)
      --folder    where servers keep their data; a real disk (target/bench)
      --json      also write the figures to FILE
      --readme    also write the table to FILE, between its markers
      S3 is measured when HAVEN_TEST_S3_ENDPOINT and its companions are set, PostgreSQL when
      HAVEN_TEST_POSTGRES_URL is.

  haven-bench profile NAME [--seconds N] [--tool perf|callgrind|strace|none] [--binary FILE] [--folder FOLDER]
      Loads Haven with one kind of request and shows where its time goes.

  haven-bench data [--size N] [--binary FILE] [--folder FOLDER] [--postgres URL]
      Makes a Haven with so many artifacts (1000000) in a data folder (target/bench-data) or
      an empty database, to look at with whatever one likes.

  haven-bench bare ADDRESS FOLDER
      The receiver that pushes of 256 MiB are compared with.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("run") => parse_run(&arguments[1..]).and_then(|settings| session::run(&settings)),
        Some("profile") => {
            parse_profile(&arguments[1..]).and_then(|settings| profile::run(&settings))
        }
        Some("data") => parse_data(&arguments[1..]).and_then(|data| api::make_data(&data)),
        Some("bare") if arguments.len() == 3 => {
            bare::serve(&arguments[1], Path::new(&arguments[2])).map(|()| true)
        }
        _ => Err(HELP.to_owned()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn parse_run(arguments: &[String]) -> Outcome<session::Settings> {
    let mut settings = session::Settings {
        quick: false,
        only: Vec::new(),
        binary: PathBuf::from("target/release/haven"),
        peers: PathBuf::from(".cache/peers/bin"),
        folder: PathBuf::from("target/bench"),
        json: None,
        readme: None,
    };
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--quick" => settings.quick = true,
            "--only" => {
                settings.only = value(option, rest.next())?.split(',').map(str::to_owned).collect()
            }
            "--binary" => settings.binary = value(option, rest.next())?.into(),
            "--peers" => settings.peers = value(option, rest.next())?.into(),
            "--folder" => settings.folder = value(option, rest.next())?.into(),
            "--json" => settings.json = Some(value(option, rest.next())?.into()),
            "--readme" => settings.readme = Some(value(option, rest.next())?.into()),
            _ => return Err(format!("{option} is unknown\n\n{HELP}")),
        }
    }
    session::check_names(&settings.only)?;
    Ok(settings)
}

fn parse_profile(arguments: &[String]) -> Outcome<profile::Settings> {
    let name = arguments.first().ok_or_else(|| HELP.to_owned())?;
    let figure = kinds::FIGURES.iter().find(|figure| figure.name == name).ok_or_else(|| {
        format!("{name} is no request of the table: {}", session::names().join(", "))
    })?;
    let mut settings = profile::Settings {
        figure: *figure,
        seconds: 10,
        tool: profile::Tool::Perf,
        binary: PathBuf::from("target/release/haven"),
        folder: PathBuf::from("target/bench"),
    };
    let mut rest = arguments[1..].iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--seconds" => {
                let text = value(option, rest.next())?;
                settings.seconds = text.parse().map_err(|_| format!("--seconds {text}"))?;
            }
            "--tool" => settings.tool = profile::Tool::parse(value(option, rest.next())?)?,
            "--binary" => settings.binary = value(option, rest.next())?.into(),
            "--folder" => settings.folder = value(option, rest.next())?.into(),
            _ => return Err(format!("{option} is unknown\n\n{HELP}")),
        }
    }
    Ok(settings)
}

fn parse_data(arguments: &[String]) -> Outcome<api::Data> {
    let mut data = api::Data {
        size: 1_000_000,
        binary: PathBuf::from("target/release/haven"),
        folder: PathBuf::from("target/bench-data"),
        postgres: None,
    };
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--size" => {
                let text = value(option, rest.next())?;
                data.size = text.parse().map_err(|_| format!("--size {text}"))?;
            }
            "--binary" => data.binary = value(option, rest.next())?.into(),
            "--folder" => data.folder = value(option, rest.next())?.into(),
            "--postgres" => data.postgres = Some(value(option, rest.next())?.to_owned()),
            _ => return Err(format!("{option} is unknown\n\n{HELP}")),
        }
    }
    Ok(data)
}

fn value<'a>(option: &str, value: Option<&'a String>) -> Outcome<&'a str> {
    value.map(String::as_str).ok_or_else(|| format!("{option} wants a value"))
}
