//! Blobs: the uploads that bring them, and which repositories hold them.
//!
//! Owns the tables `blobs`, `repository_blobs` and `uploads`.
//!
//! Promises:
//! - A blob can be read in a repository exactly when that repository holds it, whatever
//!   other repositories hold.
//! - A blob that a client was told exists (upload or mount accepted, HEAD answered)
//!   stays for a window, even if no manifest needs it yet: `unreferenced_at` is fresh.
//! - Bytes that were acknowledged survive the end of the process, and any replica may
//!   take the next ones: the state lies in the database and the store.
//! - A blob counts in a project's quota by `counted_in`; `quotas` says when.
//! - Two writers never mix their bytes: in one process the newer stops the older
//!   (`writers`), between replicas the epoch in the row lets one of them win.

mod finish;
mod hold;
mod purge;
mod receive;
mod references;
mod sql;
#[cfg(test)]
mod tests;
mod ticket;
mod writers;

use std::sync::Arc;

use db::args;
use kit::{Error, Kind, Result, Subject};
use oci::{Algorithm, Digest, RepositoryName};

pub use finish::finish;
pub(crate) use hold::held;
pub use hold::{Held, Mounted, delete, known, link, mount, read};
pub use purge::purge;
pub use receive::{Chunk, append};
pub(crate) use references::{
    hold, hold_needed, let_all_go, let_idle_go, lock_needed, reference, unreference,
};
pub use ticket::Ticket;
pub(crate) use ticket::TicketKey;
pub(crate) use writers::Writers;

use crate::{
    Context,
    access::{Allowed, Caller, Right},
};

/// Where an upload stands after a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// The bytes were taken.
    Done(T),
    /// The chunk does not continue the upload, which stays as it was, with this many
    /// bytes.
    OutOfOrder {
        /// Where the next chunk has to start.
        size: u64,
    },
}

/// Begins an upload, hashed as announced. Nothing is written before its first bytes come.
///
/// # Errors
/// Only for a proof of another right.
pub fn begin(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    caller: &Caller,
    algorithm: Option<Algorithm>,
) -> Result<Ticket> {
    allowed.require(Right::PUSH)?;
    let algorithm = algorithm.unwrap_or(Algorithm::Sha256);
    Ok(ticket::issue(context, allowed.project().id, name, &caller.key(), algorithm))
}

/// The upload of a name, if it is this caller's, of this repository, and in force.
///
/// # Errors
/// Not found for any other.
pub fn open(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    caller: &Caller,
    id: &str,
) -> Result<Ticket> {
    allowed.require(Right::PUSH)?;
    ticket::read(context, id, allowed.project().id, name, &caller.key())
}

/// How many bytes an upload holds.
///
/// # Errors
/// Not found when it is finished or cancelled.
pub async fn size(context: &Context, ticket: &Ticket) -> Result<u64> {
    match load(context, ticket).await? {
        State::Empty => Ok(0),
        State::Open { upload, .. } => Ok(upload.size),
        State::Finished(_) | State::Cancelled => Err(ticket::unknown()),
    }
}

/// Gives an upload up.
///
/// # Errors
/// Not found when it is finished or cancelled already.
pub async fn cancel(context: &Arc<Context>, ticket: &Ticket) -> Result<()> {
    let _claim = context.writers.claim(&ticket.id).await;
    let upload = match load(context, ticket).await? {
        State::Empty => None,
        State::Open { upload, .. } => Some(upload),
        State::Finished(_) | State::Cancelled => return Err(ticket::unknown()),
    };
    mark_cancelled(context, ticket).await?;
    match upload {
        Some(upload) => context.blobs.abort(&upload).await,
        None => Ok(()),
    }
}

/// What the database knows of an upload.
enum State {
    /// No bytes yet.
    Empty,
    /// Bytes that wait for more.
    Open { upload: blobs::Upload, epoch: i64 },
    /// It became a blob.
    Finished(Digest),
    /// It was given up.
    Cancelled,
}

async fn load(context: &Context, ticket: &Ticket) -> Result<State> {
    let Some(row) = context.db.one(sql::UPLOAD, args![ticket.id.as_str()]).await? else {
        return Ok(State::Empty);
    };
    let state: Option<String> = row.get(0)?;
    let finished: Option<String> = row.get(3)?;
    if let Some(digest) = finished {
        return Ok(State::Finished(digest.parse().map_err(Error::internal)?));
    }
    match state {
        Some(state) => Ok(State::Open {
            upload: serde_json::from_str(&state).map_err(Error::internal)?,
            epoch: row.get(2)?,
        }),
        None => Ok(State::Cancelled),
    }
}

/// Keeps what an upload has become.
///
/// # Errors
/// A conflict when another writer has saved since the epoch.
async fn save(
    context: &Context,
    ticket: &Ticket,
    upload: &blobs::Upload,
    epoch: i64,
) -> Result<()> {
    let state = serde_json::to_string(upload).map_err(Error::internal)?;
    let size = i64::try_from(upload.size).map_err(Error::internal)?;
    let (ticket, now) = (ticket.clone(), context.clock.now());
    context
        .db
        .write(move |tx| {
            let (ticket, state) = (ticket.clone(), state.clone());
            Box::pin(async move {
                let saved = tx
                    .execute(
                        sql::SAVE_UPLOAD,
                        args![ticket.id, ticket.principal, state, size, epoch, ticket.begun, now],
                    )
                    .await?;
                if saved == 0 { Err(overtaken()) } else { Ok(()) }
            })
        })
        .await
}

async fn mark_cancelled(context: &Context, ticket: &Ticket) -> Result<()> {
    let (ticket, now) = (ticket.clone(), context.clock.now());
    context
        .db
        .write(move |tx| {
            let ticket = ticket.clone();
            Box::pin(async move {
                let arguments = args![ticket.id, ticket.principal, ticket.begun, now];
                tx.execute(sql::CANCEL_UPLOAD, arguments).await.map(drop)
            })
        })
        .await
}

/// Another request has written to the upload in the meantime.
fn overtaken() -> Error {
    Error::new(Kind::Conflict, "another request has continued this upload").about(Subject::Upload)
}
