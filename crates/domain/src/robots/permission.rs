//! What a robot may do: rights on the system, in one project, or in all.

use db::Row;
use kit::{Error, Result};

use super::Level;
use crate::{
    Context,
    projects::{self, ProjectRef},
    rights::{PROJECT_RULES, Patterns, Resource, Right, Rights, SYSTEM_RULES},
};

/// How many permissions a robot has at most.
const MOST: usize = 1000;

/// Where rights count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On the system.
    System,
    /// In all projects, those to come included.
    AllProjects,
    /// In one project.
    Project {
        /// Its number.
        id: i64,
        /// Its name.
        name: String,
    },
}

impl Scope {
    /// Harbor's kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::System => "system",
            Self::AllProjects | Self::Project { .. } => "project",
        }
    }

    /// Harbor's namespace.
    pub fn namespace(&self) -> &str {
        match self {
            Self::System => "/",
            Self::AllProjects => "*",
            Self::Project { name, .. } => name,
        }
    }

    /// Whether rights in it count in a project.
    pub(crate) fn covers(&self, project_id: i64) -> bool {
        match self {
            Self::System => false,
            Self::AllProjects => true,
            Self::Project { id, .. } => *id == project_id,
        }
    }

    pub(crate) fn project_id(&self) -> Option<i64> {
        match self {
            Self::System | Self::AllProjects => None,
            Self::Project { id, .. } => Some(*id),
        }
    }
}

/// Rights, and where they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Where.
    pub scope: Scope,
    /// What was given. What Harbor calls the project's resource `project` is the project
    /// itself.
    pub rights: Rights,
    /// To which repositories the rights are narrowed, if they are.
    pub repositories: Option<Patterns>,
}

impl Permission {
    /// Whether a right is given, or follows from one that is: who may push may pull.
    pub(crate) fn allows(&self, right: Right) -> bool {
        self.rights.has(right) || right == Right::PULL && self.rights.has(Right::PUSH)
    }

    /// Whether it counts in projects, not on the system.
    pub fn is_in_projects(&self) -> bool {
        self.scope != Scope::System
    }

    /// The rights in Harbor's words: resource and action.
    pub fn access(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.rights.iter().map(|right| {
            let resource = match right.resource {
                Resource::Itself => Resource::Project,
                resource => resource,
            };
            (resource.as_str(), right.action.as_str())
        })
    }
}

/// A permission as somebody asks for it.
#[derive(Clone, Debug, Default)]
pub struct RequestedPermission {
    /// `system` or `project`.
    pub kind: String,
    /// `/`, `*` or a project's name.
    pub namespace: String,
    /// What is asked for.
    pub access: Vec<RequestedAccess>,
}

/// A right as somebody asks for it.
#[derive(Clone, Debug, Default)]
pub struct RequestedAccess {
    /// Harbor's name of the resource.
    pub resource: String,
    /// Harbor's name of the action.
    pub action: String,
    /// `allow`, or nothing, which means it too.
    pub effect: String,
}

/// Permissions that whoever asks for them may give, as `access` found.
#[derive(Clone, Debug)]
pub struct Given(pub(super) Vec<Permission>);

impl Given {
    /// The proof, for `access` to give.
    pub(crate) fn decided(permissions: Vec<Permission>) -> Self {
        Self(permissions)
    }
}

/// Reads what is asked for a robot of a level.
///
/// # Errors
/// Invalid, in Harbor's words, when a right is not known or may not be given to robots;
/// NotFound when a project is not there.
pub(crate) async fn read_requested(
    context: &Context,
    level: Level,
    requested: &[RequestedPermission],
) -> Result<Vec<Permission>> {
    check_shape(level, requested)?;
    let mut permissions: Vec<Permission> = Vec::with_capacity(requested.len());
    for permission in requested {
        let scope = read_scope(context, level, permission).await?;
        let rights = read_rights(&scope, &permission.access)?;
        match permissions.iter_mut().find(|known| known.scope == scope) {
            Some(known) => known.rights = known.rights.union(&rights),
            None => permissions.push(Permission { scope, rights, repositories: None }),
        }
    }
    Ok(permissions)
}

fn check_shape(level: Level, requested: &[RequestedPermission]) -> Result<()> {
    if requested.is_empty() {
        return Err(Error::invalid("bad request empty permission"));
    }
    if requested.iter().any(|permission| permission.access.is_empty()) {
        return Err(Error::invalid("bad request empty access"));
    }
    if requested.len() > MOST || level != Level::System && requested.len() > 1 {
        return Err(Error::invalid("bad request permission"));
    }
    Ok(())
}

async fn read_scope(
    context: &Context,
    level: Level,
    permission: &RequestedPermission,
) -> Result<Scope> {
    match (level, permission.kind.as_str(), permission.namespace.as_str()) {
        (Level::System, "system", "/") => Ok(Scope::System),
        (Level::System, "system", _) => Err(Error::invalid("unknown namespace")),
        (Level::System, "project", "*") => Ok(Scope::AllProjects),
        (_, "project", name) => {
            let unknown =
                || Error::not_found(kit::Subject::Project, format!("project {name} not found"));
            if name.contains('\0') {
                return Err(unknown());
            }
            let project = projects::find(context, ProjectRef::Name(name)).await?;
            let project = project.ok_or_else(unknown)?;
            if level.project_id().is_some_and(|id| id != project.id) {
                return Err(Error::invalid("cannot update the project id of robot"));
            }
            Ok(Scope::Project { id: project.id, name: project.name.to_string() })
        }
        (Level::Project(_), "system", _) => Err(Error::invalid("bad request permission")),
        (_, kind, _) => Err(Error::invalid(format!("bad request permission level: {kind}"))),
    }
}

fn read_rights(scope: &Scope, access: &[RequestedAccess]) -> Result<Rights> {
    access.iter().map(|access| read_right(scope, access)).collect()
}

fn read_right(scope: &Scope, access: &RequestedAccess) -> Result<Right> {
    let RequestedAccess { resource, action, effect } = access;
    let unknown = || Error::invalid(format!("bad request permission: {resource}:{action}"));
    if !matches!(effect.as_str(), "" | "allow") {
        return Err(Error::invalid(format!("bad request effect: {effect}, it must be allow")));
    }
    let right = Right::from_words((resource, action)).ok_or_else(unknown)?;
    let may_be_given = match scope {
        Scope::System => SYSTEM_RULES.iter().any(|rule| rule.right == right && rule.robot()),
        _ => PROJECT_RULES.iter().any(|rule| rule.right == right && rule.robot()),
    };
    if !may_be_given {
        return Err(unknown());
    }
    if *scope != Scope::System && right.resource == Resource::Project {
        return Ok(Right::new(Resource::Itself, right.action));
    }
    Ok(right)
}

/// Reads the columns of [`super::sql::PERMISSIONS_BEFORE`].
pub(super) fn read(row: &Row) -> Result<Permission> {
    let (kind, project_id): (String, Option<i64>) = (row.get(1)?, row.get(2)?);
    let name: Option<String> = row.get(3)?;
    let scope = match (kind.as_str(), project_id) {
        ("system", _) => Scope::System,
        (_, None) => Scope::AllProjects,
        (_, Some(id)) => Scope::Project { id, name: name.unwrap_or_default() },
    };
    let repositories: Option<String> = row.get(5)?;
    Ok(Permission {
        scope,
        rights: Rights::from_stored(&row.get::<String>(4)?),
        repositories: repositories.as_deref().map(Patterns::from_stored).transpose()?,
    })
}
