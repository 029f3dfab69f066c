//! Labels: coloured words that people put on artifacts.
//!
//! Owns the tables `labels` and `artifact_labels`. A label is global, or a project's own.
//! Promises: no two labels of all projects, nor two of one project, have one name; an artifact
//! carries only global labels and those of its own project; a label that is deleted is on no
//! artifact. `artifacts` and everybody below may call.

mod carry;
mod change;
mod list;
mod sql;
#[cfg(test)]
mod tests;

use db::{Row, args};
use kit::{Error, Result, Subject, Time};

use crate::{
    Context,
    access::{self, Caller},
    projects::{self, ProjectRef},
    rights::{self, Action, Resource, Right, System},
};

pub use carry::of;
pub(crate) use carry::{CARRIED, attach, detach};
pub use change::{NewLabel, create, delete, update};
pub use list::list;

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its number.
    pub id: i64,
    /// The project whose own it is; none for a label of all projects.
    pub project_id: Option<i64>,
    /// Its name.
    pub name: String,
    /// What somebody wrote about it.
    pub description: String,
    /// Its colour, as the one who made it wrote it.
    pub color: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// Proof that somebody may do something with the labels of all projects, or of one.
#[derive(Clone, Debug)]
pub enum AllowedScope {
    /// With those of all projects.
    Global(rights::Allowed<System>),
    /// With those of a project.
    Project(projects::Allowed),
}

impl AllowedScope {
    /// The project, by number, unless it is all.
    fn project_id(&self) -> Option<i64> {
        match self {
            Self::Global(_) => None,
            Self::Project(allowed) => Some(allowed.project().id),
        }
    }

    fn by(&self) -> &rights::Who {
        match self {
            Self::Global(allowed) => allowed.by(),
            Self::Project(allowed) => allowed.by(),
        }
    }

    fn require(&self, action: Action) -> Result<()> {
        match self {
            Self::Global(allowed) => allowed.require(Right::new(Resource::Label, action)),
            Self::Project(allowed) => allowed.require(Right::new(Resource::Label, action)),
        }
    }
}

/// Whether a caller may do something with the labels of all projects, or of one.
///
/// # Errors
/// As [`access::on_system`] and [`access::on_project`].
pub async fn allowed(
    context: &Context,
    caller: &Caller,
    project: Option<ProjectRef<'_>>,
    action: Action,
) -> Result<AllowedScope> {
    let right = Right::new(Resource::Label, action);
    match project {
        None => access::on_system(context, caller, right).await.map(AllowedScope::Global),
        Some(project) => {
            access::on_project(context, caller, project, right).await.map(AllowedScope::Project)
        }
    }
}

/// The label of a number, and the proof that a caller may do something with it.
///
/// # Errors
/// As [`allowed`]; NotFound only for those who may do it with the labels of all projects.
pub async fn known(
    context: &Context,
    caller: &Caller,
    id: i64,
    action: Action,
) -> Result<(Label, AllowedScope)> {
    let row = context.db.one(sql::BY_ID, args![id]).await?;
    let label = row.as_ref().map(|row| read_label(row, 0)).transpose()?;
    let project = label.as_ref().and_then(|label| label.project_id).map(ProjectRef::Id);
    let allowed = allowed(context, caller, project, action).await?;
    Ok((label.ok_or_else(|| unknown(id))?, allowed))
}

fn unknown(id: i64) -> Error {
    Error::not_found(Subject::Request, format!("label {id} not found"))
}

/// Reads the columns of [`sql::BY_ID`] from one on.
fn read_label(row: &Row, first: usize) -> Result<Label> {
    Ok(Label {
        id: row.get(first)?,
        project_id: row.get(first + 1)?,
        name: row.get(first + 2)?,
        description: row.get(first + 3)?,
        color: row.get(first + 4)?,
        created_at: row.get(first + 5)?,
        updated_at: row.get(first + 6)?,
    })
}
