//! Members of a project.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Allowed, Caller, Patterns, Resource, Right},
    groups::GroupKind,
    projects::{self, Member, MemberRef, NewMember},
    settings::{self, Key},
    sources,
};
use kit::{Error, Subject};
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

/// The operations of this file that only Haven has: members for some repositories only.
pub(super) fn haven_operations() -> Operations {
    let all = "/projects/{project_name_or_id}/members";
    let one = "/projects/{project_name_or_id}/members/{mid}";
    let refusals = &[401, 403, 404];
    Operations::haven("member")
        .get(
            all,
            "listMembers",
            "A project's members and their repositories.",
            list_narrowed,
            refusals,
        )
        .post(
            all,
            "createMember",
            "Adds a member, perhaps for some repositories only.",
            create_narrowed,
            &[401, 403, 404, 409],
        )
        .get(one, "getMember", "A member and its repositories.", show_narrowed, refusals)
        .put(
            one,
            "updateMember",
            "Gives a member a role for some repositories, or for all.",
            update_narrowed,
            refusals,
        )
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
    member_group: Option<super::usergroups::UserGroup>,
}

/// A user, by number or by name.
#[derive(Default, Deserialize, ToSchema)]
struct UserEntity {
    #[serde(default, deserialize_with = "null_is_nothing")]
    user_id: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    username: String,
}

/// What a client sends to give a member another role.
#[derive(Deserialize, ToSchema)]
struct RoleRequest {
    #[serde(default, deserialize_with = "null_is_nothing")]
    role_id: i64,
}

/// What a client sends to make somebody a member for some repositories only.
#[derive(Deserialize, ToSchema)]
struct NarrowedMemberRequest {
    #[serde(flatten)]
    member: ProjectMember,
    #[serde(flatten)]
    narrowing: Narrowing,
}

/// What a client sends to give a member a role for some repositories only.
#[derive(Deserialize, ToSchema)]
struct NarrowedRoleRequest {
    #[serde(default, deserialize_with = "null_is_nothing")]
    role_id: i64,
    #[serde(flatten)]
    narrowing: Narrowing,
}

/// For which repositories.
#[derive(Deserialize, ToSchema)]
struct Narrowing {
    /// Patterns of repositories as they are called within their project, such as
    /// `team-a/**`. Null, or left out, for all of them.
    repositories: Option<Vec<String>>,
}

impl Narrowing {
    fn patterns(&self) -> Result<Option<Patterns>, Error> {
        self.repositories.as_deref().map(Patterns::parse).transpose()
    }
}

impl ProjectMember {
    /// Who is named, in Harbor's order: by a number first, and users before groups.
    async fn who(self, state: &State) -> Result<MemberRef, Error> {
        let user = self.member_user.unwrap_or_default();
        let group = self.member_group.unwrap_or_default();
        if user.user_id > 0 {
            return Ok(MemberRef::User(user.user_id));
        }
        if group.id > 0 {
            return Ok(MemberRef::Group(group.id));
        }
        if !user.username.is_empty() {
            return Ok(MemberRef::UserName(user.username));
        }
        if !group.ldap_group_dn.is_empty() {
            return Ok(MemberRef::GroupDn(group.ldap_group_dn));
        }
        if !group.group_name.is_empty() {
            let kind = group_kind(state, group.group_type).await?;
            return Ok(MemberRef::GroupName(kind, group.group_name));
        }
        Err(Error::invalid("at least one of member_user or member_group must be provided")
            .about(Subject::Member))
    }
}

/// The kind of a group; without one, that of the auth mode.
async fn group_kind(state: &State, group_type: i64) -> Result<GroupKind, Error> {
    let kind = match group_type {
        0 => match settings::current(&state.domain).await?.text(Key::AuthMode) {
            "ldap_auth" => Some(GroupKind::Ldap),
            "http_auth" => Some(GroupKind::Http),
            "oidc_auth" => Some(GroupKind::Oidc),
            _ => None,
        },
        number => GroupKind::from_id(number),
    };
    kind.ok_or_else(|| {
        Error::invalid("group_type must be 1 (LDAP), 2 (HTTP) or 3 (OIDC)")
            .about(Subject::UserGroup)
    })
}

/// A member as clients see it.
#[derive(Serialize, ToSchema)]
struct ProjectMemberEntity {
    id: i64,
    project_id: i64,
    entity_name: String,
    role_name: String,
    role_id: i64,
    entity_id: i64,
    entity_type: &'static str,
}

impl From<Member> for ProjectMemberEntity {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            project_id: member.project_id,
            entity_name: member.name,
            role_name: member.role_name,
            role_id: member.role_id,
            entity_id: member.entity.id(),
            entity_type: member.entity.letter(),
        }
    }
}

/// A member with the repositories that it is for.
#[derive(Serialize, ToSchema)]
struct NarrowedMember {
    #[serde(flatten)]
    member: ProjectMemberEntity,
    /// Patterns of the repositories; null for all of them.
    repositories: Option<Vec<String>>,
}

impl From<Member> for NarrowedMember {
    fn from(member: Member) -> Self {
        let repositories = member.repositories.as_ref().map(Patterns::texts);
        Self { member: ProjectMemberEntity::from(member), repositories }
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
    let member = request.read().await?;
    let id = add(&state, &caller, &allowed, member, None).await?;
    Ok(Created::below(&uri, id))
}

async fn create_narrowed(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    OriginalUri(uri): OriginalUri,
    request: Sent<NarrowedMemberRequest>,
) -> Result<Created, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Create).await?;
    let NarrowedMemberRequest { member, narrowing } = request.read().await?;
    let id = add(&state, &caller, &allowed, member, narrowing.patterns()?).await?;
    Ok(Created::below(&uri, id))
}

/// Makes whoever is named a member.
async fn add(
    state: &State,
    caller: &Caller,
    allowed: &Allowed,
    member: ProjectMember,
    repositories: Option<Patterns>,
) -> Result<i64, Error> {
    let (domain, project_id) = (&state.domain, allowed.project().id);
    let role = access::give_role(domain, caller, project_id, member.role_id).await?;
    let who = sources::member(domain, caller.who(), member.who(state).await?).await?;
    projects::add_member(domain, allowed, NewMember { who, repositories }, role).await
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

async fn list_narrowed(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Query(query): Query<MembersQuery>,
    request: PageRequest,
) -> Result<Listed<NarrowedMember>, ApiError> {
    let allowed = may(&state, &caller, &project, Action::List).await?;
    let (name, page) = (query.entityname.as_deref(), request.page()?);
    let members = projects::members(&state.domain, &allowed, name, page).await?;
    Ok(request.answer(members, NarrowedMember::from))
}

async fn show_narrowed(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MemberPath { mid }): Path<MemberPath>,
) -> Result<Json<NarrowedMember>, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Read).await?;
    let member = projects::member(&state.domain, &allowed, mid).await?;
    Ok(Json(NarrowedMember::from(member)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MemberPath { mid }): Path<MemberPath>,
    request: Sent<RoleRequest>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Update).await?;
    let (domain, role_id) = (&state.domain, request.read().await?.role_id);
    let role = access::give_role(domain, &caller, allowed.project().id, role_id).await?;
    projects::change_role(domain, &allowed, mid, role).await?;
    Ok(Done)
}

async fn update_narrowed(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MemberPath { mid }): Path<MemberPath>,
    request: Sent<NarrowedRoleRequest>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Update).await?;
    let (domain, request) = (&state.domain, request.read().await?);
    let patterns = request.narrowing.patterns()?;
    let role = access::give_role(domain, &caller, allowed.project().id, request.role_id).await?;
    projects::set_member(domain, &allowed, mid, role, patterns.as_ref()).await?;
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
