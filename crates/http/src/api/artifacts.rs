//! Artifacts.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{self, OriginalUri, Path},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, Child, Details, TagDetails},
    projects::ProjectRef,
};
use kit::{Error, Subject};
use oci::Reference;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    ApiError,
    glue::{listed, page, repository_name, timestamp, timestamp_or_never},
    named,
};
use crate::State;

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/projects/{project}/repositories/{repository}/artifacts",
            named("api_artifacts_list", get(list)),
        )
        .route(
            "/projects/{project}/repositories/{repository}/artifacts/{reference}",
            named("api_artifacts_get", get(show)),
        )
}

/// An artifact as clients see it.
#[derive(Serialize)]
struct ArtifactModel {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
    media_type: String,
    manifest_media_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    project_id: i64,
    repository_id: i64,
    repository_name: String,
    digest: String,
    size: i64,
    push_time: String,
    pull_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Box<RawValue>>,
    references: Vec<ReferenceModel>,
    tags: Vec<TagModel>,
    labels: [(); 0],
    accessories: [(); 0],
}

/// An entry of an index as clients see it.
#[derive(Serialize)]
struct ReferenceModel {
    parent_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    child_id: Option<i64>,
    child_digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Box<RawValue>>,
}

/// A tag as clients see it.
#[derive(Serialize)]
struct TagModel {
    id: i64,
    repository_id: i64,
    artifact_id: i64,
    name: String,
    push_time: String,
    pull_time: String,
    immutable: bool,
}

impl ArtifactModel {
    fn new(repository_name: &str, artifact: Details) -> Self {
        let kind = artifacts::kind(
            &artifact.media_type,
            artifact.config_media_type.as_deref(),
            artifact.artifact_type.as_deref(),
        );
        let media_type = artifact.config_media_type.unwrap_or_else(|| artifact.media_type.clone());
        Self {
            id: artifact.id,
            kind,
            media_type,
            manifest_media_type: artifact.media_type,
            artifact_type: artifact.artifact_type,
            project_id: artifact.project_id,
            repository_id: artifact.repository_id,
            repository_name: repository_name.to_owned(),
            digest: artifact.digest,
            size: artifact.size,
            push_time: timestamp(artifact.pushed_at),
            pull_time: timestamp_or_never(artifact.pulled_at),
            annotations: artifact.annotations,
            references: artifact.children.into_iter().map(ReferenceModel::from).collect(),
            tags: artifact.tags.into_iter().map(TagModel::from).collect(),
            labels: [],
            accessories: [],
        }
    }
}

impl From<Child> for ReferenceModel {
    fn from(child: Child) -> Self {
        Self {
            parent_id: child.parent_id,
            child_id: child.child_id,
            child_digest: child.digest,
            platform: child.platform,
            annotations: child.annotations,
        }
    }
}

impl From<TagDetails> for TagModel {
    fn from(tag: TagDetails) -> Self {
        Self {
            id: tag.id,
            repository_id: tag.repository_id,
            artifact_id: tag.artifact_id,
            name: tag.name,
            push_time: timestamp(tag.pushed_at),
            pull_time: timestamp_or_never(tag.pulled_at),
            immutable: false,
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path((project, repository)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, ApiError> {
    let right = Right::new(Resource::Artifact, Action::List);
    let allowed =
        access::on_project(&state.domain, &caller, ProjectRef::Name(&project), right).await?;
    let name = repository_name(&project, &repository)?;
    let page = page(&uri)?;
    let found = artifacts::list(&state.domain, &allowed, &name, page).await?;
    Ok(listed(&uri, page, found, |artifact| ArtifactModel::new(name.as_str(), artifact)))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path((project, repository, reference)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let right = Right::new(Resource::Artifact, Action::Read);
    let allowed =
        access::on_project(&state.domain, &caller, ProjectRef::Name(&project), right).await?;
    let name = repository_name(&project, &repository)?;
    let reference: Reference = reference.parse().map_err(|error: oci::ReferenceError| {
        Error::invalid(error.to_string()).about(Subject::Manifest)
    })?;
    let found = artifacts::details(&state.domain, &allowed, &name, &reference).await?;
    Ok(Json(ArtifactModel::new(name.as_str(), found)).into_response())
}
