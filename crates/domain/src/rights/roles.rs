//! Harbor's five roles.

/// One of Harbor's five roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do everything in the project.
    ProjectAdmin = 1,
    /// May push and pull.
    Developer = 2,
    /// May pull and see who the members are.
    Guest = 3,
    /// May push, pull, delete and maintain.
    Maintainer = 4,
    /// May pull.
    LimitedGuest = 5,
}

impl Role {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::ProjectAdmin, Self::Developer, Self::Guest, Self::Maintainer, Self::LimitedGuest];

    /// The role with a number of Harbor's.
    pub fn from_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Harbor's number.
    pub const fn id(self) -> i64 {
        self as i64
    }

    /// Harbor's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProjectAdmin => "projectAdmin",
            Self::Developer => "developer",
            Self::Guest => "guest",
            Self::Maintainer => "maintainer",
            Self::LimitedGuest => "limitedGuest",
        }
    }
}
