//! Removing artifacts within a transaction: what every delete has in common.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use db::{Row, Tx, args};
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
    pub(super) digest: Digest,
    pub(super) tags: Vec<Tag>,
    /// What it listed.
    parts: Vec<i64>,
}

impl Removal {
    /// Removes an artifact with its tags. None when there is none, or something keeps it.
    ///
    /// Its blobs stay for a window, and what refers to it stays.
    ///
    /// # Errors
    /// Precondition when an index lists one that is asked for; Immutable when a rule keeps one of
    /// the tags.
    pub(super) async fn remove(&self, tx: &mut Tx, (id, why): Going) -> Result<Option<Removed>> {
        let Some(found) = tx.one(sql::FIND, args![self.repository_id, id]).await? else {
            return Ok(None);
        };
        let (digest, manifest_id) = (parse(&found.get::<String>(0)?)?, found.get::<i64>(1)?);
        // What may be kept is locked before anything is changed; else in the order in which a
        // push locks: blobs, bytes, artifact.
        if why != Why::Asked
            && (tx.one(sql::LOCK, args![id]).await?.is_none() || is_kept(tx, id, why).await?)
        {
            return Ok(None);
        }
        let (caches, now) = (&self.caches, self.audit.now());
        let blobs = uploads::unreference(tx, caches, self.repository_id, id, now).await?;
        tx.one(sql::LOCK_CONTENT, args![manifest_id]).await?;
        if why == Why::Asked {
            if tx.one(sql::LOCK, args![id]).await?.is_none() {
                // Nobody holds what it needed: that was settled when it went.
                return Ok(None);
            }
            require_unlisted(tx, id, &digest).await?;
        }
        let tags = names(&tx.all(sql::DELETE_TAGS, args![id]).await?)?;
        let named = tags.iter().map(Tag::as_str);
        immutability::protect(tx, self.project_id, &self.name, named).await?;
        for tag in &tags {
            caches.tags.changes(tx, &Pair(self.repository_id, tag.clone()));
        }
        let parts = ids(&tx.all(sql::PARTS, args![id]).await?)?;
        tx.execute(sql::DELETE_ARTIFACT, args![id]).await?;
        tx.execute(sql::DELETE_CONTENT, args![manifest_id]).await?;
        caches.manifests.changes(tx, &Pair(self.repository_id, digest));
        quotas::remove(tx, self.project_id, &blobs, Some(manifest_id)).await?;
        Ok(Some(Removed { digest, tags, parts }))
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

    /// Tells of an artifact that somebody deleted.
    pub(super) async fn tell(&self, tx: &mut Tx, removed: Removed) -> Result<()> {
        let resource = format!("{}@{}", self.name, removed.digest);
        let entry = Entry::new(audit::Event::DeleteArtifact, resource);
        self.audit.record(tx, entry.in_project(self.project_id)).await?;
        events::record(tx, &self.deleted(removed)).await
    }

    /// Removes what waits, and what goes with it: its accessories, and what it listed and
    /// nothing else keeps. Gives what is left for another transaction.
    pub(super) async fn remove_along(
        &self,
        tx: &mut Tx,
        mut waiting: VecDeque<Going>,
    ) -> Result<VecDeque<Going>> {
        let mut seen: BTreeSet<i64> = waiting.iter().map(|(id, _)| *id).collect();
        for _ in 0..AT_ONCE {
            let Some(going) = waiting.pop_front() else { break };
            if let Some(removed) = self.remove(tx, going).await? {
                for next in self.along(tx, &removed).await? {
                    if seen.insert(next.0) {
                        waiting.push_back(next);
                    }
                }
            }
        }
        Ok(waiting)
    }

    /// What goes with an artifact that has gone.
    pub(super) async fn along(&self, tx: &mut Tx, removed: &Removed) -> Result<Vec<Going>> {
        let digest = removed.digest.to_string();
        let accessories = tx.all(sql::ACCESSORIES, args![self.repository_id, digest, MOST]).await?;
        let accessories = ids(&accessories)?.into_iter().map(|id| (id, Why::Accessory));
        Ok(accessories.chain(removed.parts.iter().map(|id| (*id, Why::Part))).collect())
    }
}

/// How many accessories are looked up at once.
pub(super) const MOST: i64 = 2 * AT_ONCE as i64;

/// Whether something keeps an artifact that is locked.
async fn is_kept(tx: &mut Tx, id: i64, why: Why) -> Result<bool> {
    if why == Why::Part && tx.one(sql::TAGGED, args![id]).await?.is_some() {
        return Ok(true);
    }
    Ok(tx.one(sql::PARENT, args![id]).await?.is_some())
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

fn names(rows: &[Row]) -> Result<Vec<Tag>> {
    rows.iter().map(|row| row.get::<String>(0)?.parse().map_err(Error::internal)).collect()
}
