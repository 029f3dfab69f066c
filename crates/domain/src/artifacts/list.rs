//! What is shown of repositories.

use db::{Args, Row, args};
use kit::{Error, Result, Selection, Subject, Time, query::Direction};
use oci::RepositoryName;

use super::list_sql as sql;
use crate::{
    Context,
    access::Sight,
    listing::{Chosen, Field, List, Listing, Source},
    projects::Allowed,
    repositories,
    rights::{Action, Resource, Right, View},
};

/// A repository with all that is shown of it.
#[derive(Clone, Debug)]
pub struct RepositoryDetails {
    /// Its number.
    pub id: i64,
    /// Its project's number.
    pub project_id: i64,
    /// Its full name.
    pub name: String,
    /// What somebody wrote about it.
    pub description: String,
    /// How often something was pulled from it.
    pub pull_count: i64,
    /// When it came into being.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// How many artifacts its list shows.
    pub artifact_count: i64,
    /// Whether its project is public.
    pub public: bool,
}

/// How many names are gone through at most for somebody who does not see all.
const MOST_FILTERED: i64 = 100_000;

/// Repositories have indexes on id, name and time of creation, and within a project on the last
/// two; in other orders, all that the caller sees are sorted.
pub(super) const REPOSITORIES: List = List {
    id: "r.id",
    shown: sql::REPOSITORIES_SHOWN,
    fields: &[
        Field::text("name", "r.name"),
        Field::number("repository_id", "r.id"),
        Field::number("project_id", "r.project_id"),
        Field::text("description", "r.description"),
        Field::number("pull_count", "r.pull_count"),
        Field::time("creation_time", "r.created_at"),
        Field::time("update_time", "r.updated_at"),
    ],
    order: ("r.created_at", Direction::Descending),
};

/// A page of all repositories that a caller sees, the newest first if nothing else is asked
/// for.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn all_repositories(
    context: &Context,
    sight: &Sight,
    selection: &Selection,
) -> Result<Listing<RepositoryDetails>> {
    seen(context, sight, selection, None).await
}

/// The same page; after it, only so many repositories are counted, or all if nothing is said.
pub(super) async fn seen(
    context: &Context,
    sight: &Sight,
    selection: &Selection,
    counted: Option<i64>,
) -> Result<Listing<RepositoryDetails>> {
    let (from, args, total) = match sight.view() {
        View::Everything => {
            (sql::EVERY_REPOSITORY_FROM, args![], Some(repositories::total(context).await?))
        }
        view => (sql::VISIBLE_REPOSITORIES_FROM, args![view.user_id(), view.robot_id()], None),
    };
    if sight.is_whole() {
        let source = Source { from, args, among: None, counted, total };
        return REPOSITORIES.page_from(&context.db, &source, selection, read_repository).await;
    }
    let covers = |project_id, is_public, rest: &str| sight.covers(project_id, is_public, rest);
    covered_repositories(context, from, args, selection, covers).await
}

/// A page of a project's repositories, the newest first if nothing else is asked for.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list_repositories(
    context: &Context,
    allowed: &Allowed,
    selection: &Selection,
) -> Result<Listing<RepositoryDetails>> {
    allowed.require(Right::new(Resource::Repository, Action::List))?;
    let (from, args) = (sql::PROJECT_REPOSITORIES_FROM, args![allowed.project().id]);
    if allowed.reach().is_everything() {
        return REPOSITORIES.page(&context.db, from, args, selection, read_repository).await;
    }
    let covers = |_, _, rest: &str| allowed.reach().covers(rest);
    covered_repositories(context, from, args, selection, covers).await
}

/// A page for somebody who does not see all: patterns are nothing a database understands, so
/// the names that there are are gone through here.
async fn covered_repositories(
    context: &Context,
    from: &'static str,
    args: Args,
    selection: &Selection,
    covers: impl Fn(i64, bool, &str) -> bool,
) -> Result<Listing<RepositoryDetails>> {
    let keep = |row: &Row| {
        let full_name: String = row.get(1)?;
        let rest = full_name.split_once('/').map_or("", |(_, rest)| rest);
        Ok(covers(row.get(2)?, row.get(3)?, rest))
    };
    let chosen = Chosen { columns: sql::REPOSITORY_COLUMNS, from, most: MOST_FILTERED };
    REPOSITORIES.page_of(&context.db, chosen, args, selection, keep, read_repository).await
}

/// All that is shown of one repository of a project.
///
/// # Errors
/// NotFound.
pub async fn repository(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
) -> Result<RepositoryDetails> {
    allowed.require(Right::new(Resource::Repository, Action::Read))?;
    let id = known(context, allowed, name).await?;
    let row = context.db.one(sql::REPOSITORY, args![id]).await?;
    let gone = || Error::not_found(Subject::Repository, format!("repository {name} not found"));
    read_repository(&row.ok_or_else(gone)?)
}

/// The number of a repository of the project that is allowed, if the right reaches it.
pub(super) async fn known(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
) -> Result<i64> {
    Ok(repositories::allowed(context, allowed, name).await?.id)
}

fn read_repository(row: &Row) -> Result<RepositoryDetails> {
    Ok(RepositoryDetails {
        id: row.get(0)?,
        project_id: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        pull_count: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
        artifact_count: row.get(7)?,
        public: row.get(8)?,
    })
}
