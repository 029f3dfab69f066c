//! Members of a project.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{self, OriginalUri, Path},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right},
    projects::{self, Member, MemberRef, NewMember, Role},
};
use kit::{Error, Kind, Subject};
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    ApiError,
    glue::{Query, created, listed, null_is_nothing, page, project_ref, read_json},
    named,
};
use crate::State;

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/projects/{project}/members",
            named("api_members_list", get(list)).merge(named("api_members_create", post(create))),
        )
        .route(
            "/projects/{project}/members/{member}",
            named("api_members_get", get(show))
                .merge(named("api_members_update", put(update)))
                .merge(named("api_members_delete", delete(remove))),
        )
}

/// What a client sends to make somebody a member.
#[derive(Deserialize)]
struct MemberRequest {
    #[serde(default, deserialize_with = "null_is_nothing")]
    role_id: i64,
    member_user: Option<UserEntity>,
    member_group: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct UserEntity {
    #[serde(default, deserialize_with = "null_is_nothing")]
    user_id: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    username: String,
}

/// What a client sends to give a member another role.
#[derive(Deserialize)]
struct RoleRequest {
    #[serde(default, deserialize_with = "null_is_nothing")]
    role_id: i64,
}

impl MemberRequest {
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
#[derive(Serialize)]
struct MemberModel {
    id: i64,
    project_id: i64,
    entity_name: String,
    role_name: &'static str,
    role_id: i64,
    entity_id: i64,
    entity_type: &'static str,
}

impl From<Member> for MemberModel {
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
    Path(project): Path<String>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, ApiError> {
    let allowed = may(&state, &caller, &headers, &project, Action::List).await?;
    let (query, page) = (Query::of(&uri), page(&uri)?);
    let members =
        projects::members(&state.domain, &allowed, query.text("entityname"), page).await?;
    Ok(listed(&uri, page, members, MemberModel::from))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    body: Body,
) -> Result<Response, ApiError> {
    let allowed = may(&state, &caller, &headers, &project, Action::Create).await?;
    let new = read_json::<MemberRequest>(body).await?.new_member()?;
    let id = projects::add_member(&state.domain, &allowed, new).await?;
    Ok(created(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path((project, member)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let allowed = may(&state, &caller, &headers, &project, Action::Read).await?;
    let member = projects::member(&state.domain, &allowed, number(&member)?).await?;
    Ok(Json(MemberModel::from(member)).into_response())
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path((project, member)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let allowed = may(&state, &caller, &headers, &project, Action::Update).await?;
    let role = role(read_json::<RoleRequest>(body).await?.role_id)?;
    projects::change_role(&state.domain, &allowed, number(&member)?, role).await?;
    Ok(StatusCode::OK)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path((project, member)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let allowed = may(&state, &caller, &headers, &project, Action::Delete).await?;
    projects::remove_member(&state.domain, &allowed, number(&member)?).await?;
    Ok(StatusCode::OK)
}

/// Whether a caller may do something with the members of a project.
async fn may(
    state: &State,
    caller: &Caller,
    headers: &HeaderMap,
    project: &str,
    action: Action,
) -> Result<Allowed, Error> {
    let right = Right::new(Resource::Member, action);
    access::on_project(&state.domain, caller, project_ref(headers, project), right).await
}

/// The number of a member in a path.
fn number(text: &str) -> Result<i64, Error> {
    let message = "the number of a member must be a whole number";
    text.parse().map_err(|_| Error::new(Kind::Unprocessable, message))
}
