//! Artifacts that nobody named and nothing needs: the collection of garbage removes them.

use std::{collections::BTreeMap, sync::Arc};

use db::{Args, Sql, Tx, args};
use kit::{Result, Time};
use oci::{Digest, RepositoryName};

use super::{
    pull::parse,
    removal::{self, Removal, Why},
    sql,
};
use crate::{
    Context,
    audit::{self, Audit},
    context::Caches,
    rights::Who,
};

/// How many artifacts are looked at with one question.
const RANGE: i64 = 2000;

/// How many are removed in one transaction: few enough for nobody who pushes to wait for long.
const BATCH: usize = 100;

/// An artifact without a tag, that no index lists and that is about no other one.
#[derive(Clone, Debug)]
pub(crate) struct Untagged {
    id: i64,
    repository_id: i64,
    /// Its project.
    pub(crate) project_id: i64,
    /// Its repository, by the full name.
    pub(crate) repository: RepositoryName,
    /// The media type of its manifest.
    pub(crate) media_type: String,
    /// Its digest.
    pub(crate) digest: Digest,
    /// How large its manifest is.
    pub(crate) size: i64,
}

/// Artifacts without a tag in the next range after a number, and where the range ends; none at the
/// end. Those that were pushed since a moment may yet be tagged, listed or signed.
pub(crate) async fn untagged(
    context: &Context,
    pushed_before: Time,
    last: i64,
) -> Result<Option<(i64, Vec<Untagged>)>> {
    let row = context.db.one(sql::END_OF_RANGE, args![last, RANGE]).await?;
    let Some(end) = row.map_or(Ok(None), |row| row.get::<Option<i64>>(0))? else {
        return Ok(None);
    };
    let rows = context.db.all(sql::UNTAGGED, args![last, end, pushed_before]).await?;
    let found = rows.iter().map(|row| {
        Ok(Untagged {
            id: row.get(0)?,
            project_id: row.get(1)?,
            repository_id: row.get(2)?,
            repository: row.get::<String>(3)?.parse().map_err(kit::Error::internal)?,
            media_type: row.get(4)?,
            digest: parse(&row.get::<String>(5)?)?,
            size: row.get(6)?,
        })
    });
    Ok(Some((end, found.collect::<Result<_>>()?)))
}

/// Removes those of some artifacts that are still without a tag and needed by nothing, until it is
/// to stop, and gives them.
pub(crate) async fn remove_untagged(
    context: &Context,
    pushed_before: Time,
    some: &[Untagged],
    stops: impl Fn() -> bool,
) -> Result<Vec<Untagged>> {
    let audit = audit::by(context, &Who::system()).await?;
    let mut gone = Vec::new();
    for batch in some.chunks(BATCH) {
        if stops() {
            break;
        }
        let (batch, caches, audit) = (batch.to_vec(), context.caches.clone(), audit.clone());
        let removed = context
            .db
            .write(move |tx| {
                let (batch, caches, audit) = (batch.clone(), caches.clone(), audit.clone());
                Box::pin(async move {
                    let mut repositories: BTreeMap<i64, Vec<Untagged>> = BTreeMap::new();
                    for artifact in batch {
                        repositories.entry(artifact.repository_id).or_default().push(artifact);
                    }
                    let mut removed = Vec::new();
                    for together in repositories.into_values() {
                        removed.extend(remove(tx, &caches, &audit, together, pushed_before).await?);
                    }
                    Ok(removed)
                })
            })
            .await?;
        gone.extend(removed);
    }
    Ok(gone)
}

/// Removes those of some artifacts of one repository, and their accessories and parts with them,
/// and gives them. What is too much for one transaction is found by a later round.
async fn remove(
    tx: &mut Tx,
    caches: &Arc<Caches>,
    audit: &Audit,
    mut together: Vec<Untagged>,
    pushed_before: Time,
) -> Result<Vec<Untagged>> {
    let Some(first) = together.first() else { return Ok(together) };
    let removal = Removal {
        caches: caches.clone(),
        project_id: first.project_id,
        repository_id: first.repository_id,
        name: first.repository.clone(),
        audit: audit.clone(),
    };
    // Who gives one a tag, lists it or pushes it again has it locked, or waits and then finds it
    // gone; the look at them comes after.
    let mut ids = Args::new();
    ids.extend(together.iter().map(|artifact| artifact.id));
    tx.all(Sql::list(sql::LOCK_BEFORE, together.len(), sql::LOCK_AFTER), ids).await?;
    let (before, after) = (sql::STILL_UNTAGGED_BEFORE, sql::STILL_UNTAGGED_AFTER);
    let mut still = args![pushed_before];
    still.extend(together.iter().map(|artifact| artifact.id));
    let still = tx.all(Sql::list(before, together.len(), after), still).await?;
    let still: Vec<i64> = removal::ids(&still)?;
    let removed = removal.remove_all(tx, &still, Why::All).await?;
    together.retain(|artifact| removed.iter().any(|removed| removed.id == artifact.id));
    let along = removal.along(tx, &removed).await?;
    removal.remove_along(tx, along.into()).await?;
    removal.tell(tx, removed).await?;
    Ok(together)
}
