//! Artifacts.

mod additions;
mod flags;
mod model;

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    artifacts,
};
use kit::{Error, Subject};
use oci::{Reference, RepositoryName};
use serde::Deserialize;
use utoipa::IntoParams;

pub(super) use self::{additions::operations as addition_operations, model::TagModel};
use self::{
    flags::{Flags, FlagsInProject, FlagsOfOne},
    model::{AccessoryModel, ArtifactModel},
};
use super::{
    ApiError, Operations,
    answer::Listed,
    request::{ListRequest, PageRequest, Path, Project, Repository},
};
use crate::State;

/// The operations on artifacts.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name}/repositories/{repository_name}/artifacts";
    let one = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}";
    let about =
        "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/accessories";
    let refusals = &[400, 401, 403, 404];
    Operations::harbor("artifact")
        .get(all, "listArtifacts", "A repository's artifacts.", list, refusals)
        .get(one, "getArtifact", "An artifact.", show, refusals)
        .get(about, "listAccessories", "What is about an artifact.", list_accessories, refusals)
}

/// The operation on the artifacts of a whole project.
pub(super) fn project_operations() -> Operations {
    let (path, id) = ("/projects/{project_name_or_id}/artifacts", "listArtifactsOfProject");
    let summary = "The artifacts of all repositories of a project.";
    let refusals = &[400, 401, 403, 404];
    Operations::harbor("project").get(path, id, summary, list_in_project, refusals)
}

/// An artifact in a path.
#[derive(Deserialize, IntoParams)]
pub(super) struct ArtifactPath {
    /// Its digest, or one of its tags.
    reference: String,
}

impl ArtifactPath {
    /// What it names in a repository.
    ///
    /// # Errors
    /// NotFound when it is neither a tag nor a digest: no artifact is called so.
    pub(super) fn reference(&self, name: &RepositoryName) -> kit::Result<Reference> {
        self.reference.parse().map_err(|_no: oci::ReferenceError| {
            let message = format!("artifact {name}:{} not found", self.reference);
            Error::not_found(Subject::Manifest, message)
        })
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    flags: Flags,
    request: ListRequest,
) -> Result<Listed<ArtifactModel>, ApiError> {
    let right = Right::new(Resource::Artifact, Action::List);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let (name, selection) = (repository.name()?, request.selection()?);
    let found = artifacts::list(&state.domain, &allowed, &name, &selection, flags.with()).await?;
    let rules = flags.rules(&state.domain, &allowed).await?;
    Ok(request.answer(found, |found| ArtifactModel::from(found).kept_by(rules.as_deref())))
}

async fn list_in_project(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    flags: FlagsInProject,
    request: ListRequest,
) -> Result<Listed<ArtifactModel>, ApiError> {
    let right = Right::new(Resource::Artifact, Action::List);
    let allowed = access::on_project(&state.domain, &caller, project.by(), right).await?;
    let (selection, with) = (request.selection()?, flags.flags.with());
    let found = match flags.latest() {
        true => artifacts::list_latest(&state.domain, &allowed, &selection, with).await?,
        false => artifacts::list_in_project(&state.domain, &allowed, &selection, with).await?,
    };
    let rules = flags.flags.rules(&state.domain, &allowed).await?;
    Ok(request.answer(found, |found| ArtifactModel::from(found).kept_by(rules.as_deref())))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    FlagsOfOne(flags): FlagsOfOne,
    _pages: PageRequest,
) -> Result<Json<ArtifactModel>, ApiError> {
    let right = Right::new(Resource::Artifact, Action::Read);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    let found =
        artifacts::details(&state.domain, &allowed, &name, &reference, flags.with()).await?;
    let rules = flags.rules(&state.domain, &allowed).await?;
    Ok(Json(ArtifactModel::from(found).kept_by(rules.as_deref())))
}

async fn list_accessories(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    repository: Repository,
    Path(path): Path<ArtifactPath>,
    request: ListRequest,
) -> Result<Listed<AccessoryModel>, ApiError> {
    let right = Right::new(Resource::Accessory, Action::List);
    let allowed = access::on_project(&state.domain, &caller, repository.project(), right).await?;
    let name = repository.name()?;
    let reference = path.reference(&name)?;
    let selection = request.selection()?;
    let found =
        artifacts::accessories(&state.domain, &allowed, &name, &reference, &selection).await?;
    Ok(request.answer(found, AccessoryModel::from))
}
