//! CVEs that do not count.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract,
    http::StatusCode,
    routing::{get, put},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    allowlists::{self, Allowlist},
};
use kit::{Error, Kind, Time};
use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    glue::{null_is_nothing, read_json, timestamp_or_never},
    named,
};
use crate::State;

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new().route(
        "/system/CVEAllowlist",
        named("api_cve_allowlist_get", get(show))
            .merge(named("api_cve_allowlist_update", put(update))),
    )
}

/// A list as clients see it.
#[derive(Serialize)]
struct AllowlistModel {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    project_id: i64,
    /// Seconds since the epoch.
    expires_at: Option<i64>,
    items: Vec<ItemModel>,
    creation_time: String,
    update_time: String,
}

/// A CVE as clients send and see it.
#[derive(Serialize, Deserialize)]
struct ItemModel {
    cve_id: String,
}

/// What a client sends.
#[derive(Deserialize)]
struct AllowlistRequest {
    expires_at: Option<i64>,
    #[serde(default, deserialize_with = "null_is_nothing")]
    items: Vec<ItemModel>,
}

impl From<Allowlist> for AllowlistModel {
    fn from(list: Allowlist) -> Self {
        Self {
            id: list.id,
            project_id: 0,
            expires_at: list.expires_at.map(Time::seconds),
            items: list.items.into_iter().map(|cve_id| ItemModel { cve_id }).collect(),
            creation_time: timestamp_or_never(list.created_at),
            update_time: timestamp_or_never(list.updated_at),
        }
    }
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<AllowlistModel>, ApiError> {
    if caller.is_anonymous() {
        return Err(Error::new(Kind::Unauthenticated, "unauthorized").into());
    }
    Ok(Json(allowlists::system(&state.domain).await?.into()))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let right = Right::new(Resource::Configuration, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let request: AllowlistRequest = read_json(body).await?;
    let items = request.items.into_iter().map(|item| item.cve_id).collect();
    let expires_at = request.expires_at.map(Time::from_seconds);
    allowlists::set_system(&state.domain, &allowed, expires_at, items).await?;
    Ok(StatusCode::OK)
}
