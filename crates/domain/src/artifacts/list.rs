//! What is shown of repositories and artifacts: pages of rows, and their parts with one
//! query for each kind of part.

use std::collections::HashMap;

use db::{Args, Row, Sql, args};
use kit::{Error, Page, Result, Subject, Time};
use oci::{Reference, RepositoryName};
use serde_json::value::RawValue;

use super::list_sql as sql;
use crate::{
    Context,
    access::Sight,
    listing::{Listing, containing, limit, offset},
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
    /// How many artifacts it has, parts of indexes included.
    pub artifact_count: i64,
}

/// An artifact with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Details {
    /// Its number.
    pub id: i64,
    /// Its project's number.
    pub project_id: i64,
    /// Its repository's number.
    pub repository_id: i64,
    /// The digest of its manifest.
    pub digest: String,
    /// The media type of its manifest.
    pub media_type: String,
    /// The media type of its configuration, if it has one.
    pub config_media_type: Option<String>,
    /// Its type, as referrers are told.
    pub artifact_type: Option<String>,
    /// Its annotations, as JSON.
    pub annotations: Option<Box<RawValue>>,
    /// The bytes that it takes, with all it refers to.
    pub size: i64,
    /// When it was last pushed.
    pub pushed_at: Time,
    /// When it was last pulled.
    pub pulled_at: Option<Time>,
    /// Its tags, the last pushed first.
    pub tags: Vec<TagDetails>,
    /// What it lists, if it is an index.
    pub children: Vec<Child>,
}

/// A tag with all that is shown of it.
#[derive(Clone, Debug)]
pub struct TagDetails {
    /// Its number.
    pub id: i64,
    /// Its repository's number.
    pub repository_id: i64,
    /// Its artifact's number.
    pub artifact_id: i64,
    /// Its name.
    pub name: String,
    /// When it was last pushed.
    pub pushed_at: Time,
    /// When it was last pulled.
    pub pulled_at: Option<Time>,
}

/// An artifact that an index lists.
#[derive(Clone, Debug)]
pub struct Child {
    /// The index's number.
    pub parent_id: i64,
    /// The artifact's number; none if it was allowed to be missing.
    pub child_id: Option<i64>,
    /// The artifact's digest.
    pub digest: String,
    /// What it runs on, as JSON.
    pub platform: Option<Box<RawValue>>,
    /// What the index says of it, as JSON.
    pub annotations: Option<Box<RawValue>>,
}

/// How many names are gone through at most for somebody who does not see all.
const MOST_FILTERED: i64 = 100_000;

/// A page of all repositories that a caller sees, the newest first.
///
/// # Errors
/// None but the database's.
pub async fn all_repositories(
    context: &Context,
    sight: &Sight,
    name: Option<&str>,
    page: Page,
) -> Result<Listing<RepositoryDetails>> {
    if sight.is_whole() {
        return find_repositories(context, None, sight.view(), name, page).await;
    }
    let covers = |project_id, is_public, rest: &str| sight.covers(project_id, is_public, rest);
    filter_repositories(context, None, sight.view(), name, page, covers).await
}

/// A page of a project's repositories, the newest first.
///
/// # Errors
/// None but the database's.
pub async fn list_repositories(
    context: &Context,
    allowed: &Allowed,
    name: Option<&str>,
    page: Page,
) -> Result<Listing<RepositoryDetails>> {
    allowed.require(Right::new(Resource::Repository, Action::List))?;
    let project_id = Some(allowed.project().id);
    if allowed.reach().is_everything() {
        return find_repositories(context, project_id, View::Everything, name, page).await;
    }
    let covers = |_, _, rest: &str| allowed.reach().covers(rest);
    filter_repositories(context, project_id, View::Everything, name, page, covers).await
}

async fn find_repositories(
    context: &Context,
    project_id: Option<i64>,
    view: View,
    name: Option<&str>,
    page: Page,
) -> Result<Listing<RepositoryDetails>> {
    let name = name.map(containing);
    let mut args = args![project_id, view.is_everything(), view.user_id(), name, view.robot_id()];
    let total = context.db.one(sql::COUNT_REPOSITORIES, args.clone()).await?;
    args.push(limit(page));
    args.push(offset(page));
    let rows = context.db.all(sql::REPOSITORIES, args).await?;
    Ok(Listing {
        items: rows.iter().map(read_repository).collect::<Result<_>>()?,
        total: total.map_or(Ok(0), |row| row.get(0))?,
    })
}

/// A page for somebody who does not see all: patterns are nothing a database understands, so
/// the names that there are are gone through here, and the page's rows fetched by number.
async fn filter_repositories(
    context: &Context,
    project_id: Option<i64>,
    view: View,
    name: Option<&str>,
    page: Page,
    covers: impl Fn(i64, bool, &str) -> bool,
) -> Result<Listing<RepositoryDetails>> {
    let name = name.map(containing);
    let args = args![
        project_id,
        view.is_everything(),
        view.user_id(),
        name,
        view.robot_id(),
        MOST_FILTERED,
    ];
    let mut seen: Vec<i64> = Vec::new();
    for row in context.db.all(sql::REPOSITORY_NAMES, args).await? {
        let full_name: String = row.get(1)?;
        let rest = full_name.split_once('/').map_or("", |(_, rest)| rest);
        if covers(row.get(2)?, row.get(3)?, rest) {
            seen.push(row.get(0)?);
        }
    }
    let from = usize::try_from(offset(page)).unwrap_or(usize::MAX).min(seen.len());
    let upto = from.saturating_add(usize::try_from(limit(page)).unwrap_or(0)).min(seen.len());
    let mut ids = args![];
    ids.extend(seen[from..upto].iter().copied());
    let statement = Sql::list(sql::REPOSITORIES_BEFORE, upto - from, sql::REPOSITORIES_AFTER);
    let rows = context.db.all(statement, ids).await?;
    Ok(Listing {
        items: rows.iter().map(read_repository).collect::<Result<_>>()?,
        total: i64::try_from(seen.len()).map_err(Error::internal)?,
    })
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

/// A page of the artifacts of a repository, the last pushed first, without those that are
/// only parts of an index.
///
/// # Errors
/// NotFound when there is no such repository.
pub async fn list(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    page: Page,
) -> Result<Listing<Details>> {
    allowed.require(Right::new(Resource::Artifact, Action::List))?;
    let id = known(context, allowed, name).await?;
    let total = context.db.one(sql::COUNT_ARTIFACTS, args![id]).await?;
    let rows = context.db.all(sql::ARTIFACTS, args![id, limit(page), offset(page)]).await?;
    let mut items = rows.iter().map(read_artifact).collect::<Result<Vec<_>>>()?;
    add_parts(context, &mut items).await?;
    Ok(Listing { items, total: total.map_or(Ok(0), |row| row.get(0))? })
}

/// All that is shown of one artifact, by tag or digest.
///
/// # Errors
/// NotFound.
pub async fn details(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Details> {
    allowed.require(Right::new(Resource::Artifact, Action::Read))?;
    let id = known(context, allowed, name).await?;
    let row = match reference {
        Reference::Digest(digest) => {
            context.db.one(sql::BY_DIGEST, args![id, digest.to_string()]).await?
        }
        Reference::Tag(tag) => context.db.one(sql::BY_TAG, args![id, tag.as_str()]).await?,
    };
    let row = row.ok_or_else(|| {
        Error::not_found(Subject::Manifest, format!("artifact {name}:{reference} not found"))
    })?;
    let mut details = [read_artifact(&row)?];
    add_parts(context, &mut details).await?;
    let [details] = details;
    Ok(details)
}

/// The number of a repository of the project that is allowed, if the right reaches it.
async fn known(context: &Context, allowed: &Allowed, name: &RepositoryName) -> Result<i64> {
    allowed.require_repository(name)?;
    let repository = repositories::known(context, name).await?;
    if repository.project_id == allowed.project().id {
        return Ok(repository.id);
    }
    Err(Error::not_found(Subject::Repository, format!("repository {name} not found")))
}

/// Adds tags and children to artifacts.
async fn add_parts(context: &Context, artifacts: &mut [Details]) -> Result<()> {
    let mut ids = Args::new();
    ids.extend(artifacts.iter().map(|artifact| artifact.id));
    let count = artifacts.len();
    let mut by_id: HashMap<i64, &mut Details> =
        artifacts.iter_mut().map(|artifact| (artifact.id, artifact)).collect();

    let tags = Sql::list(sql::TAGS_BEFORE, count, sql::TAGS_AFTER);
    for row in context.db.all(tags, ids.clone()).await? {
        let tag = read_tag(&row)?;
        if let Some(artifact) = by_id.get_mut(&tag.artifact_id) {
            artifact.tags.push(tag);
        }
    }
    let children = Sql::list(sql::CHILDREN_BEFORE, count, sql::CHILDREN_AFTER);
    for row in context.db.all(children, ids).await? {
        let child = read_child(&row)?;
        if let Some(artifact) = by_id.get_mut(&child.parent_id) {
            artifact.children.push(child);
        }
    }
    Ok(())
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
    })
}

fn read_artifact(row: &Row) -> Result<Details> {
    Ok(Details {
        id: row.get(0)?,
        project_id: row.get(1)?,
        repository_id: row.get(2)?,
        digest: row.get(3)?,
        media_type: row.get(4)?,
        config_media_type: row.get(5)?,
        artifact_type: row.get(6)?,
        annotations: read_json(row, 7)?,
        size: row.get(8)?,
        pushed_at: row.get(9)?,
        pulled_at: row.get(10)?,
        tags: Vec::new(),
        children: Vec::new(),
    })
}

fn read_tag(row: &Row) -> Result<TagDetails> {
    Ok(TagDetails {
        artifact_id: row.get(0)?,
        id: row.get(1)?,
        repository_id: row.get(2)?,
        name: row.get(3)?,
        pushed_at: row.get(4)?,
        pulled_at: row.get(5)?,
    })
}

fn read_child(row: &Row) -> Result<Child> {
    Ok(Child {
        parent_id: row.get(0)?,
        child_id: row.get(1)?,
        digest: row.get(2)?,
        platform: read_json(row, 3)?,
        annotations: read_json(row, 4)?,
    })
}

/// Reads JSON that was written by a push; it goes out as it came in.
fn read_json(row: &Row, column: usize) -> Result<Option<Box<RawValue>>> {
    let text: Option<String> = row.get(column)?;
    text.map(RawValue::from_string).transpose().map_err(Error::internal)
}
