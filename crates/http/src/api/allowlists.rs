//! CVEs that do not count.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    allowlists::{self, Allowlist},
};
use kit::{Error, Kind, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiError, Operations,
    answer::{Done, Timestamp},
    request::{Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let path = "/system/CVEAllowlist";
    Operations::harbor("SystemCVEAllowlist")
        .get(path, "getSystemCVEAllowlist", "CVEs that count nowhere.", show, &[401])
        .put(path, "putSystemCVEAllowlist", "Sets them.", update, &[401, 403])
}

/// A list as clients send and see it; they set its items and when it expires.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct CVEAllowlist {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(deserialize_with = "null_is_nothing")]
    project_id: i64,
    /// Seconds since the epoch.
    expires_at: Option<i64>,
    #[serde(deserialize_with = "null_is_nothing")]
    pub(super) items: Vec<CVEAllowlistItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<Timestamp>,
}

/// A CVE as clients send and see it.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct CVEAllowlistItem {
    cve_id: String,
}

impl CVEAllowlist {
    /// A project's list without anything in it.
    pub(super) fn empty(project_id: i64) -> Self {
        Self { project_id, ..Self::default() }
    }
}

impl From<Allowlist> for CVEAllowlist {
    fn from(list: Allowlist) -> Self {
        Self {
            id: list.id,
            project_id: 0,
            expires_at: list.expires_at.map(Time::seconds),
            items: list.items.into_iter().map(|cve_id| CVEAllowlistItem { cve_id }).collect(),
            creation_time: Some(Timestamp::or_never(list.created_at)),
            update_time: Some(Timestamp::or_never(list.updated_at)),
        }
    }
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<CVEAllowlist>, ApiError> {
    if caller.is_anonymous() {
        return Err(Error::new(Kind::Unauthenticated, "unauthorized").into());
    }
    Ok(Json(allowlists::system(&state.domain).await?.into()))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<CVEAllowlist>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Configuration, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let request = request.read().await?;
    let items = request.items.into_iter().map(|item| item.cve_id).collect();
    let expires_at = request.expires_at.map(Time::from_seconds);
    allowlists::set_system(&state.domain, &allowed, expires_at, items).await?;
    Ok(Done)
}
