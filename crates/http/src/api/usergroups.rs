//! Groups of users.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    groups::{self, Group, GroupKind, NewGroup, Wanted},
    rights::{Allowed, System},
    settings::{self, Key},
    sources,
};
use kit::{Error, Subject};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed},
    request::{PageRequest, Path, Query, Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, one) = ("/usergroups", "/usergroups/{group_id}");
    Operations::harbor("usergroup")
        .get(all, "listUserGroups", "All user groups.", list, &[401, 403])
        .post(all, "createUserGroup", "Makes a user group.", create, &[401, 403, 409])
        .get(
            "/usergroups/search",
            "searchUserGroups",
            "User groups by a part of their name.",
            search,
            &[401, 409],
        )
        .get(one, "getUserGroup", "A user group.", show, &[400, 401, 403, 404])
        .put(one, "updateUserGroup", "Renames a user group.", update, &[401, 403, 404, 409])
        .delete(one, "deleteUserGroup", "Deletes a user group.", remove, &[400, 401, 403, 404])
}

/// A group in a path.
#[derive(Deserialize, IntoParams)]
struct GroupPath {
    /// The number of the group.
    group_id: i64,
}

/// A group, as clients see it and send it.
#[derive(Default, Deserialize, Serialize, ToSchema)]
pub(super) struct UserGroup {
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub(super) id: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub(super) group_name: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub(super) group_type: i64,
    #[serde(
        default,
        deserialize_with = "null_is_nothing",
        skip_serializing_if = "String::is_empty"
    )]
    pub(super) ldap_group_dn: String,
}

impl From<Group> for UserGroup {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            group_name: group.name,
            group_type: group.kind.id(),
            ldap_group_dn: group.dn.unwrap_or_default(),
        }
    }
}

impl UserGroup {
    /// The group to be made.
    fn new_group(self) -> Result<NewGroup, Error> {
        let kind = GroupKind::from_id(self.group_type).ok_or_else(|| {
            Error::invalid("group_type must be 1 (LDAP), 2 (HTTP) or 3 (OIDC)")
                .about(Subject::UserGroup)
        })?;
        let dn = (kind == GroupKind::Ldap).then(|| self.ldap_group_dn.trim().to_owned());
        Ok(NewGroup { name: self.group_name, kind, dn })
    }
}

/// What everybody who is known may see of a group.
#[derive(Serialize, ToSchema)]
struct UserGroupSearchItem {
    id: i64,
    group_name: String,
    group_type: i64,
}

/// Which groups are listed.
#[derive(Deserialize, IntoParams)]
struct GroupsQuery {
    /// Their distinguished name.
    ldap_group_dn: Option<String>,
    /// A part of their name.
    group_name: Option<String>,
}

/// What groups are searched by.
#[derive(Deserialize, IntoParams)]
struct SearchQuery {
    /// A part of their name.
    groupname: String,
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<GroupsQuery>,
    request: PageRequest,
) -> Result<Listed<UserGroup>, ApiError> {
    let allowed = may(&state, &caller, Action::List).await?;
    // As in Harbor, where these modes have groups of one kind only.
    let kind = match settings::current(&state.domain).await?.text(Key::AuthMode) {
        "ldap_auth" => Some(GroupKind::Ldap),
        "http_auth" => Some(GroupKind::Http),
        _ => None,
    };
    let wanted = Wanted { name: query.group_name, kind, dn: query.ldap_group_dn };
    let groups = groups::list(&state.domain, &allowed, &wanted, request.page()?).await?;
    Ok(request.answer(groups, UserGroup::from))
}

async fn search(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<SearchQuery>,
    request: PageRequest,
) -> Result<Listed<UserGroupSearchItem>, ApiError> {
    access::known(&state.domain, &caller).await?;
    let groups = groups::search(&state.domain, &query.groupname, request.page()?).await?;
    Ok(request.answer(groups, |group| UserGroupSearchItem {
        id: group.id,
        group_name: group.name,
        group_type: group.kind.id(),
    }))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<UserGroup>,
) -> Result<Created, ApiError> {
    let allowed = may(&state, &caller, Action::Create).await?;
    let new = request.read().await?.new_group()?;
    if let Some(dn) = &new.dn {
        sources::known_group(&state.domain, dn).await?;
    }
    let id = groups::create(&state.domain, &allowed, new).await?;
    Ok(Created::below(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(GroupPath { group_id }): Path<GroupPath>,
) -> Result<Json<UserGroup>, ApiError> {
    may(&state, &caller, Action::Read).await?;
    let group = groups::find(&state.domain, group_id).await?.ok_or_else(|| {
        let message = format!("the user group with id {group_id} is not found");
        Error::not_found(Subject::UserGroup, message)
    })?;
    Ok(Json(UserGroup::from(group)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(GroupPath { group_id }): Path<GroupPath>,
    request: Sent<UserGroup>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Update).await?;
    let name = request.read().await?.group_name;
    groups::rename(&state.domain, &allowed, group_id, &name).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(GroupPath { group_id }): Path<GroupPath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Delete).await?;
    groups::delete(&state.domain, &allowed, group_id).await?;
    Ok(Done)
}

/// Whether a caller may do something with user groups.
async fn may(state: &State, caller: &Caller, action: Action) -> Result<Allowed<System>, Error> {
    access::on_system(&state.domain, caller, Right::new(Resource::UserGroup, action)).await
}
