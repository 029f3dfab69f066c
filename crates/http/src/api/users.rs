//! Users.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
    http::request::Parts,
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    personal_tokens,
    sign_in::{self, Way},
    sources,
    users::{self, NewUser, Profile, User},
};
use kit::{Error, Secret, Subject, query::Pattern};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed, Timestamp},
    request::{ListRequest, PageRequest, Path, Query, Sent, null_is_nothing},
};
use crate::{
    State,
    auth::{self, FromPage},
};

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let one = "/users/{user_id}";
    Operations::harbor("user")
        .get("/users", "listUsers", "All users.", list, &[401, 403])
        .post("/users", "createUser", "Makes a user.", create, &[401, 403, 409])
        .get("/users/current", "getCurrentUserInfo", "Who asks.", current, &[401, 412])
        .get("/users/search", "searchUsers", "Users by a part of their name.", search, &[401])
        .get(one, "getUser", "A user.", show, &[401, 403, 404])
        .put(
            one,
            "updateUserProfile",
            "Changes what is known of a user.",
            update,
            &[401, 403, 404, 409],
        )
        .delete(one, "deleteUser", "Deletes a user.", remove, &[401, 403, 404])
        .put(
            "/users/{user_id}/sysadmin",
            "setUserSysAdmin",
            "Says whether a user may do everything.",
            set_sysadmin,
            &[401, 403, 404],
        )
        .put(
            "/users/{user_id}/password",
            "updateUserPassword",
            "Gives a user another password.",
            set_password,
            &[401, 403, 404, 409, 429],
        )
}

/// The operations of this file that only Haven has: users with where they are from.
pub(super) fn haven_operations() -> Operations {
    let (all, one) = ("/users", "/users/{user_id}");
    Operations::haven("user")
        .get(all, "listUsersWithOrigins", "All users, and where from.", list_origins, &[401, 403])
        .get(one, "getUserWithOrigins", "A user, and where from.", show_origins, &[401, 403, 404])
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

/// What a client sends to change what is known of a user.
#[derive(Deserialize, ToSchema)]
struct UserProfile {
    #[serde(default, deserialize_with = "null_is_nothing")]
    email: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    realname: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    comment: String,
}

/// What a client sends to say whether a user may do everything.
#[derive(Deserialize, ToSchema)]
struct UserSysAdminFlag {
    #[serde(default, deserialize_with = "null_is_nothing")]
    sysadmin_flag: bool,
}

/// What a client sends to give a user another password.
#[derive(Deserialize, ToSchema)]
struct PasswordReq {
    /// The one that it has: needed by who changes its own.
    #[serde(default, deserialize_with = "null_is_nothing")]
    #[schema(value_type = String)]
    old_password: Secret,
    #[serde(default, deserialize_with = "null_is_nothing")]
    #[schema(value_type = String)]
    new_password: Secret,
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
    /// What ties the user to an account at an OpenID provider, if it is from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_user_meta: Option<OidcUserInfo>,
}

/// What ties a user to an account at an OpenID provider.
#[derive(Serialize, ToSchema)]
#[schema(as = OIDCUserInfo)]
struct OidcUserInfo {
    id: i64,
    user_id: i64,
    /// The provider's name for the user, and the provider's own.
    subiss: String,
    /// The CLI secret.
    secret: String,
    creation_time: Timestamp,
    update_time: Timestamp,
}

impl OidcUserInfo {
    /// That of a user, if it is from a provider.
    async fn of(state: &State, user: &User) -> Result<Option<Self>, Error> {
        let Some(account) = sources::account(&state.domain, user.id).await? else {
            return Ok(None);
        };
        let secret = personal_tokens::cli_secret(&state.domain, user.id).await?;
        Ok(Some(Self {
            id: account.id,
            user_id: user.id,
            subiss: account.subiss,
            secret: secret.map_or_else(String::new, |own| own.secret.reveal().to_owned()),
            creation_time: account.created_at.into(),
            update_time: account.updated_at.into(),
        }))
    }
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
            oidc_user_meta: None,
        }
    }
}

impl UserResp {
    /// A user as it sees itself: only then Harbor tells by what it is an administrator, and
    /// what it shows on a command line.
    async fn of_oneself(state: &State, user: &User) -> Result<Self, Error> {
        let oidc_user_meta = OidcUserInfo::of(state, user).await?;
        Ok(Self { admin_role_in_auth: user.admin_by_source, oidc_user_meta, ..Self::from(user) })
    }
}

/// A user, and where from.
#[derive(Serialize, ToSchema)]
struct UserWithOrigins {
    #[serde(flatten)]
    user: UserResp,
    /// Whether the user signs in by a password that is kept here. Of others, name, address
    /// and password are changed where they are from.
    has_password: bool,
    /// The names of the identity sources that know the user.
    origins: Vec<String>,
}

/// What everybody who is known may see of a user.
#[derive(Serialize, ToSchema)]
struct UserSearchRespItem {
    user_id: i64,
    username: String,
}

/// Which users are listed, beside what `q` says.
#[derive(Deserialize, IntoParams)]
struct UsersQuery {
    /// A part of their name.
    username: Option<String>,
    /// A part of their e-mail address.
    email: Option<String>,
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
    Query(query): Query<UsersQuery>,
    request: ListRequest,
) -> Result<Listed<UserResp>, ApiError> {
    let right = Right::new(Resource::User, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let mut selection = request.selection()?;
    for (key, text) in [("username", query.username), ("email", query.email)] {
        if let Some(text) = text {
            selection.filter.set(key, Pattern::Fuzzy(text));
        }
    }
    let users = users::list(&state.domain, &allowed, &selection).await?;
    Ok(request.answer(users, |user| UserResp::from(&user)))
}

async fn list_origins(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<UserWithOrigins>, ApiError> {
    let right = Right::new(Resource::User, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let users = users::list(&state.domain, &allowed, &request.selection()?).await?;
    let ids: Vec<i64> = users.items.iter().map(|user| user.id).collect();
    let mut origins = sources::origins(&state.domain, &ids).await?;
    Ok(request.answer(users, |user| UserWithOrigins {
        has_password: user.has_password(),
        origins: origins.remove(&user.id).unwrap_or_default(),
        user: UserResp::from(&user),
    }))
}

async fn search(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<SearchQuery>,
    request: PageRequest,
) -> Result<Listed<UserSearchRespItem>, ApiError> {
    access::identity(&state.domain, &caller).await?;
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
    parts: Parts,
    request: Sent<UserCreationReq>,
) -> Result<Created, ApiError> {
    let (allowed, registers) = access::to_make_user(&state.domain, &caller, from_page).await?;
    if registers {
        sign_in::may_register(&state.domain, &auth::attempt(&parts.extensions, Way::Portal))?;
    }
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
    let user = access::identity(&state.domain, &caller).await?;
    Ok(Json(UserResp::of_oneself(&state, &user).await?))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(UserPath { user_id }): Path<UserPath>,
) -> Result<Json<UserResp>, ApiError> {
    let allowed = access::on_user(&state.domain, &caller, user_id, Action::Read).await?;
    let user = known(&state, user_id).await?;
    Ok(Json(match allowed.thing().is_oneself {
        true => UserResp::of_oneself(&state, &user).await?,
        false => UserResp::from(&*user),
    }))
}

async fn show_origins(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    path: Path<UserPath>,
) -> Result<Json<UserWithOrigins>, ApiError> {
    let Path(UserPath { user_id }) = path;
    let allowed = access::on_user(&state.domain, &caller, user_id, Action::Read).await?;
    let user = known(&state, user_id).await?;
    let mut origins = sources::origins(&state.domain, &[user_id]).await?;
    Ok(Json(UserWithOrigins {
        has_password: user.has_password(),
        origins: origins.remove(&user_id).unwrap_or_default(),
        user: match allowed.thing().is_oneself {
            true => UserResp::of_oneself(&state, &user).await?,
            false => UserResp::from(&*user),
        },
    }))
}

/// The user with a number.
async fn known(state: &State, id: i64) -> Result<Arc<User>, Error> {
    let missing = || Error::not_found(Subject::User, format!("user {id} not found"));
    users::find(&state.domain, id).await?.ok_or_else(missing)
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(UserPath { user_id }): Path<UserPath>,
    request: Sent<UserProfile>,
) -> Result<Done, ApiError> {
    let allowed = access::on_user(&state.domain, &caller, user_id, Action::Update).await?;
    let UserProfile { email, realname, comment } = request.read().await?;
    users::update_profile(&state.domain, &allowed, Profile { email, realname, comment }).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(UserPath { user_id }): Path<UserPath>,
) -> Result<Done, ApiError> {
    let allowed = access::on_user(&state.domain, &caller, user_id, Action::Delete).await?;
    users::delete(&state.domain, &allowed).await?;
    Ok(Done)
}

async fn set_sysadmin(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(UserPath { user_id }): Path<UserPath>,
    request: Sent<UserSysAdminFlag>,
) -> Result<Done, ApiError> {
    let allowed = access::on_sysadmins(&state.domain, &caller).await?;
    let flag = request.read().await?.sysadmin_flag;
    users::set_sysadmin(&state.domain, &allowed, user_id, flag).await?;
    Ok(Done)
}

async fn set_password(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(UserPath { user_id }): Path<UserPath>,
    parts: Parts,
    request: Sent<PasswordReq>,
) -> Result<Done, ApiError> {
    let allowed = access::on_user(&state.domain, &caller, user_id, Action::Update).await?;
    let PasswordReq { old_password, new_password } = request.read().await?;
    if caller.user_id() == Some(user_id) {
        // Whoever finds a session open may not guess the password without waiting.
        let own = access::own_account(&state.domain, &caller).await?;
        let attempt = auth::attempt(&parts.extensions, Way::Portal);
        sign_in::confirm(&state.domain, &own, old_password.reveal(), &attempt).await?;
    }
    users::change_password(&state.domain, &allowed, &old_password, &new_password).await?;
    Ok(Done)
}
