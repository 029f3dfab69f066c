//! Giving up uploads that nobody finished.

use std::collections::HashSet;

use db::args;
use kit::{Error, Result};

use super::sql;
use crate::Context;

/// How many are given up at a time.
const BATCH: i64 = 100;

/// Forgets uploads older than their limit and frees what they hold in the store,
/// leftovers that no row knows included. Returns how many were given up.
///
/// # Errors
/// Those of the database and the store; what was done until then stays done.
pub async fn purge(context: &Context) -> Result<u64> {
    let expiry = context.clock.now().before(context.settings.upload_max_age);
    let mut purged = 0;
    loop {
        let expired = context.db.all(sql::EXPIRED_UPLOADS, args![expiry, BATCH]).await?;
        for row in &expired {
            let (id, state): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            // The bytes first: a row without bytes is tried again, bytes without a row are lost.
            if let Some(state) = state {
                context
                    .blobs
                    .abort(&serde_json::from_str(&state).map_err(Error::internal)?)
                    .await?;
            }
            forget(context, id).await?;
            purged += 1;
        }
        if expired.len() < BATCH as usize {
            break;
        }
    }
    let open = context.db.all(sql::OPEN_UPLOAD_IDS, args![]).await?;
    let keep: HashSet<String> = open.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    Ok(purged + context.blobs.sweep_uploads(expiry, &keep).await?)
}

async fn forget(context: &Context, id: String) -> Result<()> {
    context
        .db
        .write(move |tx| {
            let id = id.clone();
            Box::pin(async move { tx.execute(sql::FORGET_UPLOAD, args![id]).await.map(drop) })
        })
        .await
}
