//! Users.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    users::{self, NewUser, User},
};
use kit::{Error, Subject};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Listed, Timestamp},
    request::{ListRequest, PageRequest, Path, Query, Sent, null_is_nothing},
};
use crate::{State, auth::FromPage};

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("user")
        .get("/users", "listUsers", "All users.", list, &[401, 403])
        .post("/users", "createUser", "Makes a user.", create, &[401, 403, 409])
        .get("/users/current", "getCurrentUserInfo", "Who asks.", current, &[401, 412])
        .get("/users/search", "searchUsers", "Users by a part of their name.", search, &[401])
        .get("/users/{user_id}", "getUser", "A user.", show, &[401, 403, 404])
}

/// A user in a path.
#[derive(Deserialize, IntoParams)]
struct UserPath {
    /// The number of the user.
    user_id: i64,
}

/// What a client sends to make a user. Not `Debug`: it holds a password.
#[derive(Deserialize, ToSchema)]
struct UserCreationReq {
    #[serde(default, deserialize_with = "null_is_nothing")]
    username: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    email: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    realname: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    comment: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    password: String,
}

/// A user as clients see it.
#[derive(Serialize, ToSchema)]
struct UserResp {
    user_id: i64,
    username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    realname: String,
    comment: String,
    sysadmin_flag: bool,
    /// Whether another source than the database makes the user an administrator.
    admin_role_in_auth: bool,
    creation_time: Timestamp,
    update_time: Timestamp,
}

impl From<&User> for UserResp {
    fn from(user: &User) -> Self {
        Self {
            user_id: user.id,
            username: user.username.to_string(),
            email: user.email.clone(),
            realname: user.realname.clone(),
            comment: user.comment.clone(),
            sysadmin_flag: user.sysadmin,
            admin_role_in_auth: false,
            creation_time: user.created_at.into(),
            update_time: user.updated_at.into(),
        }
    }
}

impl UserResp {
    /// A user as it sees itself: only then Harbor tells by what it is an administrator.
    fn of_oneself(user: &User) -> Self {
        Self { admin_role_in_auth: user.admin_by_source, ..Self::from(user) }
    }
}

/// What everybody who is known may see of a user.
#[derive(Serialize, ToSchema)]
struct UserSearchRespItem {
    user_id: i64,
    username: String,
}

/// What users are searched by.
#[derive(Deserialize, IntoParams)]
struct SearchQuery {
    /// A part of their name.
    username: String,
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<UserResp>, ApiError> {
    let right = Right::new(Resource::User, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let users = users::list(&state.domain, &allowed, &request.selection()?).await?;
    Ok(request.answer(users, |user| UserResp::from(&user)))
}

async fn search(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<SearchQuery>,
    request: PageRequest,
) -> Result<Listed<UserSearchRespItem>, ApiError> {
    access::user(&state.domain, &caller).await?;
    let users = users::search(&state.domain, &query.username, request.page()?).await?;
    Ok(request.answer(users, |user| UserSearchRespItem {
        user_id: user.id,
        username: user.username.to_string(),
    }))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    FromPage(from_page): FromPage,
    request: Sent<UserCreationReq>,
) -> Result<Created, ApiError> {
    let allowed = access::to_make_user(&state.domain, &caller, from_page).await?;
    let request = request.read().await?;
    let new = NewUser {
        username: request.username,
        email: request.email,
        realname: request.realname,
        comment: request.comment,
        password: request.password,
    };
    let id = users::create(&state.domain, &allowed, new).await?;
    Ok(Created::below(&uri, id))
}

async fn current(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<UserResp>, ApiError> {
    let user = access::user(&state.domain, &caller).await?;
    Ok(Json(UserResp::of_oneself(&user)))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(UserPath { user_id }): Path<UserPath>,
) -> Result<Json<UserResp>, ApiError> {
    let asking = access::user(&state.domain, &caller).await?;
    if asking.id != user_id {
        let right = Right::new(Resource::User, Action::Read);
        access::on_system(&state.domain, &caller, right).await?;
    }
    let user = users::find(&state.domain, user_id).await?;
    let user =
        user.ok_or_else(|| Error::not_found(Subject::User, format!("user {user_id} not found")))?;
    let is_oneself = asking.id == user_id;
    Ok(Json(if is_oneself { UserResp::of_oneself(&user) } else { UserResp::from(&*user) }))
}
