//! Trying an OpenID provider.

use std::sync::Arc;

use axum::{Extension, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    sources,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApiError, Operations,
    answer::Done,
    request::{Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("oidc").post(
        "/system/oidc/ping",
        "pingOIDC",
        "Tries an OpenID provider.",
        ping,
        &[400, 401, 403],
    )
}

/// Where the provider is.
#[derive(Deserialize, ToSchema)]
struct OidcEndpoint {
    #[serde(default, deserialize_with = "null_is_nothing")]
    url: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    verify_cert: bool,
}

async fn ping(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<OidcEndpoint>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Configuration, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let OidcEndpoint { url, verify_cert } = request.read().await?;
    sources::ping_provider(&state.domain, &allowed, &url, verify_cert).await?;
    Ok(Done)
}
