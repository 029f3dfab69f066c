//! Pulls: gathered in memory, since a pull never waits for a write, and written together.

use kit::Result;
use parking_lot::Mutex;

use super::{
    Audit, Entry, Event,
    record::{Row, by},
};
use crate::{
    Context,
    rights::Who,
    settings::{self, Key},
};

/// How many pulls wait at the most. More in one second, or while the database is away, are
/// lost, and said so.
const MOST_WAITING: usize = 50_000;

/// Pulls that are not written yet.
#[derive(Default)]
pub(crate) struct Pulls(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    rows: Vec<Row>,
    lost: u64,
}

/// Notes that somebody pulled something of a project, to be written soon.
///
/// # Errors
/// Those of the database when the settings are not in memory.
pub async fn pulled(context: &Context, who: &Who, project_id: i64, resource: String) -> Result<()> {
    if settings::current(context).await?.flag(Key::PullAuditLogDisable) {
        return Ok(());
    }
    let entry = Entry::new(Event::PullArtifact, resource).in_project(project_id);
    context.pulls.add(vec![Row::new(entry, who, context.clock.now())]);
    Ok(())
}

/// Writes the pulls that wait. When that fails they wait on.
///
/// # Errors
/// Those of the database.
pub async fn write_pulls(context: &Context) -> Result<()> {
    let (rows, lost) = context.pulls.take();
    if lost > 0 {
        tracing::warn!(pulls = lost, "pulls are missing in the audit log: there were too many");
    }
    if rows.is_empty() {
        return Ok(());
    }
    let written = write(context, rows.clone()).await;
    if written.is_err() {
        context.pulls.add(rows);
    }
    written
}

async fn write(context: &Context, rows: Vec<Row>) -> Result<()> {
    let audit = by(context, &Who::system()).await?;
    if !audit.wants(Event::PullArtifact) {
        return Ok(());
    }
    context
        .db
        .write(move |tx| {
            let (audit, rows): (Audit, Vec<Row>) = (audit.clone(), rows.clone());
            Box::pin(async move { audit.write(tx, rows).await })
        })
        .await
}

impl Pulls {
    fn add(&self, mut rows: Vec<Row>) {
        let mut waiting = self.0.lock();
        let room = MOST_WAITING.saturating_sub(waiting.rows.len());
        if rows.len() > room {
            waiting.lost += (rows.len() - room) as u64;
            rows.truncate(room);
        }
        waiting.rows.append(&mut rows);
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.0.lock().rows.len()
    }

    fn take(&self) -> (Vec<Row>, u64) {
        let mut waiting = self.0.lock();
        (std::mem::take(&mut waiting.rows), std::mem::take(&mut waiting.lost))
    }
}
