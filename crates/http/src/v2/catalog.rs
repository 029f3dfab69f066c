//! `/v2/_catalog`: the repositories that the caller may see, page by page.

use axum::{body::Body, http::Response};
use domain::{access, artifacts};
use kit::Result;
use serde::Serialize;

use super::{Asked, query, tags};

#[derive(Serialize)]
struct Catalog<'a> {
    repositories: &'a [String],
}

pub(super) async fn list(asked: &Asked<'_>) -> Result<Response<Body>> {
    let ctx = &asked.state.domain;
    let allowed = access::on_catalog(ctx, asked.caller).await?;
    let page = query::page(asked.parts.uri.query())?;
    let found = artifacts::catalog(ctx, allowed, &page.last, page.count).await?;
    tags::names(&Catalog { repositories: &found.names }, &found, "/v2/_catalog", page.count)
}
