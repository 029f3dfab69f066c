//! What robots can be given, for whoever chooses.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::access::{self, Caller, Right};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiError, Operations};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("permissions").get(
        "/permissions",
        "getPermissions",
        "What robots can be given.",
        show,
        &[401, 403, 404],
    )
}

/// What can be given, by where it counts.
#[derive(Serialize, ToSchema)]
struct Permissions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Permission>,
    project: Vec<Permission>,
}

/// An action on a kind of thing.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Permission {
    pub(super) resource: String,
    pub(super) action: String,
}

impl From<Right> for Permission {
    fn from(right: Right) -> Self {
        let (resource, action) = (right.resource.as_str(), right.action.as_str());
        Self { resource: resource.to_owned(), action: action.to_owned() }
    }
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Permissions>, ApiError> {
    let found = access::assignable(&state.domain, &caller).await?;
    let models = |rights: Vec<Right>| rights.into_iter().map(Permission::from).collect();
    Ok(Json(Permissions { system: models(found.system), project: models(found.project) }))
}
