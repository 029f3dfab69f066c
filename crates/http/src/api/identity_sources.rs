//! Identity sources: the servers outside that know people, in their order.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    rights::{Allowed, System},
    sources::{self, OF_SETTINGS, Source, Wanted},
};
use kit::{Error, Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Timestamp, Whole},
    request::{Path, Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/identity-sources";
    let one = "/identity-sources/{source_id}";
    let ping_path = "/identity-sources/{source_id}/ping";
    Operations::haven("identity-sources")
        .get(all, "listIdentitySources", "All identity sources in order.", list, &[401, 403])
        .post(all, "createIdentitySource", "Adds an identity source.", create, &[401, 403, 409])
        .get(one, "getIdentitySource", "An identity source.", show, &[401, 403, 404])
        .put(one, "updateIdentitySource", "Changes one.", update, &[401, 403, 404, 409])
        .delete(one, "deleteIdentitySource", "Removes one.", remove, &[400, 401, 403, 404, 412])
        .post(ping_path, "pingIdentitySource", "Tries one.", ping, &[400, 401, 403, 404])
}

/// A source in a path.
#[derive(Deserialize, IntoParams)]
struct SourcePath {
    /// The number of the source; 0 is the one that the configurations describe.
    source_id: i64,
}

/// A source as clients see it.
#[derive(Serialize, ToSchema)]
struct IdentitySource {
    id: i64,
    name: String,
    /// `ldap`, `oidc`, `http_auth` or `issuer`.
    #[serde(rename = "type")]
    kind: &'static str,
    enabled: bool,
    position: i64,
    /// How it is asked, without the secret.
    #[schema(value_type = Object)]
    settings: Value,
    /// Whether it has a secret.
    has_secret: bool,
    /// Whether it is described by the system's configurations and changed there.
    of_configurations: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<Timestamp>,
}

impl IdentitySource {
    fn of(source: &Source) -> Result<Self, Error> {
        Ok(Self {
            id: source.id,
            name: source.name.clone(),
            kind: source.how.kind(),
            enabled: source.enabled,
            position: source.position,
            settings: source.how.to_json()?,
            has_secret: source.has_secret(),
            of_configurations: source.id == OF_SETTINGS,
            creation_time: source.created_at.map(Timestamp::from),
            update_time: source.updated_at.map(Timestamp::from),
        })
    }
}

/// A source as it is to be. Not `Debug`: it holds a secret.
#[derive(Deserialize, ToSchema)]
struct IdentitySourceReq {
    #[serde(default, deserialize_with = "null_is_nothing")]
    name: String,
    /// `ldap`, `oidc`, `http_auth` or `issuer`; it never changes.
    #[serde(default, rename = "type", deserialize_with = "null_is_nothing")]
    kind: String,
    /// Whether it is asked; it is, if nothing is said.
    enabled: Option<bool>,
    /// Where it stands among the others: last, or where it is, if nothing is said.
    position: Option<i64>,
    /// How it is asked; what is not said is as by default.
    #[schema(value_type = Object)]
    settings: Option<Value>,
    /// The password of who searches, or the secret of the client; it stays as it is, if
    /// nothing is said.
    #[schema(value_type = Option<String>)]
    secret: Option<Secret>,
}

impl IdentitySourceReq {
    fn wanted(self) -> Wanted {
        Wanted {
            name: self.name,
            kind: self.kind,
            settings: self.settings.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            secret: self.secret,
            enabled: self.enabled.unwrap_or(true),
            position: self.position,
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Whole<IdentitySource>, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    let found = sources::list(&state.domain, &allowed).await?;
    let shown = found.iter().map(|source| IdentitySource::of(source));
    Ok(Whole(shown.collect::<Result<_, Error>>()?))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(SourcePath { source_id }): Path<SourcePath>,
) -> Result<Json<IdentitySource>, ApiError> {
    let allowed = may(&state, &caller, Action::Read).await?;
    let source = sources::show(&state.domain, &allowed, source_id).await?;
    Ok(Json(IdentitySource::of(&source)?))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<IdentitySourceReq>,
) -> Result<Created, ApiError> {
    let allowed = may(&state, &caller, Action::Update).await?;
    let new = request.read().await?.wanted();
    let id = sources::create(&state.domain, &allowed, new).await?;
    Ok(Created::below(&uri, id))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(SourcePath { source_id }): Path<SourcePath>,
    request: Sent<IdentitySourceReq>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Update).await?;
    let wanted = request.read().await?.wanted();
    sources::update(&state.domain, &allowed, source_id, wanted).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(SourcePath { source_id }): Path<SourcePath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Update).await?;
    sources::remove(&state.domain, &allowed, source_id).await?;
    Ok(Done)
}

async fn ping(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(SourcePath { source_id }): Path<SourcePath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, Action::Update).await?;
    sources::ping(&state.domain, &allowed, source_id).await?;
    Ok(Done)
}

/// Whether a caller may do something with the sources.
async fn may(state: &State, caller: &Caller, action: Action) -> Result<Allowed<System>, Error> {
    let right = Right::new(Resource::Configuration, action);
    access::on_system(&state.domain, caller, right).await
}
