//! What was pushed last, in all projects that somebody sees.
//!
//! No index has the artifacts of all projects by time, since every push would have to write
//! it. Each project has one, so it is asked for its newest: as many short looks as there are
//! projects. The artifacts that are wanted are in the few projects that were pushed to last,
//! and not older there than what the answer needs.

use db::{Row, Sql, args};
use kit::{Error, Result, Time};

use super::newest_sql as sql;
use crate::{Context, access::Sight};

/// How many can be asked for at a time.
pub const MOST_NEWEST: usize = 100;

/// How many are looked at for somebody who only sees some repositories of a project.
const LOOKED_AT: usize = 1000;

/// Out of how many projects at most.
const PROJECTS_LOOKED_AT: usize = 100;

/// An artifact that was pushed, and what is told of it at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Its number.
    pub id: i64,
    /// Its repository's full name.
    pub repository_name: String,
    /// The digest of its manifest.
    pub digest: String,
    /// What it is, such as `IMAGE`.
    pub kind: String,
    /// The bytes that it takes, with all it refers to.
    pub size: i64,
    /// When it was last pushed.
    pub pushed_at: Time,
    /// The last pushed of its tags.
    pub tag: Option<String>,
    /// How many tags it has.
    pub tags: i64,
}

/// The artifacts that were pushed last of those that a caller sees, the last first: at most
/// so many, without accessories and mere parts of indexes. For somebody who only sees some
/// repositories of a project they are looked for among the last 1,000.
///
/// # Errors
/// None but the database's.
pub async fn newest(context: &Context, sight: &Sight, most: usize) -> Result<Vec<Newest>> {
    let most = most.clamp(1, MOST_NEWEST);
    let looked_at = if sight.is_whole() { most } else { LOOKED_AT };
    let view = sight.view();
    let count = |n: usize| i64::try_from(n).map_err(Error::internal);
    let mut arguments = args![view.is_everything(), view.user_id(), view.robot_id()];
    arguments.extend([count(looked_at.min(PROJECTS_LOOKED_AT))?, count(looked_at - 1)?]);
    let mut projects: Vec<i64> = Vec::new();
    // Nothing is wanted that is older than the last wanted one of a single project.
    let mut since = 0;
    for row in context.db.all(sql::LAST_PUSHED_TO, arguments).await? {
        projects.push(row.get(0)?);
        since = since.max(row.get::<Option<i64>>(1)?.unwrap_or(0));
    }
    let mut arguments = args![since, count(looked_at)?];
    arguments.extend(projects.iter().copied());
    let statement = Sql::list(sql::NEWEST_BEFORE, projects.len(), sql::NEWEST_AFTER);
    let mut found = Vec::new();
    for row in context.db.all(statement, arguments).await? {
        let artifact = read(&row)?;
        let name = &artifact.repository_name;
        let rest = name.split_once('/').map_or("", |(_, rest)| rest);
        if sight.covers(row.get(8)?, row.get(9)?, rest) {
            found.push(artifact);
        }
        if found.len() == most {
            break;
        }
    }
    Ok(found)
}

fn read(row: &Row) -> Result<Newest> {
    Ok(Newest {
        id: row.get(0)?,
        repository_name: row.get(1)?,
        digest: row.get(2)?,
        kind: row.get(3)?,
        size: row.get(4)?,
        pushed_at: row.get(5)?,
        tag: row.get(6)?,
        tags: row.get(7)?,
    })
}
