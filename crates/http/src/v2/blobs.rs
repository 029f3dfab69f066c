//! `/v2/<name>/blobs/<digest>`: read blobs, whole or in ranges, and delete them.

use std::{ops::Range, sync::Arc};

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, Method, Response, StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
            IF_RANGE, RANGE,
        },
    },
};
use bytes::Bytes;
use domain::{
    Context,
    access::{self, Right},
    uploads::{self, Held},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::BodyDataStream;
use kit::{Error, Kind, Result, Subject};
use oci::{Digest, RepositoryName, range::Selection};

use super::{Asked, CONTENT_DIGEST, empty, error, locate, manifests::matches_none, value};
use crate::PlainWire;

/// Content never changes under its digest.
const FOR_EVER: HeaderValue = HeaderValue::from_static("max-age=31536000, immutable");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

pub(super) async fn get(
    asked: &Asked<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_repository(context, asked.caller, name, Right::PULL).await?;
    let blob = uploads::known(context, &allowed, name, digest).await?;
    let mut response = choose(asked, digest, &blob).await?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_DIGEST, value(digest.to_string())?);
    headers.insert(ETAG, value(format!("\"{digest}\""))?);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, FOR_EVER);
    Ok(response)
}

pub(super) async fn delete(
    asked: &Asked<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Response<Body>> {
    let context = &asked.state.domain;
    let allowed = access::on_repository(context, asked.caller, name, Right::DELETE).await?;
    uploads::delete(context, &allowed, name, digest).await?;
    Ok(empty(StatusCode::ACCEPTED))
}

/// The whole blob, parts of it, or word that the client has it already.
async fn choose(asked: &Asked<'_>, digest: &Digest, blob: &Arc<Held>) -> Result<Response<Body>> {
    let (context, headers) = (&asked.state.domain, &asked.parts.headers);
    if matches_none(headers, digest) {
        let mut response = empty(StatusCode::NOT_MODIFIED);
        response.headers_mut().remove(CONTENT_LENGTH);
        return Ok(response);
    }
    if asked.parts.method == Method::HEAD {
        return Ok(with_length(Body::empty(), blob.size));
    }
    if let Some(address) = uploads::link(context, blob).await? {
        let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
        locate(&mut response, address)?;
        return Ok(response);
    }
    match wanted(headers, digest, blob.size) {
        Selection::Full | Selection::Malformed => {
            Ok(with_length(body(asked, blob, 0..blob.size).await?, blob.size))
        }
        Selection::Ranges(ranges) => match ranges.as_slice() {
            [range] => one_range(asked, blob, range.clone()).await,
            _ => many_ranges(context, blob, ranges),
        },
        Selection::Unsatisfiable => unsatisfiable(blob.size),
        Selection::TooMany => {
            Err(Error::invalid("the request asks for too many ranges").about(Subject::Blob))
        }
    }
}

/// Which parts of the blob the client wants (RFC 9110, section 14).
fn wanted(headers: &HeaderMap, digest: &Digest, size: u64) -> Selection {
    let Some(range) = headers.get(RANGE) else { return Selection::Full };
    if let Some(condition) = headers.get(IF_RANGE) {
        let is_ours =
            condition.to_str().is_ok_and(|tag| tag.trim_matches('"').parse() == Ok(*digest));
        if !is_ours {
            return Selection::Full;
        }
    }
    range.to_str().map_or(Selection::Malformed, |range| Selection::of(range, size))
}

fn with_length(body: Body, length: u64) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, OCTETS);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A part of a blob as a body, which the kernel sends where it can.
async fn body(asked: &Asked<'_>, blob: &Held, range: Range<u64>) -> Result<Body> {
    let mut reader = uploads::read(&asked.state.domain, blob, range).await?;
    if asked.parts.extensions.get::<PlainWire>().is_some() {
        reader.unread();
    }
    Ok(Body::new(reader))
}

async fn one_range(asked: &Asked<'_>, blob: &Held, range: Range<u64>) -> Result<Response<Body>> {
    let content_range = content_range(&range, blob.size);
    let length = range.end - range.start;
    let mut response = with_length(body(asked, blob, range).await?, length);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    response.headers_mut().insert(CONTENT_RANGE, value(content_range)?);
    Ok(response)
}

/// Several ranges in one answer, each opened when its turn comes.
fn many_ranges(
    context: &Arc<Context>,
    blob: &Arc<Held>,
    ranges: Vec<Range<u64>>,
) -> Result<Response<Body>> {
    let boundary = kit::random_token(16);
    let end = format!("\r\n--{boundary}--\r\n");
    let parts: Vec<(String, Range<u64>)> =
        ranges.into_iter().map(|range| (part_head(&boundary, &range, blob.size), range)).collect();
    let length = parts
        .iter()
        .map(|(head, range)| head.len() as u64 + (range.end - range.start))
        .sum::<u64>()
        + end.len() as u64;

    let (context, blob) = (context.clone(), blob.clone());
    let body = stream::iter(parts)
        .then(move |(head, range)| {
            let (context, blob) = (context.clone(), blob.clone());
            async move {
                let reader =
                    uploads::read(&context, &blob, range).await.map_err(std::io::Error::other)?;
                let head = stream::once(async { Ok(Bytes::from(head)) });
                Ok::<_, std::io::Error>(head.chain(BodyDataStream::new(reader)))
            }
        })
        .try_flatten()
        .chain(stream::once(async { Ok(Bytes::from(end)) }));
    let mut response = with_length(Body::from_stream(body), length);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let kind = value(format!("multipart/byteranges; boundary={boundary}"))?;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

fn part_head(boundary: &str, range: &Range<u64>, size: u64) -> String {
    format!(
        "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: {}\r\n\r\n",
        content_range(range, size)
    )
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end - 1)
}

fn unsatisfiable(size: u64) -> Result<Response<Body>> {
    let message = format!("the range lies outside of the blob's {size} bytes");
    let mut response = error::response(&Error::new(Kind::Range, message).about(Subject::Blob));
    response.headers_mut().insert(CONTENT_RANGE, value(format!("bytes */{size}"))?);
    Ok(response)
}
