//! Artifacts.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts::{self, Child, Details, TagDetails},
    immutability::Rules,
};
use kit::{Error, Subject};
use oci::{Reference, RepositoryName};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Listed, Timestamp},
    request::{ListRequest, Path, Repository},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name}/repositories/{repository_name}/artifacts";
    let one = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}";
    let refusals = &[400, 401, 403, 404];
    Operations::harbor("artifact")
        .get(all, "listArtifacts", "A repository's artifacts.", list, refusals)
        .get(one, "getArtifact", "An artifact.", show, refusals)
}

/// An artifact in a path.
#[derive(Deserialize, IntoParams)]
pub(super) struct ArtifactPath {
    /// Its digest, or one of its tags.
    reference: String,
}

impl ArtifactPath {
    /// What names the artifact.
    ///
    /// # Errors
    /// Invalid when it is neither a digest nor a tag.
    pub(super) fn reference(&self) -> Result<Reference, Error> {
        self.reference.parse().map_err(|error: oci::ReferenceError| {
            Error::invalid(error.to_string()).about(Subject::Manifest)
        })
    }
}

/// An artifact as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Artifact)]
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
    push_time: Timestamp,
    pull_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    annotations: Option<Box<RawValue>>,
    references: Vec<ReferenceModel>,
    tags: Vec<TagModel>,
    #[schema(value_type = Vec<Object>)]
    labels: [(); 0],
    #[schema(value_type = Vec<Object>)]
    accessories: [(); 0],
}

/// An entry of an index as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Reference)]
struct ReferenceModel {
    parent_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    child_id: Option<i64>,
    child_digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Platform>)]
    platform: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    annotations: Option<Box<RawValue>>,
}

/// What an artifact runs on, as its index says.
#[derive(ToSchema)]
#[allow(dead_code)]
struct Platform {
    architecture: String,
    os: String,
    #[schema(rename = "os.version")]
    os_version: Option<String>,
    #[schema(rename = "os.features")]
    os_features: Option<Vec<String>>,
    variant: Option<String>,
}

/// A tag as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Tag)]
pub(super) struct TagModel {
    id: i64,
    repository_id: i64,
    artifact_id: i64,
    name: String,
    push_time: Timestamp,
    pull_time: Timestamp,
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
            push_time: artifact.pushed_at.into(),
            pull_time: Timestamp::or_never(artifact.pulled_at),
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
            push_time: tag.pushed_at.into(),
            pull_time: Timestamp::or_never(tag.pulled_at),
            immutable: false,
        }
    }
}

impl TagModel {
    /// Tells whether a rule keeps it as it is, if that is asked for.
    pub(super) fn kept_by(mut self, rules: Option<&Rules>, repository: &RepositoryName) -> Self {
        let repository = repository.rest().unwrap_or_default();
        self.immutable = rules.is_some_and(|rules| rules.cover(repository, &self.name));
        self
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    request: ListRequest,
) -> Result<Listed<ArtifactModel>, ApiError> {
    let right = Right::new(Resource::Artifact, Action::List);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let (name, selection) = (repository.name()?, request.selection()?);
    let found = artifacts::list(&state.domain, &allowed, &name, &selection).await?;
    Ok(request.answer(found, |artifact| ArtifactModel::new(name.as_str(), artifact)))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
) -> Result<Json<ArtifactModel>, ApiError> {
    let right = Right::new(Resource::Artifact, Action::Read);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let (name, reference) = (repository.name()?, path.reference()?);
    let found = artifacts::details(&state.domain, &allowed, &name, &reference).await?;
    Ok(Json(ArtifactModel::new(name.as_str(), found)))
}
