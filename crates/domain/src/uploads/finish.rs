//! The end of an upload: its bytes become a blob of the repository.

use std::{io, sync::Arc};

use bytes::Bytes;
use db::{Tx, args};
use futures_util::Stream;
use kit::{Error, Kind, Result, Subject};
use oci::{Algorithm, Digest, RepositoryName};

use super::{
    Chunk, State, Step, Ticket, held, hold, load, mark_cancelled, overtaken,
    receive::{Failure, expected, gap, receive},
    sql, ticket,
};
use crate::{
    Context,
    access::{Allowed, Right},
    quotas::Quota,
    repositories,
};

/// Takes the last bytes of an upload and makes it the blob of a digest.
///
/// Sent again after its success (the answer may have been lost), it succeeds again.
///
/// # Errors
/// Invalid when the bytes do not have the digest, and then the upload is gone; not
/// found when it is finished or cancelled.
pub async fn finish<B>(
    context: &Arc<Context>,
    allowed: &Allowed,
    name: &RepositoryName,
    ticket: &Ticket,
    digest: Digest,
    chunk: Chunk,
    body: B,
) -> Result<Step<()>>
where
    B: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    allowed.require(Right::PUSH)?;
    context.blobs.room().await?;
    let mut claim = context.writers.claim(&ticket.id).await;
    let (upload, epoch) = match load(context, ticket).await? {
        State::Empty => (context.blobs.begin(&ticket.id), None),
        State::Open { upload, epoch } => (upload, Some(epoch)),
        State::Finished(known)
            if known == digest && held(context, name, &digest).await?.is_some() =>
        {
            return Ok(Step::Done(()));
        }
        State::Finished(_) | State::Cancelled => return Err(ticket::unknown()),
    };
    if let Some(size) = gap(&chunk, upload.size) {
        return Ok(Step::OutOfOrder { size });
    }
    let before = upload.clone();
    let _in_flight = context.metrics.upload_in_flight();
    let mut writer = resume(context, upload, digest.algorithm()).await?;
    match receive(&mut writer, &mut claim, body, expected(&chunk)).await {
        Ok(()) => {}
        // The upload stays as it was before this request.
        Err(failure) => {
            drop(writer);
            if before.size == 0 && !matches!(failure, Failure::Superseded) {
                context.blobs.abort(&before).await?;
            }
            return Err(failure.into());
        }
    }
    // From here on a client that hangs up changes nothing.
    let record = Record {
        quota: Quota::of(context, allowed.project().id).await?.asked_by(allowed.by(), name),
        name: name.clone(),
        ticket: ticket.clone(),
        epoch,
        digest,
    };
    let context = context.clone();
    tokio::spawn(async move { settle(&context, writer, record).await })
        .await
        .map_err(Error::internal)??;
    Ok(Step::Done(()))
}

/// Goes on with an upload. Between its bytes finding their place and the database knowing
/// of it the process may have ended; then they are found there.
async fn resume(
    context: &Context,
    upload: blobs::Upload,
    algorithm: Algorithm,
) -> Result<blobs::Writer> {
    match context.blobs.resume(upload.clone(), algorithm).await {
        Err(lost) if lost.is(Kind::NotFound) => context.blobs.resume_published(upload).ok_or(lost),
        resumed => resumed,
    }
}

#[derive(Clone)]
struct Record {
    quota: Quota,
    name: RepositoryName,
    ticket: Ticket,
    /// The row's epoch, if the upload has a row.
    epoch: Option<i64>,
    digest: Digest,
}

async fn settle(context: &Context, writer: blobs::Writer, record: Record) -> Result<()> {
    let stored = match writer.finish(&record.digest).await {
        Ok(stored) => stored,
        Err(error) => {
            if error.is(Kind::Invalid) && record.epoch.is_some() {
                mark_cancelled(context, &record.ticket).await?;
            }
            return Err(error);
        }
    };
    let placed = {
        let (record, stored, now) = (record.clone(), stored.clone(), context.clock.now());
        context
            .db
            .write(move |tx| {
                let (record, stored) = (record.clone(), stored.clone());
                Box::pin(async move {
                    if let Some(epoch) = record.epoch {
                        let arguments =
                            args![record.ticket.id, record.digest.to_string(), epoch, now];
                        if tx.execute(sql::FINISH_UPLOAD, arguments).await? == 0 {
                            return Err(overtaken());
                        }
                    }
                    let repository_id =
                        repositories::ensure(tx, record.quota.project_id(), &record.name, now)
                            .await?;
                    let (blob_id, place) = add(tx, &record.digest, &stored, now).await?;
                    hold(tx, &record.quota, repository_id, blob_id, now).await?;
                    Ok(place)
                })
            })
            .await
    };
    match record.quota.tell(context, placed).await {
        // The same content had a place already.
        Ok(placed) if placed != stored.key.as_str() => {
            take_place(context, &blobs::Key::new(placed)?, &stored.key).await
        }
        Ok(_) => Ok(()),
        Err(error) => {
            if error.is(Kind::QuotaExceeded) {
                // Nothing names the bytes, and nothing will.
                if record.epoch.is_some() {
                    mark_cancelled(context, &record.ticket).await?;
                }
                context.blobs.delete(std::slice::from_ref(&stored.key)).await?;
            }
            Err(error)
        }
    }
}

/// The bytes that came take the place of those that were there already.
///
/// The blob is held, but if this takes longer than it is held for, it may be collected by now.
/// Then the bytes have just come to lie where no row leads to and nothing will ever look: they go.
/// A row that is still seen after they came can only be doomed later, and they go with it.
pub(super) async fn take_place(
    context: &Context,
    place: &blobs::Key,
    came: &blobs::Key,
) -> Result<()> {
    context.blobs.replace(place, came).await?;
    if context.db.one(sql::LEADS_TO, args![place.as_str()]).await?.is_none() {
        context.blobs.delete(std::slice::from_ref(place)).await?;
    }
    Ok(())
}

/// The row of a blob and its place, made if it is not there yet.
async fn add(
    tx: &mut Tx,
    digest: &Digest,
    stored: &blobs::Stored,
    now: kit::Time,
) -> Result<(i64, String)> {
    let size = i64::try_from(stored.size).map_err(Error::internal)?;
    let digest = digest.to_string();
    let new = || args![digest.as_str(), size, stored.key.as_str(), now];
    let find = (sql::BLOB, args![digest.as_str()]);
    let row = tx.add_or_find((sql::ADD_BLOB, new), find).await?;
    let row = row.ok_or_else(|| {
        Error::unavailable("the same blob is being collected").about(Subject::Blob)
    })?;
    Ok((row.get(0)?, row.get(1)?))
}
