//! Who may read the audit log.

use kit::Result;

use super::{
    Caller,
    decide::{is_narrowed, known, may_do_everything, membership_reach, on_project, robot},
};
use crate::{
    Context,
    audit::Readable,
    projects::{self, ProjectRef},
    rights::{Action, Resource, Right},
    robots::Scope,
};

const SYSTEM_LOG: Right = Right::new(Resource::AuditLog, Action::List);
const PROJECT_LOG: Right = Right::new(Resource::Log, Action::List);

/// The log that a caller may read: all of it, or that of the projects where it may.
///
/// # Errors
/// Unauthenticated for anonymous.
pub async fn on_logs(context: &Context, caller: &Caller) -> Result<Readable> {
    known(context, caller).await?;
    if caller.has_token() || is_narrowed(context, caller).await? {
        return Ok(Readable::projects(Vec::new()));
    }
    if may_do_everything(context, caller).await? {
        return Ok(Readable::everything());
    }
    if let Some(robot) = robot(context, caller).await? {
        if robot.may_on_system(SYSTEM_LOG) {
            return Ok(Readable::everything());
        }
        let in_all = |scope: &Scope| *scope == Scope::AllProjects;
        let giving = robot.permissions.iter().filter(|permission| permission.allows(PROJECT_LOG));
        let scopes: Vec<&Scope> = giving.map(|permission| &permission.scope).collect();
        if scopes.iter().copied().any(in_all) {
            return projects::numbers(context).await.map(Readable::projects);
        }
        let ids = scopes.into_iter().filter_map(Scope::project_id).collect();
        return Ok(Readable::projects(ids));
    }
    let mut ids = Vec::new();
    if let Some(user_id) = caller.user_id() {
        for (id, memberships) in projects::powerful(context, user_id).await? {
            if membership_reach(context, &memberships, PROJECT_LOG).await?.is_some() {
                ids.push(id);
            }
        }
    }
    Ok(Readable::projects(ids))
}

/// The log of one project, if a caller may read it.
///
/// # Errors
/// As [`on_project`].
pub async fn on_log(
    context: &Context,
    caller: &Caller,
    project: ProjectRef<'_>,
) -> Result<Readable> {
    let allowed = on_project(context, caller, project, PROJECT_LOG).await?;
    Ok(Readable::projects(vec![allowed.project().id]))
}
