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
use kit::{Error, Keyset, Result};
use oci::RepositoryName;
use serde::Serialize;

use super::{Asked, value};

/// The most names on a page; who asks for more gets as many and a link to the next.
pub(super) const LONGEST_PAGE: u64 = 10_000;

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a str,
    tags: &'a [String],
}

pub(super) async fn list(asked: &Asked<'_>, name: &RepositoryName) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_repository(context, asked.caller, name, Right::PULL).await?;
    let page = Keyset::from_query(asked.parts.uri.query().unwrap_or_default())?;
    let (last, limit) = (page.last.as_deref().unwrap_or_default(), page.limit(LONGEST_PAGE));
    let found = artifacts::tags(context, &allowed, name, last, limit).await?;
    let body = TagList { name: name.as_str(), tags: &found.names };
    names(&body, &found, &format!("/v2/{name}/tags/list"), limit)
}

/// A page of names with the link to the next.
pub(super) fn names(
    body: &impl Serialize,
    found: &Names,
    path: &str,
    limit: u64,
) -> Result<Response<Body>> {
    let body = serde_json::to_vec(body).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(last) = found.names.last().filter(|_| found.more) {
        headers.insert(LINK, value(Keyset::next_link(path, limit, last))?);
    }
    Ok(response)
}
