//! The registry protocol, `/v2/` (OCI distribution-spec 1.1 and the draft of 1.2).
//!
//! A request becomes an [`Endpoint`]; one `match` finds the operation; each operation is
//! a file. Who asks is found before anything is looked up, and what is refused is
//! refused in the same words whether or not it exists.

mod base;
mod blobs;
mod catalog;
mod error;
mod manifests;
mod query;
mod referrers;
mod tags;
mod uploads;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue, Method, Request, Response, StatusCode,
        header::{
            ALLOW, AUTHORIZATION, CONTENT_LENGTH, LOCATION, WARNING, WWW_AUTHENTICATE,
            X_CONTENT_TYPE_OPTIONS,
        },
        request::Parts,
    },
};
use domain::access::{Caller, Right};
use kit::{Error, Kind, Result};
use oci::{Endpoint, RepositoryName};

use crate::{
    Principal, Route, State,
    auth::{self, Reason, Refused},
    drain::drain,
    read_only,
};

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
const OCI_NAMESPACE: HeaderName = HeaderName::from_static("oci-namespace");
const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// Answers a request whose path begins with `/v2`.
pub(crate) async fn handle(state: &Arc<State>, request: Request<Body>) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    let response = respond(state, &parts, &mut body).await;
    drain(&parts.headers, body).await;
    response
}

async fn respond(state: &Arc<State>, parts: &Parts, body: &mut Body) -> Response<Body> {
    let endpoint = match Endpoint::of(parts.uri.path()) {
        Ok(endpoint) => endpoint,
        Err(cause) => {
            let response = error::response(&error::of_path(&cause, parts.uri.path()));
            return finished(response, Route("v2_unknown"), None);
        }
    };
    let route = route(&endpoint, &parts.method);
    let caller = match auth::caller(state, &parts.headers, &parts.extensions).await {
        Ok(caller) => caller,
        Err(refused) => {
            let reason = matches!(refused, Refused::Token(_)).then_some(Reason::InvalidToken);
            let response = refusal(state, parts, &endpoint, &refused.into_error(), reason);
            return finished(response, route, None);
        }
    };
    let name = caller.name().cloned();
    if let Err(error) = read_only::check(&state.domain, &parts.method, parts.uri.path()).await {
        return finished(error::response(&error), route, name);
    }
    let asked = Asked { state, parts, caller: &caller };
    let mut response = match answer(&asked, &endpoint, body).await {
        Ok(response) => response,
        Err(error) => {
            let reason = caller.has_token().then_some(Reason::InsufficientScope);
            refusal(state, parts, &endpoint, &error, reason)
        }
    };
    name_namespace(&asked, &mut response);
    finished(response, route, name)
}

/// What an operation is given: the server, the head of the request, and who asks.
struct Asked<'r> {
    state: &'r Arc<State>,
    parts: &'r Parts,
    caller: &'r Caller,
}

async fn answer(asked: &Asked<'_>, endpoint: &Endpoint, body: &mut Body) -> Result<Response<Body>> {
    // Clients find out how to authenticate by asking without: everything wants a header.
    if asked.caller.is_anonymous() && !asked.parts.headers.contains_key(AUTHORIZATION) {
        return Err(Error::new(Kind::Unauthenticated, unauthorized(endpoint, &asked.parts.method)));
    }
    let method = &asked.parts.method;
    match (endpoint, method.as_str()) {
        (Endpoint::Base, "GET" | "HEAD") => Ok(base::hello()),
        (Endpoint::Extensions, "GET" | "HEAD") => Ok(base::extensions()),
        (Endpoint::Catalog, "GET" | "HEAD") => catalog::list(asked).await,
        (Endpoint::Tags(name), "GET" | "HEAD") => tags::list(asked, name).await,
        (Endpoint::Referrers(name, digest), "GET" | "HEAD") => {
            referrers::list(asked, name, digest).await
        }
        (Endpoint::Manifest(name, reference), "GET" | "HEAD") => {
            manifests::get(asked, name, reference).await
        }
        (Endpoint::Manifest(name, reference), "PUT") => {
            manifests::put(asked, name, reference, body).await
        }
        (Endpoint::Manifest(name, reference), "DELETE") => {
            manifests::delete(asked, name, reference).await
        }
        (Endpoint::Blob(name, digest), "GET" | "HEAD") => blobs::get(asked, name, digest).await,
        (Endpoint::Blob(name, digest), "DELETE") => blobs::delete(asked, name, digest).await,
        (Endpoint::Uploads(name), "POST") => uploads::post(asked, name, body).await,
        (Endpoint::Upload(name, id), "GET" | "HEAD") => uploads::get(asked, name, id).await,
        (Endpoint::Upload(name, id), "PATCH") => uploads::patch(asked, name, id, body).await,
        (Endpoint::Upload(name, id), "PUT") => uploads::put(asked, name, id, body).await,
        (Endpoint::Upload(name, id), "DELETE") => uploads::delete(asked, name, id).await,
        _ => Ok(method_not_allowed(endpoint, method)),
    }
}

fn method_not_allowed(endpoint: &Endpoint, method: &Method) -> Response<Body> {
    let error = Error::new(Kind::Unsupported, format!("{method} is not served here"));
    let mut response = error::response(&error);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed_methods(endpoint)));
    response
}

fn allowed_methods(endpoint: &Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Base
        | Endpoint::Catalog
        | Endpoint::Extensions
        | Endpoint::Tags(_)
        | Endpoint::Referrers(..) => "GET, HEAD",
        Endpoint::Manifest(..) => "GET, HEAD, PUT, DELETE",
        Endpoint::Blob(..) => "GET, HEAD, DELETE",
        Endpoint::Uploads(_) => "POST",
        Endpoint::Upload(..) => "GET, HEAD, PATCH, PUT, DELETE",
    }
}

/// The answer for an error, with the challenge when the client has to say who it is.
fn refusal(
    state: &State,
    parts: &Parts,
    endpoint: &Endpoint,
    error: &Error,
    reason: Option<Reason>,
) -> Response<Body> {
    if !error.is(Kind::Unauthenticated) {
        return error::response(error);
    }
    challenged(state, parts, error, &scope(endpoint, &parts.method, parts.uri.query()), reason)
}

/// The answer for an error that a token for a scope would mend.
fn challenged(
    state: &State,
    parts: &Parts,
    error: &Error,
    scope: &str,
    reason: Option<Reason>,
) -> Response<Body> {
    let mut response = error::response(error);
    let challenge = auth::challenge(&auth::origin(state, parts), scope, reason);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

/// The right that a request on a repository needs.
fn right(endpoint: &Endpoint, method: &Method) -> Right {
    match (endpoint, method) {
        (Endpoint::Uploads(_) | Endpoint::Upload(..), _) => Right::PUSH,
        (_, &Method::PUT) => Right::PUSH,
        (_, &Method::DELETE) => Right::DELETE,
        _ => Right::PULL,
    }
}

/// The scope of a token that would do (oci-wire section 9).
fn scope(endpoint: &Endpoint, method: &Method, query: Option<&str>) -> String {
    let Some(name) = endpoint.repository() else {
        let catalog = *endpoint == Endpoint::Catalog;
        return if catalog { "registry:catalog:*".to_owned() } else { String::new() };
    };
    let needed = right(endpoint, method);
    let actions = if needed == Right::PUSH {
        "pull,push"
    } else if needed == Right::DELETE {
        "delete"
    } else {
        "pull"
    };
    match query::mount_source(query) {
        Some(source) if matches!(endpoint, Endpoint::Uploads(_)) => {
            format!("repository:{name}:{actions} repository:{source}:pull")
        }
        _ => format!("repository:{name}:{actions}"),
    }
}

fn unauthorized(endpoint: &Endpoint, method: &Method) -> String {
    match endpoint.repository() {
        Some(name) => {
            let action = right(endpoint, method).action;
            format!("unauthorized to access repository: {name}, action: {action}")
        }
        None => "unauthorized".to_owned(),
    }
}

/// A name for each operation, for logs and metrics.
fn route(endpoint: &Endpoint, method: &Method) -> Route {
    Route(match (endpoint, method.as_str()) {
        (Endpoint::Base, _) => "v2_base",
        (Endpoint::Catalog, _) => "v2_catalog",
        (Endpoint::Extensions, _) => "v2_extensions",
        (Endpoint::Tags(_), _) => "v2_tags_list",
        (Endpoint::Referrers(..), _) => "v2_referrers_list",
        (Endpoint::Manifest(..), "GET") => "v2_manifest_get",
        (Endpoint::Manifest(..), "HEAD") => "v2_manifest_head",
        (Endpoint::Manifest(..), "PUT") => "v2_manifest_put",
        (Endpoint::Manifest(..), "DELETE") => "v2_manifest_delete",
        (Endpoint::Blob(..), "GET") => "v2_blob_get",
        (Endpoint::Blob(..), "HEAD") => "v2_blob_head",
        (Endpoint::Blob(..), "DELETE") => "v2_blob_delete",
        (Endpoint::Uploads(_), "POST") => "v2_upload_begin",
        (Endpoint::Upload(..), "GET" | "HEAD") => "v2_upload_get",
        (Endpoint::Upload(..), "PATCH") => "v2_upload_append",
        (Endpoint::Upload(..), "PUT") => "v2_upload_finish",
        (Endpoint::Upload(..), "DELETE") => "v2_upload_cancel",
        _ => "v2_unsupported",
    })
}

/// What every answer carries.
fn finished(mut response: Response<Body>, route: Route, name: Option<Arc<str>>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.extensions_mut().insert(route);
    if let Some(name) = name {
        response.extensions_mut().insert(Principal(name));
    }
    response
}

/// Tells a mirror's client (`?ns=`) that the namespace it asks for is the one served:
/// ours, as long as nothing is proxied.
fn name_namespace(asked: &Asked<'_>, response: &mut Response<Body>) {
    let Some(namespace) = query::first(asked.parts.uri.query(), "ns") else { return };
    let origin = auth::origin(asked.state, asked.parts);
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    if namespace == host
        && response.status().is_success()
        && let Ok(value) = HeaderValue::try_from(namespace.into_owned())
    {
        response.headers_mut().insert(OCI_NAMESPACE, value);
    }
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}

/// A header's value from text of ours, which is printable ASCII.
fn value(text: impl Into<String>) -> Result<HeaderValue> {
    HeaderValue::try_from(text.into()).map_err(Error::internal)
}

fn locate(response: &mut Response<Body>, path: String) -> Result<()> {
    response.headers_mut().insert(LOCATION, value(path)?);
    Ok(())
}

/// A notice for a person, which clients print (distribution-spec, "Warnings").
fn warn(response: &mut Response<Body>, text: &str) -> Result<()> {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    response.headers_mut().append(WARNING, value(format!("299 - \"{quoted}\""))?);
    Ok(())
}

/// Where a blob of a repository is.
fn blob_path(name: &RepositoryName, digest: &oci::Digest) -> String {
    format!("/v2/{name}/blobs/{digest}")
}
