//! Which repositories hold a blob: look, read, mount, let go.

use std::{ops::Range, sync::Arc, time::Duration};

use db::args;
use kit::{Error, Kind, Result, Subject, Time};
use oci::{Digest, RepositoryName};

use super::{references::hold, sql};
use crate::{
    Context,
    access::{self, Allowed, Caller, Right},
    cache::Pair,
    quotas::{self, Quota},
    repositories,
};

/// A blob as a repository holds it.
#[derive(Clone, Debug)]
pub struct Held {
    pub(crate) blob_id: i64,
    /// Its size in bytes.
    pub size: u64,
    pub(crate) place: blobs::Key,
    pub(crate) unreferenced_at: Option<Time>,
}

/// A blob that no manifest needs is written down as wanted again when the last time
/// lies this far back, or a tenth of the window: often enough, and seldom enough to cost
/// nothing.
const EXTEND_AFTER: Duration = Duration::from_secs(10 * 60);

/// How many holders of a blob are tried for a mount that names no source.
const SOURCES_TRIED: i64 = 20;

/// How long a client may use the address of a blob in the object store.
const LINK_LIFETIME: Duration = Duration::from_secs(20 * 60);

/// A blob of a repository, if it holds it. One that no manifest needs yet stays a
/// window longer from now on, for the client goes on to rely on it.
pub(crate) async fn held(
    context: &Context,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Option<Arc<Held>>> {
    let Some(repository) = repositories::find(context, name).await? else { return Ok(None) };
    let key = Pair(repository.id, *digest);
    let fresh = EXTEND_AFTER.min(context.settings.gc_window / 10);
    let remembered = look_up(context, &key).await?;
    let Some(blob) = &remembered else { return Ok(None) };
    if blob.unreferenced_at.is_none_or(|since| since.after(fresh) >= context.clock.now()) {
        return Ok(remembered);
    }
    if let Some(blob) = extend(context, key.clone(), blob.clone()).await? {
        return Ok(Some(blob));
    }
    // It was collected. What is there now, if anything, has come since.
    look_up(context, &key).await
}

/// What a repository holds, from memory when it is.
async fn look_up(context: &Context, key: &Pair<i64, Digest>) -> Result<Option<Arc<Held>>> {
    let find = || async {
        let arguments = args![key.0, key.1.to_string()];
        let Some(row) = context.db.one(sql::HELD, arguments).await? else { return Ok(None) };
        let size: i64 = row.get(1)?;
        let place: String = row.get(2)?;
        Ok(Some(Held {
            blob_id: row.get(0)?,
            size: u64::try_from(size).map_err(Error::internal)?,
            place: blobs::Key::new(place)?,
            unreferenced_at: row.get(3)?,
        }))
    };
    context.caches.blobs.get(&context.db, key, find).await
}

/// A blob of a repository.
///
/// # Errors
/// Not found when the repository does not hold it.
pub async fn known(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Arc<Held>> {
    allowed.require(Right::PULL)?;
    held(context, name, digest).await?.ok_or_else(|| unknown(digest))
}

/// Reads a part of a blob.
///
/// # Errors
/// Not found when the store has lost the bytes; unavailable when it is away.
pub async fn read(context: &Context, blob: &Held, range: Range<u64>) -> Result<blobs::Reader> {
    context.blobs.read(&blob.place, blob.size, range).await
}

/// An address under which the client can fetch a blob from the object store itself,
/// where that is switched on.
pub async fn link(context: &Context, blob: &Held) -> Result<Option<String>> {
    let link = context.blobs.link(&blob.place, LINK_LIFETIME).await?;
    Ok(link.map(String::from))
}

/// What came of the wish to mount a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mounted {
    /// The repository holds the blob.
    Yes,
    /// There is no blob to be had: the client uploads it.
    No,
    /// This repository holds it and the caller may pull from there, but its token does
    /// not reach that far.
    OutOfReach(RepositoryName),
}

/// Makes a repository hold a blob that another one holds and the caller may pull.
/// Without a source, repositories that the caller may pull are searched.
///
/// # Errors
/// Those of the database.
pub async fn mount(
    context: &Context,
    caller: &Caller,
    allowed: &Allowed,
    name: &RepositoryName,
    digest: &Digest,
    source: Option<&RepositoryName>,
) -> Result<Mounted> {
    allowed.require(Right::PUSH)?;
    if source == Some(name) || source.is_none() {
        // It may be here already.
        if held(context, name, digest).await?.is_some() {
            return Ok(Mounted::Yes);
        }
    }
    let sources = match source {
        Some(source) => vec![source.clone()],
        None => holders(context, digest).await?,
    };
    let mut out_of_reach = None;
    for source in sources {
        match access::on_repository(context, caller, &source, Right::PULL).await {
            Ok(_) => {
                if take_over(context, allowed, name, digest, &source).await? {
                    return Ok(Mounted::Yes);
                }
            }
            // Whoever is known and refused as unauthenticated has a token that is too narrow.
            Err(error) if error.is(Kind::Unauthenticated) && !caller.is_anonymous() => {
                if out_of_reach.is_none() && held(context, &source, digest).await?.is_some() {
                    out_of_reach = Some(source);
                }
            }
            Err(error)
                if matches!(
                    error.kind,
                    Kind::Forbidden | Kind::Unauthenticated | Kind::NotFound
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(out_of_reach.map_or(Mounted::No, Mounted::OutOfReach))
}

/// A repository lets a blob go. Others keep it.
///
/// # Errors
/// Not found when the repository does not hold it; unsupported while one of the
/// repository's manifests needs it.
pub async fn delete(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<()> {
    allowed.require(Right::DELETE)?;
    let repository = repositories::find(context, name).await?.ok_or_else(|| unknown(digest))?;
    let blob_id = held(context, name, digest).await?.ok_or_else(|| unknown(digest))?.blob_id;
    let (digest, caches, project_id) = (*digest, context.caches.clone(), allowed.project().id);
    context
        .db
        .write(move |tx| {
            let (repository_id, caches) = (repository.id, caches.clone());
            Box::pin(async move {
                caches.blobs.changes(tx, &Pair(repository_id, digest));
                tx.one(sql::LOCK_HELD, args![repository_id, blob_id]).await?;
                if let Some(row) = tx.one(sql::LET_GO, args![repository_id, blob_id]).await? {
                    if row.get::<Option<i64>>(0)?.is_some() {
                        quotas::remove(tx, project_id, &[blob_id], &[]).await?;
                    }
                    return Ok(());
                }
                match tx.one(sql::HOLDS, args![repository_id, blob_id]).await? {
                    Some(_) => Err(Error::new(
                        Kind::Unsupported,
                        format!("blob {digest} is needed by a manifest of this repository"),
                    )
                    .about(Subject::Blob)),
                    None => Err(unknown(&digest)),
                }
            })
        })
        .await
}

fn unknown(digest: &Digest) -> Error {
    Error::not_found(Subject::Blob, "blob unknown to registry")
        .with("blob unknown to registry", vec![("digest", digest.to_string())])
}

async fn extend(
    context: &Context,
    key: Pair<i64, Digest>,
    blob: Arc<Held>,
) -> Result<Option<Arc<Held>>> {
    let (caches, now) = (context.caches.clone(), context.clock.now());
    let held = context
        .db
        .write(move |tx| {
            let (caches, key, blob) = (caches.clone(), key.clone(), blob.clone());
            Box::pin(async move {
                caches.blobs.changes(tx, &key);
                let extended =
                    tx.execute(sql::EXTEND_GRACE, args![key.0, blob.blob_id, now]).await?;
                if extended > 0 {
                    return Ok(Some(blob));
                }
                // A manifest needs it by now, or it has gone.
                let holds = tx.one(sql::HOLDS, args![key.0, blob.blob_id]).await?;
                Ok(holds.map(|_| blob))
            })
        })
        .await?;
    Ok(held)
}

async fn holders(context: &Context, digest: &Digest) -> Result<Vec<RepositoryName>> {
    let rows = context.db.all(sql::HOLDERS, args![digest.to_string(), SOURCES_TRIED]).await?;
    rows.into_iter().map(|row| row.get::<String>(0)?.parse().map_err(Error::internal)).collect()
}

async fn take_over(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    digest: &Digest,
    source: &RepositoryName,
) -> Result<bool> {
    let Some(from) = repositories::find(context, source).await? else { return Ok(false) };
    let Some(blob) = held(context, source, digest).await? else { return Ok(false) };
    let (name, now) = (name.clone(), context.clock.now());
    let quota = Quota::of(context, allowed.project().id).await?.asked_by(allowed.by(), &name);
    let asked = quota.clone();
    let mounted = context
        .db
        .write(move |tx| {
            let (name, from_id, blob_id) = (name.clone(), from.id, blob.blob_id);
            let quota = asked.clone();
            Box::pin(async move {
                if tx.one(sql::KEEP, args![from_id, blob_id]).await?.is_none() {
                    // The source has lost it meanwhile.
                    return Ok(false);
                }
                let repository_id =
                    repositories::ensure(tx, quota.project_id(), &name, now).await?;
                hold(tx, &quota, repository_id, blob_id, now).await?;
                Ok(true)
            })
        })
        .await;
    quota.tell(context, mounted).await
}
