//! `/v2/<name>/blobs/uploads/`: pushing blobs, in one piece, in chunks or by mounting.

use std::{io, ops::Range};

use axum::{
    body::Body,
    http::{
        HeaderMap, Response, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE},
    },
};
use bytes::Bytes;
use domain::{
    access::{self, Allowed, Right},
    uploads::{self, Chunk, Mounted, Step, Ticket},
};
use futures_util::{Stream, TryStreamExt};
use http_body_util::BodyDataStream;
use kit::{Error, Kind, Result, Subject};
use oci::{Algorithm, Digest, RepositoryName};

use super::{
    Asked, CONTENT_DIGEST, UPLOAD_UUID, blob_path, challenged, empty, error, locate, query, value,
};
use crate::auth::Reason;

pub(super) async fn post(
    asked: &Asked<'_>,
    name: &RepositoryName,
    body: &mut Body,
) -> Result<Response<Body>> {
    let allowed = push_right(asked, name).await?;
    let query = asked.parts.uri.query();
    if let Some(wanted) = query::first(query, "mount") {
        return mount(asked, &allowed, name, &digest(&wanted)?).await;
    }
    let algorithm = match query::first(query, "digest-algorithm") {
        Some(name) => Some(algorithm(&name)?),
        None => None,
    };
    let context = &asked.state.domain;
    let ticket = uploads::begin(context, &allowed, name, asked.caller, algorithm)?;
    match query::first(query, "digest") {
        Some(text) => {
            let digest = digest(&text)?;
            let chunk = Chunk::default();
            uploads::finish(context, &allowed, name, &ticket, digest, chunk, bytes_of(body))
                .await?;
            created(name, &digest)
        }
        None => accepted(name, &ticket, 0, StatusCode::ACCEPTED),
    }
}

async fn mount(
    asked: &Asked<'_>,
    allowed: &Allowed,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    // A source that is no name is a source that does not have the blob.
    let from = query::first(asked.parts.uri.query(), "from").filter(|from| !from.is_empty());
    let source = from.as_deref().map(str::parse::<RepositoryName>).transpose();
    let mounted = match source {
        Ok(source) => {
            uploads::mount(context, asked.caller, allowed, name, digest, source.as_ref()).await?
        }
        Err(_) => Mounted::No,
    };
    match mounted {
        Mounted::Yes => return created(name, digest),
        Mounted::OutOfReach(source) => return Ok(out_of_reach(asked, name, &source)),
        Mounted::No => {}
    }
    let ticket = uploads::begin(context, allowed, name, asked.caller, Some(digest.algorithm()))?;
    accepted(name, &ticket, 0, StatusCode::ACCEPTED)
}

pub(super) async fn get(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &str,
) -> Result<Response<Body>> {
    let (_, ticket) = open(asked, name, id).await?;
    let size = uploads::size(&asked.state.domain, &ticket).await?;
    accepted(name, &ticket, size, StatusCode::NO_CONTENT)
}

pub(super) async fn patch(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &str,
    body: &mut Body,
) -> Result<Response<Body>> {
    let (_, ticket) = open(asked, name, id).await?;
    let chunk = chunk(&asked.parts.headers)?;
    match uploads::append(&asked.state.domain, &ticket, chunk, bytes_of(body)).await? {
        Step::Done(size) => accepted(name, &ticket, size, StatusCode::ACCEPTED),
        Step::OutOfOrder { size } => out_of_order(name, &ticket, size),
    }
}

pub(super) async fn put(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &str,
    body: &mut Body,
) -> Result<Response<Body>> {
    let (allowed, ticket) = open(asked, name, id).await?;
    let Some(wanted) = query::first(asked.parts.uri.query(), "digest") else {
        return Err(Error::invalid("the parameter digest is missing").about(Subject::Digest));
    };
    let digest = digest(&wanted)?;
    let chunk = chunk(&asked.parts.headers)?;
    let context = &asked.state.domain;
    match uploads::finish(context, &allowed, name, &ticket, digest, chunk, bytes_of(body)).await? {
        Step::Done(()) => created(name, &digest),
        Step::OutOfOrder { size } => out_of_order(name, &ticket, size),
    }
}

pub(super) async fn delete(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &str,
) -> Result<Response<Body>> {
    let (_, ticket) = open(asked, name, id).await?;
    uploads::cancel(&asked.state.domain, &ticket).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn push_right(asked: &Asked<'_>, name: &RepositoryName) -> Result<Allowed> {
    access::on_repository(&asked.state.domain, asked.caller, name, Right::PUSH).await
}

async fn open(asked: &Asked<'_>, name: &RepositoryName, id: &str) -> Result<(Allowed, Ticket)> {
    let allowed = push_right(asked, name).await?;
    let ticket = uploads::open(&asked.state.domain, &allowed, name, asked.caller, id)?;
    Ok((allowed, ticket))
}

/// The client gets a token that reaches the source of its mount, and asks again.
fn out_of_reach(
    asked: &Asked<'_>,
    name: &RepositoryName,
    source: &RepositoryName,
) -> Response<Body> {
    let message = format!("unauthorized to access repository: {source}, action: pull");
    let scope = format!("repository:{name}:pull,push repository:{source}:pull");
    let error = Error::new(Kind::Unauthenticated, message);
    challenged(asked.state, asked.parts, &error, &scope, Some(Reason::InsufficientScope))
}

/// Where an upload stands.
fn accepted(
    name: &RepositoryName,
    ticket: &Ticket,
    size: u64,
    status: StatusCode,
) -> Result<Response<Body>> {
    let mut response = empty(status);
    locate(&mut response, format!("/v2/{name}/blobs/uploads/{}", ticket.id))?;
    let headers = response.headers_mut();
    headers.insert(UPLOAD_UUID, value(ticket.id.as_str())?);
    // An upload without bytes looks like one with a single byte: clients expect it so.
    headers.insert(RANGE, value(format!("0-{}", size.saturating_sub(1)))?);
    Ok(response)
}

fn created(name: &RepositoryName, digest: &Digest) -> Result<Response<Body>> {
    let mut response = empty(StatusCode::CREATED);
    locate(&mut response, blob_path(name, digest))?;
    response.headers_mut().insert(CONTENT_DIGEST, value(digest.to_string())?);
    Ok(response)
}

/// The chunk does not continue the upload: the answer says where to go on.
fn out_of_order(name: &RepositoryName, ticket: &Ticket, size: u64) -> Result<Response<Body>> {
    let message = format!("the next chunk has to start at {size}");
    let refused = Error::new(Kind::Range, message).about(Subject::Upload);
    let mut response = error::response(&refused);
    let standing = accepted(name, ticket, size, StatusCode::ACCEPTED)?;
    for (header, value) in standing.headers() {
        if header != CONTENT_LENGTH {
            response.headers_mut().insert(header, value.clone());
        }
    }
    Ok(response)
}

fn digest(text: &str) -> Result<Digest> {
    text.parse().map_err(|cause| error::of_digest(&cause, text))
}

fn algorithm(name: &str) -> Result<Algorithm> {
    name.parse()
        .map_err(|cause: oci::DigestError| Error::invalid(cause.to_string()).about(Subject::Digest))
}

/// What the headers say about a body.
fn chunk(headers: &HeaderMap) -> Result<Chunk> {
    let Some(value) = headers.get(CONTENT_RANGE) else { return Ok(Chunk::default()) };
    let range: Range<u64> =
        value.to_str().ok().and_then(|text| oci::range::parse_chunk_range(text).ok()).ok_or_else(
            || Error::invalid("Content-Range has to be <start>-<end>").about(Subject::Upload),
        )?;
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length != range.end - range.start) {
        return Err(
            Error::invalid("Content-Range and Content-Length disagree").about(Subject::Size)
        );
    }
    Ok(Chunk { range: Some(range) })
}

fn bytes_of(body: &mut Body) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    BodyDataStream::new(body).map_err(io::Error::other)
}
