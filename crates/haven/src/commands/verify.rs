//! `haven verify`: every blob and every reference against the store, or the audit log.

use std::process::ExitCode;

use kit::{Result, size::human_size};

use crate::{config::Config, installation};

/// Verifies the audit log, prints a report, and ends with status 1 if something is wrong.
///
/// # Errors
/// When the database cannot be reached.
pub async fn audit(config: Config) -> Result<ExitCode> {
    let installation = installation::open_migrated(&config).await?;
    installation::tell(&installation.first_start);
    let report = domain::audit::verify(&installation.context).await?;
    for problem in &report.problems {
        println!("{problem}");
    }
    println!(
        "{} audit entries and {} blocks checked ({} blocks purged, {} entries of others \
         purged, {} entries not sealed yet, {} about people who were forgotten): {} problems",
        report.entries,
        report.blocks,
        report.purged,
        report.removed,
        report.unsealed,
        report.forgotten,
        report.problems.len(),
    );
    if let Some((block, head)) = &report.last {
        println!("the last block is {block}, its head {head}: compare it with what was forwarded");
    }
    installation.context.db.close().await;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Verifies, prints a report, and ends with status 1 if something is wrong.
///
/// # Errors
/// When the database or the store cannot be reached.
pub async fn run(config: Config) -> Result<ExitCode> {
    let installation = installation::open_migrated(&config).await?;
    installation::tell(&installation.first_start);
    let report = domain::verify::verify(&installation.context).await?;
    for problem in &report.problems {
        println!("{problem}");
    }
    println!(
        "{} blobs ({}) and {} manifests checked: {} problems",
        report.blobs,
        human_size(report.bytes),
        report.manifests,
        report.problems.len(),
    );
    if !report.leftovers.is_empty() {
        println!(
            "{} objects of the store belong to no blob; they do no harm",
            report.leftovers.len()
        );
    }
    installation.context.db.close().await;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
