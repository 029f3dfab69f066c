//! What clients need to know of the system. Who is known is told more, and an
//! administrator most.

use std::sync::Arc;

use axum::{
    Extension, Json, Router, extract,
    http::{
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    settings::{self, Configuration, Key},
};
use kit::{Error, Subject};
use serde::Serialize;

use super::{ApiError, named, timestamp};
use crate::{State, auth};

/// The version of Harbor whose API this is: clients compare it with what they need.
const HARBOR_VERSION: &str = "v2.16.0";

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/systeminfo", named("api_systeminfo", get(show)))
        .route("/systeminfo/volumes", named("api_systeminfo_volumes", get(volumes)))
        .route("/systeminfo/getcert", named("api_systeminfo_getcert", get(certificate)))
}

#[derive(Serialize)]
struct Info {
    auth_mode: String,
    primary_auth_mode: bool,
    self_registration: bool,
    banner_message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_provider_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authproxy_settings: Option<ProxyModel>,
    #[serde(flatten)]
    known: Option<MoreInfo>,
}

/// What is told of an authentication proxy; the name of the second field is Harbor's.
#[derive(Serialize)]
struct ProxyModel {
    endpoint: String,
    tokenreivew_endpoint: String,
    skip_search: bool,
    verify_cert: bool,
    server_certificate: String,
}

/// What only a known caller is told.
#[derive(Serialize)]
struct MoreInfo {
    harbor_version: String,
    external_url: String,
    registry_url: String,
    read_only: bool,
    has_ca_root: bool,
    project_creation_restriction: String,
    registry_storage_provider_name: &'static str,
    notification_enable: bool,
    current_time: String,
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    parts: Parts,
) -> Result<Json<Info>, ApiError> {
    let now = settings::current(&state.domain).await?;
    let text = |key| now.text(key).to_owned();
    let auth_mode = text(Key::AuthMode);
    Ok(Json(Info {
        primary_auth_mode: now.flag(Key::PrimaryAuthMode),
        self_registration: now.flag(Key::SelfRegistration),
        banner_message: text(Key::BannerMessage),
        oidc_provider_name: (auth_mode == "oidc_auth").then(|| text(Key::OidcName)),
        authproxy_settings: (auth_mode == "http_auth").then(|| proxy(&now)),
        auth_mode,
        known: (!caller.is_anonymous()).then(|| more(&state, &now, &parts)),
    }))
}

fn proxy(now: &Configuration) -> ProxyModel {
    let text = |key| now.text(key).to_owned();
    ProxyModel {
        endpoint: text(Key::HttpAuthproxyEndpoint),
        tokenreivew_endpoint: text(Key::HttpAuthproxyTokenreviewEndpoint),
        skip_search: now.flag(Key::HttpAuthproxySkipSearch),
        verify_cert: now.flag(Key::HttpAuthproxyVerifyCert),
        server_certificate: text(Key::HttpAuthproxyServerCertificate),
    }
}

fn more(state: &State, now: &Configuration, parts: &Parts) -> MoreInfo {
    let external_url = auth::origin(state, parts);
    let registry_url = external_url.split_once("://").map_or("", |(_, rest)| rest).to_owned();
    let has_ca_root = state.root_certificate.is_some() && external_url.starts_with("https://");
    MoreInfo {
        harbor_version: format!("{HARBOR_VERSION}-haven.{}", state.version),
        external_url,
        registry_url,
        read_only: now.flag(Key::ReadOnly),
        has_ca_root,
        project_creation_restriction: now.text(Key::ProjectCreationRestriction).to_owned(),
        registry_storage_provider_name: state.domain.blobs.kind(),
        notification_enable: now.flag(Key::NotificationEnable),
        current_time: timestamp(state.domain.clock.now()),
    }
}

/// The disks as a sysadmin sees them.
#[derive(Serialize)]
struct VolumesModel {
    storage: Vec<StorageModel>,
}

/// A disk, in bytes.
#[derive(Serialize)]
struct StorageModel {
    total: u64,
    free: u64,
}

async fn volumes(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<VolumesModel>, ApiError> {
    let right = Right::new(Resource::SystemVolumes, Action::Read);
    access::on_system(&state.domain, &caller, right).await?;
    // An object store has no end, which Harbor tells with zeros.
    let (total, free) =
        state.domain.blobs.volume().await?.map_or((0, 0), |volume| (volume.total, volume.free));
    Ok(Json(VolumesModel { storage: vec![StorageModel { total, free }] }))
}

async fn certificate(
    extract::State(state): extract::State<Arc<State>>,
) -> Result<Response, ApiError> {
    let certificate = state.root_certificate.clone();
    let certificate =
        certificate.ok_or_else(|| Error::not_found(Subject::Request, "cert not found"))?;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CONTENT_DISPOSITION, "attachment; filename=ca.crt"),
    ];
    Ok((headers, certificate).into_response())
}
