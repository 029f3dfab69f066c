//! What is shown of repositories and artifacts: pages of rows, and their parts with one
//! query for each kind of part.

use std::collections::HashMap;

use db::{Args, Row, Sql, args};
use kit::{Error, Result, Selection, Subject, Time, query::Direction};
use oci::{Reference, RepositoryName};
use serde_json::value::RawValue;

use super::list_sql as sql;
use crate::{
    Context,
    access::Sight,
    labels,
    listing::{Chosen, Field, List, Listing},
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
    /// Whether its project is public.
    pub public: bool,
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

/// Repositories have indexes on id, name and project; in other orders, all that the caller
/// sees are sorted.
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

/// Artifacts are looked for in one repository, by its index on the time of push.
pub(super) const ARTIFACTS: List = List {
    id: "a.id",
    shown: sql::ARTIFACTS_SHOWN,
    fields: &[
        Field::number("id", "a.id"),
        Field::text("digest", "a.digest"),
        Field::text("manifest_media_type", "a.media_type"),
        Field::text("artifact_type", "a.artifact_type"),
        Field::number("size", "a.size"),
        Field::time("push_time", "a.pushed_at"),
        Field::time("pull_time", "a.pulled_at"),
        Field::text("tags", "t.name").within(sql::TAGGED),
        Field::number("labels", "c.label_id").within(labels::CARRIED),
    ],
    order: ("a.pushed_at", Direction::Descending),
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
    let (from, args) = match sight.view() {
        View::Everything => (sql::EVERY_REPOSITORY_FROM, args![]),
        view => (sql::VISIBLE_REPOSITORIES_FROM, args![view.user_id(), view.robot_id()]),
    };
    if sight.is_whole() {
        return REPOSITORIES.page(&context.db, from, args, selection, read_repository).await;
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

/// A page of the artifacts of a repository, the last pushed first if nothing else is asked
/// for, without those that are only parts of an index.
///
/// # Errors
/// NotFound when there is no such repository; Invalid when a value to look for is none of
/// its field's.
pub async fn list(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    selection: &Selection,
) -> Result<Listing<Details>> {
    allowed.require(Right::new(Resource::Artifact, Action::List))?;
    let args = args![known(context, allowed, name).await?];
    let db = &context.db;
    let mut found = ARTIFACTS.page(db, sql::ARTIFACTS_FROM, args, selection, read_artifact).await?;
    add_parts(context, &mut found.items).await?;
    Ok(found)
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
pub(super) async fn known(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
) -> Result<i64> {
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
        public: row.get(8)?,
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

pub(super) fn read_tag(row: &Row) -> Result<TagDetails> {
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
