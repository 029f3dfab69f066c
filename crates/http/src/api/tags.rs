//! Tags of an artifact.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts, immutability,
};
use kit::{Error, Subject};
use oci::Tag;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed},
    artifacts::{ArtifactPath, TagModel},
    request::{ListRequest, Path, Query, Repository, Sent},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags";
    let one = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags/{tag_name}";
    Operations::harbor("artifact")
        .get(all, "listTags", "An artifact's tags.", list, &[400, 401, 403, 404])
        .post(all, "createTag", "One more tag.", create, &[400, 401, 403, 404, 405, 409])
        .delete(one, "deleteTag", "Deletes a tag.", remove, &[401, 403, 404, 412])
}

/// A tag in a path.
#[derive(Deserialize, IntoParams)]
struct TagPath {
    /// The name of the tag.
    tag_name: String,
}

/// What is shown of tags.
#[derive(Deserialize, IntoParams)]
struct TagsQuery {
    /// Whether it is told of each whether a rule keeps it as it is.
    #[serde(default)]
    with_immutable_status: bool,
}

/// A tag to be made.
#[derive(Deserialize, ToSchema)]
struct NewTag {
    name: String,
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    Query(query): Query<TagsQuery>,
    request: ListRequest,
) -> Result<Listed<TagModel>, ApiError> {
    let right = Right::new(Resource::Tag, Action::List);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    let selection = request.selection()?;
    let found =
        artifacts::artifact_tags(&state.domain, &allowed, &name, &reference, &selection).await?;
    let rules = match query.with_immutable_status {
        true => Some(immutability::known(&state.domain, allowed.project().id).await?),
        false => None,
    };
    Ok(request.answer(found, |tag| TagModel::from(tag).kept_by(rules.as_deref(), &name)))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    request: Sent<NewTag>,
) -> Result<Created, ApiError> {
    let right = Right::new(Resource::Tag, Action::Create);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    let tag = request.read().await?.name;
    let tag: Tag = tag.parse().map_err(|_no: oci::TagError| {
        Error::invalid(format!("invalid tag name: {tag}")).about(Subject::Tag)
    })?;
    let created = Created::below(&uri, &tag);
    artifacts::create_tag(&state.domain, &allowed, &name, &reference, tag).await?;
    Ok(created)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    Path(TagPath { tag_name }): Path<TagPath>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Tag, Action::Delete);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    // No tag is called what none can be called.
    let tag = tag_name.parse().map_err(|_no: oci::TagError| {
        let message = format!("tag {tag_name} of {} not found", reference.in_repository(&name));
        Error::not_found(Subject::Tag, message)
    })?;
    artifacts::delete_tag(&state.domain, &allowed, &name, &reference, tag).await?;
    Ok(Done)
}
