//! What clients need to know of the system. Who is known is told more.

use std::sync::Arc;

use axum::{Extension, Json, Router, extract, http::request::Parts, routing::get};
use domain::access::Caller;
use serde::Serialize;

use super::{named, timestamp};
use crate::{State, auth};

/// The version of Harbor whose API this is: clients compare it with what they need.
const HARBOR_VERSION: &str = "v2.16.0";

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new().route("/systeminfo", named("api_systeminfo", get(show)))
}

#[derive(Serialize)]
struct Info {
    auth_mode: &'static str,
    primary_auth_mode: bool,
    self_registration: bool,
    banner_message: &'static str,
    #[serde(flatten)]
    known: Option<MoreInfo>,
}

/// What only a known caller is told.
#[derive(Serialize)]
struct MoreInfo {
    harbor_version: String,
    external_url: String,
    registry_url: String,
    read_only: bool,
    has_ca_root: bool,
    project_creation_restriction: &'static str,
    notification_enable: bool,
    current_time: String,
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    parts: Parts,
) -> Json<Info> {
    Json(Info {
        auth_mode: "db_auth",
        primary_auth_mode: false,
        self_registration: false,
        banner_message: "",
        known: (!caller.is_anonymous()).then(|| more(&state, &parts)),
    })
}

fn more(state: &State, parts: &Parts) -> MoreInfo {
    let external_url = auth::origin(state, parts);
    let registry_url = external_url.split_once("://").map_or("", |(_, rest)| rest).to_owned();
    MoreInfo {
        harbor_version: format!("{HARBOR_VERSION}-haven.{}", state.version),
        external_url,
        registry_url,
        read_only: false,
        has_ca_root: false,
        project_creation_restriction: "everyone",
        notification_enable: false,
        current_time: timestamp(state.domain.clock.now()),
    }
}
