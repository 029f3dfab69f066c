//! What somebody may give to a robot: no more than it has.

use std::sync::Arc;

use kit::{Error, Kind, Result};

use super::{
    Caller,
    decide::{may_do_everything, on_robot, robot},
};
use crate::{
    Context,
    projects::{self, GivenRole, Membership},
    rights::{Action, Patterns, Right, Rights, Role},
    robots::{
        self, AllowedLevel, Given, Held, Level, Permission, RequestedPermission, Robot, Scope,
        read_requested,
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
    let giver = Giver::of(context, caller, allowed).await?;
    for permission in &mut permissions {
        permission.repositories = giver.limits(context, permission).await?;
    }
    Ok(Given::decided(permissions))
}

/// Whether a caller may have the robot of a number in hand, so that it can act as the robot:
/// it may change the robot, and could give it all that it has.
///
/// # Errors
/// As [`on_robot`]; Denied when the robot may do more than the caller may give.
pub async fn hold(context: &Context, caller: &Caller, id: i64) -> Result<Held> {
    let allowed = on_robot(context, caller, id, Action::Update).await?;
    let unknown = || Error::new(Kind::NotFound, format!("robot account {id} not found"));
    let robot = robots::find(context, id).await?.ok_or_else(unknown)?;
    let giver = Giver::of(context, caller, &allowed).await?;
    let mut everywhere = true;
    for permission in &robot.permissions {
        let limits = giver.limits(context, permission).await?;
        if limits.is_some() && limits != permission.repositories {
            return Err(giver.denied());
        }
        everywhere &= limits.is_none();
    }
    Ok(Held::decided(allowed, robot, everywhere))
}

/// Who gives something to a robot.
enum Giver {
    /// Somebody who may give everything.
    Sysadmin,
    /// A robot.
    Robot(Arc<Robot>),
    /// A member of the project that the robot belongs to, or, without memberships, somebody
    /// who may give nothing.
    Member(Vec<Membership>),
}

impl Giver {
    async fn of(context: &Context, caller: &Caller, allowed: &AllowedLevel) -> Result<Self> {
        if may_do_everything(context, caller).await? {
            return Ok(Self::Sysadmin);
        }
        if let Some(robot) = robot(context, caller).await? {
            return Ok(Self::Robot(robot));
        }
        let (Level::Project(project_id), Some(user_id)) = (allowed.level(), caller.user_id())
        else {
            return Ok(Self::Member(Vec::new()));
        };
        let memberships = projects::memberships(context, project_id, user_id).await?;
        Ok(Self::Member(memberships.map_or_else(Vec::new, |found| found.to_vec())))
    }

    /// What narrows a permission that is given, if anything does.
    ///
    /// # Errors
    /// Denied when it may not be given at all.
    async fn limits(&self, context: &Context, permission: &Permission) -> Result<Option<Patterns>> {
        let found = match self {
            Self::Sysadmin => Some(None),
            Self::Robot(giver) => of_robot(giver, permission),
            Self::Member(own) => of_member(context, own, &permission.rights).await?,
        };
        found.ok_or_else(|| self.denied())
    }

    fn denied(&self) -> Error {
        match self {
            Self::Robot(giver) => {
                denied(&format!("the creator robot's permissions: {}", giver.name))
            }
            Self::Sysadmin | Self::Member(_) => denied("the creator's permissions"),
        }
    }
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
