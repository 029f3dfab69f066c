//! Jobs that failed, of all kinds: what an administrator has to look at.

use db::{Row, args};
use kit::{Error, Result, Time};

use super::sql;
use crate::{
    Context,
    jobs::Trigger,
    rights::{Action, Allowed, Resource, Right, System},
};

/// The most that are asked for at a time.
const MOST: i64 = 100;

/// An execution that ended in a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its number.
    pub id: i64,
    /// What kind of job it is, by Harbor's name.
    pub kind: String,
    /// Whose job it is; -1 where there is but one.
    pub vendor_id: i64,
    /// Why it failed.
    pub message: String,
    /// What began it.
    pub trigger: Trigger,
    /// When it began.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// The project that it is about, by number and name, if it is about one.
    pub project: Option<(i64, String)>,
}

/// The executions that ended in a failure since a moment, the last first, at most so many.
///
/// # Errors
/// Invalid when so many are not given at a time.
pub async fn failures(
    context: &Context,
    allowed: &Allowed<System>,
    since: Time,
    most: i64,
) -> Result<Vec<Failed>> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::List))?;
    if !(1..=MOST).contains(&most) {
        return Err(Error::invalid(format!("limit must be between 1 and {MOST}")));
    }
    context.db.all(sql::FAILURES, args![since, most]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Failed> {
    let project: Option<i64> = row.get(7)?;
    let name: Option<String> = row.get(8)?;
    Ok(Failed {
        id: row.get(0)?,
        kind: row.get(1)?,
        vendor_id: row.get(2)?,
        message: row.get(3)?,
        trigger: Trigger::read(&row.get::<String>(4)?)?,
        started_at: row.get(5)?,
        ended_at: row.get(6)?,
        project: project.zip(name),
    })
}
