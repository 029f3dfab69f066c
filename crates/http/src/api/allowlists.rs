//! CVEs that do not count.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    allowlists::{self, Allowlist, Change},
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
    items: Vec<CVEAllowlistItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<Timestamp>,
}

/// A CVE as clients send and see it.
#[derive(Deserialize, Serialize, ToSchema)]
struct CVEAllowlistItem {
    cve_id: String,
}

impl CVEAllowlist {
    /// The list of a project, or of the system by 0.
    pub(super) fn of(project_id: i64, list: Allowlist) -> Self {
        Self {
            id: list.id,
            project_id,
            expires_at: list.expires_at.map(Time::seconds),
            items: list.items.into_iter().map(|cve_id| CVEAllowlistItem { cve_id }).collect(),
            creation_time: Some(Timestamp::or_never(list.created_at)),
            update_time: Some(Timestamp::or_never(list.updated_at)),
        }
    }

    /// What it sets a list to, if it is for a project or names none.
    ///
    /// # Errors
    /// Invalid when it names another project.
    pub(super) fn change(self, project_id: i64) -> Result<Change, Error> {
        if self.project_id != 0 && self.project_id != project_id {
            let own = self.project_id;
            let message =
                format!("project_id in cve_allowlist must be {project_id} but it's {own}");
            return Err(Error::invalid(message));
        }
        Ok(self.into_change())
    }

    fn into_change(self) -> Change {
        Change {
            expires_at: self.expires_at.map(Time::from_seconds),
            items: self.items.into_iter().map(|item| item.cve_id).collect(),
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
    let list = allowlists::system(&state.domain).await?;
    Ok(Json(CVEAllowlist::of(0, list)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<CVEAllowlist>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Configuration, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let change = request.read().await?.into_change();
    allowlists::set_system(&state.domain, &allowed, change).await?;
    Ok(Done)
}
