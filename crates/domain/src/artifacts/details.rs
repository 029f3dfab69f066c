//! What is shown of artifacts: pages of rows, and their parts with one query for each kind of
//! part. The content of an artifact is not read for it.

use db::{Args, Row, args};
use kit::{
    Error, Kind, Result, Selection, Time,
    query::{Direction, Pattern},
};
use oci::{Reference, RepositoryName};
use serde_json::value::RawValue;

use super::{
    details_sql as sql, icons,
    list::known,
    locate::absent,
    parts::{self, Accessory, Child, TagDetails},
};
use crate::{
    Context,
    labels::{self, Label},
    listing::{Chosen, Field, List, Listing, Source},
    projects::Allowed,
    rights::{Action, Resource, Right},
};

/// An artifact with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Details {
    /// Its number.
    pub id: i64,
    /// Its project's number.
    pub project_id: i64,
    /// Its repository's number.
    pub repository_id: i64,
    /// Its repository's full name.
    pub repository_name: String,
    /// The digest of its manifest.
    pub digest: String,
    /// What it is, such as `IMAGE`.
    pub kind: String,
    /// What Harbor calls its media type: that of its configuration, or of an index its own.
    pub content_type: String,
    /// The media type of its manifest.
    pub media_type: String,
    /// Its type, as referrers are told.
    pub artifact_type: Option<String>,
    /// The bytes that it takes, with all it refers to.
    pub size: i64,
    /// The digest of its icon.
    pub icon: String,
    /// When it was last pushed.
    pub pushed_at: Time,
    /// When it was last pulled.
    pub pulled_at: Option<Time>,
    /// What its content says of it, as JSON.
    pub attributes: Option<Box<RawValue>>,
    /// Its annotations, as JSON.
    pub annotations: Option<Box<RawValue>>,
    /// Its tags, the last pushed first.
    pub tags: Vec<TagDetails>,
    /// The labels that it carries, by name.
    pub labels: Vec<Label>,
    /// What it lists, if it is an index.
    pub children: Vec<Child>,
    /// What is about it, such as signatures.
    pub accessories: Vec<Accessory>,
    /// The signatures of indexes that list it, if it has none of its own.
    pub inherited: Vec<Accessory>,
}

/// Which parts of artifacts are to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct With {
    /// Their tags.
    pub tags: bool,
    /// Their labels.
    pub labels: bool,
    /// What is about them.
    pub accessories: bool,
    /// The signatures of indexes that list them.
    pub inherited: bool,
}

/// Artifacts of one repository are looked for by its index on the time of push. In other
/// orders, and with most filters, all that the repository has are gone through: of 100,000 it
/// took a tenth of a second to find those with a part of a tag, or the largest, on both engines
/// and without optimisation. That is asked seldom, and one more tree would make every push
/// dearer. Sizes at the end of the index on pushes made that no quicker, and far pages of the
/// usual order on SQLite slower, 57 ms for 3.
pub(super) const ARTIFACTS: List = List {
    id: "a.id",
    shown: sql::ARTIFACTS_SHOWN,
    fields: &IN_REPOSITORY,
    order: ("a.pushed_at", Direction::Descending),
};

/// Artifacts of one project are looked for by its index on the time of push; else as
/// [`ARTIFACTS`].
pub(super) const PROJECT_ARTIFACTS: List = List {
    id: "a.id",
    shown: sql::ARTIFACTS_SHOWN,
    fields: &IN_PROJECT,
    order: ("a.pushed_at", Direction::Descending),
};

const IN_REPOSITORY: [Field; 15] = fields(sql::TAGGED);
const IN_PROJECT: [Field; 15] = fields(sql::TAGGED_IN_PROJECT);

const fn fields(tagged: (&'static str, &'static str)) -> [Field; 15] {
    [
        Field::number("id", "a.id"),
        Field::text("type", "a.kind"),
        Field::text("media_type", "a.config_media_type"),
        Field::text("manifest_media_type", "a.media_type"),
        Field::text("artifact_type", "a.artifact_type"),
        Field::number("project_id", "a.project_id"),
        Field::number("repository_id", "a.repository_id"),
        Field::text(
            "repository_name",
            "(SELECT n.name FROM repositories AS n WHERE n.id = a.repository_id)",
        ),
        Field::text("digest", "a.digest"),
        Field::number("size", "a.size"),
        Field::text("icon", "a.icon"),
        Field::time("push_time", "a.pushed_at"),
        Field::time("pull_time", "a.pulled_at"),
        Field::text("tags", "t.name").within(tagged),
        Field::number("labels", "c.label_id").within(labels::CARRIED),
    ]
}

/// The accessories of one subject, of which there are few.
pub(super) const ACCESSORIES: List = List {
    id: "c.id",
    shown: sql::ACCESSORIES_SHOWN,
    fields: &[
        Field::number("id", "c.id"),
        Field::number("artifact_id", "c.artifact_id"),
        Field::text("digest", "a.digest"),
        Field::number("size", "a.size"),
        Field::text("type", "c.kind"),
        Field::time("creation_time", "c.created_at"),
    ],
    order: ("c.id", Direction::Ascending),
};

/// A page of the artifacts of a repository, the last pushed first if nothing else is asked
/// for: without accessories, and without those that are only parts of an index unless the `q`
/// says `base=*`.
///
/// # Errors
/// NotFound when there is no such repository; Invalid when a value to look for is none of
/// its field's.
pub async fn list(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    selection: &Selection,
    with: With,
) -> Result<Listing<Details>> {
    allowed.require(Right::new(Resource::Artifact, Action::List))?;
    let everything = is_everything(selection)?;
    let id = match known(context, allowed, name).await {
        Err(error) if error.is(Kind::NotFound) => return Ok(Listing { items: vec![], total: 0 }),
        id => id?,
    };
    let (from, total) = match everything {
        true => (sql::EVERYTHING_FROM, None),
        false => (sql::ROOTS_FROM, Some(count(context, sql::ROOTS, id).await?)),
    };
    let source = Source { from, args: args![id], among: None, counted: None, total };
    let mut found = ARTIFACTS.page_from(&context.db, &source, selection, read_artifact).await?;
    parts::add(context, with, &mut found.items).await?;
    Ok(found)
}

/// A page of the artifacts of all repositories of a project, as [`list`] shows them.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list_in_project(
    context: &Context,
    allowed: &Allowed,
    selection: &Selection,
    with: With,
) -> Result<Listing<Details>> {
    allowed.require(Right::new(Resource::Artifact, Action::List))?;
    let (id, everything) = (allowed.project().id, is_everything(selection)?);
    if !allowed.reach().is_everything() {
        let from = if everything { sql::NAMED_EVERYTHING_FROM } else { sql::NAMED_ROOTS_FROM };
        return covered(context, allowed, from, args![id], selection, with).await;
    }
    let (from, total) = match everything {
        true => (sql::PROJECT_EVERYTHING_FROM, None),
        false => (sql::PROJECT_ROOTS_FROM, Some(count(context, sql::PROJECT_ROOTS, id).await?)),
    };
    let source = Source { from, args: args![id], among: None, counted: None, total };
    let db = &context.db;
    let mut found = PROJECT_ARTIFACTS.page_from(db, &source, selection, read_artifact).await?;
    parts::add(context, with, &mut found.items).await?;
    Ok(found)
}

/// A page of those artifacts of a project that are the last pushed of their repository, among
/// all of a media type or of an artifact type, which the `q` has to name.
///
/// # Errors
/// Invalid when it names none or both, or a value to look for is none of its field's.
pub async fn list_latest(
    context: &Context,
    allowed: &Allowed,
    selection: &Selection,
    with: With,
) -> Result<Listing<Details>> {
    allowed.require(Right::new(Resource::Artifact, Action::List))?;
    let of = |key| selection.filter.of(key);
    let (from, of_type) = match (of("media_type"), of("artifact_type")) {
        (Some(Pattern::Exact(of_type)), None) => (sql::LATEST_OF_MEDIA_TYPE_FROM, of_type),
        (None, Some(Pattern::Exact(of_type))) => (sql::LATEST_OF_ARTIFACT_TYPE_FROM, of_type),
        _ => {
            return Err(Error::invalid(
                "either 'media_type' or 'artifact_type' must be specified, but not both, when \
                 querying with latest_in_repository",
            ));
        }
    };
    let args = args![allowed.project().id, of_type.as_str()];
    if !allowed.reach().is_everything() {
        return covered(context, allowed, from, args, selection, with).await;
    }
    let db = &context.db;
    let mut found = PROJECT_ARTIFACTS.page(db, from, args, selection, read_artifact).await?;
    parts::add(context, with, &mut found.items).await?;
    Ok(found)
}

/// How many artifacts are gone through at most for somebody who does not see all.
const MOST_FILTERED: i64 = 100_000;

/// A page for somebody who only sees some repositories of the project.
async fn covered(
    context: &Context,
    allowed: &Allowed,
    from: &'static str,
    args: Args,
    selection: &Selection,
    with: With,
) -> Result<Listing<Details>> {
    let keep = |row: &Row| {
        let name: String = row.get(1)?;
        Ok(allowed.reach().covers(name.split_once('/').map_or("", |(_, rest)| rest)))
    };
    let chosen = Chosen { columns: sql::ARTIFACT_COLUMNS, from, most: MOST_FILTERED };
    let db = &context.db;
    let mut found =
        PROJECT_ARTIFACTS.page_of(db, chosen, args, selection, keep, read_artifact).await?;
    parts::add(context, with, &mut found.items).await?;
    Ok(found)
}

/// Whether parts of indexes are asked for, too; what is asked in a way that Harbor refuses is
/// refused.
fn is_everything(selection: &Selection) -> Result<bool> {
    match selection.filter.of("tags") {
        None | Some(Pattern::Exact(_) | Pattern::Fuzzy(_)) => {}
        Some(_) => {
            return Err(Error::invalid(
                r#"the value of "tags" query can only be fuzzy match value or exact match value"#,
            ));
        }
    }
    match selection.filter.of("labels") {
        None | Some(Pattern::And(_)) => {}
        Some(_) => {
            return Err(Error::invalid(
                r#"the value of "labels" query can only be integer list with intersection relationship"#,
            ));
        }
    }
    match selection.filter.of("base") {
        None => Ok(false),
        Some(Pattern::Exact(base)) if base == "*" => Ok(true),
        Some(_) => Err(Error::invalid(
            r#"the value of "base" query can only be exact match value with "*""#,
        )),
    }
}

async fn count(context: &Context, statement: &'static str, id: i64) -> Result<i64> {
    context.db.one(statement, args![id]).await?.map_or(Ok(0), |row| row.get(0))
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
    with: With,
) -> Result<Details> {
    allowed.require(Right::new(Resource::Artifact, Action::Read))?;
    let repository_id = known(context, allowed, name).await?;
    let mut found = [find(context, repository_id, name, reference).await?];
    parts::add(context, with, &mut found).await?;
    let [found] = found;
    Ok(found)
}

/// A page of the accessories of an artifact, the first first if nothing else is asked for.
///
/// # Errors
/// NotFound when there is no such artifact; Invalid when a value to look for is none of its
/// field's.
pub async fn accessories(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    selection: &Selection,
) -> Result<Listing<Accessory>> {
    allowed.require(Right::new(Resource::Accessory, Action::List))?;
    let repository_id = known(context, allowed, name).await?;
    let subject = find(context, repository_id, name, reference).await?;
    let args = args![repository_id, subject.digest];
    ACCESSORIES
        .page(&context.db, sql::ACCESSORIES_FROM, args, selection, parts::read_accessory)
        .await
}

/// An artifact of a repository without its parts.
pub(super) async fn find(
    context: &Context,
    repository_id: i64,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Details> {
    let db = &context.db;
    let row = match reference {
        Reference::Digest(digest) => {
            db.one(super::sql::BY_DIGEST, args![repository_id, digest.to_string()]).await?
        }
        Reference::Tag(tag) => {
            db.one(super::sql::BY_TAG, args![repository_id, tag.as_str()]).await?
        }
    };
    let missing = || absent(name, reference);
    let id: i64 = row.ok_or_else(missing)?.get(0)?;
    read_artifact(&db.one(sql::ARTIFACT, args![id]).await?.ok_or_else(missing)?)
}

fn read_artifact(row: &Row) -> Result<Details> {
    let kind: String = row.get(5)?;
    let icon: Option<String> = row.get(10)?;
    Ok(Details {
        id: row.get(0)?,
        project_id: row.get(1)?,
        repository_id: row.get(2)?,
        repository_name: row.get(3)?,
        digest: row.get(4)?,
        content_type: row.get(6)?,
        media_type: row.get(7)?,
        artifact_type: row.get(8)?,
        size: row.get(9)?,
        icon: icon.unwrap_or_else(|| icons::of_kind(&kind).to_owned()),
        kind,
        pushed_at: row.get(11)?,
        pulled_at: row.get(12)?,
        attributes: parts::read_json(row, 13)?,
        annotations: parts::read_json(row, 14)?,
        tags: Vec::new(),
        labels: Vec::new(),
        children: Vec::new(),
        accessories: Vec::new(),
        inherited: Vec::new(),
    })
}
