//! Users.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{self, OriginalUri, Path},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    users::{self, Filter, NewUser, User},
};
use kit::{Error, Kind, Subject};
use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    glue::{Query, created, listed, null_is_nothing, page, read_json, timestamp},
    named,
};
use crate::State;

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/users",
            named("api_users_list", get(list)).merge(named("api_users_create", post(create))),
        )
        .route("/users/current", named("api_users_current", get(current)))
        .route("/users/search", named("api_users_search", get(search)))
        .route("/users/{user}", named("api_users_get", get(show)))
}

/// What a client sends to make a user. Not `Debug`: it holds a password.
#[derive(Deserialize)]
struct UserRequest {
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
#[derive(Serialize)]
struct UserModel {
    user_id: i64,
    username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    realname: String,
    comment: String,
    sysadmin_flag: bool,
    /// Whether another source than the database makes the user an administrator.
    admin_role_in_auth: bool,
    creation_time: String,
    update_time: String,
}

impl From<&User> for UserModel {
    fn from(user: &User) -> Self {
        Self {
            user_id: user.id,
            username: user.username.to_string(),
            email: user.email.clone(),
            realname: user.realname.clone(),
            comment: user.comment.clone(),
            sysadmin_flag: user.sysadmin,
            admin_role_in_auth: false,
            creation_time: timestamp(user.created_at),
            update_time: timestamp(user.updated_at),
        }
    }
}

/// What everybody who is known may see of a user.
#[derive(Serialize)]
struct Found {
    user_id: i64,
    username: String,
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, ApiError> {
    let right = Right::new(Resource::User, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let (query, page) = (Query::of(&uri), page(&uri)?);
    let filter = Filter {
        username: query.text("username").map(str::to_owned),
        email: query.text("email").map(str::to_owned),
    };
    let users = users::list(&state.domain, &allowed, &filter, page).await?;
    Ok(listed(&uri, page, users, |user| UserModel::from(&user)))
}

async fn search(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, ApiError> {
    access::user(&state.domain, &caller).await?;
    let (query, page) = (Query::of(&uri), page(&uri)?);
    let username = query
        .text("username")
        .ok_or_else(|| Error::new(Kind::Unprocessable, "the parameter username is missing"))?;
    let users = users::search(&state.domain, username, page).await?;
    let found = |user: User| Found { user_id: user.id, username: user.username.to_string() };
    Ok(listed(&uri, page, users, found))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    body: Body,
) -> Result<Response, ApiError> {
    let right = Right::new(Resource::User, Action::Create);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let request: UserRequest = read_json(body).await?;
    let new = NewUser {
        username: request.username,
        email: request.email,
        realname: request.realname,
        comment: request.comment,
        password: request.password,
    };
    let id = users::create(&state.domain, &allowed, new).await?;
    Ok(created(&uri, id))
}

async fn current(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let user = access::user(&state.domain, &caller).await?;
    Ok(Json(UserModel::from(&*user)).into_response())
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(user): Path<String>,
) -> Result<Response, ApiError> {
    let asking = access::user(&state.domain, &caller).await?;
    let id: i64 = user.parse().map_err(|_| {
        Error::new(Kind::Unprocessable, "the number of a user must be a whole number")
    })?;
    if asking.id != id {
        let right = Right::new(Resource::User, Action::Read);
        access::on_system(&state.domain, &caller, right).await?;
    }
    let user = users::find(&state.domain, id).await?;
    let user =
        user.ok_or_else(|| Error::not_found(Subject::User, format!("user {id} not found")))?;
    Ok(Json(UserModel::from(&*user)).into_response())
}
