//! Projects and their members.
//!
//! Owns the tables `projects`, `project_metadata` and `members`. Promises: a project's
//! creator is its administrator; the project `library` is there after the first start;
//! what changes is announced, so that facts in memory are right at once. The verbs that
//! a person may be refused take the proof of `access`; `access` itself asks [`find`]
//! and [`roles`].

mod create;
mod delete;
mod list;
mod members;
mod metadata;
mod sql;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use db::{Row, args};
use kit::{Result, Time};

use crate::{Context, cache::Pair, rights};

pub(crate) use create::first;
pub use create::{NewProject, create};
pub use delete::delete;
pub use list::{Details, Filter, Sort, details, list};
pub use members::{
    Member, MemberRef, NewMember, add_member, change_role, member, members, remove_member,
};
pub use metadata::{Metadata, update};

/// What must be known of a project to decide about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its number, never used again.
    pub id: i64,
    /// Its name: the first part of its repositories' names.
    pub name: Arc<str>,
    /// Who made it.
    pub owner_id: i64,
    /// Whether everybody may pull.
    pub public: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// Proof that a caller may do something in a project.
pub type Allowed = rights::Allowed<Arc<Project>>;

impl Allowed {
    /// The project.
    pub fn project(&self) -> &Arc<Project> {
        self.thing()
    }
}

/// How a caller names a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectRef<'a> {
    /// By name.
    Name(&'a str),
    /// By number.
    Id(i64),
}

impl fmt::Display for ProjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => id.fmt(f),
        }
    }
}

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

/// The roles of somebody in a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);

    /// One role.
    pub const fn of(role: Role) -> Self {
        Self(1 << role as u8)
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | Self::of(role).0)
    }

    /// One bit for each role.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// Whether there is none.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The roles, the one with the most rights first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        use Role::{Developer, Guest, LimitedGuest, Maintainer, ProjectAdmin};
        [ProjectAdmin, Maintainer, Developer, Guest, LimitedGuest]
            .into_iter()
            .filter(move |role| self.0 & Self::of(*role).0 != 0)
    }
}

/// The project by name or number. By name it comes from memory.
pub(crate) async fn find(
    context: &Context,
    project: ProjectRef<'_>,
) -> Result<Option<Arc<Project>>> {
    match project {
        ProjectRef::Name(name) => {
            let find = || async {
                let row = context.db.one(sql::BY_NAME, args![name]).await?;
                row.as_ref().map(read_project).transpose()
            };
            context.caches.projects.get(&context.db, name, find).await
        }
        ProjectRef::Id(id) => {
            let row = context.db.one(sql::BY_ID, args![id]).await?;
            Ok(row.as_ref().map(read_project).transpose()?.map(Arc::new))
        }
    }
}

/// The roles of a user in a project, from memory when it has any.
pub(crate) async fn roles(context: &Context, project_id: i64, user_id: i64) -> Result<Roles> {
    let find = || async {
        let rows = context.db.all(sql::ROLES, args![project_id, user_id]).await?;
        let mut roles = Roles::NONE;
        for row in &rows {
            roles = Role::from_id(row.get(0)?).map_or(roles, |role| roles.with(role));
        }
        Ok((!roles.is_none()).then_some(roles))
    };
    let key = Pair(project_id, user_id);
    let found = context.caches.roles.get(&context.db, &key, find).await?;
    Ok(found.map_or(Roles::NONE, |roles| *roles))
}

/// Reads the columns of [`sql::BY_NAME`].
fn read_project(row: &Row) -> Result<Project> {
    Ok(Project {
        id: row.get(0)?,
        name: row.get::<String>(1)?.into(),
        owner_id: row.get(2)?,
        public: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}
