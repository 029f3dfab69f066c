//! The kinds of events, and what is told of each.

use kit::{Error, Result};
use serde::{Deserialize, Serialize};

/// What happened. Stored as JSON: a field that is added has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A manifest was pushed, or copied to where it is.
    ArtifactPushed {
        /// Its digest.
        digest: String,
        /// The tags that it was pushed as, or got with that.
        tags: Vec<String>,
    },
    /// A manifest was pulled.
    ArtifactPulled {
        /// Its digest.
        digest: String,
        /// The tag or digest that it was pulled by.
        reference: String,
        /// How often, within a second or so.
        times: u64,
    },
    /// A manifest was deleted.
    ArtifactDeleted {
        /// Its digest.
        digest: String,
        /// The tags that went with it.
        tags: Vec<String>,
    },
    /// A manifest was given a tag, beside those that it was pushed as.
    TagCreated {
        /// The tag.
        tag: String,
        /// The digest that it names.
        digest: String,
    },
    /// A tag was deleted; what it named stays.
    TagDeleted {
        /// The tag.
        tag: String,
        /// The digest that it named, if that is known.
        digest: Option<String>,
    },
    /// An artifact carries a label from now on.
    LabelAdded {
        /// The artifact's digest.
        digest: String,
        /// The label's number.
        label_id: i64,
        /// The label's name.
        label: String,
    },
    /// An artifact carries a label no more; the label itself stays.
    LabelRemoved {
        /// The artifact's digest.
        digest: String,
        /// The label's number.
        label_id: i64,
        /// The label's name.
        label: String,
    },
    /// A repository was deleted, with all that was in it.
    RepositoryDeleted,
    /// A project was made.
    ProjectCreated {
        /// Its name.
        name: String,
    },
    /// A project was deleted.
    ProjectDeleted {
        /// Its name.
        name: String,
    },
    /// Something was refused because the project's quota would have been exceeded.
    QuotaExceeded {
        /// Why, for people.
        details: String,
        /// The manifest that was pushed or copied, if it was one.
        #[serde(default)]
        digest: Option<String>,
        /// The tag that it was pushed as.
        #[serde(default)]
        tag: Option<String>,
    },
    /// Something that came into a project has used most of its quota: told each time.
    QuotaWarning {
        /// Why, for people.
        details: String,
        /// The manifest that was pushed or copied, if it was one.
        #[serde(default)]
        digest: Option<String>,
        /// The tag that it was pushed as.
        #[serde(default)]
        tag: Option<String>,
    },
    /// A run of retention is done with a repository; a dry run tells nothing, nor, as in Harbor,
    /// does a task that failed before it decided: nothing was deleted, and the execution shows
    /// the failure. What was decided about each artifact the task knows.
    RetentionFinished {
        /// The execution.
        execution_id: i64,
        /// The task.
        #[serde(default)]
        task_id: i64,
        /// The policy.
        #[serde(default)]
        policy_id: i64,
        /// How it ended: SUCCESS; ERROR when something that was to go could not be deleted;
        /// STOPPED when somebody stopped it before all of that was gone.
        status: String,
        /// How many artifacts it looked at.
        total: i64,
        /// How many of them are still there.
        retained: i64,
    },
    /// A collection of garbage has ended.
    GarbageCollected {
        /// The execution.
        execution_id: i64,
        /// How many bytes it gave back.
        freed: i64,
    },
}

impl Event {
    /// As it is stored.
    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// As it was stored. A kind that only a newer replica knows is an error: whoever knows it
    /// is to read on.
    pub(super) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(Error::internal)
    }
}
