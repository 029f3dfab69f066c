//! What can be asked for, and the proof that it was granted.
//!
//! Owns no table. Promises: an [`Allowed`] is made only where `access` decides (a test
//! reads the sources for it), so a verb that takes one cannot be reached by a handler
//! that forgot to ask. Every room may call; `access` shows these names to those above.

mod reach;
mod roles;
mod rules;
mod set;
mod who;
mod words;

use kit::{Error, Result};

pub use reach::{Patterns, Reach};
pub use roles::Role;
pub(crate) use rules::public;
pub use rules::{PROJECT_RULES, ProjectRule, SYSTEM_RULES, SystemRule};
pub use set::Rights;
pub use who::{Principal, Who};
pub use words::{Action, Resource, Right};

/// Proof that a caller may do something with a thing: a project, or the [`System`].
#[derive(Clone, Debug)]
pub struct Allowed<Thing> {
    thing: Thing,
    right: Right,
    reach: Reach,
    by: Who,
}

/// The whole of this installation, as something that rights are about.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl<Thing> Allowed<Thing> {
    /// The proof, for `access` to give.
    pub(crate) fn decided(thing: Thing, right: Right, reach: Reach, by: &Who) -> Self {
        Self { thing, right, reach, by: by.clone() }
    }

    /// What it is about.
    pub fn thing(&self) -> &Thing {
        &self.thing
    }

    /// How far the right reaches, if it is about repositories.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Who it was granted to.
    pub fn by(&self) -> &Who {
        &self.by
    }

    /// For a verb to make sure that it was given the proof it needs.
    ///
    /// # Errors
    /// Internal, when the proof is for another right: a mistake of the code above.
    pub fn require(&self, right: Right) -> Result<()> {
        if self.right == right {
            return Ok(());
        }
        let given = self.right;
        Err(Error::internal(format!("a proof for {given} was given where {right} is needed")))
    }
}

/// What a caller may see when it asks for a list of projects or of their parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Public projects.
    Public,
    /// Public projects, and those that a user, by number, is a member of.
    Of(i64),
    /// Public projects, and those that a robot, by number, may do something in.
    OfRobot(i64),
    /// All projects.
    Everything,
}

impl View {
    /// Whether nothing is hidden.
    pub fn is_everything(self) -> bool {
        self == Self::Everything
    }

    /// The user whose memberships count; 0, which no user has, for none.
    pub fn user_id(self) -> i64 {
        match self {
            Self::Of(id) => id,
            Self::Public | Self::OfRobot(_) | Self::Everything => 0,
        }
    }

    /// The robot whose permissions count; 0, which no robot has, for none.
    pub fn robot_id(self) -> i64 {
        match self {
            Self::OfRobot(id) => id,
            Self::Public | Self::Of(_) | Self::Everything => 0,
        }
    }
}
