//! Icons of artifacts.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    access::{self, Caller},
    artifacts,
};
use kit::Error;
use oci::Digest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ApiError, Operations, request::Path};
use crate::State;

/// The operation of this file.
pub(super) fn operations() -> Operations {
    let summary = "An icon.";
    Operations::harbor("icon").get("/icons/{digest}", "getIcon", summary, show, &[400, 404])
}

/// An icon in a path.
#[derive(Deserialize, IntoParams)]
struct IconPath {
    /// The digest by which artifacts name it.
    digest: String,
}

/// An icon as clients see it.
#[derive(Serialize, ToSchema)]
struct Icon {
    #[serde(rename = "content-type")]
    content_type: &'static str,
    /// In base64.
    content: String,
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(IconPath { digest }): Path<IconPath>,
) -> Result<Json<Icon>, ApiError> {
    let digest: Digest =
        digest.parse().map_err(|error: oci::DigestError| Error::invalid(error.to_string()))?;
    let sight = access::sight(&state.domain, &caller).await?;
    let icon = artifacts::icon(&state.domain, &sight, &digest).await?;
    let content = STANDARD.encode(&icon.content);
    Ok(Json(Icon { content_type: icon.media_type, content }))
}
