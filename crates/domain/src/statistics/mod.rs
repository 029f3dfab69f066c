//! How much there is: for the first page of the portal.
//!
//! Owns the table `activity`, how much was pushed and pulled in each hour, which it counts
//! from events; of what is older than 90 days, in each day. All else it counts when it is asked.

mod fold;
mod failures;
mod series;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use db::args;
use kit::{Error, Result};

pub use failures::{Failed, failures};
pub(crate) use fold::fold;
pub(crate) use series::count_events;
pub use series::{Activity, Bucket, Moves, Range, activity, activity_of_all, activity_of_own};

use crate::{
    Context,
    projects::Allowed,
    quotas,
    rights::{self, Action, Resource, Right, Rights, System, View},
    settings::{self, Key},
};

/// How much there is, as far as a caller may see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Public projects.
    pub public_projects: i64,
    /// Repositories in public projects.
    pub public_repositories: i64,
    /// Private projects that the caller sees.
    pub private_projects: i64,
    /// Repositories in these.
    pub private_repositories: i64,
    /// How many bytes all blobs take, each once, as in Harbor also those that nothing needs and
    /// that the next collection frees; 0 for who does not see everything.
    pub stored: i64,
}

/// Counts.
///
/// # Errors
/// None but the database's.
pub async fn count(context: &Context, view: View) -> Result<Statistics> {
    let missing = || Error::internal("a count gave no row");
    let args = args![view.is_everything(), view.user_id(), view.robot_id()];
    let row = context.db.one(sql::COUNTS, args).await?.ok_or_else(missing)?;
    let stored = match view {
        View::Everything => {
            context.db.one(sql::STORED, args![]).await?.ok_or_else(missing)?.get(0)?
        }
        _ => 0,
    };
    Ok(Statistics {
        public_projects: row.get(0)?,
        public_repositories: row.get(1)?,
        private_projects: row.get(2)?,
        private_repositories: row.get(3)?,
        stored,
    })
}

/// How much there is everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Projects.
    pub projects: i64,
    /// Those of them that are public.
    pub public_projects: i64,
    /// Repositories.
    pub repositories: i64,
    /// Artifacts, as lists show them: without accessories and mere parts of indexes.
    pub artifacts: i64,
    /// Users.
    pub users: i64,
    /// How much the projects store, in bytes, each for itself: what two of them have counts
    /// twice, as it does in their quotas.
    pub stored: i64,
}

/// Counts everything, in a moment however much there is.
///
/// # Errors
/// None but the database's.
pub async fn totals(context: &Context, allowed: &rights::Allowed<System>) -> Result<Totals> {
    allowed.require(Right::new(Resource::Project, Action::List))?;
    let stored = quotas::stored_by_all(context);
    let (row, stored) = tokio::try_join!(context.db.one(sql::TOTALS, args![]), stored)?;
    let row = row.ok_or_else(|| Error::internal("a count gave no row"))?;
    Ok(Totals {
        projects: row.get(0)?,
        public_projects: row.get(1)?,
        repositories: row.get(2)?,
        artifacts: row.get(3)?,
        users: row.get(4)?,
        stored,
    })
}

/// How much there is in a project, as far as somebody may know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Its repositories.
    pub repositories: i64,
    /// How much it may store and does, in bytes, the first -1 for no limit; none for who may
    /// not know, and while there are no quotas.
    pub quota: Option<(i64, i64)>,
    /// How many members have which role, by the role's number; none for who may not know.
    pub members: Option<BTreeMap<i64, i64>>,
}

/// Sums a project up, for somebody with some rights in it.
///
/// # Errors
/// None but the database's.
pub async fn sum_up(context: &Context, allowed: &Allowed, rights: &Rights) -> Result<Summary> {
    allowed.require(Right::new(Resource::Itself, Action::Read))?;
    let id = allowed.project().id;
    let missing = || Error::internal("a count gave no row");
    let repositories = context.db.one(sql::REPOSITORIES_OF_PROJECT, args![id]).await?;
    let mut summary =
        Summary { repositories: repositories.ok_or_else(missing)?.get(0)?, ..Summary::default() };
    let enabled = settings::current(context).await?.flag(Key::QuotaPerProjectEnable);
    if enabled && rights.has(Right::new(Resource::Quota, Action::Read)) {
        summary.quota = Some(quotas::of_project(context, id).await?);
    }
    if rights.has(Right::new(Resource::Member, Action::List)) {
        let rows = context.db.all(sql::MEMBERS_BY_ROLE, args![id]).await?;
        let counts = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        summary.members = Some(counts.collect::<Result<_>>()?);
    }
    Ok(summary)
}
