//! Artifacts as clients see them.

use std::collections::BTreeMap;

use domain::{
    artifacts::{Accessory, Child, Details, TagDetails},
    immutability::Rules,
};
use oci::{
    RepositoryName,
    artifact::{Addition, ArtifactKind},
    media_type,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::super::{answer::Timestamp, labels::LabelModel};

/// An artifact as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Artifact)]
pub(super) struct ArtifactModel {
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
    icon: String,
    push_time: Timestamp,
    pull_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    extra_attrs: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    annotations: Option<Box<RawValue>>,
    references: Vec<ReferenceModel>,
    tags: Vec<TagModel>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    addition_links: BTreeMap<&'static str, AdditionLink>,
    labels: Vec<LabelModel>,
    accessories: Vec<AccessoryModel>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inherited_accessories: Vec<AccessoryModel>,
}

/// Where more of an artifact is to be had.
#[derive(Serialize, ToSchema)]
struct AdditionLink {
    href: String,
    absolute: bool,
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
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    annotations: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    urls: Option<Box<RawValue>>,
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
pub(in crate::api) struct TagModel {
    id: i64,
    repository_id: i64,
    artifact_id: i64,
    name: String,
    push_time: Timestamp,
    pull_time: Timestamp,
    immutable: bool,
}

/// What is about an artifact, as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Accessory)]
pub(super) struct AccessoryModel {
    id: i64,
    artifact_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_artifact_id: Option<i64>,
    subject_artifact_digest: String,
    subject_artifact_repo: String,
    size: i64,
    digest: String,
    #[serde(rename = "type")]
    kind: String,
    icon: &'static str,
    creation_time: Timestamp,
}

impl From<Details> for ArtifactModel {
    fn from(artifact: Details) -> Self {
        Self {
            addition_links: links(&artifact),
            id: artifact.id,
            kind: artifact.kind,
            media_type: artifact.content_type,
            manifest_media_type: artifact.media_type,
            artifact_type: artifact.artifact_type,
            project_id: artifact.project_id,
            repository_id: artifact.repository_id,
            repository_name: artifact.repository_name,
            digest: artifact.digest,
            size: artifact.size,
            icon: artifact.icon,
            push_time: artifact.pushed_at.into(),
            pull_time: Timestamp::or_never(artifact.pulled_at),
            extra_attrs: artifact.attributes,
            annotations: artifact.annotations,
            references: artifact.children.into_iter().map(ReferenceModel::from).collect(),
            tags: artifact.tags.into_iter().map(TagModel::from).collect(),
            labels: artifact.labels.into_iter().map(LabelModel::from).collect(),
            accessories: artifact.accessories.into_iter().map(AccessoryModel::from).collect(),
            inherited_accessories: artifact
                .inherited
                .into_iter()
                .map(AccessoryModel::from)
                .collect(),
        }
    }
}

/// Where the additions are that an artifact of this kind has. Slashes in the name of its
/// repository are encoded twice, as Harbor's clients do it.
fn links(artifact: &Details) -> BTreeMap<&'static str, AdditionLink> {
    if media_type::is_index(&artifact.media_type) {
        return BTreeMap::new();
    }
    let (project, repository) =
        artifact.repository_name.split_once('/').unwrap_or((&artifact.repository_name, ""));
    let repository = repository.replace('/', "%252F");
    let digest = &artifact.digest;
    let link = |name: &'static str| {
        let href = format!(
            "/api/v2.0/projects/{project}/repositories/{repository}/artifacts/{digest}/additions/{name}"
        );
        (name, AdditionLink { href, absolute: false })
    };
    let additions = ArtifactKind::from_name(&artifact.kind).additions();
    // Harbor has no link to a bill of materials on the bill itself.
    let shown = additions.iter().filter(|addition| **addition != Addition::Sbom);
    shown.map(|addition| link(addition.name())).collect()
}

impl From<Child> for ReferenceModel {
    fn from(child: Child) -> Self {
        Self {
            parent_id: child.parent_id,
            child_id: child.child_id,
            child_digest: child.digest,
            platform: child.platform,
            annotations: child.annotations,
            urls: child.urls,
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

impl ArtifactModel {
    /// Tells of its tags whether a rule keeps them as they are, if that is asked for.
    pub(super) fn kept_by(mut self, rules: Option<&Rules>) -> Self {
        let Some(rules) = rules else { return self };
        let repository = self.repository_name.split_once('/').map_or("", |(_, rest)| rest);
        for tag in &mut self.tags {
            tag.immutable = rules.cover(repository, &tag.name);
        }
        self
    }
}

impl TagModel {
    /// Tells whether a rule keeps it as it is, if that is asked for.
    pub(in crate::api) fn kept_by(
        mut self,
        rules: Option<&Rules>,
        repository: &RepositoryName,
    ) -> Self {
        let repository = repository.rest().unwrap_or_default();
        self.immutable = rules.is_some_and(|rules| rules.cover(repository, &self.name));
        self
    }
}

impl From<Accessory> for AccessoryModel {
    fn from(accessory: Accessory) -> Self {
        Self {
            id: accessory.id,
            artifact_id: accessory.artifact_id,
            subject_artifact_id: accessory.subject_id,
            subject_artifact_digest: accessory.subject_digest,
            subject_artifact_repo: accessory.repository_name,
            size: accessory.size,
            digest: accessory.digest,
            kind: accessory.kind,
            icon: accessory.icon,
            creation_time: accessory.created_at.into(),
        }
    }
}
