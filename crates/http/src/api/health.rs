//! How the parts are. Always 200: the answer tells.

use std::sync::Arc;

use axum::{Json, extract};
use domain::health;
use serde::Serialize;
use utoipa::ToSchema;

use super::Operations;
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("health").get("/health", "getHealth", "How the parts are.", show, &[])
}

/// How the whole is, and how its parts are.
#[derive(Serialize, ToSchema)]
struct OverallHealthStatus {
    status: &'static str,
    components: Vec<ComponentHealthStatus>,
}

/// How a part is.
#[derive(Serialize, ToSchema)]
struct ComponentHealthStatus {
    name: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

async fn show(extract::State(state): extract::State<Arc<State>>) -> Json<OverallHealthStatus> {
    let health = health(&state.domain).await;
    let (database, store) = ("the database does not answer", "the blob store does not answer");
    // One process does what Harbor's containers do; those that it has no need of are not here.
    let components = vec![
        component("core", true, ""),
        component("database", health.database, database),
        component("jobservice", health.database, database),
        component("portal", true, ""),
        component("registry", health.store, store),
        component("registryctl", health.store, store),
    ];
    Json(OverallHealthStatus { status: word(health.database && health.store), components })
}

fn component(name: &'static str, healthy: bool, error: &'static str) -> ComponentHealthStatus {
    ComponentHealthStatus { name, status: word(healthy), error: (!healthy).then_some(error) }
}

fn word(healthy: bool) -> &'static str {
    if healthy { "healthy" } else { "unhealthy" }
}
