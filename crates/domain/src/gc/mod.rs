//! Garbage collection: what nothing needs any more leaves the store, while everybody pushes and
//! pulls.
//!
//! Owns the table `doomed_places`; removes rows of `repository_blobs` and `blobs`, which are
//! the room `uploads`'.
//!
//! **Promises.**
//! 1. No manifest ever points to a missing blob, and no blob that a client was told exists
//!    (HEAD, mount, upload) goes within the window.
//! 2. No blob that nothing has needed for longer than the window stays after a run, nor do bytes
//!    in the store that no row names and that are older.
//!
//! **How a blob goes.** Three steps, each in transactions of its own, in this order:
//! - *Release.* A repository lets go what its manifests have not needed for the window. The row
//!   of `repository_blobs` is locked first, and only then is it looked for manifests that need
//!   it and at the mark; the foreign key from `artifact_blobs` would hold it anyway. From
//!   here on the repository does not have the blob: HEAD is 404, and a push that names it is told
//!   to upload it.
//! - *Doom.* The row of a blob that no repository holds is locked; whoever is about to hold it
//!   (upload, mount, copy: they share-lock it) is passed by, or waits and finds it gone. What
//!   still has no holder then loses its row, and its place goes into `doomed_places`, both in
//!   one commit. The same content may now come again: it gets a new row and, since a place is
//!   never used twice, bytes of its own.
//! - *Deletion.* The bytes of doomed places are deleted, in bulk where the store can, and then
//!   their rows. A process that dies in between leaves rows, and the next run begins with these.
//!
//! **Orphans**, bytes without a row, are what a crash leaves between store and database. The store
//! is listed first and the rows are asked for after; what is younger than the window, or of
//! an upload that is still open, is left alone.
//!
//! All steps go in batches that are small enough for a push not to notice, and ask between
//! two of them whether they are to stop. Memory is that of a few batches. `model.rs` searches all
//! interleavings of these steps with those of clients.

mod collect;
mod job;
#[cfg(test)]
mod model;
mod orphans;
mod sql;
mod sweep;
#[cfg(test)]
mod tests;

use std::time::Duration;

use collect::collect;
pub(crate) use job::run;
pub use job::{Request, ask, get, history, log, scheduled, stop};

/// What is to be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orders {
    /// Whether artifacts without a tag go too.
    pub(crate) delete_untagged: bool,
    /// Whether only to tell what would go.
    pub(crate) dry_run: bool,
    /// How many batches are deleted at a time.
    pub(crate) workers: usize,
    /// How long what nothing needs stays.
    pub(crate) window: Duration,
}

/// What came of it, or would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Bytes that were freed.
    pub(crate) freed: u64,
    /// Blobs that went, orphans included.
    pub(crate) blobs: u64,
    /// Manifests that went.
    pub(crate) manifests: u64,
}

/// Who has a collection done: hears how it goes, and may stop it.
pub(crate) trait Overseer: Sync {
    /// A line for the log.
    fn log(&self, line: String);

    /// Whether to stop before the next batch.
    fn stops(&self) -> bool;
}
