//! Counting what a deed brings and takes away.

use std::collections::BTreeSet;

use db::{Args, Row, Sql, Tx, args};
use kit::{Clock, Error, Kind, Result, Subject, size::human_size};
use oci::{Digest, RepositoryName, Tag};

use super::sql;
use crate::{
    Context,
    events::{self, Event, Happened},
    rights::Who,
    settings::{self, Key},
};

/// How many contents are counted with one statement.
const AT_ONCE: usize = 500;

/// How often something that is being removed is counted anew before a deed gives up.
const ATTEMPTS: usize = 20;

/// How full a project is when whoever listens is warned, in parts of a hundred.
const WARNED_FROM: i64 = 85;

/// The quota of a project, for a deed that brings something into it.
#[derive(Clone, Debug)]
pub(crate) struct Quota {
    project_id: i64,
    /// Whether limits count at all.
    enforced: bool,
    /// Who does the deed, where, and with which manifest: its digest and tag.
    by: Who,
    repository: String,
    manifest: (Option<String>, Option<String>),
    clock: Clock,
}

impl Quota {
    /// The quota of a project; to be asked for before the deed.
    pub(crate) async fn of(context: &Context, project_id: i64) -> Result<Self> {
        let configuration = settings::current(context).await?;
        Ok(Self {
            project_id,
            enforced: configuration.flag(Key::QuotaPerProjectEnable),
            by: Who::system(),
            repository: String::new(),
            manifest: (None, None),
            clock: context.clock.clone(),
        })
    }

    /// The same, for a deed of somebody in a repository, of which events tell.
    pub(crate) fn asked_by(mut self, by: &Who, repository: &RepositoryName) -> Self {
        self.by = by.clone();
        repository.as_str().clone_into(&mut self.repository);
        self
    }

    /// The same, for a deed that brings a manifest, perhaps with a tag.
    pub(crate) fn with_manifest(mut self, digest: &Digest, tag: Option<&Tag>) -> Self {
        self.manifest = (Some(digest.to_string()), tag.map(ToString::to_string));
        self
    }

    /// Lets whoever listens know when a deed was refused because of the quota; gives what
    /// came of the deed.
    pub(crate) async fn tell<T>(&self, context: &Context, outcome: Result<T>) -> Result<T> {
        if let Err(refused) = &outcome
            && refused.is(Kind::QuotaExceeded)
        {
            let (details, (digest, tag)) = (refused.message.to_string(), self.manifest.clone());
            let happened = self.happened(Event::QuotaExceeded { details, digest, tag });
            context
                .db
                .write(move |tx| {
                    let happened = happened.clone();
                    Box::pin(async move { events::record(tx, &happened).await })
                })
                .await?;
        }
        outcome
    }

    fn happened(&self, event: Event) -> Happened {
        let happened = Happened::new(event, &self.by, self.clock.now());
        happened.in_project(self.project_id).in_repository(self.repository.as_str())
    }

    /// The project.
    pub(crate) fn project_id(&self) -> i64 {
        self.project_id
    }

    /// Blobs, and manifests with their sizes, count in the project from now on, each once. That
    /// they are held or needed is written already: this is the last thing of a deed, for it may
    /// take the lock that everybody else in the project waits for.
    ///
    /// # Errors
    /// `QuotaExceeded`, in Harbor's words, when the project would get too large.
    pub(crate) async fn add(
        &self,
        tx: &mut Tx,
        blobs: &[i64],
        manifests: &[(i64, i64)],
    ) -> Result<()> {
        let mut bytes = 0;
        for (manifest_id, size) in manifests.iter().copied() {
            bytes += self.add_manifest(tx, manifest_id, size).await?;
        }
        let blobs: Vec<i64> = blobs.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        for some in blobs.chunks(AT_ONCE) {
            bytes += self.add_blobs(tx, some.to_vec()).await?;
        }
        if bytes > 0 { self.reserve(tx, bytes).await } else { Ok(()) }
    }

    async fn add_manifest(&self, tx: &mut Tx, manifest_id: i64, size: i64) -> Result<i64> {
        for _ in 0..ATTEMPTS {
            let arguments = args![self.project_id, manifest_id, size];
            if let Some(row) = tx.one(sql::ADD_MANIFEST, arguments).await? {
                return row.get(1);
            }
            if tx.one(sql::KEEP_MANIFEST, args![self.project_id, manifest_id]).await?.is_some() {
                return Ok(0);
            }
        }
        Err(busy())
    }

    /// How many bytes of the blobs did not count before.
    async fn add_blobs(&self, tx: &mut Tx, mut blobs: Vec<i64>) -> Result<i64> {
        let mut bytes = 0;
        for _ in 0..ATTEMPTS {
            let added = tx.all_of(ADD_BLOBS, self.project_id, &blobs).await?;
            for row in &added {
                bytes += row.get::<i64>(1)?;
            }
            without(&mut blobs, &added)?;
            if blobs.is_empty() {
                return Ok(bytes);
            }
            // They count already: they must not cease to before this deed is done.
            let kept = tx.all_of(KEEP_BLOBS, self.project_id, &blobs).await?;
            without(&mut blobs, &kept)?;
            if blobs.is_empty() {
                return Ok(bytes);
            }
        }
        Err(busy())
    }

    /// Writes that the project uses more, if it may.
    async fn reserve(&self, tx: &mut Tx, bytes: i64) -> Result<()> {
        let change = args![self.project_id, bytes];
        if !self.enforced {
            return tx.execute(sql::ADD_CHANGE, change).await.map(drop);
        }
        if tx.execute(sql::ADD_CHANGE_WITHOUT_LIMIT, change.clone()).await? > 0 {
            return Ok(());
        }
        lock(tx, self.project_id).await?;
        let standing = tx.one(sql::STANDING, args![self.project_id]).await?;
        let standing = standing.ok_or_else(|| {
            Error::unavailable("the project is being deleted").about(Subject::Project)
        })?;
        let (limit, used): (i64, i64) = (standing.get(0)?, standing.get(1)?);
        if limit >= 0 && used.saturating_add(bytes) > limit {
            return Err(exceeded(bytes, used, limit));
        }
        tx.execute(sql::ADD_CHANGE, change).await?;
        self.warn(tx, used.saturating_add(bytes), limit).await
    }

    /// Lets whoever listens know that a project is nearly full, in Harbor's words.
    async fn warn(&self, tx: &mut Tx, used: i64, limit: i64) -> Result<()> {
        if limit <= 0 || used < limit / 100 * WARNED_FROM + limit % 100 * WARNED_FROM / 100 {
            return Ok(());
        }
        let details = format!(
            "quota usage reach {WARNED_FROM}%: resource storage used {} of {}",
            size(used),
            size(limit)
        );
        let (digest, tag) = self.manifest.clone();
        events::record(tx, &self.happened(Event::QuotaWarning { details, digest, tag })).await
    }
}

/// Blobs and manifests of a project that lost what they counted by, each of them perhaps one of
/// several. That they are not held or needed any more is written already.
pub(crate) async fn remove(
    tx: &mut Tx,
    project_id: i64,
    blobs: &[i64],
    manifests: &[i64],
) -> Result<()> {
    let mut freed = 0;
    for (contents, lock, remove) in
        [(manifests, LOCK_MANIFESTS, REMOVE_MANIFESTS), (blobs, LOCK_BLOBS, REMOVE_BLOBS)]
    {
        let contents: BTreeSet<i64> = contents.iter().copied().collect();
        let contents: Vec<i64> = contents.into_iter().collect();
        for some in contents.chunks(AT_ONCE) {
            tx.all_of(lock, project_id, some).await?;
            for row in tx.all_of(remove, project_id, some).await? {
                freed += row.get::<i64>(0)?;
            }
        }
    }
    if freed > 0 {
        tx.execute(sql::ADD_CHANGE, args![project_id, -freed]).await?;
    }
    Ok(())
}

/// Locks what a project uses against whoever else needs more space in it.
pub(super) async fn lock(tx: &mut Tx, project_id: i64) -> Result<()> {
    if tx.one(sql::LOCK_USAGE, args![project_id]).await?.is_none() {
        tx.execute(sql::BEGIN_USAGE, args![project_id, 0]).await?;
        tx.one(sql::LOCK_USAGE, args![project_id]).await?;
    }
    Ok(())
}

/// Harbor's words.
fn exceeded(bytes: i64, used: i64, limit: i64) -> Error {
    Error::new(
        Kind::QuotaExceeded,
        format!(
            "adding {} of storage resource, which when updated to current usage of {} will \
             exceed the configured upper limit of {}.",
            size(bytes),
            size(used),
            size(limit)
        ),
    )
}

fn size(bytes: i64) -> String {
    human_size(u64::try_from(bytes).unwrap_or_default())
}

fn busy() -> Error {
    Error::unavailable("the same content is being deleted").about(Subject::Blob)
}

/// A statement on a list of contents of a project: what stands before and after the list.
type OnContents = (&'static str, &'static str);

const ADD_BLOBS: OnContents = (sql::ADD_BLOBS_BEFORE, sql::ADD_BLOBS_AFTER);
const KEEP_BLOBS: OnContents = (sql::KEEP_BLOBS_BEFORE, sql::KEEP_BLOBS_AFTER);
const LOCK_BLOBS: OnContents = (sql::LOCK_BLOBS_BEFORE, sql::LOCK_BLOBS_AFTER);
const REMOVE_BLOBS: OnContents = (sql::REMOVE_BLOBS_BEFORE, sql::REMOVE_BLOBS_AFTER);
const LOCK_MANIFESTS: OnContents = (sql::LOCK_MANIFESTS_BEFORE, sql::LOCK_MANIFESTS_AFTER);
const REMOVE_MANIFESTS: OnContents = (sql::REMOVE_MANIFESTS_BEFORE, sql::REMOVE_MANIFESTS_AFTER);

/// Asking about a list of contents.
trait AllOf {
    async fn all_of(
        &mut self,
        statement: OnContents,
        project_id: i64,
        contents: &[i64],
    ) -> Result<Vec<Row>>;
}

impl AllOf for Tx {
    async fn all_of(
        &mut self,
        (before, after): OnContents,
        project_id: i64,
        contents: &[i64],
    ) -> Result<Vec<Row>> {
        let mut arguments: Args = args![project_id];
        arguments.extend(contents.iter().copied());
        self.all(Sql::list(before, contents.len(), after), arguments).await
    }
}

/// Leaves the blobs out that rows begin with.
fn without(blobs: &mut Vec<i64>, rows: &[Row]) -> Result<()> {
    let found: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    blobs.retain(|blob| !found.contains(blob));
    Ok(())
}
