//! Projects.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right},
    projects::{self, Details, Metadata, NewProject, ProjectRef},
};
use kit::{Error, Kind, query::Pattern};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    allowlists::CVEAllowlist,
    answer::{Created, Done, Listed, Timestamp},
    request::{ListRequest, NameInLocation, Project, Query, Sent, null_is_nothing},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let one = "/projects/{project_name_or_id}";
    Operations::harbor("project")
        .get("/projects", "listProjects", "Projects that the caller sees.", list, &[401])
        .head(
            "/projects",
            "headProject",
            "Whether there is a project.",
            exists,
            &[400, 401, 403, 404],
        )
        .post("/projects", "createProject", "Makes a project.", create, &[401, 403, 409])
        .get(one, "getProject", "A project.", show, &[401, 403, 404])
        .put(one, "updateProject", "Changes a project.", update, &[401, 403, 404])
        .delete(
            one,
            "deleteProject",
            "Deletes an empty project.",
            remove,
            &[400, 401, 403, 404, 412],
        )
}

/// Which projects are listed, beside `q`.
#[derive(Deserialize, IntoParams)]
struct ProjectsQuery {
    /// A part of the name.
    name: Option<String>,
    /// Public, or not.
    public: Option<bool>,
    /// The name of the owner.
    owner: Option<String>,
    /// Always all that there is of each.
    #[param(default = true)]
    #[allow(dead_code)]
    with_detail: Option<bool>,
}

/// Which project is asked for.
#[derive(Deserialize, IntoParams)]
struct ExistsQuery {
    /// Its name.
    project_name: String,
}

/// What a client sends to make or change a project.
#[derive(Deserialize, ToSchema)]
struct ProjectReq {
    #[serde(default, deserialize_with = "null_is_nothing")]
    project_name: String,
    /// From before metadata; what metadata say goes first.
    public: Option<bool>,
    metadata: Option<BTreeMap<String, Option<String>>>,
    storage_limit: Option<i64>,
    registry_id: Option<i64>,
    cve_allowlist: Option<CVEAllowlist>,
}

impl ProjectReq {
    /// The metadata, and an error for what this version does not do.
    fn metadata(&self) -> Result<Metadata, Error> {
        if self.registry_id.is_some_and(|id| id != 0) {
            let message = "proxy cache projects are not supported: leave registry_id out";
            return Err(Error::new(Kind::Unsupported, message));
        }
        if self.cve_allowlist.as_ref().is_some_and(|list| !list.items.is_empty()) {
            let message = "CVE allowlists are not supported: leave cve_allowlist out";
            return Err(Error::new(Kind::Unsupported, message));
        }
        let mut metadata = Metadata { public: self.public, ..Metadata::default() };
        for (name, value) in self.metadata.iter().flatten() {
            match (name.as_str(), value.as_deref()) {
                (_, None) | ("public", Some("")) => {}
                ("public", Some(value)) => {
                    let message = format!(
                        "metadata.public should only be 'true' or 'false', but got: '{value}'"
                    );
                    metadata.public = Some(value.parse().map_err(|_| Error::invalid(message))?);
                }
                // The server's own, and what belongs to proxy cache projects only.
                ("retention_id" | "proxy_speed_kb" | "max_upstream_conn", _)
                | ("proxy_cache_filter_pattern" | "proxy_cache_filter_kind", _) => {}
                (name, Some(value)) => {
                    metadata.others.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        Ok(metadata)
    }

    /// Refuses a limit that would not be kept. Only a sysadmin's is looked at: others
    /// get the default, whatever they ask for.
    fn check_storage_limit(&self, sysadmin: bool) -> Result<(), Error> {
        match self.storage_limit {
            Some(limit) if sysadmin && limit > 0 => {
                let message = "storage limits are not supported: leave storage_limit out or -1";
                Err(Error::new(Kind::Unsupported, message))
            }
            Some(limit) if sysadmin && limit < -1 => {
                Err(Error::invalid("storage_limit must be -1 for no limit, or a number of bytes"))
            }
            _ => Ok(()),
        }
    }
}

/// A project as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
struct ProjectModel {
    project_id: i64,
    name: String,
    owner_id: i64,
    owner_name: String,
    repo_count: i64,
    creation_time: Timestamp,
    update_time: Timestamp,
    metadata: BTreeMap<String, String>,
    cve_allowlist: CVEAllowlist,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_user_role_id: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    current_user_role_ids: Vec<i64>,
}

impl From<Details> for ProjectModel {
    fn from(details: Details) -> Self {
        let project = details.project;
        let mut metadata = details.metadata;
        metadata.insert("public".to_owned(), project.public.to_string());
        let roles = details.role_ids;
        Self {
            project_id: project.id,
            name: project.name.to_string(),
            owner_id: project.owner_id,
            owner_name: details.owner_name,
            repo_count: details.repository_count,
            creation_time: project.created_at.into(),
            update_time: project.updated_at.into(),
            metadata,
            cve_allowlist: CVEAllowlist::empty(project.id),
            current_user_role_id: roles.first().copied(),
            current_user_role_ids: roles,
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ProjectsQuery>,
    request: ListRequest,
) -> Result<Listed<ProjectModel>, ApiError> {
    let view = access::view(&state.domain, &caller).await?;
    let mut selection = request.selection()?;
    let filter = &mut selection.filter;
    if let Some(name) = query.name {
        filter.set("name", Pattern::Fuzzy(name));
    }
    if let Some(public) = query.public {
        filter.set("public", Pattern::Exact(public.to_string()));
    }
    if let Some(owner) = query.owner {
        filter.set("owner", Pattern::Exact(owner));
    }
    let projects = projects::list(&state.domain, view, &selection).await?;
    Ok(request.answer(projects, ProjectModel::from))
}

async fn exists(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ExistsQuery>,
) -> Result<Done, ApiError> {
    may(&state, &caller, ProjectRef::Name(&query.project_name), Action::Read).await?;
    Ok(Done)
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    NameInLocation(name_in_location): NameInLocation,
    OriginalUri(uri): OriginalUri,
    request: Sent<ProjectReq>,
) -> Result<Created, ApiError> {
    let owner = access::user(&state.domain, &caller).await?;
    let request = request.read().await?;
    request.check_storage_limit(owner.may_do_everything())?;
    let new = NewProject { metadata: request.metadata()?, name: request.project_name };
    let name = new.name.clone();
    let id = projects::create(&state.domain, caller.who(), &owner, new).await?;
    if name_in_location {
        return Ok(Created::below(&uri, name));
    }
    Ok(Created::below(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
) -> Result<Json<ProjectModel>, ApiError> {
    let allowed = may(&state, &caller, project.by(), Action::Read).await?;
    let details = projects::details(&state.domain, &allowed, caller.user_id()).await?;
    Ok(Json(ProjectModel::from(details)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    request: Sent<ProjectReq>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, project.by(), Action::Update).await?;
    let request = request.read().await?;
    projects::update(&state.domain, &allowed, request.metadata()?).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, project.by(), Action::Delete).await?;
    projects::delete(&state.domain, &allowed).await?;
    Ok(Done)
}

/// Whether a caller may do something with a project itself.
async fn may(
    state: &State,
    caller: &Caller,
    project: ProjectRef<'_>,
    action: Action,
) -> Result<Allowed, Error> {
    access::on_project(&state.domain, caller, project, Right::new(Resource::Itself, action)).await
}
