//! Setting limits.

use db::args;
use kit::{Error, Result};

use super::{count, list::unknown, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System},
};

/// The highest limit that Harbor allows: 1024 TiB.
const MOST: i64 = 1 << 50;

/// Makes sure that a number can be a limit: -1 for none, or a number of bytes.
///
/// # Errors
/// Invalid, in Harbor's words.
pub fn is_limit(limit: i64) -> Result<()> {
    if limit == -1 || (1..=MOST).contains(&limit) {
        return Ok(());
    }
    Err(Error::invalid(if limit > MOST {
        format!("exceeded 1024TB, which is {MOST} Bytes, value={limit}")
    } else {
        format!("invalid non-positive value for quota limit, value={limit}")
    }))
}

/// Sets how much a project may store. What it stores already stays, even if it is more.
///
/// # Errors
/// Invalid when it can be no limit; not found when there is no such project.
pub async fn update(
    context: &Context,
    allowed: &Allowed<System>,
    project_id: i64,
    limit: i64,
) -> Result<()> {
    allowed.require(Right::new(Resource::Quota, Action::Update))?;
    is_limit(limit)?;
    let (audit, now) = (audit::by(context, allowed.by()).await?, context.clock.now());
    context
        .db
        .write(move |tx| {
            let audit = audit.clone();
            Box::pin(async move {
                count::lock(tx, project_id).await?;
                let row = tx.one(sql::SET_LIMIT, args![project_id, limit]).await?;
                let name: String = row.ok_or_else(|| unknown(project_id))?.get(0)?;
                tx.execute(sql::TOUCH, args![project_id, now]).await?;
                let entry = Entry::new(Event::UpdateProject, name).in_project(project_id);
                audit.record(tx, entry).await
            })
        })
        .await
}
