//! Projects.

use std::{collections::BTreeMap, ops::Not, sync::Arc};

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right, View},
    projects::{self, Change, Details, Metadata, NewProject, ProjectRef, Role},
    quotas,
    statistics::{self, Summary},
};
use kit::{Error, Kind, query::Pattern};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    allowlists::CVEAllowlist,
    answer::{Created, Done, Listed, Timestamp},
    metadata::ProjectMetadata,
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
        .get(
            "/projects/{project_name_or_id}/_deletable",
            "getProjectDeletable",
            "Whether a project can be deleted.",
            deletable,
            &[401, 403, 404],
        )
        .get(
            "/projects/{project_name_or_id}/summary",
            "getProjectSummary",
            "How much there is in a project.",
            sum_up,
            &[400, 401, 403, 404],
        )
}

/// The operation that only Haven has.
pub(super) fn haven_operations() -> Operations {
    let (path, summary) = ("/users/current/projects", "Projects that the caller is a member of.");
    Operations::haven("project").get(path, "listOwnProjects", summary, list_own, &[401, 403])
}

/// Metadata that only proxy cache projects have.
const OF_PROXIES: [&str; 4] = [
    "proxy_speed_kb",
    "max_upstream_conn",
    "proxy_cache_filter_pattern",
    "proxy_cache_filter_kind",
];

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
    metadata: Option<ProjectMetadata>,
    storage_limit: Option<i64>,
    registry_id: Option<i64>,
    cve_allowlist: Option<CVEAllowlist>,
}

impl ProjectReq {
    /// The retention policy that it is said to have, as it was shown.
    fn retention_id(&self) -> Option<String> {
        self.metadata.as_ref().and_then(ProjectMetadata::retention_id)
    }

    /// What is set. What is left empty is not, what belongs to proxy cache projects only does not
    /// matter, and which retention policy there is nobody says but the server.
    fn metadata(&mut self) -> Result<Metadata, Error> {
        let mut pairs = self.metadata.take().unwrap_or_default().into_pairs();
        pairs.retain(|name, value| !value.is_empty() && !OF_PROXIES.contains(&name.as_str()));
        pairs.remove("retention_id");
        if let Some(public) = pairs.get("public") {
            if !matches!(public.as_str(), "true" | "false") {
                return Err(Error::invalid(format!(
                    "metadata.public should only be 'true' or 'false', but got: '{public}'"
                )));
            }
        } else if let Some(public) = self.public {
            pairs.insert("public".to_owned(), public.to_string());
        }
        Metadata::read(pairs)
    }

    /// Refuses what this version does not do, and what is not the creator's to say.
    fn check(&self, decides: bool) -> Result<(), Error> {
        match self.registry_id {
            None | Some(0) => {}
            Some(_) if !decides => {
                let message = "Only system admin can create proxy cache project";
                return Err(Error::new(Kind::Forbidden, message));
            }
            Some(_) => {
                let message = "proxy cache projects are not supported: leave registry_id out";
                return Err(Error::new(Kind::Unsupported, message));
            }
        }
        // Only a sysadmin's is looked at: others get the default, whatever they ask for.
        match self.storage_limit {
            Some(limit) if decides && limit != 0 => quotas::is_limit(limit),
            _ => Ok(()),
        }
    }
}

/// A project as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
pub(super) struct ProjectModel {
    project_id: i64,
    name: String,
    owner_id: i64,
    owner_name: String,
    repo_count: i64,
    creation_time: Timestamp,
    update_time: Timestamp,
    metadata: ProjectMetadata,
    cve_allowlist: CVEAllowlist,
    /// The registry that it is a proxy of; not there for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry_id: Option<i64>,
    /// Always false: what is deleted is gone.
    #[serde(skip_serializing_if = "Not::not")]
    deleted: bool,
    /// Whether the caller may make it public or private.
    #[serde(skip_serializing_if = "Not::not")]
    togglable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_user_role_id: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    current_user_role_ids: Vec<i64>,
}

impl ProjectModel {
    /// As somebody with a view sees it.
    pub(super) fn seen(details: Details, view: View) -> Self {
        let project = details.project;
        let roles = details.role_ids;
        Self {
            project_id: project.id,
            name: project.name.to_string(),
            owner_id: project.owner_id,
            owner_name: details.owner_name,
            repo_count: details.repository_count,
            creation_time: project.created_at.into(),
            update_time: project.updated_at.into(),
            metadata: ProjectMetadata::from_pairs(details.metadata),
            cve_allowlist: CVEAllowlist::of(project.id, details.allowlist),
            registry_id: None,
            deleted: false,
            togglable: view.is_everything() || roles.contains(&Role::ProjectAdmin.id()),
            current_user_role_id: roles.first().copied(),
            current_user_role_ids: roles,
        }
    }
}

/// Whether a project can be deleted, and why not.
#[derive(Serialize, ToSchema)]
struct ProjectDeletable {
    deletable: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'static str,
}

/// How much there is in a project, as far as the caller may know it.
#[derive(Default, Serialize, ToSchema)]
struct ProjectSummary {
    repo_count: i64,
    #[serde(skip_serializing_if = "is_zero")]
    project_admin_count: i64,
    #[serde(skip_serializing_if = "is_zero")]
    maintainer_count: i64,
    #[serde(skip_serializing_if = "is_zero")]
    developer_count: i64,
    #[serde(skip_serializing_if = "is_zero")]
    guest_count: i64,
    #[serde(skip_serializing_if = "is_zero")]
    limited_guest_count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<ProjectSummaryQuota>,
}

/// How much a project may store and does, in bytes; -1 for no limit.
#[derive(Serialize, ToSchema)]
struct ProjectSummaryQuota {
    hard: BTreeMap<&'static str, i64>,
    used: BTreeMap<&'static str, i64>,
}

fn is_zero(count: &i64) -> bool {
    *count == 0
}

impl From<Summary> for ProjectSummary {
    fn from(summary: Summary) -> Self {
        let members = summary.members.unwrap_or_default();
        let count = |role: Role| members.get(&role.id()).copied().unwrap_or_default();
        let storage = |bytes| BTreeMap::from([("storage", bytes)]);
        Self {
            repo_count: summary.repositories,
            project_admin_count: count(Role::ProjectAdmin),
            maintainer_count: count(Role::Maintainer),
            developer_count: count(Role::Developer),
            guest_count: count(Role::Guest),
            limited_guest_count: count(Role::LimitedGuest),
            quota: summary.quota.map(|(limit, used)| ProjectSummaryQuota {
                hard: storage(limit),
                used: storage(used),
            }),
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
    Ok(request.answer(projects, |details| ProjectModel::seen(details, view)))
}

async fn list_own(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<ProjectModel>, ApiError> {
    let user = access::user(&state.domain, &caller).await?;
    let view = access::view(&state.domain, &caller).await?;
    let found = projects::list_own(&state.domain, &user, &request.selection()?).await?;
    Ok(request.answer(found, |details| ProjectModel::seen(details, view)))
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
    let creator = access::creator(&state.domain, &caller).await?;
    let mut request = request.read().await?;
    request.check(creator.decides())?;
    let metadata = request.metadata()?;
    let allowlist = request.cve_allowlist.map(|list| list.change(0)).transpose()?;
    let name = request.project_name;
    let storage_limit = request.storage_limit;
    let new = NewProject { name: name.clone(), metadata, allowlist, storage_limit };
    let id = projects::create(&state.domain, &creator, new).await?;
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
    let view = access::view(&state.domain, &caller).await?;
    Ok(Json(ProjectModel::seen(details, view)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    request: Sent<ProjectReq>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, project.by(), Action::Update).await?;
    let mut request = request.read().await?;
    let (retention_id, metadata) = (request.retention_id(), request.metadata()?);
    let id = allowed.project().id;
    let allowlist = request.cve_allowlist.map(|list| list.change(id)).transpose()?;
    projects::update(&state.domain, &allowed, Change { metadata, allowlist, retention_id }).await?;
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

async fn deletable(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
) -> Result<Json<ProjectDeletable>, ApiError> {
    let allowed = may(&state, &caller, project.by(), Action::Delete).await?;
    let kept_by = projects::kept_by(&state.domain, &allowed).await?;
    let (deletable, message) = (kept_by.is_none(), kept_by.unwrap_or_default());
    Ok(Json(ProjectDeletable { deletable, message }))
}

async fn sum_up(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
) -> Result<Json<ProjectSummary>, ApiError> {
    let allowed = may(&state, &caller, project.by(), Action::Read).await?;
    let rights = access::rights_in(&state.domain, &caller, project.by()).await?;
    let summary = statistics::sum_up(&state.domain, &allowed, &rights).await?;
    Ok(Json(ProjectSummary::from(summary)))
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
