//! Personal access tokens, and the CLI secret.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    personal_tokens::{self, NewToken, PersonalToken, Scope},
    projects::ProjectRef,
    users::AllowedAccount,
};
use kit::{Error, Kind, Secret};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, CreatedWith, Done, Timestamp},
    request::{Path, Sent, null_is_nothing},
};
use crate::State;

/// The most projects that a token is for.
const MOST_PROJECTS: usize = 100;

const OWN: &str = "/users/current/tokens";
const OWN_ONE: &str = "/users/current/tokens/{token_id}";
const OF_USER: &str = "/users/{user_id}/tokens";
const ONE: &str = "/users/{user_id}/tokens/{token_id}";

/// The operations that only Haven has.
pub(super) fn operations() -> Operations {
    let refusals = &[401, 403, 404];
    let creation = &[400, 401, 403, 409, 412];
    Operations::haven("token")
        .get(OWN, "listOwnTokens", "My personal access tokens.", list_own, &[401, 403])
        .post(OWN, "createOwnToken", "Makes a token and shows it once.", create, creation)
        .delete(OWN_ONE, "revokeOwnToken", "Revokes a token of mine.", revoke_own, refusals)
        .get(OF_USER, "listTokens", "A user's personal access tokens.", list, refusals)
        .delete(ONE, "revokeToken", "Revokes a user's token.", revoke, refusals)
}

/// The operation of Harbor's.
pub(super) fn harbor_operations() -> Operations {
    let path = "/users/{user_id}/cli_secret";
    let refusals = &[400, 401, 403, 404, 412];
    Operations::harbor("user").put(
        path,
        "setCliSecret",
        "Sets what a user from elsewhere shows on a command line.",
        set_cli_secret,
        refusals,
    )
}

/// A token of the one who asks, in a path.
#[derive(Deserialize, IntoParams)]
struct OwnTokenPath {
    /// The number of the token.
    token_id: i64,
}

/// A user in a path.
#[derive(Deserialize, IntoParams)]
struct UserPath {
    /// The number of the user.
    user_id: i64,
}

/// A user's token in a path.
#[derive(Deserialize, IntoParams)]
struct TokenPath {
    /// The number of the user.
    user_id: i64,
    /// The number of the token.
    token_id: i64,
}

/// What a client sends to make a token.
#[derive(Deserialize, ToSchema)]
struct TokenCreationReq {
    #[serde(default, deserialize_with = "null_is_nothing")]
    name: String,
    /// `pull`, `push` (which may pull as well) or `all`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    scope: String,
    /// The names or numbers of the projects that it is for; none for all.
    #[serde(default)]
    projects: Option<Vec<String>>,
    /// When it ends; never, if nothing is said.
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

/// What a client is shown once of a token that it made.
#[derive(Serialize, ToSchema)]
struct TokenCreated {
    id: i64,
    token: String,
}

/// A token as people see it.
#[derive(Serialize, ToSchema)]
struct PersonalAccessToken {
    id: i64,
    name: String,
    scope: &'static str,
    /// The numbers of the projects that it is for; none for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    projects: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    creation_time: Timestamp,
    /// When it was last used, give or take some minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Timestamp>,
}

impl From<PersonalToken> for PersonalAccessToken {
    fn from(token: PersonalToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scope: token.scope.name(),
            projects: token.projects,
            expires_at: token.expires_at.map(Timestamp::from),
            creation_time: token.created_at.into(),
            last_used: token.used_at.map(Timestamp::from),
        }
    }
}

/// A new CLI secret.
#[derive(Deserialize, ToSchema)]
struct OIDCCliSecretReq {
    #[serde(default, deserialize_with = "null_is_nothing")]
    #[schema(value_type = String)]
    secret: Secret,
}

async fn list_own(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<PersonalAccessToken>>, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    listed(&state, &allowed).await
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<TokenCreationReq>,
) -> Result<CreatedWith<TokenCreated>, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    let request = request.read().await?;
    let scope = Scope::from_name(&request.scope)
        .ok_or_else(|| Error::invalid("the scope of a token is pull, push or all"))?;
    let projects = match &request.projects {
        Some(names) => Some(numbers(&state, &caller, names).await?),
        None => None,
    };
    let expires_at = request.expires_at.map(kit::Time::from);
    let new = NewToken { name: request.name, scope, projects, expires_at };
    let (id, token) = personal_tokens::make(&state.domain, &allowed, new).await?;
    let shown = TokenCreated { id, token: token.reveal().to_owned() };
    Ok(CreatedWith(Created::below(&uri, id), shown))
}

/// The numbers of projects that a caller may see; the same refusal for those that are not
/// there.
async fn numbers(state: &State, caller: &Caller, names: &[String]) -> Result<Vec<i64>, Error> {
    if names.len() > MOST_PROJECTS {
        return Err(Error::invalid("a token is for 1 to 100 projects, or for all"));
    }
    let see = Right::new(Resource::Itself, Action::Read);
    let mut numbers = Vec::new();
    for name in names {
        let unknown =
            || Error::invalid(format!("there is no project {name}, or none that you may see"));
        if name.contains('\0') {
            return Err(unknown());
        }
        let project = name.parse().map_or(ProjectRef::Name(name), ProjectRef::Id);
        match access::on_project(&state.domain, caller, project, see).await {
            Ok(allowed) => numbers.push(allowed.project().id),
            Err(error) if matches!(error.kind, Kind::Forbidden | Kind::NotFound) => {
                return Err(unknown());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(numbers)
}

async fn revoke_own(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<OwnTokenPath>,
) -> Result<Done, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    personal_tokens::revoke(&state.domain, &allowed, path.token_id).await?;
    Ok(Done)
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<UserPath>,
) -> Result<Json<Vec<PersonalAccessToken>>, ApiError> {
    let allowed = access::on_account(&state.domain, &caller, path.user_id).await?;
    listed(&state, &allowed).await
}

async fn revoke(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<TokenPath>,
) -> Result<Done, ApiError> {
    let allowed = access::on_account(&state.domain, &caller, path.user_id).await?;
    personal_tokens::revoke(&state.domain, &allowed, path.token_id).await?;
    Ok(Done)
}

async fn set_cli_secret(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<UserPath>,
    request: Sent<OIDCCliSecretReq>,
) -> Result<Done, ApiError> {
    let allowed = access::on_account(&state.domain, &caller, path.user_id).await?;
    let secret = request.read().await?.secret;
    personal_tokens::set_cli_secret(&state.domain, &allowed, &secret).await?;
    Ok(Done)
}

/// A user's tokens, of which there are a hundred at most: a list without pages.
async fn listed(
    state: &State,
    allowed: &AllowedAccount,
) -> Result<Json<Vec<PersonalAccessToken>>, ApiError> {
    let tokens = personal_tokens::list(&state.domain, allowed).await?;
    Ok(Json(tokens.into_iter().map(PersonalAccessToken::from).collect()))
}
