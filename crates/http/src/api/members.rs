//! Members of a project.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right},
    projects::{self, Member, MemberRef, NewMember, Role},
};
use kit::{Error, Kind, Subject};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed},
    request::{PageRequest, Path, Project, Query, Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name_or_id}/members";
    let one = "/projects/{project_name_or_id}/members/{mid}";
    let refusals = &[400, 401, 403, 404];
    Operations::harbor("member")
        .get(all, "listProjectMembers", "A project's members.", list, refusals)
        .post(all, "createProjectMember", "Adds a member.", create, &[401, 403, 404, 409])
        .get(one, "getProjectMember", "A member.", show, refusals)
        .put(one, "updateProjectMember", "Gives a member another role.", update, refusals)
        .delete(one, "deleteProjectMember", "Removes a member.", remove, refusals)
}

/// A member in a path.
#[derive(Deserialize, IntoParams)]
struct MemberPath {
    /// The number of the member.
    mid: i64,
}

/// Which members are listed.
#[derive(Deserialize, IntoParams)]
struct MembersQuery {
    /// A part of their name.
    entityname: Option<String>,
}

/// What a client sends to make somebody a member.
#[derive(Deserialize, ToSchema)]
struct ProjectMember {
    #[serde(default, deserialize_with = "null_is_nothing")]
    role_id: i64,
    member_user: Option<UserEntity>,
    member_group: Option<UserGroup>,
}

/// A user, by number or by name.
#[derive(Deserialize, ToSchema)]
struct UserEntity {
    #[serde(default, deserialize_with = "null_is_nothing")]
    user_id: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    username: String,
}

/// A group.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code)]
struct UserGroup {
    id: Option<i64>,
    group_name: Option<String>,
    group_type: Option<i64>,
    ldap_group_dn: Option<String>,
}

/// What a client sends to give a member another role.
#[derive(Deserialize, ToSchema)]
struct RoleRequest {
    #[serde(default, deserialize_with = "null_is_nothing")]
    role_id: i64,
}

impl ProjectMember {
    fn new_member(self) -> Result<NewMember, Error> {
        let role = role(self.role_id)?;
        let user = match (self.member_user, self.member_group) {
            (Some(UserEntity { user_id, .. }), _) if user_id > 0 => MemberRef::Id(user_id),
            (Some(UserEntity { username, .. }), _) if !username.is_empty() => {
                MemberRef::Name(username)
            }
            (None, Some(_)) => {
                return Err(Error::new(Kind::Unsupported, "groups are not supported"));
            }
            _ => return Err(Error::invalid("member_user must have a user_id or a username")),
        };
        Ok(NewMember { user, role })
    }
}

fn role(id: i64) -> Result<Role, Error> {
    Role::from_id(id).ok_or_else(|| {
        Error::invalid(
            "role_id must be 1 (projectAdmin), 2 (developer), 3 (guest), \
                        4 (maintainer) or 5 (limitedGuest)",
        )
        .about(Subject::Member)
    })
}

/// A member as clients see it.
#[derive(Serialize, ToSchema)]
struct ProjectMemberEntity {
    id: i64,
    project_id: i64,
    entity_name: String,
    role_name: &'static str,
    role_id: i64,
    entity_id: i64,
    entity_type: &'static str,
}

impl From<Member> for ProjectMemberEntity {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            project_id: member.project_id,
            entity_name: member.username,
            role_name: member.role.name(),
            role_id: member.role.id(),
            entity_id: member.user_id,
            entity_type: "u",
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Query(query): Query<MembersQuery>,
    request: PageRequest,
) -> Result<Listed<ProjectMemberEntity>, ApiError> {
    let allowed = may(&state, &caller, &project, Action::List).await?;
    let (name, page) = (query.entityname.as_deref(), request.page()?);
    let members = projects::members(&state.domain, &allowed, name, page).await?;
    Ok(request.answer(members, ProjectMemberEntity::from))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    OriginalUri(uri): OriginalUri,
    request: Sent<ProjectMember>,
) -> Result<Created, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Create).await?;
    let new = request.read().await?.new_member()?;
    let id = projects::add_member(&state.domain, &allowed, new).await?;
    Ok(Created::below(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MemberPath { mid }): Path<MemberPath>,
) -> Result<Json<ProjectMemberEntity>, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Read).await?;
    let member = projects::member(&state.domain, &allowed, mid).await?;
    Ok(Json(ProjectMemberEntity::from(member)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MemberPath { mid }): Path<MemberPath>,
    request: Sent<RoleRequest>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Update).await?;
    let role = role(request.read().await?.role_id)?;
    projects::change_role(&state.domain, &allowed, mid, role).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MemberPath { mid }): Path<MemberPath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Delete).await?;
    projects::remove_member(&state.domain, &allowed, mid).await?;
    Ok(Done)
}

/// Whether a caller may do something with the members of a project.
async fn may(
    state: &State,
    caller: &Caller,
    project: &Project,
    action: Action,
) -> Result<Allowed, Error> {
    let right = Right::new(Resource::Member, action);
    access::on_project(&state.domain, caller, project.by(), right).await
}
