//! What more an artifact's content says.

use std::sync::Arc;

use axum::{
    Extension, extract,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, Shown},
};
use kit::{Error, Kind};
use oci::artifact::{Addition, AdditionError};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    super::{
        ApiError, Operations,
        describe::{Description, Input, Output},
        request::{Path, Repository},
    },
    ArtifactPath,
    flags::accepts_reports,
};
use crate::State;

/// The operations of this file.
pub(in crate::api) fn operations() -> Operations {
    let one = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/{addition}";
    let found = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/vulnerabilities";
    let refusals = &[400, 401, 403, 404];
    let more = &[400, 401, 403, 404, 413, 422];
    Operations::harbor("artifact")
        .get(one, "getAddition", "More of an artifact's content.", show, more)
        .get(found, "getVulnerabilitiesAddition", "What was found by scanning.", scanned, refusals)
}

/// An addition in a path.
#[derive(Deserialize, IntoParams)]
struct AdditionPath {
    /// `build_history`, `values.yaml`, `readme.md`, `dependencies`, `sbom`, `license` or
    /// `files`.
    addition: String,
}

/// An addition as it is sent.
struct Added(Shown);

impl IntoResponse for Added {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(self.0.media_type)),
            // It is what somebody pushed: no page of ours.
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (headers, self.0.content).into_response()
    }
}

impl Output for Added {
    fn describe(description: &mut Description) {
        description.answers_text(StatusCode::OK, "text/plain", &["Content-Type"]);
    }
}

/// Which reports of scanners a client understands; there are none yet.
struct Accepted;

impl<S: Send + Sync> extract::FromRequestParts<S> for Accepted {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        _: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

impl Input for Accepted {
    fn describe(description: &mut Description) {
        accepts_reports(description);
    }
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    Path(AdditionPath { addition }): Path<AdditionPath>,
) -> Result<Added, ApiError> {
    let addition: Addition = addition
        .parse()
        .map_err(|error: AdditionError| Error::new(Kind::Unprocessable, error.to_string()))?;
    let right = Right::new(Resource::ArtifactAddition, Action::Read);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    let shown = artifacts::addition(&state.domain, &allowed, &name, &reference, addition).await?;
    Ok(Added(shown))
}

async fn scanned(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    Accepted: Accepted,
) -> Result<Added, ApiError> {
    let right = Right::new(Resource::ArtifactAddition, Action::Read);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    artifacts::vulnerabilities(&state.domain, &allowed, &name, &reference)
        .await
        .map(Added)
        .map_err(ApiError::from)
}
