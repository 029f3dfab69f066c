//! Projects.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{self, OriginalUri, Path},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, get, head, post, put},
};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right},
    projects::{self, Details, Filter, Metadata, NewProject, ProjectRef, Sort},
};
use kit::{Error, Kind};
use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    glue::{
        Query, created, header_is_true, listed, null_is_nothing, page, project_ref, read_json,
        timestamp,
    },
    named,
};
use crate::State;

/// Has the answer to a creation name the project by its name.
const NAME_IN_LOCATION: HeaderName = HeaderName::from_static("x-resource-name-in-location");

/// The routes of this file.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/projects",
            named("api_projects_list", get(list))
                .merge(named("api_projects_head", head(exists)))
                .merge(named("api_projects_create", post(create))),
        )
        .route(
            "/projects/{project}",
            named("api_projects_get", get(show))
                .merge(named("api_projects_update", put(update)))
                .merge(named("api_projects_delete", delete(remove))),
        )
}

/// What a client sends to make or change a project.
#[derive(Deserialize)]
struct ProjectRequest {
    #[serde(default, deserialize_with = "null_is_nothing")]
    project_name: String,
    /// From before metadata; what metadata say goes first.
    public: Option<bool>,
    metadata: Option<BTreeMap<String, Option<String>>>,
    storage_limit: Option<i64>,
    registry_id: Option<i64>,
    cve_allowlist: Option<Allowlist>,
}

#[derive(Deserialize)]
struct Allowlist {
    #[serde(default, deserialize_with = "null_is_nothing")]
    items: Vec<serde::de::IgnoredAny>,
}

impl ProjectRequest {
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
#[derive(Serialize)]
struct ProjectModel {
    project_id: i64,
    name: String,
    owner_id: i64,
    owner_name: String,
    repo_count: i64,
    creation_time: String,
    update_time: String,
    metadata: BTreeMap<String, String>,
    cve_allowlist: AllowlistModel,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_user_role_id: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    current_user_role_ids: Vec<i64>,
}

#[derive(Serialize)]
struct AllowlistModel {
    project_id: i64,
    items: [(); 0],
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
            creation_time: timestamp(project.created_at),
            update_time: timestamp(project.updated_at),
            metadata,
            cve_allowlist: AllowlistModel { project_id: project.id, items: [] },
            current_user_role_id: roles.first().copied(),
            current_user_role_ids: roles,
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, ApiError> {
    let view = access::view(&state.domain, &caller).await?;
    let (query, page) = (Query::of(&uri), page(&uri)?);
    let filter = Filter {
        name: query.text("name").map(str::to_owned),
        public: query.flag("public")?,
        owner: query.text("owner").map(str::to_owned),
    };
    let sort = query.text("sort").and_then(Sort::from_name).unwrap_or_default();
    let projects = projects::list(&state.domain, view, &filter, sort, page).await?;
    Ok(listed(&uri, page, projects, ProjectModel::from))
}

async fn exists(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
) -> Result<StatusCode, ApiError> {
    let query = Query::of(&uri);
    let name = query
        .text("project_name")
        .ok_or_else(|| Error::new(Kind::Unprocessable, "the parameter project_name is missing"))?;
    may(&state, &caller, ProjectRef::Name(name), Action::Read).await?;
    Ok(StatusCode::OK)
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    body: Body,
) -> Result<Response, ApiError> {
    let owner = access::user(&state.domain, &caller).await?;
    let request: ProjectRequest = read_json(body).await?;
    request.check_storage_limit(owner.sysadmin)?;
    let new = NewProject { metadata: request.metadata()?, name: request.project_name };
    let name = new.name.clone();
    let id = projects::create(&state.domain, caller.who(), &owner, new).await?;
    if header_is_true(&headers, &NAME_IN_LOCATION) {
        return Ok(created(&uri, name));
    }
    Ok(created(&uri, id))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let allowed = may(&state, &caller, project_ref(&headers, &project), Action::Read).await?;
    let details = projects::details(&state.domain, &allowed, caller.user_id()).await?;
    Ok(Json(ProjectModel::from(details)).into_response())
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let allowed = may(&state, &caller, project_ref(&headers, &project), Action::Update).await?;
    let request: ProjectRequest = read_json(body).await?;
    projects::update(&state.domain, &allowed, request.metadata()?).await?;
    Ok(StatusCode::OK)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let allowed = may(&state, &caller, project_ref(&headers, &project), Action::Delete).await?;
    projects::delete(&state.domain, &allowed).await?;
    Ok(StatusCode::OK)
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
