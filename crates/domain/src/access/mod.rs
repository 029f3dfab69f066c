//! Who may do what: the one place where it is decided.
//!
//! Owns no table. A [`Caller`] asks for a [`Right`] on a repository, a project or the
//! system; the answer comes from the caller's current rights (facts of `users` and
//! `projects`, in memory when warm) and, for a caller that came with a registry token,
//! is cut with what the token grants. Tokens name the project by id: a token for a
//! project that was deleted and made again grants nothing.
//!
//! Promises: a refusal says the same whether or not the thing exists, and
//! [`Allowed`] cannot be made elsewhere, so a verb that takes one cannot be reached
//! without asking here. Every room below and `http` may call.

mod account;
mod assign;
mod caller;
mod decide;
mod give;
mod logs;
mod sight;
#[cfg(test)]
mod tests;

pub use account::{on_account, on_sysadmins, on_user, own_account, to_make_user};
pub use assign::{Assignable, assignable};
pub use caller::Caller;
pub use decide::{
    AllowedCatalog, creator, identity, known, on_catalog, on_project, on_repository, on_robot,
    on_robots, on_system, repository_actions, rights_in, rights_on_system, sight,
    sight_of_artifacts, user, view,
};
pub use give::{give, give_role, hold};
pub use logs::{on_log, on_logs};
pub use sight::Sight;

pub use crate::{
    projects::Allowed,
    rights::{
        Action, PROJECT_RULES, Patterns, Principal, ProjectRule, Reach, Resource, Right, Rights,
        SYSTEM_RULES, SystemRule, View, Who,
    },
};

use std::sync::Arc;

/// What may be done with a repository by docker's words; a set of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepositoryActions(u8);

/// Docker's words, and the rights they stand for.
const ACTIONS: [(&str, Right); 3] =
    [("pull", Right::PULL), ("push", Right::PUSH), ("delete", Right::DELETE)];

impl RepositoryActions {
    /// No action.
    pub const NONE: Self = Self(0);

    /// The set with the action that a right stands for, if it is one of docker's.
    #[must_use]
    pub fn with(self, right: Right) -> Self {
        let bit = ACTIONS.iter().position(|(_, of)| *of == right).map_or(0, |i| 1 << i);
        Self(self.0 | bit)
    }

    /// The set with an action by its name; names that are not docker's change nothing.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        let bit = ACTIONS.iter().position(|(of, _)| *of == name).map_or(0, |i| 1 << i);
        Self(self.0 | bit)
    }

    /// Whether the set grants a right.
    pub fn allows(self, right: Right) -> bool {
        let granted = |(i, (_, of)): (usize, &(&str, Right))| self.0 & 1 << i != 0 && *of == right;
        ACTIONS.iter().enumerate().any(granted)
    }

    /// The names of the actions in the set, in the order pull, push, delete.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ACTIONS
            .iter()
            .enumerate()
            .filter(move |(i, _)| self.0 & 1 << i != 0)
            .map(|(_, (name, _))| *name)
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What one entry of a registry token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The project that held the repository's name when the token was issued.
    pub project_id: i64,
    /// The full name of the repository.
    pub repository: Arc<str>,
    /// What may be done.
    pub actions: RepositoryActions,
}

/// Everything that a registry token grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Per repository.
    pub repositories: Vec<Grant>,
    /// Whether all repositories of the registry may be listed (`registry:catalog:*`).
    pub catalog: bool,
}
