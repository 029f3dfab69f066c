//! Whether the server is there, and which API it has.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

use super::named;
use crate::State;

/// The routes below `/api/v2.0`.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new().route("/ping", named("api_ping", get(async || "Pong")))
}

/// The route beside the API that tells its version.
pub(super) fn version_router() -> Router<Arc<State>> {
    Router::new().route("/api/version", named("api_version", get(version)))
}

async fn version() -> Json<Value> {
    Json(json!({ "version": "v2.0" }))
}
