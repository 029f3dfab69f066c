//! Who asks.

use std::sync::Arc;

use super::Grants;
use crate::users::User;

/// Who asks, by what never changes: a user by id, not by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Nobody known.
    Anonymous,
    /// A user, by id.
    User(i64),
    /// Haven itself: jobs and start-up. It may do everything.
    System,
}

/// Who asks, and how far the token that it came with reaches. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    principal: Principal,
    name: Option<Arc<str>>,
    grants: Option<Arc<Grants>>,
}

impl Caller {
    /// Nobody known.
    pub const fn anonymous() -> Self {
        Self { principal: Principal::Anonymous, name: None, grants: None }
    }

    /// Haven itself.
    pub const fn system() -> Self {
        Self { principal: Principal::System, name: None, grants: None }
    }

    /// A user that has proved who it is.
    pub fn user(user: &User) -> Self {
        Self {
            principal: Principal::User(user.id),
            name: Some(user.username.clone()),
            grants: None,
        }
    }

    /// Whoever a registry token speaks for, narrowed to what the token grants.
    pub(crate) fn by_token(
        principal: Principal,
        name: Option<Arc<str>>,
        grants: Arc<Grants>,
    ) -> Self {
        Self { principal, name, grants: Some(grants) }
    }

    /// Who asks.
    pub fn principal(&self) -> Principal {
        self.principal
    }

    /// The name, for logs and for people; none for anonymous and the system.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// The user's number, if a user asks.
    pub fn user_id(&self) -> Option<i64> {
        match self.principal {
            Principal::User(id) => Some(id),
            Principal::Anonymous | Principal::System => None,
        }
    }

    /// Whether nobody is known.
    pub fn is_anonymous(&self) -> bool {
        self.principal == Principal::Anonymous
    }

    /// Whether a registry token narrows what the caller may do. A refusal of such a
    /// caller as unauthenticated means that its token does not reach far enough.
    pub fn has_token(&self) -> bool {
        self.grants.is_some()
    }

    /// What the caller's token grants, if it came with one.
    pub(super) fn grants(&self) -> Option<&Grants> {
        self.grants.as_deref()
    }

    /// A text that is the same for the same principal and different for others, such
    /// as `user:3`: what an upload remembers of who began it.
    pub fn key(&self) -> String {
        match self.principal {
            Principal::Anonymous => "anonymous".to_owned(),
            Principal::User(id) => format!("user:{id}"),
            Principal::System => "system".to_owned(),
        }
    }
}
