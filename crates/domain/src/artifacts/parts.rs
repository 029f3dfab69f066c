//! The parts of artifacts: tags, entries of indexes, accessories. Each kind is fetched with one
//! query for all artifacts of a page.

use std::collections::{BTreeSet, HashMap};

use db::{Args, Row, Sql};
use kit::{Error, Result, Time};
use oci::media_type;
use serde_json::value::RawValue;

use super::{
    details::{Details, With},
    details_sql as sql, icons,
};
use crate::{Context, labels};

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
    /// Where else its content can be had, as JSON.
    pub urls: Option<Box<RawValue>>,
}

/// An artifact that is about another one.
#[derive(Clone, Debug)]
pub struct Accessory {
    /// Its number.
    pub id: i64,
    /// The number of its artifact.
    pub artifact_id: i64,
    /// The number of what it is about; none while that is not there.
    pub subject_id: Option<i64>,
    /// The digest of what it is about.
    pub subject_digest: String,
    /// The full name of the repository of both.
    pub repository_name: String,
    /// Its artifact's digest.
    pub digest: String,
    /// The bytes that it takes.
    pub size: i64,
    /// What it is, such as `signature.cosign`.
    pub kind: String,
    /// The digest of its icon; empty for what has none.
    pub icon: &'static str,
    /// When it came.
    pub created_at: Time,
}

impl Accessory {
    /// Whether it vouches for what it is about.
    fn is_signature(&self) -> bool {
        matches!(self.kind.as_str(), "signature.cosign" | "signature.notation")
    }
}

/// Adds the parts that are to be shown.
pub(super) async fn add(context: &Context, with: With, artifacts: &mut [Details]) -> Result<()> {
    let ids: Vec<i64> = artifacts.iter().map(|artifact| artifact.id).collect();
    let indexes: Vec<i64> = artifacts
        .iter()
        .filter(|artifact| media_type::is_index(&artifact.media_type))
        .map(|artifact| artifact.id)
        .collect();
    let labelled = if with.labels { ids.as_slice() } else { &[] };
    let (tags, children, mut accessories, parents, mut labels) = tokio::try_join!(
        fetch(context, with.tags, &ids, sql::TAGS_BEFORE, sql::TAGS_AFTER),
        fetch(context, true, &indexes, sql::CHILDREN_BEFORE, sql::CHILDREN_AFTER),
        accessories(context, with.accessories || with.inherited, &ids),
        fetch(context, with.inherited, &ids, sql::PARENTS_BEFORE, sql::PARENTS_AFTER),
        labels::of(context, labelled),
    )?;
    let mut inherited = inherited(context, &parents, &accessories).await?;
    for artifact in artifacts.iter_mut() {
        artifact.labels = labels.remove(&artifact.id).unwrap_or_default();
    }
    let mut by_id: HashMap<i64, &mut Details> =
        artifacts.iter_mut().map(|artifact| (artifact.id, artifact)).collect();
    for row in &tags {
        let tag = read_tag(row)?;
        if let Some(artifact) = by_id.get_mut(&tag.artifact_id) {
            artifact.tags.push(tag);
        }
    }
    for row in &children {
        let child = read_child(row)?;
        if let Some(artifact) = by_id.get_mut(&child.parent_id) {
            artifact.children.push(child);
        }
    }
    for (id, artifact) in by_id {
        if with.accessories {
            artifact.accessories = accessories.remove(&id).unwrap_or_default();
        }
        artifact.inherited = inherited.remove(&id).unwrap_or_default();
    }
    Ok(())
}

/// The accessories of some artifacts by these, if they are wanted.
async fn accessories(
    context: &Context,
    wanted: bool,
    ids: &[i64],
) -> Result<HashMap<i64, Vec<Accessory>>> {
    let (before, after) = (sql::ACCESSORIES_BEFORE, sql::ACCESSORIES_AFTER);
    let mut found: HashMap<i64, Vec<Accessory>> = HashMap::new();
    for row in fetch(context, wanted, ids, before, after).await? {
        let accessory = read_accessory(&row)?;
        if let Some(subject) = accessory.subject_id {
            found.entry(subject).or_default().push(accessory);
        }
    }
    Ok(found)
}

/// The signatures of the indexes that list artifacts, by these, which have none of their own.
async fn inherited(
    context: &Context,
    parents: &[Row],
    own: &HashMap<i64, Vec<Accessory>>,
) -> Result<HashMap<i64, Vec<Accessory>>> {
    let mut unsigned: Vec<(i64, i64)> = Vec::new();
    for row in parents {
        let child: i64 = row.get(0)?;
        if !own.get(&child).is_some_and(|own| own.iter().any(Accessory::is_signature)) {
            unsigned.push((child, row.get(1)?));
        }
    }
    let indexes: BTreeSet<i64> = unsigned.iter().map(|(_, parent)| *parent).collect();
    let indexes: Vec<i64> = indexes.into_iter().collect();
    let of_indexes = accessories(context, true, &indexes).await?;
    let mut found: HashMap<i64, Vec<Accessory>> = HashMap::new();
    for (child, parent) in unsigned {
        let signatures = of_indexes.get(&parent).map(Vec::as_slice).unwrap_or_default();
        let signatures = signatures.iter().filter(|accessory| accessory.is_signature());
        found.entry(child).or_default().extend(signatures.cloned());
    }
    for signatures in found.values_mut() {
        signatures.sort_unstable_by_key(|accessory| accessory.id);
    }
    Ok(found)
}

/// The rows of one kind of part of some artifacts, if it is wanted and there are any.
async fn fetch(
    context: &Context,
    wanted: bool,
    ids: &[i64],
    before: &'static str,
    after: &'static str,
) -> Result<Vec<Row>> {
    if !wanted || ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut arguments = Args::new();
    arguments.extend(ids.iter().copied());
    context.db.all(Sql::list(before, ids.len(), after), arguments).await
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
        urls: read_json(row, 5)?,
    })
}

/// Reads an accessory.
pub(super) fn read_accessory(row: &Row) -> Result<Accessory> {
    let kind: String = row.get(7)?;
    Ok(Accessory {
        id: row.get(0)?,
        artifact_id: row.get(1)?,
        subject_id: row.get(2)?,
        subject_digest: row.get(3)?,
        repository_name: row.get(4)?,
        digest: row.get(5)?,
        size: row.get(6)?,
        icon: icons::of_accessory(&kind),
        kind,
        created_at: row.get(8)?,
    })
}

/// Reads JSON that was written by a push; it goes out as it came in.
pub(super) fn read_json(row: &Row, column: usize) -> Result<Option<Box<RawValue>>> {
    let text: Option<String> = row.get(column)?;
    text.map(RawValue::from_string).transpose().map_err(Error::internal)
}
