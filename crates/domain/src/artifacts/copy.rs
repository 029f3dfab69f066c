//! Copying artifacts from one repository to another: rows only, no byte is copied.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    sync::Arc,
};

use db::{Args, Row, Sql, Tx, args};
use kit::{Error, Kind, Result, Subject};
use oci::{Digest, Reference, RepositoryName, Tag};
use tokio::task;

use super::{
    copy_sql as sql,
    locate::absent,
    pull::parse,
    removal::ids,
    sql::{ADOPT_CHILD, KEEP_ARTIFACT},
};
use crate::{
    Context,
    access::{Action, Allowed, Resource, Right},
    audit::{self, Audit, Entry, Event},
    cache::Pair,
    events::{self, Happened},
    immutability,
    quotas::Quota,
    repositories::{self, Repository},
    uploads,
};

/// What is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The repository that it is in.
    pub name: RepositoryName,
    /// Which of its artifacts it is.
    pub reference: Reference,
}

impl FromStr for Source {
    type Err = Error;

    /// Reads `repository:tag` and `repository@digest`; of `repository:tag@digest` the digest
    /// counts.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::invalid(format!("invalid input: {text}"));
        let (before, digest) = match text.split_once('@') {
            Some((before, digest)) => (before, Some(digest)),
            None => (text, None),
        };
        let folder = before.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match before[folder..].find(':') {
            Some(colon) => (&before[..folder + colon], Some(&before[folder + colon + 1..])),
            None => (before, None),
        };
        let tag = tag.map(Tag::from_str).transpose().map_err(|_bad| invalid())?;
        let digest = digest.map(Digest::from_str).transpose().map_err(|_bad| invalid())?;
        let reference = digest.map(Reference::Digest).or(tag.map(Reference::Tag));
        Ok(Self {
            name: name.parse().map_err(|_bad| invalid())?,
            reference: reference.ok_or_else(invalid)?,
        })
    }
}

/// How many artifacts are copied at the most: an artifact with its parts and accessories.
const MOST: usize = 10_000;

/// How many of them one transaction copies, so that nobody waits for long.
const AT_ONCE: usize = 100;

/// How many tags that move are named to those who remember them.
const NAMED: usize = 1000;

/// Copies an artifact, with what it lists, its accessories and its tags, into a repository,
/// which comes into being if need be. What is there already stays as it is, but for tags, which
/// point to the copy from now on. If a large copy is broken off, copying again goes on.
///
/// As in Harbor, whoever may read an artifact may copy it, also a robot that may not pull: what
/// promotes images needs no right to fetch them. Of roles, none that Harbor knows has only one
/// of the two.
///
/// # Errors
/// NotFound; Denied for an accessory; `QuotaExceeded`; Immutable when a rule keeps a tag where
/// it is.
pub async fn copy(
    context: &Arc<Context>,
    (read, source): (&Allowed, &Source),
    (create, name): (&Allowed, &RepositoryName),
) -> Result<()> {
    read.require(Right::new(Resource::Artifact, Action::Read))?;
    create.require(Right::new(Resource::Artifact, Action::Create))?;
    create.require_repository(name)?;
    let from = repositories::allowed(context, read, &source.name).await?;
    let (root, digest) = find(context, &from, source).await?;
    if context.db.one(sql::IS_ACCESSORY, args![root]).await?.is_some() {
        let message = "the operation isn't supported for an artifact accessory";
        return Err(Error::new(Kind::Denied, message).about(Subject::Manifest));
    }
    if source.name == *name {
        // All of it is there.
        return Ok(());
    }
    let quota = Quota::of(context, create.project().id).await?;
    let copying = Copying {
        all: everything(context, root).await?,
        root,
        digest,
        source: source.clone(),
        name: name.clone(),
        quota: quota.asked_by(create.by(), name).with_manifest(&digest, None),
        audit: audit::by(context, create.by()).await?,
        context: context.clone(),
    };
    task::spawn(Arc::new(copying).carry_out()).await.map_err(Error::internal)?
}

async fn find(context: &Context, from: &Repository, source: &Source) -> Result<(i64, Digest)> {
    let row = match &source.reference {
        Reference::Digest(digest) => {
            context.db.one(sql::BY_DIGEST, args![from.id, digest.to_string()]).await?
        }
        Reference::Tag(tag) => context.db.one(sql::BY_TAG, args![from.id, tag.as_str()]).await?,
    };
    let row = row.ok_or_else(|| absent(&source.name, &source.reference))?;
    Ok((row.get(0)?, parse(&row.get::<String>(1)?)?))
}

/// An artifact with all that it lists and all accessories of these, each after what it lists.
async fn everything(context: &Context, root: i64) -> Result<Vec<i64>> {
    let mut parts: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut level = BTreeSet::from([root]);
    while !level.is_empty() {
        let mut next = BTreeSet::new();
        let of_level: Vec<i64> = level.iter().copied().collect();
        level.iter().for_each(|id| drop(parts.insert(*id, Vec::new())));
        for row in list(context, &of_level, sql::PARTS_BEFORE, sql::PARTS_AFTER).await? {
            let (index, part) = (row.get(0)?, row.get(1)?);
            parts.entry(index).or_default().push(part);
            next.insert(part);
        }
        let (before, after) = (sql::ACCESSORIES_BEFORE, sql::ACCESSORIES_AFTER);
        next.extend(ids(&list(context, &of_level, before, after).await?)?);
        next.retain(|id| !parts.contains_key(id));
        if parts.len() + next.len() > MOST {
            let message = format!("an artifact with more than {MOST} others cannot be copied");
            return Err(Error::invalid(message).about(Subject::Manifest));
        }
        level = next;
    }
    Ok(parts_first(&parts))
}

async fn list(
    context: &Context,
    numbers: &[i64],
    before: &'static str,
    after: &'static str,
) -> Result<Vec<Row>> {
    let mut args = Args::new();
    args.extend(numbers.iter().copied());
    context.db.all(Sql::list(before, numbers.len(), after), args).await
}

/// All that is named, each after its parts. No artifact is a part of itself, however far down:
/// it would have to hold its own digest.
fn parts_first(parts: &BTreeMap<i64, Vec<i64>>) -> Vec<i64> {
    let (mut order, mut seen) = (Vec::with_capacity(parts.len()), BTreeSet::new());
    for &first in parts.keys() {
        let mut path = vec![(first, 0)];
        while let Some((id, done)) = path.pop() {
            let own = parts.get(&id).map_or(&[][..], Vec::as_slice);
            if done == 0 && !seen.insert(id) {
                continue;
            }
            match own.get(done) {
                Some(part) => path.extend([(id, done + 1), (*part, 0)]),
                None => order.push(id),
            }
        }
    }
    order
}

struct Copying {
    context: Arc<Context>,
    /// What is copied, each after what it lists.
    all: Vec<i64>,
    root: i64,
    digest: Digest,
    source: Source,
    name: RepositoryName,
    quota: Quota,
    audit: Audit,
}

/// What a copy has brought, to be counted when everything else is done.
#[derive(Default)]
struct Brought {
    blobs: Vec<i64>,
    /// Manifests and their sizes.
    manifests: Vec<(i64, i64)>,
}

impl Copying {
    async fn carry_out(self: Arc<Self>) -> Result<()> {
        let last = self.all.len().div_ceil(AT_ONCE).saturating_sub(1);
        for batch in 0..=last {
            let copying = self.clone();
            let copied = self
                .context
                .db
                .write(move |tx| {
                    let copying = copying.clone();
                    Box::pin(async move { copying.copy_batch(tx, batch, batch == last).await })
                })
                .await;
            self.quota.tell(&self.context, copied).await?;
        }
        Ok(())
    }

    async fn copy_batch(&self, tx: &mut Tx, batch: usize, is_last: bool) -> Result<()> {
        let now = self.audit.now();
        let project_id = self.quota.project_id();
        let repository_id = repositories::ensure(tx, project_id, &self.name, now).await?;
        let mut brought = Brought::default();
        for id in self.all.iter().skip(batch * AT_ONCE).take(AT_ONCE) {
            self.copy_one(tx, repository_id, *id, &mut brought).await?;
        }
        if is_last {
            let copy = args![repository_id, self.digest.to_string()];
            let copy = tx.one(KEEP_ARTIFACT, copy).await?.ok_or_else(|| self.gone())?;
            let copy = (self.root, copy.get(0)?);
            let tags = self.copy_tags(tx, repository_id, copy).await?;
            let entry = Entry::new(Event::CreateArtifact, format!("{}@{}", self.name, self.digest))
                .described(format!(
                    "copy artifact: {} to {}",
                    self.source.reference.in_repository(&self.source.name),
                    self.name
                ));
            self.audit.record(tx, entry.in_project(project_id)).await?;
            let event = events::Event::ArtifactPushed { digest: self.digest.to_string(), tags };
            let happened = Happened::by(&self.audit, event).in_project(project_id);
            events::record(tx, &happened.in_repository(self.name.as_str())).await?;
        }
        self.quota.add(tx, &brought.blobs, &brought.manifests).await
    }

    /// Copies an artifact, unless it is there.
    async fn copy_one(
        &self,
        tx: &mut Tx,
        repository_id: i64,
        id: i64,
        brought: &mut Brought,
    ) -> Result<()> {
        let Some(source) = tx.one(sql::KEEP_SOURCE, args![id]).await? else {
            // An accessory may go at any time; what the artifact lists goes after it.
            return if id == self.root { Err(self.gone()) } else { Ok(()) };
        };
        let digest: String = source.get(0)?;
        let manifest = (source.get(1)?, source.get(2)?);
        if tx.one(KEEP_ARTIFACT, args![repository_id, digest.as_str()]).await?.is_some() {
            return Ok(());
        }
        let parts = tx.all(sql::KEEP_PARTS, args![id, repository_id]).await?.len();
        let listed = tx.one(sql::COUNT_PARTS, args![id]).await?;
        let listed: i64 = listed.map_or(Ok(0), |row| row.get(0))?;
        if i64::try_from(parts).map_err(Error::internal)? != listed {
            return Err(Error::unavailable("what the artifact lists is being deleted"));
        }
        let now = self.audit.now();
        uploads::hold_needed(tx, repository_id, id, now).await?;
        let row = args![id, self.quota.project_id(), repository_id, now];
        let Some(copy) = tx.one(sql::COPY, row).await? else { return Ok(()) };
        let copy: i64 = copy.get(0)?;
        tx.execute(sql::COPY_BLOBS, args![id, copy, repository_id]).await?;
        tx.execute(sql::COPY_PARTS, args![id, copy, repository_id]).await?;
        if self.context.settings.allow_missing_references {
            tx.execute(ADOPT_CHILD, args![copy, digest, repository_id]).await?;
        }
        let subjects = args![id, copy, repository_id, now];
        if tx.execute(sql::COPY_SUBJECTS, subjects).await? > 0 {
            // By its tag it is found by those who know no referrers.
            self.copy_tags(tx, repository_id, (id, copy)).await?;
        }
        brought.blobs.extend(uploads::reference(tx, &self.quota, repository_id, copy).await?);
        brought.manifests.push(manifest);
        Ok(())
    }

    /// A copy has the tags of its original. Gives those that it had not.
    async fn copy_tags(
        &self,
        tx: &mut Tx,
        repository_id: i64,
        (original, copy): (i64, i64),
    ) -> Result<Vec<String>> {
        let (name, now) = (&self.name, self.audit.now());
        let new = tx.all(sql::COPY_TAGS, args![original, copy, repository_id, now]).await?;
        let moved = tx.all(sql::TAGS_ELSEWHERE, args![original, copy, repository_id]).await?;
        if !moved.is_empty() {
            let rules = immutability::rules(tx, self.quota.project_id()).await?;
            for row in &moved {
                let tag: String = row.get(0)?;
                if rules.cover(name.rest().unwrap_or_default(), &tag) {
                    return Err(immutability::refused_copy(&tag));
                }
            }
            tx.execute(sql::MOVE_TAGS, args![original, copy, repository_id, now]).await?;
            self.forget_tags(tx, repository_id, &moved)?;
        }
        new.iter().chain(&moved).map(|row| row.get(0)).collect()
    }

    /// Has everybody forget where tags pointed that have moved.
    fn forget_tags(&self, tx: &mut Tx, repository_id: i64, moved: &[Row]) -> Result<()> {
        let tags = &self.context.caches.tags;
        if moved.len() > NAMED {
            tags.all_change(tx);
            return Ok(());
        }
        for row in moved {
            let tag: Tag = row.get::<String>(0)?.parse().map_err(Error::internal)?;
            tags.changes(tx, &Pair(repository_id, tag));
        }
        Ok(())
    }

    fn gone(&self) -> Error {
        absent(&self.source.name, &self.source.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read() {
        let digest = Digest::of(oci::Algorithm::Sha256, b"x");
        let read = |text: &str| {
            let source: Source = text.parse().ok()?;
            Some((source.name.to_string(), source.reference.to_string()))
        };
        let found = |name: &str, reference: &str| Some((name.to_owned(), reference.to_owned()));
        assert_eq!(read("p/a/b:v1"), found("p/a/b", "v1"));
        assert_eq!(read(&format!("p/a@{digest}")), found("p/a", &digest.to_string()));
        assert_eq!(read(&format!("p/a:v1@{digest}")), found("p/a", &digest.to_string()));
        let twice = format!("p/a@{digest}@{digest}");
        for bad in
            ["", "p", "p/a", "p/a:", "p/a@", ":v", "p/a@sha256:x", "p/A:v", "p/a:v:w", &twice]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_listed_comes_first() {
        let lists = |id: i64, parts: &[i64]| (id, parts.to_vec());
        let parts =
            BTreeMap::from([lists(1, &[3, 2, 3]), lists(2, &[3]), lists(3, &[]), lists(4, &[1])]);
        let order = parts_first(&parts);
        assert_eq!(order.len(), 4);
        let at = |id: i64| order.iter().position(|other| *other == id);
        for (id, parts) in &parts {
            assert!(parts.iter().all(|part| at(*part) < at(*id)), "{order:?}");
        }
    }
}
