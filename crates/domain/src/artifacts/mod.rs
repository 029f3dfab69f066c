//! Artifacts: the manifests of a repository, their tags, and what they refer to.
//!
//! Owns the tables `artifacts`, `manifests`, `artifact_blobs`, `artifact_children`,
//! `accessories`, `artifact_counts` and `tags`.
//!
//! Promises:
//! - The bytes of a manifest are kept and given back as they were pushed.
//! - No manifest ever points to a blob or manifest that its repository does not hold,
//!   unless that was allowed; foreign keys hold this, not only code.
//! - A tag points to one manifest of its repository, and moves as a whole.
//! - What lists show of an artifact was read from its content when it was pushed; only an
//!   addition that somebody asks for is read later.
//! - A repository shows its roots: no accessories, and no parts of indexes without a tag.
//!   Triggers keep `is_root` and the count of roots, whichever verb changes what they hang on.
//! - What a push or a delete changed is seen at once by the next request of this process.

mod additions;
mod content;
mod copy;
mod copy_sql;
#[cfg(test)]
mod curation_tests;
mod delete;
mod delete_all;
mod details;
mod details_sql;
mod icons;
mod labels;
mod list;
mod list_sql;
mod locate;
mod newest;
mod newest_sql;
#[cfg(test)]
mod newest_tests;
mod parts;
mod pull;
mod pulls;
mod push;
mod references;
mod referrers;
mod removal;
mod search;
mod search_sql;
mod sql;
mod survey;
mod survey_sql;
mod tagging;
mod tags;
#[cfg(test)]
mod tests;
mod untagged;

use bytes::Bytes;
use oci::Digest;

pub(crate) use additions::readers;
pub use additions::{Shown, addition, vulnerabilities};
pub use copy::{Source, copy};
pub use delete::{delete, delete_artifact, untag};
pub(crate) use delete::{delete_surveyed, delete_together};
pub use delete_all::delete_repository;
pub use details::{Details, With, accessories, details, list, list_in_project, list_latest};
pub use icons::{Icon, icon};
pub use labels::{add_label, remove_label};
pub use list::{RepositoryDetails, all_repositories, list_repositories, repository};
pub use newest::{MOST_NEWEST, Newest, newest};
pub use parts::{Accessory, Child, TagDetails};
pub(crate) use pull::Target;
pub use pull::{pull, pulled};
pub(crate) use pulls::PullMarks;
pub use pulls::write_pulls;
pub use push::{Condition, Push, Pushed, push};
pub use referrers::{Referrer, Referrers, referrers};
pub use search::{Found, Sighted, Sought, search};
pub(crate) use survey::{Surveyed, survey};
pub use tagging::{artifact_tags, create_tag, delete_tag};
pub use tags::{Names, catalog, tags};
pub(crate) use untagged::{Untagged, remove_untagged, untagged};

/// A manifest as it is given to clients.
#[derive(Clone, Debug)]
pub struct Stored {
    pub(crate) artifact_id: i64,
    pub(crate) repository_id: i64,
    /// Its digest, of the algorithm it was pushed with.
    pub digest: Digest,
    /// The media type that it was pushed as, without parameters.
    pub media_type: String,
    /// What it refers to, if it has a subject.
    pub subject: Option<Digest>,
    /// Its bytes as they were pushed.
    pub content: Bytes,
}
