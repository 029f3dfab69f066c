//! Quotas: how much a project stores, and how much it may.
//!
//! Owns the tables `quota_contents`, `quota_usage` and `quota_changes`. The limit itself is a
//! column of the project.
//!
//! **What counts.** Each blob and each manifest of a project, once, however many of its
//! repositories have it. A blob counts from its upload or mount on, as in Harbor, so that
//! bytes which no manifest needs yet are not free. When the last manifest that needs it goes,
//! or the blob itself is deleted, it counts no longer, though its bytes stay for a window;
//! it counts again when it is uploaded, mounted or needed again. Foreign layers have no bytes
//! here and do not count.
//!
//! Invariants, true after every commit:
//! 1. `quota_contents` has a row for a project and a blob exactly when one of the project's
//!    repositories holds the blob with `counted_in` the project, and one for a project and a
//!    manifest exactly when an artifact of the project is that manifest.
//! 2. A blob that a manifest needs counts: `counted_in` is null only where
//!    `unreferenced_at` is not.
//! 3. `quota_usage` and all of `quota_changes` together are the sum of `quota_contents`.
//! 4. No deed brings a project with a limit above it.
//!
//! **Why they hold.** Whoever inserts or removes the row of `quota_contents` writes the change
//! of the sum, in the same transaction. Whoever finds the row there keeps it by a lock
//! until its own holding is committed; whoever removes it locks it first and looks for
//! other holders only then, with a new snapshot.
//!
//! **No hot row.** A project without a limit only gets rows of `quota_changes` appended, which
//! [`fold`] adds up in the background. Deeds in a project with a limit that need more space
//! take the lock of its row in `quota_usage`, as the last thing before they commit: they
//! pass it one by one, for as long as a commit takes. Nobody who holds it waits for another lock.
//!
//! **For other rooms.** A deed that makes a repository hold a blob calls `uploads::hold` last.
//! One that adds an artifact asks for [`Quota::of`] before it begins, takes what
//! `uploads::reference` gives once `artifact_blobs` is written, and ends with [`Quota::add`] of
//! that and of the manifest. One that deletes artifacts calls `uploads::lock_needed` first,
//! then `uploads::unreference` once their rows of `artifact_blobs` are gone, deletes, and ends
//! with [`remove`]; one that deletes a repository calls `uploads::let_all_go` when its
//! artifacts are gone.
//!
//! A limit counts for whatever is committed after it was set, but for deeds that are being
//! committed in that same moment.

mod count;
mod fold;
mod list;
mod sql;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use count::{Quota, remove};
pub use fold::{fold, sync};
pub use list::{Quota as Shown, get, list, of_project};
pub(crate) use list::{stored, stored_by_all};
pub use update::{is_limit, update};
