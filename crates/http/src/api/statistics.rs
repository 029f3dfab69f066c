//! How much there is.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Caller, View},
    statistics,
};
use kit::{Error, Kind};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, Operations};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("statistic").get(
        "/statistics",
        "getStatistic",
        "How much there is.",
        show,
        &[401],
    )
}

/// The counts as clients see them. The totals are a sysadmin's to know: 0 for others.
#[derive(Serialize, ToSchema)]
struct Statistic {
    private_project_count: i64,
    private_repo_count: i64,
    public_project_count: i64,
    public_repo_count: i64,
    total_project_count: i64,
    total_repo_count: i64,
    total_storage_consumption: i64,
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Statistic>, ApiError> {
    if caller.is_anonymous() {
        return Err(Error::new(Kind::Unauthenticated, "unauthorized").into());
    }
    let view = access::view(&state.domain, &caller).await?;
    let found = statistics::count(&state.domain, view).await?;
    let total = |sum: i64| if view == View::Everything { sum } else { 0 };
    Ok(Json(Statistic {
        private_project_count: found.private_projects,
        private_repo_count: found.private_repositories,
        public_project_count: found.public_projects,
        public_repo_count: found.public_repositories,
        total_project_count: total(found.public_projects + found.private_projects),
        total_repo_count: total(found.public_repositories + found.private_repositories),
        total_storage_consumption: found.stored,
    }))
}
