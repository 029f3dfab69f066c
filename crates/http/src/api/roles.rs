//! Custom roles, which only Haven has.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right, Rights},
    rights::{Allowed, System},
    roles::{self, CustomRole, NewRole},
};
use kit::{Error, Result, Subject};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed, Timestamp},
    permissions::Permission,
    request::{PageRequest, Path, Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, one) = ("/roles", "/roles/{role_id}");
    Operations::haven("role")
        .get(all, "listRoles", "All custom roles.", list, &[401])
        .post(all, "createRole", "Makes a custom role.", create, &[401, 403, 409])
        .get(one, "getRole", "A custom role.", show, &[401, 404])
        .put(one, "updateRole", "Changes a custom role.", update, &[401, 403, 404, 409])
        .delete(
            one,
            "deleteRole",
            "Deletes a role that no member has.",
            remove,
            &[401, 403, 404, 412],
        )
}

/// A role in a path.
#[derive(Deserialize, IntoParams)]
struct RolePath {
    /// The number of the role.
    role_id: i64,
}

/// What a client sends to make or change a role.
#[derive(Deserialize, ToSchema)]
#[schema(as = RoleReq)]
struct RoleRequest {
    #[serde(default, deserialize_with = "null_is_nothing")]
    name: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    description: String,
    /// What who has the role may do in a project; a dot stands for the project itself.
    #[serde(default, deserialize_with = "null_is_nothing")]
    permissions: Vec<Permission>,
}

impl RoleRequest {
    fn new_role(self) -> Result<NewRole> {
        let rights = self.permissions.iter().map(right).collect::<Result<Rights>>()?;
        Ok(NewRole { name: self.name, description: self.description, rights })
    }
}

/// The right that a permission names.
fn right(permission: &Permission) -> Result<Right> {
    let resource = match permission.resource.as_str() {
        "." => "",
        "" => "no resource",
        name => name,
    };
    Right::from_words((resource, &permission.action)).ok_or_else(|| {
        let Permission { resource, action } = permission;
        let message = format!("bad request permission: {resource}:{action}");
        Error::invalid(message).about(Subject::Role)
    })
}

/// A role as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
struct RoleAnswer {
    id: i64,
    name: String,
    description: String,
    permissions: Vec<Permission>,
    creation_time: Timestamp,
    update_time: Timestamp,
}

impl From<&CustomRole> for RoleAnswer {
    fn from(role: &CustomRole) -> Self {
        let permission = |right: Right| match right.resource {
            Resource::Itself => Permission { resource: ".".to_owned(), ..right.into() },
            _ => right.into(),
        };
        Self {
            id: role.id,
            name: role.name.clone(),
            description: role.description.clone(),
            permissions: role.rights.iter().map(permission).collect(),
            creation_time: role.created_at.into(),
            update_time: role.updated_at.into(),
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: PageRequest,
) -> Result<Listed<RoleAnswer>, ApiError> {
    access::known(&state.domain, &caller).await?;
    let roles = roles::list(&state.domain, request.page()?).await?;
    Ok(request.answer(roles, |role| RoleAnswer::from(&role)))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<RoleRequest>,
) -> Result<Created, ApiError> {
    let allowed = may(&state, &caller, Action::Create).await?;
    let new = request.read().await?.new_role()?;
    let id = roles::create(&state.domain, &allowed, new).await?;
    Ok(Created::below(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RolePath { role_id }): Path<RolePath>,
) -> Result<Json<RoleAnswer>, ApiError> {
    access::known(&state.domain, &caller).await?;
    let role = roles::find(&state.domain, role_id)
        .await?
        .ok_or_else(|| Error::not_found(Subject::Role, format!("role {role_id} not found")))?;
    Ok(Json(RoleAnswer::from(&*role)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RolePath { role_id }): Path<RolePath>,
    request: Sent<RoleRequest>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Update).await?;
    let new = request.read().await?.new_role()?;
    roles::update(&state.domain, &allowed, role_id, new).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RolePath { role_id }): Path<RolePath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Delete).await?;
    roles::delete(&state.domain, &allowed, role_id).await?;
    Ok(Done)
}

/// Whether a caller may do something with custom roles.
async fn may(state: &State, caller: &Caller, action: Action) -> Result<Allowed<System>> {
    access::on_system(&state.domain, caller, Right::new(Resource::Role, action)).await
}
