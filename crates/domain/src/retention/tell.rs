//! Telling what came of a task: to whoever reads its log, asks for what was decided, or listens.

use std::collections::HashMap;

use kit::{Error, Result};
use oci::Digest;
use tokio::task::spawn_blocking;

use super::{
    Outcome,
    evaluate::{Facts, Verdict},
    findings,
    run::{Place, is_dry},
    table,
};
use crate::{
    Context,
    events::{self, Happened},
    jobs::{Order, Running},
    labels,
    rights::Who,
};

/// How many artifacts the labels are asked of together.
const LABELS_TOGETHER: usize = 1_000;

/// How a task ended, for those who listen; the first in Harbor's word.
const SUCCESS: &str = "SUCCESS";
const ERROR: &str = "ERROR";
const STOPPED: &str = "STOPPED";

/// The names of the labels of artifacts that have some.
async fn labels_of(context: &Context, artifacts: &[Facts]) -> Result<HashMap<i64, Vec<String>>> {
    let mut names = HashMap::new();
    for some in artifacts.chunks(LABELS_TOGETHER) {
        let ids: Vec<i64> = some.iter().map(|artifact| artifact.id).collect();
        for (id, labels) in labels::of(context, &ids).await? {
            let labels: Vec<String> = labels.into_iter().map(|label| label.name).collect();
            names.insert(id, labels);
        }
    }
    Ok(names)
}

/// Everything that came of a task.
pub(super) struct Judged {
    pub(super) artifacts: Vec<Facts>,
    pub(super) verdicts: Vec<Verdict>,
    /// Why what was to go could not be deleted.
    pub(super) failed: HashMap<Digest, String>,
}

/// Tells what was decided: the table in the log, the findings, the counts.
///
/// # Errors
/// Those of the database.
pub(super) async fn tell(
    context: &Context,
    running: &Running,
    place: &Place,
    judged: Judged,
) -> Result<()> {
    let known = labels_of(context, &judged.artifacts).await?;
    let (table, blocks, judged) = spawn_blocking(move || {
        let labels = |id| known.get(&id).map(Vec::as_slice).unwrap_or_default();
        let message = |digest: &Digest| judged.failed.get(digest).map_or("", String::as_str);
        let table = table::table(&judged.artifacts, &judged.verdicts, labels);
        let blocks = findings::blocks(&judged.artifacts, &judged.verdicts, labels, message);
        (table, blocks, judged)
    })
    .await
    .map_err(Error::internal)?;
    running.write(table);
    for (digest, message) in judged.failed.iter().take(1_000) {
        running
            .log(format!("Retention error for artifact image {}@{digest}: {message}", place.name));
    }
    let gone = judged.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Delete).count();
    let total = i64::try_from(judged.verdicts.len()).map_err(Error::internal)?;
    let retained = total - i64::try_from(gone).map_err(Error::internal)?;
    running.set("total", total);
    running.set("retained", retained);
    let status = match running.noticed() {
        // Another replica looks at all of it once more.
        Some(Order::GiveBack) => None,
        Some(Order::Stop) => Some(STOPPED),
        Some(Order::GoOn) | None if judged.failed.is_empty() => Some(SUCCESS),
        Some(Order::GoOn) | None => Some(ERROR),
    };
    let counts = Counts { total, retained };
    let happened = status.map(|status| happened(context, running, place, status, counts));
    findings::store(context, running, blocks?).await?;
    // A dry run tells nobody.
    let Some(happened) = happened.filter(|_| !is_dry(running)) else { return Ok(()) };
    let running = running.clone();
    context
        .db
        .write(move |tx| {
            let (running, happened) = (running.clone(), happened.clone());
            Box::pin(async move {
                running.fence(tx).await?;
                events::record(tx, &happened).await
            })
        })
        .await
}

/// How many artifacts were looked at, and are still there.
struct Counts {
    total: i64,
    retained: i64,
}

fn happened(
    context: &Context,
    running: &Running,
    place: &Place,
    status: &str,
    Counts { total, retained }: Counts,
) -> Happened {
    let event = events::Event::RetentionFinished {
        execution_id: running.execution_id(),
        task_id: running.task_id(),
        policy_id: running.vendor_id(),
        status: status.to_owned(),
        total,
        retained,
    };
    Happened::new(event, &Who::system(), context.clock.now())
        .in_project(place.project_id)
        .in_repository(place.name.as_str())
}
