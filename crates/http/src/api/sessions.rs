//! Sessions: people see where they are signed in, and end what they do not know.

use std::sync::Arc;

use axum::{Extension, Json, extract, http::HeaderMap};
use domain::{
    access::{self, Caller},
    sessions,
    users::AllowedAccount,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Done, Timestamp},
    request::Path,
};
use crate::{State, auth};

const OWN: &str = "/users/current/sessions";
const OWN_ONE: &str = "/users/current/sessions/{session_id}";
const OF_USER: &str = "/users/{user_id}/sessions";
const ONE: &str = "/users/{user_id}/sessions/{session_id}";

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let refusals = &[401, 403, 404];
    Operations::haven("session")
        .get(OWN, "listOwnSessions", "Where I am signed in.", list_own, &[401, 403])
        .delete(OWN, "endOtherSessions", "Ends my other sessions.", end_others, &[401, 403])
        .delete(OWN_ONE, "endOwnSession", "Ends a session of mine.", end_own, refusals)
        .get(OF_USER, "listSessions", "Where a user is signed in.", list, refusals)
        .delete(OF_USER, "endSessions", "Ends a user's sessions.", end_all, refusals)
        .delete(ONE, "endSession", "Ends a user's session.", end, refusals)
}

/// A session of the one who asks, in a path.
#[derive(Deserialize, IntoParams)]
struct OwnSessionPath {
    /// The number of the session.
    session_id: i64,
}

/// A user in a path.
#[derive(Deserialize, IntoParams)]
struct UserPath {
    /// The number of the user.
    user_id: i64,
}

/// A user's session in a path.
#[derive(Deserialize, IntoParams)]
struct SessionPath {
    /// The number of the user.
    user_id: i64,
    /// The number of the session.
    session_id: i64,
}

/// A session as people see it.
#[derive(Serialize, ToSchema)]
struct Session {
    id: i64,
    /// The client's address when it began.
    address: String,
    /// The client's program, as it calls itself.
    agent: String,
    creation_time: Timestamp,
    /// When it was last used, give or take a minute.
    last_used: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

async fn list_own(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Json<Vec<Session>>, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    listed(&state, &allowed, &headers).await
}

async fn end_others(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Done, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    let asking = auth::session_id(&headers);
    sessions::end_others(&state.domain, &allowed, asking.as_ref()).await?;
    Ok(Done)
}

async fn end_own(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<OwnSessionPath>,
) -> Result<Done, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    sessions::end_one(&state.domain, &allowed, path.session_id).await?;
    Ok(Done)
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<UserPath>,
    headers: HeaderMap,
) -> Result<Json<Vec<Session>>, ApiError> {
    let allowed = access::on_account(&state.domain, &caller, path.user_id).await?;
    listed(&state, &allowed, &headers).await
}

async fn end_all(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<UserPath>,
) -> Result<Done, ApiError> {
    let allowed = access::on_account(&state.domain, &caller, path.user_id).await?;
    sessions::end_others(&state.domain, &allowed, None).await?;
    Ok(Done)
}

async fn end(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<SessionPath>,
) -> Result<Done, ApiError> {
    let allowed = access::on_account(&state.domain, &caller, path.user_id).await?;
    sessions::end_one(&state.domain, &allowed, path.session_id).await?;
    Ok(Done)
}

/// A user's sessions, of which there are a hundred at most: a list without pages.
async fn listed(
    state: &State,
    allowed: &AllowedAccount,
    headers: &HeaderMap,
) -> Result<Json<Vec<Session>>, ApiError> {
    let asking = auth::session_id(headers);
    let show = |session: sessions::Session| Session {
        id: session.id,
        current: asking.as_ref().is_some_and(|id| session.is(id)),
        address: session.address,
        agent: session.agent,
        creation_time: session.created_at.into(),
        last_used: session.used_at.into(),
    };
    let sessions = sessions::list(&state.domain, allowed).await?;
    Ok(Json(sessions.into_iter().map(show).collect()))
}
