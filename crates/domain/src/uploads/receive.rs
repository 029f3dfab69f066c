//! Taking in bytes: PATCH, and the body of a PUT.

use std::{io, ops::Range, sync::Arc};

use bytes::Bytes;
use db::args;
use futures_util::{Stream, StreamExt};
use kit::{Error, Kind, Result, Subject};

use super::{State, Step, Ticket, load, overtaken, save, sql, ticket, writers::Claim};
use crate::Context;

/// What a request says about the bytes it brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Which bytes of the blob they are, if it says so.
    pub range: Option<Range<u64>>,
}

/// Appends a body to an upload; returns how many bytes it then holds.
///
/// When the body breaks off, what came of it is kept, unless another request has
/// continued the upload already.
///
/// # Errors
/// Not found when the upload is finished or cancelled; invalid when the body does not
/// have the size its range says; too many when the caller has too many uploads open.
pub async fn append<B>(
    context: &Arc<Context>,
    ticket: &Ticket,
    chunk: Chunk,
    body: B,
) -> Result<Step<u64>>
where
    B: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    context.blobs.room().await?;
    let mut claim = context.writers.claim(&ticket.id).await;
    let (upload, epoch) = match load(context, ticket).await? {
        State::Empty => {
            refuse_too_many(context, ticket).await?;
            (context.blobs.begin(&ticket.id), 0)
        }
        State::Open { upload, epoch } => (upload, epoch),
        State::Finished(_) | State::Cancelled => return Err(ticket::unknown()),
    };
    if let Some(size) = gap(&chunk, upload.size) {
        return Ok(Step::OutOfOrder { size });
    }
    let before = upload.clone();
    let _in_flight = context.metrics.upload_in_flight();
    let mut writer = context.blobs.resume(upload, ticket.algorithm).await?;
    let received = receive(&mut writer, &mut claim, body, expected(&chunk)).await;
    if let Err(Failure::Superseded) = received {
        drop(writer);
        return Err(overtaken());
    }
    if let Err(Failure::WrongSize(error)) = received {
        // A chunk that lies about its size changes nothing.
        drop(writer);
        if before.size == 0 {
            context.blobs.abort(&before).await?;
        }
        return Err(error);
    }
    // What came is kept in a task of its own: a client that hangs up does not stop it.
    let (context, kept) = (context.clone(), ticket.clone());
    let size = tokio::spawn(async move {
        let upload = writer.pause().await?;
        match save(&context, &kept, &upload, epoch).await {
            Ok(()) => Ok(upload.size),
            Err(error) => Err(error),
        }
    })
    .await
    .map_err(Error::internal)??;
    match received {
        Ok(()) => Ok(Step::Done(size)),
        Err(failure) => Err(failure.into()),
    }
}

/// Why a body was not taken in whole.
pub(super) enum Failure {
    /// A newer request continues the upload.
    Superseded,
    /// The body is longer or shorter than its range.
    WrongSize(Error),
    /// The client went away, or was too slow.
    Broken(io::Error),
    /// The store failed.
    Store(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Superseded => overtaken(),
            Failure::WrongSize(error) | Failure::Store(error) => error,
            Failure::Broken(cause) => Error::invalid("the body of the request broke off")
                .about(Subject::Upload)
                .because(cause),
        }
    }
}

/// Writes a body to the store as it comes.
pub(super) async fn receive<B>(
    writer: &mut blobs::Writer,
    claim: &mut Claim<'_>,
    mut body: B,
    expected: Option<u64>,
) -> Result<(), Failure>
where
    B: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let mut left = expected;
    loop {
        let next = tokio::select! {
            biased;
            next = body.next() => next,
            () = claim.superseded() => return Err(Failure::Superseded),
        };
        let bytes = match next {
            Some(Ok(bytes)) => bytes,
            Some(Err(cause)) => return Err(Failure::Broken(cause)),
            None => break,
        };
        if let Some(left) = &mut left {
            *left = left.checked_sub(bytes.len() as u64).ok_or_else(|| {
                Failure::WrongSize(wrong_size("the body is longer than its range"))
            })?;
        }
        writer.write(bytes).await.map_err(Failure::Store)?;
    }
    match left {
        Some(left) if left > 0 => {
            Err(Failure::WrongSize(wrong_size("the body is shorter than its range")))
        }
        _ => Ok(()),
    }
}

/// The upload's size, if the chunk does not continue it.
pub(super) fn gap(chunk: &Chunk, size: u64) -> Option<u64> {
    chunk.range.as_ref().filter(|range| range.start != size).map(|_| size)
}

/// How many bytes a chunk says it brings.
pub(super) fn expected(chunk: &Chunk) -> Option<u64> {
    chunk.range.as_ref().map(|range| range.end - range.start)
}

fn wrong_size(message: &'static str) -> Error {
    Error::invalid(message).about(Subject::Size)
}

async fn refuse_too_many(context: &Context, ticket: &Ticket) -> Result<()> {
    let row = context.db.one(sql::OPEN_UPLOADS, args![ticket.principal.as_str()]).await?;
    let open: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    if open < i64::from(context.settings.uploads_per_caller) {
        return Ok(());
    }
    let mut error = Error::new(
        Kind::TooMany,
        format!("{open} uploads are open; finish or cancel some of them first"),
    );
    error.retry_after = Some(std::time::Duration::from_secs(60));
    Err(error.about(Subject::Upload))
}
