//! How tasks end, and executions with them.

use std::time::Duration;

use db::{Change, Tx, args};
use kit::{Error, Kind as ErrorKind, Result, Time};

use super::{LONGEST_WAIT, Status, TOPIC, sql};

/// How long a task waits after its first failure; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The longest message of a failure, in bytes.
const LONGEST_MESSAGE: usize = 1024;

/// What came of a task that was taken.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was done.
    Done,
    /// It was asked to stop, and did.
    Stopped,
    /// It failed.
    Failed(Error),
    /// Its replica stops: somebody else is to do it, and this was no attempt.
    GivenBack,
    /// Its replica died.
    Lost,
}

/// A task, and how often it was taken by who ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) task_id: i64,
    pub(crate) execution_id: i64,
    pub(crate) epoch: i64,
}

/// Ends what was done of a task: for good, or until it is tried again. False when somebody
/// else has taken it since; then nothing is changed.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end(tx: &mut Tx, hold: Hold, now: Time, ended: &Ended) -> Result<bool> {
    // The execution first, so that the last of its tasks sees that it is.
    tx.one(sql::LOCK_EXECUTION, args![hold.execution_id]).await?;
    let Some(row) = tx.one(sql::LOCK_TASK, args![hold.task_id, hold.epoch]).await? else {
        return Ok(false);
    };
    let (runs, attempts, stop_asked): (i64, i64, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let again = match ended {
        Ended::Done | Ended::Stopped => None,
        _ if stop_asked => None,
        Ended::GivenBack => Some((now, runs - 1)),
        Ended::Lost if runs < attempts => Some((now, runs)),
        Ended::Failed(error) if runs < attempts && may_pass(error) => {
            Some((now.after(pause_after(runs)), runs))
        }
        Ended::Lost | Ended::Failed(_) => None,
    };
    let message = message_of(ended, attempts);
    if let Some((run_at, runs)) = again {
        let waiting = args![hold.task_id, message, run_at, runs, now];
        tx.execute(sql::WAIT_AGAIN, waiting).await?;
        tx.announce(Change::new(TOPIC, ""));
        return Ok(true);
    }
    let status = match ended {
        Ended::Done => Status::Success,
        Ended::Stopped => Status::Stopped,
        Ended::Failed(_) | Ended::GivenBack | Ended::Lost if stop_asked => Status::Stopped,
        Ended::Failed(_) | Ended::GivenBack | Ended::Lost => Status::Error,
    };
    tx.execute(sql::END_TASK, args![hold.task_id, status.name(), message, now]).await?;
    refresh(tx, hold.execution_id, now).await?;
    Ok(true)
}

/// Ends an execution, which is locked, if all of its tasks have: as Harbor does, with the
/// worst of what came of them.
pub(super) async fn refresh(tx: &mut Tx, execution_id: i64, now: Time) -> Result<()> {
    if tx.one(sql::ANY_OPEN, args![execution_id]).await?.is_some() {
        return Ok(());
    }
    let mut worst = Status::Success;
    for row in tx.all(sql::OUTCOMES, args![execution_id]).await? {
        worst = match (worst, Status::read(&row.get::<String>(0)?)?) {
            (Status::Error, _) | (_, Status::Error) => Status::Error,
            (Status::Stopped, _) | (_, Status::Stopped) => Status::Stopped,
            _ => Status::Success,
        };
    }
    let message = match worst {
        Status::Error => tx.one(sql::FAILURE, args![execution_id]).await?,
        _ => None,
    };
    let message: String = message.map_or(Ok(String::new()), |row| row.get(0))?;
    tx.execute(sql::ENDED, args![execution_id, worst.name(), message, now]).await.map(drop)
}

/// Whether a failure may be over when the task is tried again.
fn may_pass(error: &Error) -> bool {
    [ErrorKind::Unavailable, ErrorKind::Internal, ErrorKind::TooMany, ErrorKind::Conflict]
        .into_iter()
        .any(|kind| error.is(kind))
}

fn pause_after(runs: i64) -> Duration {
    let doublings = u32::try_from(runs.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

fn message_of(ended: &Ended, attempts: i64) -> String {
    let mut message = match ended {
        Ended::Done | Ended::Stopped | Ended::GivenBack => String::new(),
        Ended::Failed(error) => error.to_string().replace('\0', "\u{fffd}"),
        Ended::Lost => format!("whoever did it went away; it is tried {attempts} times"),
    };
    let end = message.floor_char_boundary(LONGEST_MESSAGE);
    message.truncate(end);
    message
}
