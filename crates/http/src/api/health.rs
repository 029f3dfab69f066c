//! How the parts are. Always 200: the answer tells.

use std::sync::Arc;

use axum::{Json, Router, extract, routing::get};
use domain::health;
use serde::Serialize;

use super::named;
use crate::State;

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new().route("/health", named("api_health", get(show)))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    name: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

async fn show(extract::State(state): extract::State<Arc<State>>) -> Json<Health> {
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
    Json(Health { status: word(health.database && health.store), components })
}

fn component(name: &'static str, healthy: bool, error: &'static str) -> Component {
    Component { name, status: word(healthy), error: (!healthy).then_some(error) }
}

fn word(healthy: bool) -> &'static str {
    if healthy { "healthy" } else { "unhealthy" }
}
