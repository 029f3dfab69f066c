//! `/v2/<name>/referrers/<digest>`: what refers to a subject.

use axum::{
    body::Body,
    http::{
        HeaderValue, Response,
        header::{CONTENT_TYPE, LINK},
    },
};
use domain::{
    access::{self, Right},
    artifacts,
};
use kit::{Error, Keyset, Result};
use oci::{Digest, RepositoryName, media_type};
use serde::Serialize;
use serde_json::value::RawValue;
use url::form_urlencoded;

use super::{Asked, OCI_FILTERS_APPLIED, query, value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Box<RawValue>>,
}

/// The most types that one request may ask for.
const MOST_TYPES: usize = 50;

/// How many referrers stand on a page, unless the client asks for fewer.
const LONGEST_PAGE: u64 = 1000;

pub(super) async fn list(
    asked: &Asked<'_>,
    name: &RepositoryName,
    subject: &Digest,
) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_repository(context, asked.caller, name, Right::PULL).await?;
    let query = asked.parts.uri.query();
    let types: Vec<String> = query::all(query, "artifactType")
        .filter(|of_type| !of_type.is_empty())
        .map(|of_type| of_type.into_owned())
        .collect();
    if types.len() > MOST_TYPES {
        return Err(Error::invalid(format!(
            "at most {MOST_TYPES} artifact types can be asked for"
        )));
    }
    let page = Keyset::from_query(query.unwrap_or_default())?;
    let (last, limit) = (page.last.as_deref().unwrap_or_default(), page.limit(LONGEST_PAGE).max(1));
    let found = artifacts::referrers(context, &allowed, name, subject, &types, last, limit).await?;
    let last = found.found.last().filter(|_| found.more).map(|last| last.digest.clone());
    let body = Index {
        schema_version: 2,
        media_type: media_type::OCI_INDEX,
        manifests: found.found.into_iter().map(entry).collect::<Result<_>>()?,
    };
    let body = serde_json::to_vec(&body).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type::OCI_INDEX));
    if !types.is_empty() {
        headers.insert(OCI_FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    if let Some(last) = last {
        let address = format!("/v2/{name}/referrers/{subject}{}", filters(&types));
        headers.insert(LINK, value(Keyset::next_link(&address, limit, &last))?);
    }
    Ok(response)
}

/// The query that asks for some types again.
fn filters(types: &[String]) -> String {
    if types.is_empty() {
        return String::new();
    }
    let mut query = form_urlencoded::Serializer::new(String::from("?"));
    query.extend_pairs(types.iter().map(|of_type| ("artifactType", of_type))).finish()
}

fn entry(found: artifacts::Referrer) -> Result<Entry> {
    let annotations = found.annotations.map(RawValue::from_string).transpose();
    Ok(Entry {
        media_type: found.media_type,
        digest: found.digest,
        size: found.size,
        artifact_type: found.artifact_type,
        annotations: annotations.map_err(Error::internal)?,
    })
}
