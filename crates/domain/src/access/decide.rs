//! The decision.

use std::sync::Arc;

use kit::{Error, Kind, Result, Subject};
use oci::RepositoryName;

use super::{Caller, Principal, RepositoryActions, roles};
use crate::{
    Context,
    projects::{self, Allowed, Project, ProjectRef, Roles},
    rights::{self, Right, System, View},
    users::{self, User},
};

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
    let standing = standing(context, caller, project.as_deref(), right).await?;
    let Some(project) = project else {
        return Err(absent(caller, &standing, name.project(), refusal()));
    };
    if !standing.may(right) {
        return Err(refused(caller, refusal()));
    }
    let reaches = |grant: &super::Grant| {
        grant.project_id == project.id
            && *grant.repository == *name.as_str()
            && grant.actions.allows(right)
    };
    match caller.grants() {
        Some(grants) if !grants.repositories.iter().any(reaches) => {
            Err(Error::new(Kind::Unauthenticated, refusal()))
        }
        _ => Ok(Allowed::decided(project, right, caller.who())),
    }
}

/// Whether a caller may do something in a project. Callers with a registry token have
/// no rights here: what they may do is per repository.
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
    let standing = standing(context, caller, found.as_deref(), right).await?;
    let Some(found) = found else {
        return Err(absent(caller, &standing, project, words(caller)));
    };
    if !standing.may(right) || caller.has_token() {
        return Err(refused(caller, words(caller)));
    }
    Ok(Allowed::decided(found, right, caller.who()))
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
    let all = may_do_everything(context, caller).await?;
    if !all || caller.has_token() {
        return Err(refused(caller, words(caller)));
    }
    Ok(rights::Allowed::decided(System, right, caller.who()))
}

/// Whether a caller may list the repositories of the registry: everybody who is known,
/// as far as it may see them.
///
/// # Errors
/// Unauthenticated for anonymous, and for a token that was not issued for the catalog.
pub async fn on_catalog(context: &Context, caller: &Caller) -> Result<AllowedCatalog> {
    let view = view(context, caller).await?;
    let reaches = caller.grants().is_none_or(|grants| grants.catalog);
    if caller.is_anonymous() || !reaches {
        let message = "unauthorized to list all repositories: unauthorized";
        return Err(Error::new(Kind::Unauthenticated, message));
    }
    Ok(AllowedCatalog { view })
}

/// Proof that a caller may list the repositories of the registry.
#[derive(Clone, Copy, Debug)]
pub struct AllowedCatalog {
    view: View,
}

impl AllowedCatalog {
    /// The number of the user whose repositories may be listed; none for all.
    pub fn only_for(self) -> Option<i64> {
        (!self.view.is_everything()).then(|| self.view.user_id())
    }
}

/// What a caller sees in lists.
///
/// # Errors
/// Unauthenticated for a user that is no more.
pub async fn view(context: &Context, caller: &Caller) -> Result<View> {
    if may_do_everything(context, caller).await? {
        return Ok(View::Everything);
    }
    Ok(caller.user_id().map_or(View::Public, View::Of))
}

/// The user that asks, as it is now.
///
/// # Errors
/// Unauthenticated for anonymous, for the system and for a user that is no more.
pub async fn user(context: &Context, caller: &Caller) -> Result<Arc<User>> {
    let found = match caller.principal() {
        Principal::User(id) => users::find(context, id).await?,
        Principal::Anonymous | Principal::System => None,
    };
    found.ok_or_else(|| Error::new(Kind::Unauthenticated, "unauthorized"))
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
    // No public project lets everybody push, so asking for that right has the roles read.
    let standing = standing(context, caller, Some(&project), Right::PUSH).await?;
    let actions = [Right::PULL, Right::PUSH, Right::DELETE]
        .into_iter()
        .filter(|right| standing.may(*right))
        .fold(RepositoryActions::NONE, RepositoryActions::with);
    Ok((!actions.is_empty()).then_some((project.id, actions)))
}

/// What a caller is to a project.
struct Standing {
    /// Whether everything is allowed.
    all: bool,
    /// Whether what everybody may do in a public project is allowed.
    public: bool,
    /// The roles as a member.
    roles: Roles,
}

impl Standing {
    fn may(&self, right: Right) -> bool {
        self.all || roles::allows(right, self.public, self.roles)
    }
}

/// Finds what a caller is to a project, as far as it matters for a right: roles are not
/// asked for where everybody may.
async fn standing(
    context: &Context,
    caller: &Caller,
    project: Option<&Project>,
    right: Right,
) -> Result<Standing> {
    let all = may_do_everything(context, caller).await?;
    let public = project.is_some_and(|project| project.public);
    let mut standing = Standing { all, public, roles: Roles::NONE };
    if let Some(project) = project
        && let Principal::User(id) = caller.principal()
        && !standing.may(right)
    {
        standing.roles = projects::roles(context, project.id, id).await?;
    }
    Ok(standing)
}

/// Whether a caller passes every check. A user that is no more is refused here, so that
/// neither a password nor a token outlives it.
async fn may_do_everything(context: &Context, caller: &Caller) -> Result<bool> {
    match caller.principal() {
        Principal::Anonymous => Ok(false),
        Principal::User(_) => Ok(user(context, caller).await?.sysadmin),
        Principal::System => Ok(true),
    }
}

/// Harbor's words for a refusal on its API.
fn words(caller: &Caller) -> String {
    if caller.is_anonymous() { "unauthorized" } else { "forbidden" }.to_owned()
}

fn refused(caller: &Caller, message: String) -> Error {
    let kind = if caller.is_anonymous() { Kind::Unauthenticated } else { Kind::Forbidden };
    Error::new(kind, message)
}

/// A project that is not there: told to those who may do everything, a refusal to others.
fn absent(
    caller: &Caller,
    standing: &Standing,
    project: impl std::fmt::Display,
    refusal: String,
) -> Error {
    if standing.all {
        return Error::not_found(Subject::Project, format!("project {project} not found"));
    }
    refused(caller, refusal)
}
