//! `/v2/<name>/manifests/<reference>`: pull, push and delete manifests and tags.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, Method, Response, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, USER_AGENT},
    },
};
use bytes::Bytes;
use domain::{
    access::{self, Right},
    artifacts::{self, Condition, Push},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kit::{Error, Kind, Result, Subject};
use oci::{Digest, LONGEST_MANIFEST, Reference, RepositoryName, Tag};

use super::{
    Asked, CONTENT_DIGEST, OCI_SUBJECT, OCI_TAG, empty, error, locate, query, value, warn,
};

/// The most tags that one push may set.
const MOST_TAGS: usize = 100;

pub(super) async fn get(
    asked: &Asked<'_>,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_repository(context, asked.caller, name, Right::PULL).await?;
    let stored = artifacts::pull(context, &allowed, name, reference).await?;
    let digest = value(stored.digest.to_string())?;
    let etag = value(format!("\"{}\"", stored.digest))?;
    if matches_none(&asked.parts.headers, &stored.digest) {
        let mut response = empty(StatusCode::NOT_MODIFIED);
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().insert(CONTENT_DIGEST, digest);
        response.headers_mut().insert(ETAG, etag);
        return Ok(response);
    }
    let head = asked.parts.method == Method::HEAD;
    if !head && !is_ours(&asked.parts.headers) {
        artifacts::pulled(context, &allowed, name, reference, &stored).await?;
    }
    let body = if head { Body::empty() } else { Body::from(stored.content.clone()) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, value(stored.media_type.as_str())?);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(stored.content.len()));
    headers.insert(CONTENT_DIGEST, digest);
    headers.insert(ETAG, etag);
    Ok(response)
}

/// Whether a part of a registry like Harbor asks, whose looks count as no pull.
fn is_ours(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes() == b"harbor-registry-client")
}

pub(super) async fn put(
    asked: &Asked<'_>,
    name: &RepositoryName,
    reference: &Reference,
    body: &mut Body,
) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_repository(context, asked.caller, name, Right::PUSH).await?;
    let tags = tags(asked)?;
    let push = Push {
        name: name.clone(),
        reference: reference.clone(),
        tags: tags.clone(),
        content_type: content_type(&asked.parts.headers)?,
        content: read(&asked.parts.headers, body).await?,
        condition: condition(&asked.parts.headers)?,
    };
    let pushed = artifacts::push(context, &allowed, push).await?;
    let mut response = empty(StatusCode::CREATED);
    locate(&mut response, format!("/v2/{name}/manifests/{}", pushed.digest))?;
    if pushed.incomplete {
        warn(&mut response, "the manifest refers to content that this repository does not hold")?;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_DIGEST, value(pushed.digest.to_string())?);
    if let Some(subject) = pushed.subject {
        headers.insert(OCI_SUBJECT, value(subject.to_string())?);
    }
    for tag in tags {
        headers.append(OCI_TAG, value(tag.as_str())?);
    }
    Ok(response)
}

pub(super) async fn delete(
    asked: &Asked<'_>,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_repository(context, asked.caller, name, Right::DELETE).await?;
    match reference {
        Reference::Tag(tag) => artifacts::untag(context, &allowed, name, tag).await?,
        Reference::Digest(digest) => artifacts::delete(context, &allowed, name, digest).await?,
    }
    Ok(empty(StatusCode::ACCEPTED))
}

fn content_type(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = value
        .to_str()
        .map_err(|_| Error::invalid("Content-Type is not printable").about(Subject::Manifest))?;
    Ok(Some(text.to_owned()))
}

/// The whole body of a push, which has a limit.
async fn read(headers: &HeaderMap, body: &mut Body) -> Result<Bytes> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LONGEST_MANIFEST) {
        return Err(too_large());
    }
    match Limited::new(body, LONGEST_MANIFEST).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(cause) if cause.is::<LengthLimitError>() => Err(too_large()),
        Err(cause) => Err(Error::invalid("the body of the request broke off")
            .about(Subject::Manifest)
            .because(cause)),
    }
}

fn too_large() -> Error {
    Error::new(Kind::TooLarge, format!("a manifest has at most {LONGEST_MANIFEST} bytes"))
        .about(Subject::Manifest)
}

/// The tags of `?tag=a&tag=b`.
fn tags(asked: &Asked<'_>) -> Result<Vec<Tag>> {
    let tags = query::all(asked.parts.uri.query(), "tag")
        .take(MOST_TAGS + 1)
        .map(|tag| {
            tag.parse()
                .map_err(|cause: oci::TagError| error::invalid(Subject::Tag, &cause, "tag", &tag))
        })
        .collect::<Result<Vec<Tag>>>()?;
    if tags.len() > MOST_TAGS {
        let message = format!("at most {MOST_TAGS} tags can be set at once");
        return Err(Error::new(Kind::TooLarge, message).about(Subject::Tag));
    }
    Ok(tags)
}

fn condition(headers: &HeaderMap) -> Result<Condition> {
    match (digests(headers, IF_MATCH.as_str())?, digests(headers, IF_NONE_MATCH.as_str())?) {
        (Some(_), Some(_)) => Err(Error::invalid("If-Match and If-None-Match exclude each other")),
        (Some(Listed::Any), None) => Ok(Condition::Exists),
        (Some(Listed::These(digests)), None) => Ok(Condition::Is(digests)),
        (None, Some(Listed::Any)) => Ok(Condition::Missing),
        (None, Some(Listed::These(digests))) => Ok(Condition::IsNot(digests)),
        (None, None) => Ok(Condition::Always),
    }
}

enum Listed {
    Any,
    These(Vec<Digest>),
}

/// The digests of a header that lists entity tags. Tags that are no digests name nothing.
fn digests(headers: &HeaderMap, name: &str) -> Result<Option<Listed>> {
    let mut listed = None;
    for value in headers.get_all(name) {
        let text = value
            .to_str()
            .map_err(|_| Error::invalid(format!("the header {name} is not printable")))?;
        let digests = listed.get_or_insert_with(Vec::new);
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Some(Listed::Any));
            }
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            digests.extend(tag.parse::<Digest>());
        }
    }
    Ok(listed.map(Listed::These))
}

/// Whether the client has what it asks for already (If-None-Match).
pub(super) fn matches_none(headers: &HeaderMap, digest: &Digest) -> bool {
    if !headers.contains_key(IF_NONE_MATCH) {
        return false;
    }
    match digests(headers, IF_NONE_MATCH.as_str()) {
        Ok(Some(Listed::Any)) => true,
        Ok(Some(Listed::These(digests))) => digests.contains(digest),
        _ => false,
    }
}
