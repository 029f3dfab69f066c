//! The proof that somebody may manage how a user signs in.

use std::sync::Arc;

use super::User;
use crate::rights::{Principal, Who};

/// Proof that somebody may manage how a user signs in: its sessions, its tokens, its second
/// factor. The user itself may, unless it came with a token, and who may change users.
#[derive(Clone)]
pub struct AllowedAccount {
    user: Arc<User>,
    by: Who,
}

impl AllowedAccount {
    /// The proof, for `access` to give.
    pub(crate) fn decided(user: Arc<User>, by: &Who) -> Self {
        Self { user, by: by.clone() }
    }

    /// Whose account it is.
    pub fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Whether it is the user itself.
    pub fn is_own(&self) -> bool {
        self.by.principal() == Principal::User(self.user.id)
    }

    /// Who may.
    pub fn by(&self) -> &Who {
        &self.by
    }
}
