//! What goes wrong in a store, in the words of the house.

use std::io;

use kit::{Error, Subject};

/// A blob whose row exists and whose bytes do not.
pub(crate) fn missing(key: &crate::Key) -> Error {
    Error::not_found(Subject::Blob, "the bytes of this blob are missing from the store")
        .because(format!("no object {key}"))
}

/// An upload that the store knows nothing of (any more).
pub(crate) fn unknown_upload(why: &'static str) -> Error {
    Error::not_found(Subject::Upload, "the upload is not known to the store; start a new one")
        .because(why)
}

/// An operation on the local disk that failed. All of it may pass (a disk is emptied, mounted
/// again, made writable), so clients are told to come back.
pub(crate) fn disk(doing: &'static str) -> impl Fn(io::Error) -> Error {
    move |error| {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let message = match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => "the blob store has no room left",
            _ => "the blob store is not available",
        };
        Error::unavailable(message).because(format!("{doing}: {error}"))
    }
}

/// The end of a task on a blocking thread that did not end by itself: a bug, or the stop of
/// the process.
pub(crate) fn lost_task(error: tokio::task::JoinError) -> Error {
    Error::unavailable("the server is stopping").because(error)
}
