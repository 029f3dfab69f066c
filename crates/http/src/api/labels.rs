//! Labels, and which artifacts carry them.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts,
    labels::{self, Label, NewLabel},
    projects::ProjectRef,
};
use kit::{Error, query::Pattern};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed, Timestamp},
    artifacts::ArtifactPath,
    request::{ListRequest, Path, Query, Repository, Sent, null_is_nothing, whatever},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let (all, one) = ("/labels", "/labels/{label_id}");
    Operations::harbor("label")
        .get(all, "ListLabels", "Labels of all projects, or of one.", list, &[400, 401, 403])
        .post(all, "CreateLabel", "Makes a label.", create, &[401, 403, 409, 415])
        .get(one, "GetLabelByID", "A label.", show, &[401, 403, 404])
        .put(one, "UpdateLabel", "Changes a label.", update, &[401, 403, 404, 409])
        .delete(one, "DeleteLabel", "Deletes a label.", remove, &[400, 401, 403, 404])
}

/// The operations of this file that are about artifacts.
pub(super) fn artifact_operations() -> Operations {
    let all =
        "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels";
    let one = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels/{label_id}";
    Operations::harbor("artifact")
        .post(all, "addLabel", "Puts a label on an artifact.", attach, &[400, 401, 403, 404, 409])
        .delete(one, "removeLabel", "Takes a label from it.", detach, &[400, 401, 403, 404, 409])
}

/// A label in a path.
#[derive(Deserialize, IntoParams)]
struct LabelPath {
    /// The number of the label.
    label_id: i64,
}

/// Which labels are listed.
#[derive(Deserialize, IntoParams)]
struct LabelsQuery {
    /// A part of their name.
    name: Option<String>,
    /// `g` for those of all projects, `p` for those of one.
    scope: Option<String>,
    /// The number of the project, for those of one.
    project_id: Option<i64>,
}

/// A label as clients see it and send it. What is sent of it beside what changes does not matter.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = Label)]
pub(super) struct LabelModel {
    #[serde(deserialize_with = "null_is_nothing")]
    id: i64,
    #[serde(deserialize_with = "null_is_nothing")]
    name: String,
    #[serde(deserialize_with = "null_is_nothing", skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(deserialize_with = "null_is_nothing", skip_serializing_if = "String::is_empty")]
    color: String,
    #[serde(deserialize_with = "null_is_nothing")]
    scope: String,
    #[serde(deserialize_with = "null_is_nothing", skip_serializing_if = "is_none")]
    project_id: i64,
    #[serde(deserialize_with = "whatever")]
    creation_time: Timestamp,
    #[serde(deserialize_with = "whatever")]
    update_time: Timestamp,
}

/// Whether it is the number of no project.
fn is_none(id: &i64) -> bool {
    *id == 0
}

impl From<Label> for LabelModel {
    fn from(label: Label) -> Self {
        let scope = if label.project_id.is_some() { "p" } else { "g" };
        Self {
            id: label.id,
            name: label.name,
            description: label.description,
            color: label.color,
            scope: scope.to_owned(),
            project_id: label.project_id.unwrap_or_default(),
            creation_time: label.created_at.into(),
            update_time: label.updated_at.into(),
        }
    }
}

impl LabelModel {
    fn into_new(self) -> NewLabel {
        NewLabel { name: self.name, description: self.description, color: self.color }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<LabelsQuery>,
    request: ListRequest,
) -> Result<Listed<LabelModel>, ApiError> {
    let scope = query.scope.unwrap_or_default();
    let project = match scope.as_str() {
        "g" => None,
        "p" => {
            let id = query.project_id.filter(|id| *id > 0).ok_or_else(|| {
                Error::invalid("must with project ID when to query project labels")
            })?;
            let project = Some(ProjectRef::Id(id));
            Some(labels::allowed(&state.domain, &caller, project, Action::List).await?)
        }
        _ => return Err(Error::invalid(format!("invalid scope: {scope}")).into()),
    };
    let mut selection = request.selection()?;
    if let Some(name) = query.name.filter(|name| !name.is_empty()) {
        selection.filter.set("name", Pattern::Fuzzy(name));
    }
    let found = labels::list(&state.domain, project.as_ref(), &selection).await?;
    Ok(request.answer(found, LabelModel::from))
}

/// What is sent says for whom the label is, and so whether it may be made.
async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<LabelModel>,
) -> Result<Created, ApiError> {
    access::known(&state.domain, &caller).await?;
    let new = request.read().await?;
    let project = match new.scope.as_str() {
        "g" => None,
        "p" => Some(ProjectRef::Id(new.project_id)),
        _ => return Err(Error::invalid("unsupported label scope").into()),
    };
    let allowed = labels::allowed(&state.domain, &caller, project, Action::Create).await?;
    let id = labels::create(&state.domain, &allowed, new.into_new()).await?;
    Ok(Created::below(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(LabelPath { label_id }): Path<LabelPath>,
) -> Result<Json<LabelModel>, ApiError> {
    let (label, _) = labels::known(&state.domain, &caller, label_id, Action::Read).await?;
    Ok(Json(LabelModel::from(label)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(LabelPath { label_id }): Path<LabelPath>,
    request: Sent<LabelModel>,
) -> Result<Done, ApiError> {
    let (label, allowed) = labels::known(&state.domain, &caller, label_id, Action::Update).await?;
    let new = request.read().await?.into_new();
    labels::update(&state.domain, &allowed, &label, new).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(LabelPath { label_id }): Path<LabelPath>,
) -> Result<Done, ApiError> {
    let (label, allowed) = labels::known(&state.domain, &caller, label_id, Action::Delete).await?;
    labels::delete(&state.domain, &allowed, &label).await?;
    Ok(Done)
}

async fn attach(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    request: Sent<LabelModel>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::ArtifactLabel, Action::Create);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    let label_id = request.read().await?.id;
    artifacts::add_label(&state.domain, &allowed, &name, &reference, label_id).await?;
    Ok(Done)
}

async fn detach(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    Path(LabelPath { label_id }): Path<LabelPath>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::ArtifactLabel, Action::Delete);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    artifacts::remove_label(&state.domain, &allowed, &name, &reference, label_id).await?;
    Ok(Done)
}
