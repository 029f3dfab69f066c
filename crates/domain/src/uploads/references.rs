//! What repositories hold and manifests need, within the deeds of other rooms.

use std::sync::Arc;

use db::{Args, Sql, Tx, args};
use kit::{Error, Result, Time};
use oci::Digest;

use super::sql;
use crate::{
    cache::Pair,
    context::Caches,
    quotas::{self, Quota},
};

/// A repository holds a blob from now on, which counts in its project and stays for a window
/// even if no manifest comes to need it. The blob's row is kept from collection by the caller's
/// transaction.
///
/// The last thing of a deed, as [`Quota::add`] is.
pub(crate) async fn hold(
    tx: &mut Tx,
    quota: &Quota,
    repository_id: i64,
    blob_id: i64,
    now: Time,
) -> Result<()> {
    let arguments = args![repository_id, blob_id, now, quota.project_id()];
    if tx.execute(sql::HOLD, arguments).await? == 0 {
        // A manifest needs it: it is held and counted.
        return Ok(());
    }
    quota.add(tx, &[blob_id], &[]).await
}

/// The blobs that an artifact is written to need have a reference from now on. Gives those
/// that must be counted anew, for [`Quota::add`].
///
/// The caller has locked what the repository holds of them (FOR KEY SHARE), and the rows that
/// say what the artifact needs do so too: nobody can take their references away meanwhile.
pub(crate) async fn reference(
    tx: &mut Tx,
    quota: &Quota,
    repository_id: i64,
    artifact_id: i64,
) -> Result<Vec<i64>> {
    let rows = tx.all(sql::UNCOUNTED, args![repository_id, artifact_id]).await?;
    let uncounted = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    let arguments = args![repository_id, artifact_id, quota.project_id()];
    tx.execute(sql::REFERENCE, arguments).await?;
    Ok(uncounted)
}

/// A repository holds what an artifact of another one needs, for the copy that is about to be
/// written there: nobody takes it away before the caller's transaction ends.
///
/// # Errors
/// Unavailable when some of it is being let go in this moment.
pub(crate) async fn hold_needed(
    tx: &mut Tx,
    repository_id: i64,
    artifact_id: i64,
    now: Time,
) -> Result<()> {
    tx.execute(sql::HOLD_NEEDED, args![repository_id, artifact_id, now]).await?;
    let kept = tx.all(sql::KEEP_NEEDED, args![repository_id, artifact_id]).await?.len();
    let needed = tx.one(sql::COUNT_NEEDED, args![artifact_id]).await?;
    let needed: i64 = needed.map_or(Ok(0), |row| row.get(0))?;
    if i64::try_from(kept).map_err(Error::internal)? == needed {
        return Ok(());
    }
    Err(Error::unavailable("the same content is being deleted"))
}

/// How many blobs are asked about with one statement.
const AT_ONCE: usize = 1024;

/// Artifacts are about to go: what their repository holds of the blobs that they need is
/// locked. Gives these blobs, for [`unreference`].
///
/// To be called before anything of the artifacts is locked or deleted, unless something may
/// keep them: a push locks blobs first.
pub(crate) async fn lock_needed(
    tx: &mut Tx,
    repository_id: i64,
    artifacts: &[i64],
) -> Result<Vec<i64>> {
    let mut ids = Args::new();
    ids.extend(artifacts.iter().copied());
    let needed = Sql::list(sql::NEEDED_BEFORE, artifacts.len(), sql::NEEDED_AFTER);
    let needed = tx.all(needed, ids).await?;
    let blobs: Vec<i64> = needed.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    for some in blobs.chunks(AT_ONCE) {
        let mut arguments = args![repository_id];
        arguments.extend(some.iter().copied());
        let lock = Sql::list(sql::LOCK_NEEDED_BEFORE, some.len(), sql::LOCK_NEEDED_AFTER);
        tx.all(lock, arguments).await?;
    }
    Ok(blobs)
}

/// Artifacts that needed some blobs need them no more, as is written already. What no other
/// artifact of the repository needs has lost its last reference: it stays for a window, and
/// does not count any more. Gives these blobs, for [`quotas::remove`].
///
/// The blobs are locked ([`lock_needed`]). A push that needs one of them holds it until its
/// manifest can be seen; so this look at who needs what sees all.
pub(crate) async fn unreference(
    tx: &mut Tx,
    caches: &Arc<Caches>,
    repository_id: i64,
    blobs: &[i64],
    now: Time,
) -> Result<Vec<i64>> {
    let mut lost = Vec::new();
    for some in blobs.chunks(AT_ONCE) {
        let mut arguments = args![repository_id, now];
        arguments.extend(some.iter().copied());
        let unreference = Sql::list(sql::UNREFERENCE_BEFORE, some.len(), sql::UNREFERENCE_AFTER);
        for row in tx.all(unreference, arguments).await? {
            lost.push(row.get(0)?);
            // What is remembered does not say that a look at it has to renew the window.
            let digest: Digest = row.get::<String>(1)?.parse().map_err(Error::internal)?;
            caches.blobs.changes(tx, &Pair(repository_id, digest));
        }
    }
    Ok(lost)
}

/// A repository lets some of the blobs go that have lost their last reference and that nobody
/// has asked for since. Gives how many.
pub(crate) async fn let_idle_go(tx: &mut Tx, repository_id: i64, most: i64) -> Result<u64> {
    tx.execute(sql::LET_IDLE_GO, args![repository_id, most]).await
}

/// A repository that has no artifacts any more is about to go: it holds nothing from now on.
pub(crate) async fn let_all_go(tx: &mut Tx, project_id: i64, repository_id: i64) -> Result<()> {
    tx.all(sql::LOCK_ALL_HELD, args![repository_id]).await?;
    let mut counted = Vec::new();
    for row in tx.all(sql::LET_ALL_GO, args![repository_id]).await? {
        if row.get::<Option<i64>>(1)?.is_some() {
            counted.push(row.get(0)?);
        }
    }
    quotas::remove(tx, project_id, &counted, &[]).await
}
