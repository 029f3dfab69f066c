//! The decision.

use std::{collections::HashMap, sync::Arc};

use kit::{Error, Kind, Result, Subject};
use oci::RepositoryName;

use super::{Caller, Principal, RepositoryActions, Sight};
use crate::{
    Context,
    personal_tokens::{self, PersonalToken},
    projects::{self, Allowed, Creator, Membership, Project, ProjectRef},
    rights::{self, Action, Reach, Resource, Right, System, View},
    robots::{self, AllowedLevel, Level, Robot},
    roles,
    settings::{self, Key},
    users::{self, User},
};

/// What a repository must allow to be shown in lists.
const SEE: Right = Right::new(Resource::Repository, Action::List);

/// Whether a caller may do something with a repository, which need not exist.
/// Reads memory only when warm.
///
/// # Errors
/// Unauthenticated for anonymous, and for a token that does not grant what its user
/// may do; Forbidden for everybody else; in the same words whether or not the project
/// exists. NotFound about the project only for those who may do everything.
pub async fn on_repository(
    context: &Context,
    caller: &Caller,
    name: &RepositoryName,
    right: Right,
) -> Result<Allowed> {
    let refusal = || format!("unauthorized to access repository: {name}, action: {}", right.action);
    let project = projects::find(context, ProjectRef::Name(name.project())).await?;
    let reach = reach(context, caller, project.as_deref(), right).await?;
    let Some(project) = project else {
        return Err(absent(caller, reach.is_some(), name.project(), refusal()));
    };
    let covering = reach.filter(|reach| reach.covers(name.rest().unwrap_or_default()));
    let Some(reach) = covering else { return Err(refused(caller, refusal())) };
    let granted = |grant: &super::Grant| {
        grant.project_id == project.id
            && *grant.repository == *name.as_str()
            && grant.actions.allows(right)
    };
    match caller.grants() {
        Some(grants) if !grants.repositories.iter().any(granted) => {
            Err(Error::new(Kind::Unauthenticated, refusal()))
        }
        _ => Ok(Allowed::decided(project, right, reach, caller.who())),
    }
}

/// Whether a caller may do something in a project: with all or with some of its
/// repositories, as the proof says, or with its own affairs. Callers with a registry token
/// have no rights here: what they may do is per repository.
///
/// # Errors
/// As [`on_repository`].
pub async fn on_project(
    context: &Context,
    caller: &Caller,
    project: ProjectRef<'_>,
    right: Right,
) -> Result<Allowed> {
    let found = projects::find(context, project).await?;
    let reach = reach(context, caller, found.as_deref(), right).await?;
    let Some(found) = found else {
        return Err(absent(caller, reach.is_some(), project, words(caller)));
    };
    match reach {
        Some(reach) if !caller.has_token() => {
            Ok(Allowed::decided(found, right, reach, caller.who()))
        }
        _ => Err(refused(caller, words(caller))),
    }
}

/// Whether a caller may do something with the whole system. Callers with a registry token
/// have no rights here.
///
/// # Errors
/// Unauthenticated for anonymous, Forbidden for everybody else.
pub async fn on_system(
    context: &Context,
    caller: &Caller,
    right: Right,
) -> Result<rights::Allowed<System>> {
    let mut may = may_do_everything(context, caller).await?;
    if let Some(robot) = robot(context, caller).await? {
        may = robot.may_on_system(right);
    }
    if !may || caller.has_token() {
        return Err(refused(caller, words(caller)));
    }
    Ok(rights::Allowed::decided(System, right, Reach::Everything, caller.who()))
}

/// Whether a caller may do something with the robots of a project, or of the system.
///
/// # Errors
/// As [`on_project`] and [`on_system`].
pub async fn on_robots(
    context: &Context,
    caller: &Caller,
    project: Option<ProjectRef<'_>>,
    action: Action,
) -> Result<AllowedLevel> {
    let right = Right::new(Resource::Robot, action);
    match project {
        Some(project) => {
            on_project(context, caller, project, right).await.map(AllowedLevel::Project)
        }
        None => on_system(context, caller, right).await.map(AllowedLevel::System),
    }
}

/// Whether a caller may do something with the robot of a number.
///
/// # Errors
/// As [`on_robots`]; NotFound about the robot only for those who may do everything.
pub async fn on_robot(
    context: &Context,
    caller: &Caller,
    id: i64,
    action: Action,
) -> Result<AllowedLevel> {
    let project = match robots::find(context, id).await?.map(|robot| robot.level) {
        Some(Level::Project(id)) => Some(ProjectRef::Id(id)),
        Some(Level::System) => None,
        None => {
            let all = may_do_everything(context, caller).await? && !caller.has_token();
            let message = format!("robot account {id} not found");
            let unknown = || Error::new(Kind::NotFound, message);
            return Err(if all { unknown() } else { refused(caller, words(caller)) });
        }
    };
    on_robots(context, caller, project, action).await
}

/// Whether a caller may list the repositories of the registry: everybody who is known,
/// as far as it may see them.
///
/// # Errors
/// Unauthenticated for anonymous, and for a token that was not issued for the catalog.
pub async fn on_catalog(context: &Context, caller: &Caller) -> Result<AllowedCatalog> {
    let mut sight = sight(context, caller).await?;
    let catalog = Right::new(Resource::Catalog, Action::Read);
    if robot(context, caller).await?.is_some_and(|robot| robot.may_on_system(catalog)) {
        sight = Sight::of(View::Everything);
    }
    let reaches = caller.grants().is_none_or(|grants| grants.catalog);
    if caller.is_anonymous() || !reaches {
        let message = "unauthorized to list all repositories: unauthorized";
        return Err(Error::new(Kind::Unauthenticated, message));
    }
    Ok(AllowedCatalog { sight })
}

/// Proof that a caller may list the repositories of the registry.
#[derive(Clone, Debug)]
pub struct AllowedCatalog {
    sight: Sight,
}

impl AllowedCatalog {
    /// The repositories that may be listed.
    pub fn sight(&self) -> &Sight {
        &self.sight
    }
}

/// Which projects a caller sees in lists.
///
/// # Errors
/// Unauthenticated for a user or robot that is no more.
pub async fn view(context: &Context, caller: &Caller) -> Result<View> {
    if sees_everything(context, caller).await? {
        return Ok(View::Everything);
    }
    if is_for_some_projects(context, caller).await? {
        return Ok(View::Public);
    }
    let list = Right::new(Resource::Project, Action::List);
    Ok(match robot(context, caller).await? {
        Some(robot) if robot.covers_all() || robot.may_on_system(list) => View::Everything,
        Some(robot) => View::OfRobot(robot.id),
        None => caller.user_id().map_or(View::Public, View::Of),
    })
}

/// Which repositories a caller sees in lists over several projects.
///
/// # Errors
/// As [`view`].
pub async fn sight(context: &Context, caller: &Caller) -> Result<Sight> {
    sight_with(context, caller, SEE).await
}

/// In which repositories a caller sees artifacts in lists over several projects.
///
/// # Errors
/// As [`view`].
pub async fn sight_of_artifacts(context: &Context, caller: &Caller) -> Result<Sight> {
    sight_with(context, caller, Right::new(Resource::Artifact, Action::List)).await
}

/// In which repositories a caller has a right that members of every one of Harbor's roles
/// have, everybody in public projects, and users by each of their tokens.
async fn sight_with(context: &Context, caller: &Caller, right: Right) -> Result<Sight> {
    if sees_everything(context, caller).await? {
        return Ok(Sight::of(View::Everything));
    }
    if is_for_some_projects(context, caller).await? {
        return Ok(Sight::of(View::Public));
    }
    if let Some(robot) = robot(context, caller).await? {
        let view = if robot.covers_all() { View::Everything } else { View::OfRobot(robot.id) };
        return Ok(Sight::of_robot(view, robot, right));
    }
    let Some(user_id) = caller.user_id() else { return Ok(Sight::of(View::Public)) };
    let mut narrowed = HashMap::new();
    for (project_id, memberships) in projects::narrowed(context, user_id).await? {
        narrowed.insert(project_id, membership_reach(context, &memberships, right).await?);
    }
    Ok(Sight::of_user(user_id, narrowed))
}

/// The user that asks, as it is now, to do as itself what needs no other right.
///
/// # Errors
/// As [`identity`]; Forbidden for a user whose personal token takes something from it.
pub async fn user(context: &Context, caller: &Caller) -> Result<Arc<User>> {
    let user = identity(context, caller).await?;
    if is_narrowed(context, caller).await? {
        return Err(refused(caller, words(caller)));
    }
    Ok(user)
}

/// Which user asks, as it is now, whatever it may do.
///
/// # Errors
/// Unauthenticated for anonymous, for robots, for the system and for a user that is no
/// more.
pub async fn identity(context: &Context, caller: &Caller) -> Result<Arc<User>> {
    let found = match caller.principal() {
        Principal::User(id) => users::find(context, id).await?,
        Principal::Anonymous | Principal::Robot(_) | Principal::System => None,
    };
    found.ok_or_else(|| Error::new(Kind::Unauthenticated, "unauthorized"))
}

/// Whether it is known who asks.
///
/// # Errors
/// Unauthenticated for anonymous, and for a user or robot that is no more.
pub async fn known(context: &Context, caller: &Caller) -> Result<()> {
    may_do_everything(context, caller).await?;
    if caller.is_anonymous() {
        return Err(Error::new(Kind::Unauthenticated, "unauthorized"));
    }
    Ok(())
}

/// What a caller may do with a repository by docker's words, and the project's id: what
/// a token can be issued for. None when there is no such project or nothing is allowed,
/// and for a caller that came with a token: a narrow one must not buy a wider one.
pub async fn repository_actions(
    context: &Context,
    caller: &Caller,
    name: &RepositoryName,
) -> Result<Option<(i64, RepositoryActions)>> {
    if caller.has_token() {
        return Ok(None);
    }
    let Some(project) = projects::find(context, ProjectRef::Name(name.project())).await? else {
        return Ok(None);
    };
    let mut actions = RepositoryActions::NONE;
    for right in [Right::PULL, Right::PUSH, Right::DELETE] {
        let reach = reach(context, caller, Some(&project), right).await?;
        if reach.is_some_and(|reach| reach.covers(name.rest().unwrap_or_default())) {
            actions = actions.with(right);
        }
    }
    Ok((!actions.is_empty()).then_some((project.id, actions)))
}

/// Whether a caller may make projects: everybody who is known, as far as the settings allow,
/// and robots of the system that were given the right. What a robot makes belongs to `admin`.
///
/// # Errors
/// Unauthenticated for anonymous, Forbidden in Harbor's words for others.
pub async fn creator(context: &Context, caller: &Caller) -> Result<Creator> {
    known(context, caller).await?;
    let forbidden = |message: &'static str| Err(Error::new(Kind::Forbidden, message));
    if caller.has_token() || is_narrowed(context, caller).await? {
        return forbidden("forbidden");
    }
    if let Some(robot) = robot(context, caller).await? {
        if robot.level != Level::System {
            return forbidden("Only system level robot can create project");
        }
        if !robot.may_on_system(Right::new(Resource::Project, Action::Create)) {
            return forbidden("forbidden");
        }
        return Ok(Creator::decided(caller.who(), users::ADMIN, true));
    }
    let all = may_do_everything(context, caller).await?;
    let configuration = settings::current(context).await?;
    if configuration.text(Key::ProjectCreationRestriction) == "adminonly" && !all {
        return forbidden("Only system admin can create project");
    }
    let owner_id = caller.user_id().unwrap_or(users::ADMIN);
    Ok(Creator::decided(caller.who(), owner_id, all))
}

/// All that a caller may do in a project, some of it perhaps with some repositories only.
///
/// # Errors
/// As [`view`].
pub async fn rights_in(
    context: &Context,
    caller: &Caller,
    project: ProjectRef<'_>,
) -> Result<rights::Rights> {
    let everything = may_do_everything(context, caller).await?;
    let Some(project) = projects::find(context, project).await? else {
        return Ok(rights::Rights::NONE);
    };
    if caller.has_token() {
        return Ok(rights::Rights::NONE);
    }
    let rules = || rights::PROJECT_RULES.iter().map(|rule| rule.right);
    if everything {
        return Ok(rules().collect());
    }
    let mut all = if project.public { *rights::public() } else { rights::Rights::NONE };
    if let Some(robot) = robot(context, caller).await? {
        let has = |right: &Right| robot.reach(project.id, *right).is_some();
        return Ok(all.union(&rules().filter(has).collect()));
    }
    if let Some(user_id) = caller.user_id() {
        let memberships = projects::memberships(context, project.id, user_id).await?;
        for membership in memberships.iter().flat_map(|found| found.iter()) {
            all = all.union(&roles::rights(context, membership.role_id).await?);
        }
    }
    Ok(all)
}

/// What a caller may do with the system, of that which Harbor tells.
///
/// # Errors
/// As [`view`].
pub async fn rights_on_system(context: &Context, caller: &Caller) -> Result<rights::Rights> {
    let everything = may_do_everything(context, caller).await?;
    if caller.has_token() {
        return Ok(rights::Rights::NONE);
    }
    let robot = robot(context, caller).await?;
    let has = |right: &Right| match &robot {
        Some(robot) => robot.may_on_system(*right),
        None => everything,
    };
    let told = rights::SYSTEM_RULES.iter().filter(|rule| rule.sysadmin()).map(|rule| rule.right);
    Ok(told.filter(has).collect())
}

/// How far a right of a caller reaches in a project, or in one that is not there; none if
/// it has not got the right.
async fn reach(
    context: &Context,
    caller: &Caller,
    project: Option<&Project>,
    right: Right,
) -> Result<Option<Reach>> {
    if may_do_everything(context, caller).await? {
        return Ok(Some(Reach::Everything));
    }
    let Some(project) = project else { return Ok(None) };
    if project.public && rights::public().has(right) {
        return Ok(Some(Reach::Everything));
    }
    if let Some(token) = personal_token(context, caller).await? {
        if !token.allows(project.id, right) {
            return Ok(None);
        }
        if identity(context, caller).await?.may_do_everything() {
            return Ok(Some(Reach::Everything));
        }
    }
    let reach = match caller.principal() {
        Principal::User(id) => match projects::memberships(context, project.id, id).await? {
            Some(memberships) => membership_reach(context, &memberships, right).await?,
            None => None,
        },
        Principal::Robot(_) => {
            robot(context, caller).await?.and_then(|robot| robot.reach(project.id, right))
        }
        Principal::Anonymous | Principal::System => None,
    };
    Ok(reach.map(|reach| if right.is_in_repository() { reach } else { Reach::Everything }))
}

/// How far a right reaches that comes from memberships of one project.
pub(super) async fn membership_reach(
    context: &Context,
    memberships: &[Membership],
    right: Right,
) -> Result<Option<Reach>> {
    let mut found: Option<Reach> = None;
    for membership in memberships {
        if roles::rights(context, membership.role_id).await?.has(right) {
            let reach = Reach::of(membership.repositories.as_ref());
            found = Some(match found {
                Some(found) => found.or(reach),
                None => reach,
            });
        }
    }
    Ok(found)
}

/// The robot that asks, as it is now; none if it is no robot.
///
/// # Errors
/// Unauthenticated when it is gone, disabled or expired.
pub(super) async fn robot(context: &Context, caller: &Caller) -> Result<Option<Arc<Robot>>> {
    let Some(id) = caller.robot_id() else { return Ok(None) };
    let now = context.clock.now();
    let found = robots::find(context, id).await?.filter(|robot| robot.is_live(now));
    found.map(Some).ok_or_else(|| Error::new(Kind::Unauthenticated, "unauthorized"))
}

/// The personal token that narrows what a caller may do, as it is now; none if it came without.
///
/// # Errors
/// Unauthenticated when it was revoked or has expired.
async fn personal_token(context: &Context, caller: &Caller) -> Result<Option<Arc<PersonalToken>>> {
    let Some(id) = caller.personal_token() else { return Ok(None) };
    let now = context.clock.now();
    let found = personal_tokens::find(context, id).await?.filter(|token| token.is_live(now));
    found.map(Some).ok_or_else(|| Error::new(Kind::Unauthenticated, "unauthorized"))
}

/// Whether a caller came with a personal token that takes something from what it may do.
pub(super) async fn is_narrowed(context: &Context, caller: &Caller) -> Result<bool> {
    Ok(personal_token(context, caller).await?.is_some_and(|token| !token.is_whole()))
}

/// Whether a caller sees everything in lists: it passes every check, but for what a personal
/// token lets it do with what it sees.
async fn sees_everything(context: &Context, caller: &Caller) -> Result<bool> {
    if may_do_everything(context, caller).await? {
        return Ok(true);
    }
    Ok(match personal_token(context, caller).await? {
        Some(token) if token.projects.is_none() => {
            identity(context, caller).await?.may_do_everything()
        }
        _ => false,
    })
}

/// Whether a caller came with a personal token for some projects only: lists over all projects
/// show it what everybody sees.
async fn is_for_some_projects(context: &Context, caller: &Caller) -> Result<bool> {
    let token = personal_token(context, caller).await?;
    Ok(token.is_some_and(|token| token.projects.is_some()))
}

/// Whether a caller passes every check. A user, robot or personal token that is no more is
/// refused here, so that neither a password nor a token outlives it.
pub(super) async fn may_do_everything(context: &Context, caller: &Caller) -> Result<bool> {
    match caller.principal() {
        Principal::Anonymous => Ok(false),
        Principal::User(_) => {
            let user = identity(context, caller).await?;
            Ok(!is_narrowed(context, caller).await? && user.may_do_everything())
        }
        Principal::Robot(_) => robot(context, caller).await.map(|_| false),
        Principal::System => Ok(true),
    }
}

/// Harbor's words for a refusal on its API.
pub(super) fn words(caller: &Caller) -> String {
    if caller.is_anonymous() { "unauthorized" } else { "forbidden" }.to_owned()
}

pub(super) fn refused(caller: &Caller, message: String) -> Error {
    let kind = if caller.is_anonymous() { Kind::Unauthenticated } else { Kind::Forbidden };
    Error::new(kind, message)
}

/// A project that is not there: told to those who may do everything, a refusal to others.
fn absent(
    caller: &Caller,
    may_do_everything: bool,
    project: impl std::fmt::Display,
    refusal: String,
) -> Error {
    if may_do_everything {
        return Error::not_found(Subject::Project, format!("project {project} not found"));
    }
    refused(caller, refusal)
}
