//! What is set for a project, one by one.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right},
    projects,
};
use kit::Error;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::Done,
    request::{Path, Project, Sent},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name_or_id}/metadatas/";
    let one = "/projects/{project_name_or_id}/metadatas/{meta_name}";
    let reads = &[400, 401, 403, 404];
    let writes = &[400, 401, 403, 404, 409];
    Operations::harbor("projectMetadata")
        .get(all, "listProjectMetadatas", "All that is set for a project.", list, reads)
        .post(all, "addProjectMetadatas", "Sets what was not set.", add, writes)
        .get(one, "getProjectMetadata", "What is set by a name.", show, reads)
        .put(one, "updateProjectMetadata", "Sets something.", update, writes)
        .delete(one, "deleteProjectMetadata", "Takes something away.", remove, writes)
}

/// Declares the metadata as fields, and reads and writes them as pairs.
macro_rules! metadata {
    ($($name:ident,)*) => {
        /// The metadata of a project: texts, whatever they mean.
        #[derive(Default, Deserialize, Serialize, ToSchema)]
        #[serde(default)]
        pub(super) struct ProjectMetadata {
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $name: Option<String>,
            )*
        }

        impl ProjectMetadata {
            /// The retention policy, unless it is left empty.
            pub(super) fn retention_id(&self) -> Option<String> {
                self.retention_id.clone().filter(|id| !id.is_empty())
            }

            /// Those that are there, by name.
            pub(super) fn into_pairs(self) -> BTreeMap<String, String> {
                [$((stringify!($name), self.$name)),*]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect()
            }

            /// The fields out of all that is set.
            pub(super) fn from_pairs(mut pairs: BTreeMap<String, String>) -> Self {
                Self { $($name: pairs.remove(stringify!($name)),)* }
            }
        }
    };
}

metadata! {
    public,
    enable_content_trust,
    enable_content_trust_cosign,
    prevent_vul,
    severity,
    auto_scan,
    auto_sbom_generation,
    reuse_sys_cve_allowlist,
    retention_id,
    proxy_speed_kb,
    max_upstream_conn,
    proxy_cache_local_on_not_found,
    proxy_referrer_api,
    proxy_cache_filter_pattern,
    proxy_cache_filter_kind,
}

/// One of them in a path.
#[derive(Deserialize, IntoParams)]
struct MetadataPath {
    /// Its name.
    meta_name: String,
}

/// Names and values.
type Pairs = BTreeMap<String, String>;

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
) -> Result<Json<Pairs>, ApiError> {
    let allowed = may(&state, &caller, &project, Action::List).await?;
    Ok(Json(projects::metadata(&state.domain, &allowed).await?))
}

async fn add(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    request: Sent<Pairs>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Create).await?;
    let mut sent = request.read().await?;
    let (Some((name, value)), true) = (sent.pop_first(), sent.is_empty()) else {
        return Err(Error::invalid("only allow one key/value pair").into());
    };
    projects::add_metadata(&state.domain, &allowed, name, &value).await?;
    Ok(Done)
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MetadataPath { meta_name }): Path<MetadataPath>,
) -> Result<Json<Pairs>, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Read).await?;
    Ok(Json(projects::metadatum(&state.domain, &allowed, &meta_name).await?))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MetadataPath { meta_name }): Path<MetadataPath>,
    request: Sent<Pairs>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Update).await?;
    // The name is the path's; what else is sent does not matter.
    let value = request.read().await?.remove(&meta_name).unwrap_or_default();
    projects::set_metadata(&state.domain, &allowed, meta_name, &value).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(MetadataPath { meta_name }): Path<MetadataPath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Delete).await?;
    projects::remove_metadata(&state.domain, &allowed, meta_name).await?;
    Ok(Done)
}

/// Whether a caller may do something with the metadata of a project.
async fn may(
    state: &State,
    caller: &Caller,
    project: &Project,
    action: Action,
) -> Result<Allowed, Error> {
    let right = Right::new(Resource::Metadata, action);
    access::on_project(&state.domain, caller, project.by(), right).await
}
