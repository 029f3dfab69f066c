//! What somebody may give to a robot: no more than it has.

use kit::{Error, Kind, Result};

use super::{
    Caller,
    decide::{may_do_everything, robot},
};
use crate::{
    Context,
    projects::{self, GivenRole, Membership},
    rights::{Patterns, Right, Rights, Role},
    robots::{
        AllowedLevel, Given, Level, Permission, RequestedPermission, Robot, Scope, read_requested,
    },
    roles,
};

/// Reads what is asked for a robot, and makes sure that whoever asks may give it: sysadmins
/// everything, administrators of a project everything there that robots may have, others
/// what they have themselves and no farther than their own rights reach.
///
/// # Errors
/// Invalid and NotFound for what cannot be given to any robot, Denied for what this caller
/// cannot give.
pub async fn give(
    context: &Context,
    caller: &Caller,
    allowed: &AllowedLevel,
    requested: &[RequestedPermission],
) -> Result<Given> {
    let mut permissions = read_requested(context, allowed.level(), requested).await?;
    if may_do_everything(context, caller).await? {
        return Ok(Given::decided(permissions));
    }
    if let Some(giver) = robot(context, caller).await? {
        for permission in &mut permissions {
            permission.repositories = of_robot(&giver, permission).ok_or_else(|| {
                denied(&format!("the creator robot's permissions: {}", giver.name))
            })?;
        }
        return Ok(Given::decided(permissions));
    }
    let (Level::Project(project_id), Some(user_id)) = (allowed.level(), caller.user_id()) else {
        return Err(denied("the creator's permissions"));
    };
    let memberships = projects::memberships(context, project_id, user_id).await?;
    for permission in &mut permissions {
        let own = memberships.as_deref().map_or(&[][..], Vec::as_slice);
        permission.repositories = of_member(context, own, &permission.rights)
            .await?
            .ok_or_else(|| denied("the creator's permissions"))?;
    }
    Ok(Given::decided(permissions))
}

/// Whether a caller may make somebody a member of a project with a role: sysadmins and the
/// project's administrators with any, others with one that has no more rights than a role
/// of their own, which must reach all repositories.
///
/// # Errors
/// Denied.
pub async fn give_role(
    context: &Context,
    caller: &Caller,
    project_id: i64,
    role_id: i64,
) -> Result<GivenRole> {
    if may_do_everything(context, caller).await? {
        return Ok(GivenRole::decided(role_id));
    }
    let given = roles::rights(context, role_id).await?;
    if let Some(robot) = robot(context, caller).await? {
        let has = |right: Right| robot.reach(project_id, right).is_some_and(|r| r.is_everything());
        let has_all = given.iter().all(has);
        return match has_all {
            true => Ok(GivenRole::decided(role_id)),
            false => Err(denied("the creator robot's permissions")),
        };
    }
    let Some(user_id) = caller.user_id() else { return Err(denied("the creator's permissions")) };
    let memberships = projects::memberships(context, project_id, user_id).await?;
    let own = memberships.as_deref().map_or(&[][..], Vec::as_slice);
    match of_member(context, own, &given).await? {
        Some(None) => Ok(GivenRole::decided(role_id)),
        _ => Err(denied("the creator's permissions")),
    }
}

/// What a robot's own permissions narrow one to that it may give, or none if it may not.
fn of_robot(giver: &Robot, permission: &Permission) -> Option<Option<Patterns>> {
    let covers = |own: &&Permission| match &permission.scope {
        Scope::System => own.scope == Scope::System,
        Scope::AllProjects => own.scope == Scope::AllProjects,
        Scope::Project { id, .. } => own.scope.covers(*id),
    };
    giver
        .permissions
        .iter()
        .filter(covers)
        .find(|own| permission.rights.iter().all(|right| own.allows(right)))
        .map(|own| own.repositories.clone())
}

/// What narrows rights that memberships let somebody give, or none if they do not.
async fn of_member(
    context: &Context,
    memberships: &[Membership],
    rights: &Rights,
) -> Result<Option<Option<Patterns>>> {
    for membership in memberships {
        let is_admin = membership.role_id == Role::ProjectAdmin.id();
        if is_admin || rights.are_within(&roles::rights(context, membership.role_id).await?) {
            return Ok(Some(membership.repositories.clone()));
        }
    }
    Ok(None)
}

fn denied(whose: &str) -> Error {
    let message = format!(
        "permission scope is invalid. It must be equal to or more restrictive than {whose}"
    );
    Error::new(Kind::Denied, message)
}
