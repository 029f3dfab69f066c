//! `/v2/_catalog`: the repositories that the caller may see, page by page.

use axum::{body::Body, http::Response};
use domain::{access, artifacts};
use kit::{Keyset, Result};
use serde::Serialize;

use super::{Asked, tags};

#[derive(Serialize)]
struct Catalog<'a> {
    repositories: &'a [String],
}

pub(super) async fn list(asked: &Asked<'_>) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_catalog(context, asked.caller).await?;
    let page = Keyset::from_query(asked.parts.uri.query().unwrap_or_default())?;
    let (last, limit) = (page.last.as_deref().unwrap_or_default(), page.limit(tags::LONGEST_PAGE));
    let found = artifacts::catalog(context, &allowed, last, limit).await?;
    tags::names(&Catalog { repositories: &found.names }, &found, "/v2/_catalog", limit)
}
