//! Removing artifacts within a transaction: what every delete has in common.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use db::{Args, Row, Sql, Tx, args};
use kit::{Error, Kind, Result, Subject};
use oci::{Digest, RepositoryName, Tag};

use super::{pull::parse, sql};
use crate::{
    audit::{self, Audit, Entry},
    cache::Pair,
    context::Caches,
    events::{self, Happened},
    immutability, quotas, uploads,
};

/// How many artifacts one transaction removes, so that nobody waits for long.
pub(super) const AT_ONCE: usize = 200;

/// Why an artifact is to go, which says what keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Somebody wants it gone. An index that lists it is in the way.
    Asked,
    /// What it is about has gone. An index that lists it keeps it.
    Accessory,
    /// An index that listed it has gone. Tags, and another index, keep it.
    Part,
    /// All of its repository is to go. An index that lists it keeps it for now.
    All,
}

/// An artifact that is to go, by its number.
pub(super) type Going = (i64, Why);

/// Where artifacts are removed, by whom and when.
#[derive(Clone)]
pub(super) struct Removal {
    pub(super) caches: Arc<Caches>,
    pub(super) project_id: i64,
    pub(super) repository_id: i64,
    pub(super) name: RepositoryName,
    pub(super) audit: Audit,
}

/// An artifact that has gone.
pub(super) struct Removed {
    pub(super) id: i64,
    pub(super) digest: Digest,
    pub(super) tags: Vec<Tag>,
    /// What it listed.
    parts: Vec<i64>,
}

/// An artifact that is about to go.
struct Found {
    id: i64,
    digest: Digest,
    manifest_id: i64,
}

impl Removal {
    /// Removes an artifact as [`Removal::remove_all`] does. None when there is none, or something
    /// keeps it.
    ///
    /// # Errors
    /// As [`Removal::remove_all`].
    pub(super) async fn remove(&self, tx: &mut Tx, (id, why): Going) -> Result<Option<Removed>> {
        Ok(self.remove_all(tx, &[id], why).await?.pop())
    }

    /// Removes artifacts with their tags, as many as [`AT_ONCE`] with as many statements as for
    /// one; gives those that were there and that nothing kept. What another one of them listed
    /// goes after it.
    ///
    /// Their blobs stay for a window, and what refers to them stays.
    ///
    /// # Errors
    /// Precondition when an index lists one that is asked for; Immutable when a rule keeps one of
    /// the tags.
    pub(super) async fn remove_all(
        &self,
        tx: &mut Tx,
        ids: &[i64],
        why: Why,
    ) -> Result<Vec<Removed>> {
        let mut left = self.find(tx, ids).await?;
        if why == Why::Asked {
            return self.take(tx, left, why).await;
        }
        // What may be kept is locked before anything is changed; else in the order in which a
        // push locks: blobs, bytes, artifact.
        let locked = among(tx, LOCK, left.iter().map(|found| found.id)).await?;
        left.retain(|found| locked.contains(&found.id));
        if why == Why::Part {
            let tagged = among(tx, TAGGED, left.iter().map(|found| found.id)).await?;
            left.retain(|found| !tagged.contains(&found.id));
        }
        let mut removed = Vec::new();
        while !left.is_empty() {
            let listed = among(tx, LISTED, left.iter().map(|found| found.id)).await?;
            let (kept, free): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|found| listed.contains(&found.id));
            if free.is_empty() {
                break;
            }
            removed.extend(self.take(tx, free, why).await?);
            left = kept;
        }
        Ok(removed)
    }

    /// Artifacts of the repository, by their numbers.
    async fn find(&self, tx: &mut Tx, ids: &[i64]) -> Result<Vec<Found>> {
        let mut arguments = args![self.repository_id];
        arguments.extend(ids.iter().copied());
        let find = Sql::list(sql::FIND_BEFORE, ids.len(), sql::FIND_AFTER);
        let rows = tx.all(find, arguments).await?;
        let read = |row: &Row| {
            let digest = parse(&row.get::<String>(1)?)?;
            Ok(Found { id: row.get(0)?, digest, manifest_id: row.get(2)? })
        };
        rows.iter().map(read).collect()
    }

    /// Removes artifacts that nothing keeps, or that are asked for.
    async fn take(&self, tx: &mut Tx, mut going: Vec<Found>, why: Why) -> Result<Vec<Removed>> {
        let (caches, repository_id) = (&self.caches, self.repository_id);
        let numbers: Vec<i64> = going.iter().map(|found| found.id).collect();
        let needed = uploads::lock_needed(tx, repository_id, &numbers).await?;
        let manifests: Vec<i64> = going.iter().map(|found| found.manifest_id).collect();
        among(tx, LOCK_CONTENTS, manifests.iter().copied()).await?;
        if why == Why::Asked {
            // Nobody holds what a missing one needed: that was settled when it went.
            let locked = among(tx, LOCK, numbers.iter().copied()).await?;
            going.retain(|found| locked.contains(&found.id));
            let listed = among(tx, LISTED, numbers.iter().copied()).await?;
            for found in going.iter().filter(|found| listed.contains(&found.id)) {
                require_unlisted(tx, found.id, &found.digest).await?;
            }
        }
        if going.is_empty() {
            return Ok(Vec::new());
        }
        let mut tags: HashMap<i64, Vec<Tag>> = HashMap::new();
        for row in all(tx, DELETE_TAGS, numbers.iter().copied()).await? {
            let tag = row.get::<String>(1)?.parse().map_err(Error::internal)?;
            tags.entry(row.get(0)?).or_default().push(tag);
        }
        let named = tags.values().flatten().map(Tag::as_str);
        immutability::protect(tx, self.project_id, &self.name, named).await?;
        for tag in tags.values().flatten() {
            caches.tags.changes(tx, &Pair(repository_id, tag.clone()));
        }
        let mut parts: HashMap<i64, Vec<i64>> = HashMap::new();
        for row in all(tx, PARTS, numbers.iter().copied()).await? {
            parts.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        all(tx, DELETE_NEEDS, numbers.iter().copied()).await?;
        let now = self.audit.now();
        let blobs = uploads::unreference(tx, caches, repository_id, &needed, now).await?;
        all(tx, DELETE_ARTIFACTS, numbers.iter().copied()).await?;
        all(tx, DELETE_CONTENTS, manifests.iter().copied()).await?;
        for found in &going {
            caches.manifests.changes(tx, &Pair(repository_id, found.digest));
        }
        quotas::remove(tx, self.project_id, &blobs, &manifests).await?;
        let removed = going.into_iter().map(|Found { id, digest, .. }| {
            let tags = tags.remove(&id).unwrap_or_default();
            Removed { id, digest, tags, parts: parts.remove(&id).unwrap_or_default() }
        });
        Ok(removed.collect())
    }

    /// An event of the repository.
    pub(super) fn happened(&self, event: events::Event) -> Happened {
        Happened::by(&self.audit, event)
            .in_project(self.project_id)
            .in_repository(self.name.as_str())
    }

    /// That an artifact was deleted.
    pub(super) fn deleted(&self, removed: Removed) -> Happened {
        let tags = removed.tags.iter().map(Tag::to_string).collect();
        let digest = removed.digest.to_string();
        self.happened(events::Event::ArtifactDeleted { digest, tags })
    }

    /// Deletes a tag, of one artifact if that is said. False if there is none.
    ///
    /// # Errors
    /// Immutable when a rule keeps it.
    pub(super) async fn untag(
        &self,
        tx: &mut Tx,
        artifact_id: Option<i64>,
        tag: &Tag,
    ) -> Result<bool> {
        let (repository_id, name) = (self.repository_id, &self.name);
        let row = match artifact_id {
            None => tx.one(sql::DELETE_TAG, args![repository_id, tag.as_str()]).await?,
            Some(id) => tx.one(sql::DELETE_TAG_OF, args![repository_id, tag.as_str(), id]).await?,
        };
        let Some(row) = row else { return Ok(false) };
        immutability::protect(tx, self.project_id, name, [tag.as_str()]).await?;
        self.caches.tags.changes(tx, &Pair(repository_id, tag.clone()));
        let entry = Entry::new(audit::Event::DeleteTag, format!("{name}:{tag}"));
        self.audit.record(tx, entry.in_project(self.project_id)).await?;
        let digest = row.get(0)?;
        let event = events::Event::TagDeleted { tag: tag.to_string(), digest };
        events::record(tx, &self.happened(event)).await?;
        Ok(true)
    }

    /// Tells of artifacts that somebody deleted.
    pub(super) async fn tell(&self, tx: &mut Tx, removed: Vec<Removed>) -> Result<()> {
        let entries = removed.iter().map(|removed| {
            let resource = format!("{}@{}", self.name, removed.digest);
            Entry::new(audit::Event::DeleteArtifact, resource).in_project(self.project_id)
        });
        self.audit.record_all(tx, entries).await?;
        let deleted: Vec<Happened> =
            removed.into_iter().map(|removed| self.deleted(removed)).collect();
        events::record_all(tx, &deleted).await
    }

    /// Removes what waits, and what goes with it: its accessories, and what it listed and
    /// nothing else keeps. Gives what is left for another transaction.
    pub(super) async fn remove_along(
        &self,
        tx: &mut Tx,
        mut waiting: VecDeque<Going>,
    ) -> Result<VecDeque<Going>> {
        let mut may = AT_ONCE;
        while may > 0 && !waiting.is_empty() {
            let some: Vec<Going> = waiting.drain(..waiting.len().min(may)).collect();
            may -= some.len();
            let mut removed = Vec::new();
            for why in [Why::Accessory, Why::Part] {
                let of = some.iter().filter(|going| going.1 == why).map(|going| going.0);
                let of: Vec<i64> = of.collect();
                if !of.is_empty() {
                    removed.extend(self.remove_all(tx, &of, why).await?);
                }
            }
            // What was looked at before and kept may go now.
            waiting.extend(self.along(tx, &removed).await?);
        }
        Ok(waiting)
    }

    /// What goes with artifacts that have gone.
    pub(super) async fn along(&self, tx: &mut Tx, removed: &[Removed]) -> Result<Vec<Going>> {
        let mut accessories = BTreeSet::new();
        for some in removed.chunks(AT_ONCE) {
            let digests: Vec<String> =
                some.iter().map(|removed| removed.digest.to_string()).collect();
            let mut last = 0;
            loop {
                let found = self.accessories(tx, &digests, last).await?;
                let Some((id, _)) = found.last() else { break };
                last = *id;
                accessories.extend(found.into_iter().map(|(_, artifact_id)| artifact_id));
            }
        }
        let accessories = accessories.into_iter().map(|id| (id, Why::Accessory));
        let parts: BTreeSet<i64> =
            removed.iter().flat_map(|removed| removed.parts.iter().copied()).collect();
        Ok(accessories.chain(parts.into_iter().map(|id| (id, Why::Part))).collect())
    }

    /// Some of the accessories, after one, of what has some digests: their numbers, and those of
    /// their artifacts.
    pub(super) async fn accessories(
        &self,
        tx: &mut Tx,
        digests: &[String],
        after: i64,
    ) -> Result<Vec<(i64, i64)>> {
        let mut arguments = args![self.repository_id, after, MOST];
        arguments.extend(digests);
        let accessories = Sql::list(sql::ACCESSORIES_BEFORE, digests.len(), sql::ACCESSORIES_AFTER);
        let rows = tx.all(accessories, arguments).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }
}

/// How many accessories are looked up at once.
const MOST: i64 = 2 * AT_ONCE as i64;

/// A statement on a list of numbers: what stands before and after the list.
type OnMany = (&'static str, &'static str);

const LOCK: OnMany = (sql::LOCK_BEFORE, sql::LOCK_AFTER);
const TAGGED: OnMany = (sql::TAGGED_BEFORE, sql::TAGGED_AFTER);
const LISTED: OnMany = (sql::LISTED_BEFORE, sql::LISTED_AFTER);
const LOCK_CONTENTS: OnMany = (sql::LOCK_CONTENTS_BEFORE, sql::LOCK_CONTENTS_AFTER);
const DELETE_TAGS: OnMany = (sql::DELETE_TAGS_BEFORE, sql::DELETE_TAGS_AFTER);
const PARTS: OnMany = (sql::PARTS_BEFORE, sql::PARTS_AFTER);
const DELETE_NEEDS: OnMany = (sql::DELETE_NEEDS_BEFORE, sql::DELETE_NEEDS_AFTER);
const DELETE_ARTIFACTS: OnMany = (sql::DELETE_ARTIFACTS_BEFORE, sql::DELETE_ARTIFACTS_AFTER);
const DELETE_CONTENTS: OnMany = (sql::DELETE_CONTENTS_BEFORE, sql::DELETE_CONTENTS_AFTER);

/// What a statement gives for numbers.
async fn all(
    tx: &mut Tx,
    (before, after): OnMany,
    numbers: impl Iterator<Item = i64>,
) -> Result<Vec<Row>> {
    let mut arguments = Args::new();
    arguments.extend(numbers);
    tx.all(Sql::list(before, arguments.len(), after), arguments).await
}

/// Those of some numbers that a statement gives.
async fn among(
    tx: &mut Tx,
    statement: OnMany,
    numbers: impl Iterator<Item = i64>,
) -> Result<BTreeSet<i64>> {
    all(tx, statement, numbers).await?.iter().map(|row| row.get(0)).collect()
}

/// Refuses what an index lists.
pub(super) async fn require_unlisted(tx: &mut Tx, id: i64, digest: &Digest) -> Result<()> {
    let Some(parent) = tx.one(sql::PARENT, args![id]).await? else { return Ok(()) };
    let parent: String = parent.get(0)?;
    let message = format!("the artifact {digest} is referenced by the index {parent}");
    Err(Error::new(Kind::Precondition, message).about(Subject::Manifest))
}

/// The numbers that rows begin with.
pub(super) fn ids(rows: &[Row]) -> Result<Vec<i64>> {
    rows.iter().map(|row| row.get(0)).collect()
}
