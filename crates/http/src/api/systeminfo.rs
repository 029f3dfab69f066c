//! What clients need to know of the system. Who is known is told more, and an
//! administrator most.

use std::sync::Arc;

use axum::{Extension, Json, extract, http::request::Parts};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    settings::{self, Configuration, Key},
};
use kit::{Error, Subject};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiError, Operations,
    answer::{Attachment, Timestamp},
};
use crate::{State, auth};

/// The version of Harbor whose API this is: clients compare it with what they need.
const HARBOR_VERSION: &str = "v2.16.0";

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("systeminfo")
        .get("/systeminfo", "getSystemInfo", "What clients need to know.", show, &[])
        .get("/systeminfo/volumes", "getVolumes", "The disks.", volumes, &[401, 403, 404])
        .get("/systeminfo/getcert", "getCert", "The root certificate.", certificate, &[404])
}

/// What everybody is told, and from `harbor_version` on what only a known caller is.
#[derive(Default, Serialize, ToSchema)]
struct GeneralInfo {
    auth_mode: String,
    primary_auth_mode: bool,
    self_registration: bool,
    banner_message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_provider_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authproxy_settings: Option<AuthproxySetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    harbor_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_ca_root: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_creation_restriction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry_storage_provider_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_enable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_time: Option<Timestamp>,
}

/// What is told of an authentication proxy; the name of the second field is Harbor's.
#[derive(Serialize, ToSchema)]
struct AuthproxySetting {
    endpoint: String,
    tokenreivew_endpoint: String,
    skip_search: bool,
    verify_cert: bool,
    server_certificate: String,
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    parts: Parts,
) -> Result<Json<GeneralInfo>, ApiError> {
    let now = settings::current(&state.domain).await?;
    let text = |key| now.text(key).to_owned();
    let auth_mode = text(Key::AuthMode);
    let info = GeneralInfo {
        primary_auth_mode: now.flag(Key::PrimaryAuthMode),
        self_registration: now.flag(Key::SelfRegistration),
        banner_message: text(Key::BannerMessage),
        oidc_provider_name: (auth_mode == "oidc_auth").then(|| text(Key::OidcName)),
        authproxy_settings: (auth_mode == "http_auth").then(|| proxy(&now)),
        auth_mode,
        ..GeneralInfo::default()
    };
    if caller.is_anonymous() {
        return Ok(Json(info));
    }
    Ok(Json(more(info, &state, &now, &parts)))
}

fn proxy(now: &Configuration) -> AuthproxySetting {
    let text = |key| now.text(key).to_owned();
    AuthproxySetting {
        endpoint: text(Key::HttpAuthproxyEndpoint),
        tokenreivew_endpoint: text(Key::HttpAuthproxyTokenreviewEndpoint),
        skip_search: now.flag(Key::HttpAuthproxySkipSearch),
        verify_cert: now.flag(Key::HttpAuthproxyVerifyCert),
        server_certificate: text(Key::HttpAuthproxyServerCertificate),
    }
}

/// Adds what a known caller is told.
fn more(info: GeneralInfo, state: &State, now: &Configuration, parts: &Parts) -> GeneralInfo {
    let external_url = auth::origin(state, parts);
    let registry_url = external_url.split_once("://").map_or("", |(_, rest)| rest).to_owned();
    let has_ca_root = state.root_certificate.is_some() && external_url.starts_with("https://");
    GeneralInfo {
        harbor_version: Some(format!("{HARBOR_VERSION}-haven.{}", state.version)),
        external_url: Some(external_url),
        registry_url: Some(registry_url),
        read_only: Some(now.flag(Key::ReadOnly)),
        has_ca_root: Some(has_ca_root),
        project_creation_restriction: Some(now.text(Key::ProjectCreationRestriction).to_owned()),
        registry_storage_provider_name: Some(state.domain.blobs.kind()),
        notification_enable: Some(now.flag(Key::NotificationEnable)),
        current_time: Some(state.domain.clock.now().into()),
        ..info
    }
}

/// The disks as a sysadmin sees them.
#[derive(Serialize, ToSchema)]
struct SystemInfo {
    storage: Vec<Storage>,
}

/// A disk, in bytes.
#[derive(Serialize, ToSchema)]
struct Storage {
    total: u64,
    free: u64,
}

async fn volumes(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<SystemInfo>, ApiError> {
    let right = Right::new(Resource::SystemVolumes, Action::Read);
    access::on_system(&state.domain, &caller, right).await?;
    // An object store has no end, which Harbor tells with zeros.
    let (total, free) =
        state.domain.blobs.volume().await?.map_or((0, 0), |volume| (volume.total, volume.free));
    Ok(Json(SystemInfo { storage: vec![Storage { total, free }] }))
}

async fn certificate(
    extract::State(state): extract::State<Arc<State>>,
) -> Result<Attachment, ApiError> {
    let certificate = state.root_certificate.clone();
    let certificate =
        certificate.ok_or_else(|| Error::not_found(Subject::Request, "cert not found"))?;
    Ok(Attachment { name: "ca.crt", content: certificate })
}
