//! `haven migrate`: the database gets this version's schema.

use std::process::ExitCode;

use kit::{Result, metrics::Metrics};

use crate::{config::Config, installation};

/// Migrates, and says what was done.
///
/// # Errors
/// When the database cannot be reached, belongs to a newer version, or is served.
pub async fn run(config: Config) -> Result<ExitCode> {
    let db = installation::open_database(&config, &Metrics::default()).await?;
    let _data_dir = installation::take_from_servers(&config, &db)?;
    let migrated = db.migrate(&db::migrations()).await?;
    if migrated.from == migrated.to {
        println!("the database is up to date at schema {}", migrated.to);
    } else {
        println!("the database went from schema {} to {}", migrated.from, migrated.to);
    }
    db.close().await;
    Ok(ExitCode::SUCCESS)
}
