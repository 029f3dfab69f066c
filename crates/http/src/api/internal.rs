//! What Harbor's own parts and its administrators ask for beside the API.

use std::sync::Arc;

use axum::{Extension, Router, extract, routing::post};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    quotas, users,
};

use super::{ApiError, answer::Done, named};
use crate::State;

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/api/internal/renameadmin", named("rename_admin", post(rename_admin)))
        .route("/api/internal/syncquota", named("sync_quota", post(sync_quota)))
}

async fn rename_admin(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::User, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    users::rename_admin(&state.domain, &allowed).await?;
    Ok(Done)
}

/// Counts anew what projects use, while everybody goes on.
async fn sync_quota(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Quota, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    quotas::sync(&state.domain, &allowed).await?;
    Ok(Done)
}
