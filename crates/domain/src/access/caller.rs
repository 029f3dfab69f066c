//! Who asks.

use std::{net::IpAddr, sync::Arc};

use super::Grants;
use crate::{
    rights::{Principal, Who},
    robots::Robot,
    users::User,
};

/// Who asks, and how far the token that it came with reaches. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    who: Who,
    grants: Option<Arc<Grants>>,
}

impl Caller {
    /// Nobody known.
    pub const fn anonymous() -> Self {
        Self { who: Who::anonymous(), grants: None }
    }

    /// Haven itself.
    pub const fn system() -> Self {
        Self { who: Who::system(), grants: None }
    }

    /// A user that has proved who it is.
    pub fn user(user: &User) -> Self {
        let who = Who::new(Principal::User(user.id), Some(user.username.clone()));
        Self { who, grants: None }
    }

    /// A robot that has proved what it is.
    pub fn robot(robot: &Robot) -> Self {
        let who = Who::new(Principal::Robot(robot.id), Some(robot.name.clone()));
        Self { who, grants: None }
    }

    /// Whoever a registry token speaks for, narrowed to what the token grants.
    pub(crate) fn by_token(
        principal: Principal,
        name: Option<Arc<str>>,
        grants: Arc<Grants>,
    ) -> Self {
        Self { who: Who::new(principal, name), grants: Some(grants) }
    }

    /// The same, from the address of a client.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        self.who = self.who.at(address);
        self
    }

    /// Who asks, by all that is known.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Who asks.
    pub fn principal(&self) -> Principal {
        self.who.principal()
    }

    /// The name, for logs and for people; none for anonymous and the system.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.who.name()
    }

    /// The user's number, if a user asks.
    pub fn user_id(&self) -> Option<i64> {
        match self.principal() {
            Principal::User(id) => Some(id),
            Principal::Anonymous | Principal::Robot(_) | Principal::System => None,
        }
    }

    /// The robot's number, if a robot asks.
    pub fn robot_id(&self) -> Option<i64> {
        match self.principal() {
            Principal::Robot(id) => Some(id),
            Principal::Anonymous | Principal::User(_) | Principal::System => None,
        }
    }

    /// Whether nobody is known.
    pub fn is_anonymous(&self) -> bool {
        self.principal() == Principal::Anonymous
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
        match self.principal() {
            Principal::Anonymous => "anonymous".to_owned(),
            Principal::User(id) => format!("user:{id}"),
            Principal::Robot(id) => format!("robot:{id}"),
            Principal::System => "system".to_owned(),
        }
    }
}
