//! Who does something: for the decision, and for people who read of it later.

use std::{net::IpAddr, sync::Arc};

/// Who asks, by what never changes: a user by id, not by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Nobody known.
    Anonymous,
    /// A user, by id.
    User(i64),
    /// A robot, by id.
    Robot(i64),
    /// Haven itself: jobs and start-up. It may do everything.
    System,
}

/// Who does something, and from where. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    principal: Principal,
    name: Option<Arc<str>>,
    address: Option<IpAddr>,
}

impl Who {
    /// Somebody by principal; with a name unless it is anonymous or the system.
    pub const fn new(principal: Principal, name: Option<Arc<str>>) -> Self {
        Self { principal, name, address: None }
    }

    /// Nobody known.
    pub const fn anonymous() -> Self {
        Self::new(Principal::Anonymous, None)
    }

    /// Haven itself.
    pub const fn system() -> Self {
        Self::new(Principal::System, None)
    }

    /// The same, from the address of a client.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address.to_canonical());
        self
    }

    /// Who it is.
    pub fn principal(&self) -> Principal {
        self.principal
    }

    /// The name, for logs and for people; none for anonymous and the system.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// What people call it, whoever it is.
    pub fn display_name(&self) -> &str {
        match (&self.name, self.principal) {
            (Some(name), _) => name,
            (None, Principal::Anonymous) => "anonymous",
            (None, _) => "system",
        }
    }

    /// The client's address, if a client asked.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}
