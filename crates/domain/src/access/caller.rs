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
    stand_in: Option<StandIn>,
}

/// What somebody showed in place of a password, first of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StandIn {
    /// A personal token, by number.
    PersonalToken(i64),
    /// The CLI secret.
    CliSecret,
}

impl Caller {
    /// Nobody known.
    pub const fn anonymous() -> Self {
        Self { who: Who::anonymous(), grants: None, stand_in: None }
    }

    /// Haven itself.
    pub const fn system() -> Self {
        Self { who: Who::system(), grants: None, stand_in: None }
    }

    /// A user that has proved who it is.
    pub fn user(user: &User) -> Self {
        let who = Who::new(Principal::User(user.id), Some(user.username.clone()));
        Self { who, grants: None, stand_in: None }
    }

    /// A user that showed a personal token, narrowed to what that lets it do.
    pub(crate) fn by_personal_token(user: &User, token_id: i64) -> Self {
        Self { stand_in: Some(StandIn::PersonalToken(token_id)), ..Self::user(user) }
    }

    /// A user that showed its CLI secret.
    pub(crate) fn by_cli_secret(user: &User) -> Self {
        Self { stand_in: Some(StandIn::CliSecret), ..Self::user(user) }
    }

    /// A robot that has proved what it is.
    pub fn robot(robot: &Robot) -> Self {
        let who = Who::new(Principal::Robot(robot.id), Some(robot.name.clone()));
        Self { who, grants: None, stand_in: None }
    }

    /// Whoever a registry token speaks for, narrowed to what the token grants, and to what the
    /// personal token lets it do, by number, that the registry token was got by.
    pub(crate) fn by_token(
        principal: Principal,
        name: Option<Arc<str>>,
        grants: Arc<Grants>,
        personal_token: Option<i64>,
    ) -> Self {
        let stand_in = personal_token.map(StandIn::PersonalToken);
        Self { who: Who::new(principal, name), grants: Some(grants), stand_in }
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

    /// The number of the personal token that narrows what the caller may do, if one does.
    pub(crate) fn personal_token(&self) -> Option<i64> {
        match self.stand_in {
            Some(StandIn::PersonalToken(id)) => Some(id),
            Some(StandIn::CliSecret) | None => None,
        }
    }

    /// Whether the caller has shown itself what it signs in with, and not what stands in for
    /// that: a token of any kind, or a CLI secret.
    pub fn is_in_person(&self) -> bool {
        self.grants.is_none() && self.stand_in.is_none()
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
