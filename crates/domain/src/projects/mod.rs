//! Projects and their members.
//!
//! Owns the tables `projects`, `project_metadata` and `members`. Promises: a project's
//! creator is its administrator; the project `library` is there after the first start;
//! what changes is announced, so that facts in memory are right at once. The verbs that
//! a person may be refused take the proof of `access`; `access` itself asks [`find`]
//! and [`memberships`].

mod create;
mod delete;
mod list;
#[cfg(test)]
mod member_tests;
mod members;
mod metadata;
mod sql;
#[cfg(test)]
mod tests;
mod update;

use std::{collections::HashMap, fmt, sync::Arc};

use db::{Row, Sql, args};
use kit::{Error, Kind, Result, Time};
use oci::RepositoryName;

use crate::{
    Context,
    cache::Pair,
    rights::{self, Patterns},
};

pub use create::{Creator, NewProject, create};
pub(crate) use create::{first, is_name};
pub use delete::{delete, kept_by};
pub use list::{Details, details, list, list_own};
pub use members::{
    Entity, GivenRole, Member, MemberRef, NewMember, add_member, change_role, member, members,
    remove_member, set_member,
};
pub(crate) use metadata::set_retention;
pub use metadata::{Metadata, add_metadata, metadata, metadatum, remove_metadata, set_metadata};
pub(crate) use sql::seen;
pub use update::{Change, update};

/// How many projects somebody's rights in several are looked up in at the most: as many as
/// a statement takes.
const MOST: i64 = Sql::LONGEST_LIST as i64;

/// What the number of all projects is kept under in memory.
const TOTAL: u8 = 0;

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

    /// For a verb to make sure that the right reaches a repository: it is one of the
    /// project's, and no pattern keeps it out.
    ///
    /// # Errors
    /// Forbidden.
    pub fn require_repository(&self, name: &RepositoryName) -> Result<()> {
        let project = self.project();
        if name.project() == &*project.name && self.reach().covers(name.rest().unwrap_or_default())
        {
            return Ok(());
        }
        Err(Error::new(Kind::Forbidden, "forbidden"))
    }
}

pub use crate::rights::Role;

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

/// What makes somebody a member of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The number of a role, Harbor's or a custom one.
    pub role_id: i64,
    /// The repositories that it is for; none for all.
    pub repositories: Option<Patterns>,
}

/// How a user is a member of a project, from memory when it is: several times by way of
/// groups.
pub(crate) async fn memberships(
    context: &Context,
    project_id: i64,
    user_id: i64,
) -> Result<Option<Arc<Vec<Membership>>>> {
    let find = || async {
        let rows = context.db.all(sql::ROLES, args![project_id, user_id]).await?;
        let found = rows.iter().map(read_membership).collect::<Result<Vec<_>>>()?;
        Ok((!found.is_empty()).then_some(found))
    };
    context.caches.roles.get(&context.db, &Pair(project_id, user_id), find).await
}

/// The memberships of a user in those projects where one of them is not for everything: it
/// is narrowed, or of a custom role. By the project's number.
pub(crate) async fn narrowed(
    context: &Context,
    user_id: i64,
) -> Result<HashMap<i64, Vec<Membership>>> {
    let mut found: HashMap<i64, Vec<Membership>> = HashMap::new();
    for row in context.db.all(sql::NARROWED, args![user_id]).await? {
        found.entry(row.get(2)?).or_default().push(read_membership(&row)?);
    }
    Ok(found)
}

/// Whether a user administers a project, whichever.
pub(crate) async fn administers_any(context: &Context, user_id: i64) -> Result<bool> {
    let args = args![user_id, Role::ProjectAdmin.id()];
    Ok(context.db.one(sql::ANY_WITH_ROLE, args).await?.is_some())
}

/// The memberships of a user by the project's number, those of Harbor's roles that are below
/// an administrator's left out.
pub(crate) async fn powerful(
    context: &Context,
    user_id: i64,
) -> Result<HashMap<i64, Vec<Membership>>> {
    let mut found: HashMap<i64, Vec<Membership>> = HashMap::new();
    for row in context.db.all(sql::POWERFUL, args![user_id, MOST]).await? {
        found.entry(row.get(2)?).or_default().push(read_membership(&row)?);
    }
    Ok(found)
}

/// The numbers of all projects.
pub(crate) async fn numbers(context: &Context) -> Result<Vec<i64>> {
    context.db.all(sql::NUMBERS, args![MOST]).await?.iter().map(|row| row.get(0)).collect()
}

/// Reads the columns of [`sql::ROLES`].
fn read_membership(row: &Row) -> Result<Membership> {
    let repositories: Option<String> = row.get(1)?;
    let repositories = repositories.as_deref().map(Patterns::from_stored).transpose()?;
    Ok(Membership { role_id: row.get(0)?, repositories })
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
