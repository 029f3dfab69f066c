//! Whether the server is there, and which API it has.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

use super::{Operations, named};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("ping").get("/ping", "getPing", "Whether the server is there.", ping, &[])
}

async fn ping() -> &'static str {
    "Pong"
}

/// The route beside the API that tells its version.
pub(super) fn version_router() -> Router<Arc<State>> {
    Router::new().route("/api/version", named("api_version", get(version)))
}

async fn version() -> Json<Value> {
    Json(json!({ "version": "v2.0" }))
}
