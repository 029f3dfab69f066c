//! Quotas: how much projects may store and do.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    quotas::{self, Shown},
};
use kit::{Error, Selection, query::Sort};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Done, Listed, Timestamp},
    request::{ListRequest, PageRequest, Path, Query, Sent},
};
use crate::State;

/// The only thing that there are quotas of, and by which they are kept.
const STORAGE: &str = "storage";

/// What quotas belong to.
const REFERENCE: &str = "project";

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("quota")
        .get("/quotas", "listQuotas", "The quotas of projects.", list, &[400, 401, 403])
        .get("/quotas/{id}", "getQuota", "A quota.", show, &[401, 403, 404])
        .put("/quotas/{id}", "updateQuota", "Sets a quota.", update, &[400, 401, 403, 404])
}

/// The operations of this file that only Haven has: quotas found by the names of projects.
pub(super) fn haven_operations() -> Operations {
    Operations::haven("quota").get(
        "/quotas",
        "findQuotas",
        "The quotas of projects, by `project`, their name, and what else can be sorted by.",
        find,
        &[400, 401, 403],
    )
}

/// Which quotas are listed, and in what order.
#[derive(Deserialize, IntoParams)]
struct QuotasQuery {
    /// What they are of: `project`.
    reference: Option<String>,
    /// The number of the project.
    reference_id: Option<String>,
    /// `hard.storage`, `used.storage`, `creation_time` or `update_time`, `-` before it for
    /// backwards.
    sort: Option<String>,
}

/// Which quota.
#[derive(Deserialize, IntoParams)]
struct QuotaPath {
    /// The number of the quota.
    id: i64,
}

/// Bytes by the name of what they limit, which is `storage`; -1 for no limit.
type ResourceList = BTreeMap<String, i64>;

/// A quota as clients see it.
#[derive(Serialize, ToSchema)]
struct Quota {
    id: i64,
    /// The project: its id, name and owner_name.
    #[schema(value_type = BTreeMap<String, Value>)]
    r#ref: Value,
    hard: ResourceList,
    used: ResourceList,
    creation_time: Timestamp,
    update_time: Timestamp,
}

/// What a quota is set to.
#[derive(Deserialize, ToSchema)]
struct QuotaUpdateReq {
    #[serde(default)]
    hard: Option<ResourceList>,
}

impl From<Shown> for Quota {
    fn from(quota: Shown) -> Self {
        let storage = |bytes| BTreeMap::from([(STORAGE.to_owned(), bytes)]);
        Self {
            id: quota.project_id,
            r#ref: json!({
                "id": quota.project_id, "name": &*quota.project, "owner_name": quota.owner_name,
            }),
            hard: storage(quota.limit),
            used: storage(quota.used),
            creation_time: quota.created_at.into(),
            update_time: quota.updated_at.into(),
        }
    }
}

impl QuotaUpdateReq {
    /// The limit, if it is for what there are quotas of.
    fn limit(self) -> Result<i64, Error> {
        let hard = self.hard.filter(|hard| !hard.is_empty());
        let hard = hard.ok_or_else(|| Error::invalid("hard required in body"))?;
        if let Some(other) = hard.keys().find(|name| *name != STORAGE) {
            return Err(Error::invalid(format!("resource {other} not support")));
        }
        Ok(hard[STORAGE])
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<QuotasQuery>,
    request: PageRequest,
) -> Result<Listed<Quota>, ApiError> {
    let right = Right::new(Resource::Quota, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let selection = Selection {
        page: request.page()?,
        sort: Sort::parse(&query.sort.unwrap_or_default())?,
        ..Selection::default()
    };
    let nothing = query.reference.is_some_and(|of| !of.is_empty() && of != REFERENCE);
    let project = query.reference_id.filter(|id| !id.is_empty());
    let found = match nothing {
        true => domain::Listing { items: Vec::new(), total: 0 },
        false => quotas::list(&state.domain, &allowed, project.as_deref(), selection).await?,
    };
    Ok(request.answer(found, Quota::from))
}

async fn find(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<Quota>, ApiError> {
    let right = Right::new(Resource::Quota, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let found = quotas::list(&state.domain, &allowed, None, request.selection()?).await?;
    Ok(request.answer(found, Quota::from))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<QuotaPath>,
) -> Result<Json<Quota>, ApiError> {
    let right = Right::new(Resource::Quota, Action::Read);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let quota = quotas::get(&state.domain, &allowed, path.id).await?;
    Ok(Json(quota.into()))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<QuotaPath>,
    request: Sent<QuotaUpdateReq>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Quota, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let limit = request.read().await?.limit()?;
    quotas::update(&state.domain, &allowed, path.id, limit).await?;
    Ok(Done)
}
