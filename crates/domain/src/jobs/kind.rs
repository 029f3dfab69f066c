//! The kinds of jobs, and the states that they pass.

use std::fmt;

use kit::{Error, Result};

/// A kind of job, which is a queue of its own. Harbor calls it a vendor type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Removes what nothing needs any more from the store.
    GarbageCollection,
    /// Removes artifacts that no rule of a project keeps.
    Retention,
    /// Removes old entries of the audit log.
    PurgeAuditLog,
    /// Removes old executions.
    ExecutionSweep,
}

/// What is true of a kind.
struct Facts {
    name: &'static str,
    /// How many tasks of it run at a time, on all replicas together.
    at_once: i64,
    /// How often a task of it is tried.
    attempts: i64,
    /// How many executions of one vendor are kept once they have ended.
    kept: i64,
}

const fn facts(name: &'static str, at_once: i64, attempts: i64, kept: i64) -> Facts {
    Facts { name, at_once, attempts, kept }
}

impl Kind {
    /// All of them; who comes first is served first.
    pub const ALL: [Self; 4] =
        [Self::GarbageCollection, Self::PurgeAuditLog, Self::Retention, Self::ExecutionSweep];

    const fn facts(self) -> Facts {
        match self {
            Self::GarbageCollection => facts("GARBAGE_COLLECTION", 1, 3, 50),
            Self::Retention => facts("RETENTION", 10, 3, 50),
            Self::PurgeAuditLog => facts("PURGE_AUDIT_LOG", 4, 3, 10),
            Self::ExecutionSweep => facts("EXECUTION_SWEEP", 1, 3, 10),
        }
    }

    /// Harbor's name.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The kind with a name of Harbor's.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How many tasks of it run at a time, on all replicas together.
    pub(super) const fn at_once(self) -> i64 {
        self.facts().at_once
    }

    /// How often a task of it is tried.
    pub(super) const fn attempts(self) -> i64 {
        self.facts().attempts
    }

    /// How many executions of one vendor are kept once they have ended.
    pub(super) const fn kept(self) -> i64 {
        self.facts().kept
    }

    /// As it is stored.
    pub(super) fn read(name: &str) -> Result<Self> {
        Self::from_name(name).ok_or_else(|| Error::internal(format!("no kind of job is {name}")))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The state of a task, and of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It waits.
    Pending,
    /// It is being done; an execution: not all of its tasks have ended.
    Running,
    /// It was stopped.
    Stopped,
    /// It failed.
    Error,
    /// It was done.
    Success,
}

impl Status {
    const ALL: [Self; 5] =
        [Self::Pending, Self::Running, Self::Stopped, Self::Error, Self::Success];

    /// Harbor's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Stopped => "Stopped",
            Self::Error => "Error",
            Self::Success => "Success",
        }
    }

    /// Whether nothing follows.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Error | Self::Success)
    }

    pub(super) fn read(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|status| status.name() == name);
        found.ok_or_else(|| Error::internal(format!("no state of a job is {name}")))
    }
}

/// What begins executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Somebody.
    Manual,
    /// The time.
    Schedule,
    /// Something that happened.
    Event,
}

impl Trigger {
    const ALL: [Self; 3] = [Self::Manual, Self::Schedule, Self::Event];

    /// Harbor's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::Schedule => "SCHEDULE",
            Self::Event => "EVENT",
        }
    }

    pub(crate) fn read(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|trigger| trigger.name() == name);
        found.ok_or_else(|| Error::internal(format!("nothing called {name} begins jobs")))
    }
}
