//! `haven admin`: what an operator may do without signing in.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    process::ExitCode,
};

use kit::{Error, Result, Secret, metrics::Metrics, random_password};

use crate::{
    config::Config,
    data_dir::DataDir,
    installation::{self, Installation},
};

/// More than any password may have, in bytes.
const LONGEST_LINE: u64 = 4096;

/// Gives the user `admin` the password on standard input, or a new one that is printed.
///
/// # Errors
/// When the password breaks the rules, or a server on SQLite would not hear of it.
pub async fn reset_password(config: Config) -> Result<ExitCode> {
    let given = tokio::task::spawn_blocking(read_password).await.map_err(Error::internal)??;
    let (installation, _data_dir) = open_alone(&config).await?;
    let password = given.clone().unwrap_or_else(random_password);
    let context = &installation.context;
    domain::users::reset_password(context, "admin", password.reveal()).await?;
    match given {
        Some(_) => println!("the user admin has the new password"),
        None => println!("the user admin has the new password {}", password.reveal()),
    }
    context.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Has registry tokens signed with a new key.
///
/// # Errors
/// When a server on SQLite would not hear of it, or the database is away.
pub async fn rotate_key(config: Config) -> Result<ExitCode> {
    let (installation, _data_dir) = open_alone(&config).await?;
    domain::tokens::rotate(&installation.context).await?;
    println!("registry tokens are signed with a new key from now on");
    installation.context.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Opens the installation where no server on SQLite has it.
async fn open_alone(config: &Config) -> Result<(Installation, Option<DataDir>)> {
    let metrics = Metrics::default();
    let db = installation::open_database(config, &metrics).await?;
    let data_dir = installation::take_from_servers(config, &db)?;
    db.close().await;
    Ok((installation::open(config, &metrics).await?, data_dir))
}

/// The first line of standard input, unless that is a terminal or empty.
fn read_password() -> Result<Option<Secret>> {
    let input = io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut line = String::new();
    let mut bounded = io::BufReader::new(input.lock().take(LONGEST_LINE));
    bounded.read_line(&mut line).map_err(|error| {
        Error::invalid(format!("the password cannot be read from standard input: {error}"))
    })?;
    let password = line.trim_end_matches(['\r', '\n']);
    Ok((!password.is_empty()).then(|| password.into()))
}
