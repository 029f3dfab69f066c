//! `/v2/<name>/tags/list`: the tags of a repository, page by page.

use axum::{
    body::Body,
    http::{
        HeaderValue, Response,
        header::{CONTENT_TYPE, LINK},
    },
};
use domain::{
    access::{self, Right},
    artifacts::{self, Names},
};
use kit::{Error, Result};
use oci::RepositoryName;
use serde::Serialize;

use super::{Asked, query, value};

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a str,
    tags: &'a [String],
}

pub(super) async fn list(asked: &Asked<'_>, name: &RepositoryName) -> Result<Response<Body>> {
    let ctx = &asked.state.domain;
    let allowed = access::on_repository(ctx, asked.caller, name, Right::PULL).await?;
    let page = query::page(asked.parts.uri.query())?;
    let found = artifacts::tags(ctx, &allowed, name, &page.last, page.count).await?;
    let body = TagList { name: name.as_str(), tags: &found.names };
    names(&body, &found, &format!("/v2/{name}/tags/list"), page.count)
}

/// A page of names with the link to the next.
pub(super) fn names(
    body: &impl Serialize,
    found: &Names,
    path: &str,
    count: u32,
) -> Result<Response<Body>> {
    let body = serde_json::to_vec(body).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(last) = found.names.last().filter(|_| found.more) {
        headers.insert(LINK, value(query::next_link(path, count, last, &[]))?);
    }
    Ok(response)
}
