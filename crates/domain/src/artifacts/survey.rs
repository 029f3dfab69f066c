//! What is known of all that a repository shows, for those who decide about all of it:
//! fetched page by page, and kept small.

use std::collections::HashMap;

use db::{Args, Row, Sql, Tx, args};
use kit::{Error, Kind, Result, Subject, Time};
use oci::{Digest, Tag};

use super::{pull::parse, survey_sql as sql};
use crate::Context;

/// How many rows are fetched at a time, and how many artifacts are asked about together.
const AT_A_TIME: i64 = 5_000;
const ASKED_TOGETHER: usize = 1_000;

/// An artifact that lists show: neither a mere part of an index, nor something that belongs to
/// another artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Surveyed {
    /// Its number.
    pub(crate) id: i64,
    /// Its digest.
    pub(crate) digest: Digest,
    /// Its tags, by name.
    pub(crate) tags: Vec<Box<str>>,
    /// The last push of it or of one of its tags.
    pub(crate) pushed_at: Time,
    /// The last pull of it or of one of its tags.
    pub(crate) pulled_at: Option<Time>,
    /// The last push of the artifact itself.
    pub(crate) created_at: Time,
    /// Whether it has a signature.
    pub(crate) is_signed: bool,
    /// The indexes that list it, by number.
    pub(crate) parents: Vec<i64>,
}

/// All that a repository shows, the last pushed first. Nothing when `stops` says so.
///
/// # Errors
/// Those of the database.
pub(crate) async fn survey(
    context: &Context,
    repository_id: i64,
    stops: impl Fn() -> bool,
) -> Result<Option<Vec<Surveyed>>> {
    let db = &context.db;
    let mut found: Vec<Surveyed> = Vec::new();
    let mut after = (i64::MAX, i64::MAX);
    loop {
        let rows = db.all(sql::ROOTS, args![repository_id, after.0, after.1, AT_A_TIME]).await?;
        for row in &rows {
            let artifact = read(row)?;
            after = (artifact.pushed_at.0, artifact.id);
            found.push(artifact);
        }
        if stops() {
            return Ok(None);
        }
        if is_last(&rows)? {
            break;
        }
    }
    let places: HashMap<i64, usize> =
        found.iter().enumerate().map(|(at, artifact)| (artifact.id, at)).collect();
    let mut parts: Vec<i64> = Vec::new();
    let mut last = String::new();
    loop {
        let rows = db.all(sql::TAGS_AFTER, args![repository_id, last.as_str(), AT_A_TIME]).await?;
        for row in &rows {
            last = row.get(1)?;
            let Some(at) = places.get(&row.get(0)?) else { continue };
            let artifact = &mut found[*at];
            artifact.pushed_at = artifact.pushed_at.max(row.get(2)?);
            artifact.pulled_at = artifact.pulled_at.max(row.get(3)?);
            if row.get(4)? && artifact.tags.is_empty() {
                parts.push(artifact.id);
            }
            artifact.tags.push(last.as_str().into());
        }
        if stops() {
            return Ok(None);
        }
        if is_last(&rows)? {
            break;
        }
    }
    for some in parts.chunks(ASKED_TOGETHER) {
        let mut ids = Args::new();
        ids.extend(some.iter().copied());
        let parents = Sql::list(sql::PARENTS_BEFORE, some.len(), sql::PARENTS_AFTER);
        for row in db.all(parents, ids).await? {
            if let Some(at) = places.get(&row.get(0)?) {
                found[*at].parents.push(row.get(1)?);
            }
        }
    }
    let mut last = String::new();
    let by_digest: HashMap<Digest, usize> =
        found.iter().enumerate().map(|(at, artifact)| (artifact.digest, at)).collect();
    loop {
        let rows =
            db.all(sql::SIGNED_AFTER, args![repository_id, last.as_str(), AT_A_TIME]).await?;
        for row in &rows {
            last = row.get(0)?;
            if let Some(at) = by_digest.get(&parse(&last)?) {
                found[*at].is_signed = true;
            }
        }
        if is_last(&rows)? {
            return Ok(Some(found));
        }
    }
}

fn is_last(rows: &[Row]) -> Result<bool> {
    Ok(i64::try_from(rows.len()).map_err(Error::internal)? < AT_A_TIME)
}

fn read(row: &Row) -> Result<Surveyed> {
    Ok(Surveyed {
        id: row.get(0)?,
        digest: parse(&row.get::<String>(1)?)?,
        tags: Vec::new(),
        pushed_at: row.get(2)?,
        pulled_at: row.get(3)?,
        created_at: row.get(2)?,
        is_signed: false,
        parents: Vec::new(),
    })
}

/// Makes sure that none of some artifacts, nor one of their tags, was pushed since. What is there
/// no more was not.
///
/// # Errors
/// Conflict when one was.
pub(super) async fn require_unchanged(tx: &mut Tx, artifacts: &[Surveyed]) -> Result<()> {
    let known: HashMap<i64, &Surveyed> =
        artifacts.iter().map(|artifact| (artifact.id, artifact)).collect();
    let mut ids = Args::new();
    ids.extend(artifacts.iter().map(|artifact| artifact.id));
    let now = Sql::list(sql::NOW_BEFORE, artifacts.len(), sql::NOW_AFTER);
    for row in tx.all(now, ids).await? {
        let created_at: Time = row.get(1)?;
        let pushed_at = row.get::<Option<Time>>(2)?.map_or(created_at, |at| at.max(created_at));
        let is_as_known = known.get(&row.get(0)?).is_some_and(|artifact| {
            (artifact.created_at, artifact.pushed_at) == (created_at, pushed_at)
        });
        if !is_as_known {
            return Err(changed());
        }
    }
    Ok(())
}

impl Surveyed {
    /// Makes sure that the tags that it lost are those that it had.
    ///
    /// # Errors
    /// Conflict when they are others.
    pub(super) fn require_tags(&self, tags: &[Tag]) -> Result<()> {
        let mut tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        tags.sort_unstable();
        if self.tags.iter().map(|tag| &**tag).eq(tags) {
            return Ok(());
        }
        Err(changed())
    }
}

fn changed() -> Error {
    let message = "it was pushed or tagged since, and stays until the next run";
    Error::new(Kind::Conflict, message).about(Subject::Manifest)
}
