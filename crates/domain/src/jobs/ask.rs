//! What somebody asks of a kind of job that nobody owns: to begin one, or when it is to begin by
//! itself.

use db::Tx;
use kit::{Clock, Result};

use super::{
    Attributes, Kind, NewExecution, NewTask, Trigger,
    schedules::{self, When},
    start,
};
use crate::audit::{Audit, Entry, Event};

/// Whose work it is that is nobody's: such a kind has one vendor.
pub(crate) const NOBODY: i64 = -1;

/// Begins a job, and gives the number of its execution; or sets or removes the schedule, and
/// gives none. Who asks is audited. A job that is begun is told the parameters, and shows more.
///
/// # Errors
/// Invalid when the schedule never fires; those of the database.
pub(crate) async fn ask(
    tx: &mut Tx,
    (clock, audit): (&Clock, &Audit),
    kind: Kind,
    when: &When,
    (parameters, shown): (&Attributes, &Attributes),
) -> Result<Option<i64>> {
    let changed = Entry::new(Event::UpdateSchedule, kind.name());
    match when {
        When::Now => {
            let new = NewExecution::new(kind, NOBODY, Trigger::Manual).showing(shown.clone());
            let id = start(tx, clock, new.with(NewTask::new(parameters.clone()))).await?;
            audit.record(tx, Entry::new(Event::CreateExecution, format!("{kind}/{id}"))).await?;
            return Ok(Some(id));
        }
        When::Never => {
            if schedules::remove(tx, kind, NOBODY).await? {
                audit.record(tx, changed.described("remove schedule")).await?;
            }
        }
        When::At(name, cron) => {
            schedules::set(tx, clock, (kind, NOBODY), (name.as_str(), cron), parameters).await?;
            let text = format!("set schedule: {}", cron.as_str());
            audit.record(tx, changed.described(text)).await?;
        }
    }
    Ok(None)
}
