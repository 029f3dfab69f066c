//! One run, with the lines that Harbor's clients look for in its log.

use std::time::Duration;

use kit::{Result, size::human_size};

use super::{Orders, Outcome, Overseer, orphans, sweep};
use crate::{
    Context,
    artifacts::{self, Untagged},
};

/// How long bytes without a row stay at least. Their age goes by the store's clock, and a push
/// writes them before their row.
const ORPHANS_STAY: Duration = Duration::from_secs(3600);

/// Collects. Stopped, it returns with what was done until then.
///
/// # Errors
/// Those of the database and the store; what was done until then stays done, and the next run
/// finishes what was half done.
pub(crate) async fn collect(
    context: &Context,
    orders: Orders,
    overseer: &impl Overseer,
) -> Result<Outcome> {
    overseer.log("start to run gc in job.".to_owned());
    let now = context.clock.now();
    let before = now.before(orders.window);
    let orphaned = now.before(orders.window.max(ORPHANS_STAY));
    let mut outcome = Outcome::default();
    if !orders.dry_run {
        outcome.add(sweep::finish(context, overseer).await?);
    }
    if orders.delete_untagged {
        overseer.log(
            "start to delete untagged artifact (no actually deletion for dry-run mode)".to_owned(),
        );
        outcome.add(untagged(context, orders, overseer).await?);
        overseer.log(
            "end to delete untagged artifact (no actually deletion for dry-run mode)".to_owned(),
        );
    }
    let mut eligible = sweep::eligible(context, before, overseer).await?;
    if orders.dry_run {
        eligible.add(orphans::sweep(context, orphaned, true, overseer).await?);
    }
    eligible.add(outcome);
    overseer.log(format!(
        "{} blobs and {} manifests eligible for deletion",
        eligible.blobs, eligible.manifests
    ));
    overseer.log(format!(
        "The GC could free up {} space, the size is a rough estimation.",
        human_size(eligible.freed)
    ));
    if orders.dry_run {
        outcome = eligible;
    } else {
        sweep::release(context, before, overseer).await?;
        outcome.add(sweep::sweep(context, orders.workers, overseer).await?);
        outcome.add(orphans::sweep(context, orphaned, false, overseer).await?);
        overseer.log(format!(
            "{} blobs and {} manifests are actually deleted",
            outcome.blobs, outcome.manifests
        ));
        overseer.log(format!("The GC job actual frees up {} space.", human_size(outcome.freed)));
    }
    overseer.log(match overseer.stops() {
        true => "received the stop signal, quit GC job.".to_owned(),
        false => "success to run gc in job.".to_owned(),
    });
    Ok(outcome)
}

/// How many artifacts are named in the log; more are only counted.
const NAMED: u64 = 1000;

/// How often all artifacts are gone through: what an index listed is only found once it
/// has gone.
const ROUNDS: usize = 8;

/// Artifacts without a tag go, or would, and are counted.
async fn untagged(context: &Context, orders: Orders, overseer: &impl Overseer) -> Result<Outcome> {
    let before = context.clock.now().before(orders.window);
    let mut outcome = Outcome::default();
    for _ in 0..ROUNDS {
        let (mut last, mut removed) = (0, 0);
        while !overseer.stops() {
            let Some((end, found)) = artifacts::untagged(context, before, last).await? else {
                break;
            };
            last = end;
            let gone = match orders.dry_run {
                true => found,
                false => {
                    let stops = || overseer.stops();
                    artifacts::remove_untagged(context, before, &found, stops).await?
                }
            };
            for artifact in gone {
                removed += 1;
                outcome.manifests += 1;
                outcome.freed += u64::try_from(artifact.size).unwrap_or_default();
                if outcome.manifests <= NAMED {
                    overseer.log(line(&artifact));
                }
            }
        }
        if removed == 0 || orders.dry_run || overseer.stops() {
            break;
        }
    }
    if outcome.manifests > NAMED {
        overseer.log(format!("and {} more", outcome.manifests - NAMED));
    }
    Ok(outcome)
}

fn line(artifact: &Untagged) -> String {
    format!(
        "delete the untagged artifact: ProjectID:({})-RepositoryName({})-MediaType:({})-Digest:({})",
        artifact.project_id, artifact.repository, artifact.media_type, artifact.digest
    )
}
