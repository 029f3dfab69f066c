//! How much there is: for the first page of the portal.
//!
//! Owns no table and keeps nothing: it counts when it is asked.

mod sql;
#[cfg(test)]
mod tests;

use db::args;
use kit::{Error, Result};

use crate::{Context, rights::View};

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
    /// How much is stored, in bytes; 0 for who does not see everything.
    pub stored: i64,
}

/// Counts.
///
/// # Errors
/// None but the database's.
pub async fn count(context: &Context, view: View) -> Result<Statistics> {
    let missing = || Error::internal("a count gave no row");
    let args = args![view.is_everything(), view.user_id()];
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
