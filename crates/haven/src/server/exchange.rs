//! One request and its response: request id, client, the application, headers, and at
//! the end the access line and the counts. One function, because every layer would cost.

use std::{
    future::{Future, poll_fn},
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Poll,
};

use axum::body::Body;
use haven_http::{PlainWire, Principal, RequestId, Route};
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{CONTENT_TYPE, USER_AGENT},
};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;
use tracing::Span;

use super::{
    Application,
    body::{Received, Sent},
    connection::Connection,
    guard::Flow,
    peer::peer,
};
use crate::{
    access::{AccessLine, AccessLog},
    log,
    metrics::HttpMetrics,
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id taken from a client, in bytes.
const LONGEST_REQUEST_ID: usize = 128;

/// A response up to this size is as good as sent when it is made: it fits the socket's
/// buffer, and following it would cost more than it tells. In bytes.
const SMALL_RESPONSE: u64 = 16 * 1024;

/// The status in the access line of a request whose client left before the answer.
const CLIENT_LEFT: u16 = 499;

/// Answers one request.
pub(super) async fn answer<A: Application>(
    connection: Arc<Connection<A>>,
    request: Request<Incoming>,
) -> Response<Body> {
    let server = &connection.server;
    let (mut head, body) = request.into_parts();
    let id = request_id(head.headers.get(&X_REQUEST_ID));
    let peer = peer(connection.remote, connection.https, &server.trusted_proxies, &head.headers);
    let mut record = Record {
        started: Instant::now(),
        method: head.method.clone(),
        uri: head.uri.clone(),
        agent: head.headers.get(USER_AGENT).cloned(),
        client: peer.address.ip(),
        id: id.clone(),
        status: CLIENT_LEFT,
        route: "none",
        principal: None,
        received: None,
        sent: 0,
        whole: false,
        flow: connection.flow.clone(),
        metrics: server.metrics.clone(),
        access: server.access.clone(),
        span: None,
    };
    if let Some(metrics) = &record.metrics {
        metrics.in_flight.increase();
    }
    record.span = server.spans.as_ref().map(|spans| spans.open(&head, &peer));

    let body = if body.is_end_stream() {
        Body::empty()
    } else {
        let bytes = Arc::new(AtomicU64::new(0));
        record.received = Some(bytes.clone());
        Body::new(Received::new(body, bytes, server.limits.stall_timeout))
    };
    if !connection.https && head.version < Version::HTTP_2 {
        head.extensions.insert(PlainWire);
    }
    head.extensions.insert(peer);
    head.extensions.insert(RequestId(id.clone()));
    // Pinned where it stands: wrapping it would copy all of it, several times.
    let mut handling = pin!(server.application.handle(Request::from_parts(head, body)));
    let outcome = poll_fn(|cx| {
        let _within = record.span.as_ref().map(Span::enter);
        let step = || handling.as_mut().poll(cx);
        match log::of_request(&id, || catch_unwind(AssertUnwindSafe(step))) {
            Ok(step) => step.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await;
    // The panic's own message is in the log already.
    let mut response = outcome.unwrap_or_else(|_| broken(&record.uri));

    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    record.status = response.status().as_u16();
    if let Some(Route(route)) = response.extensions().get() {
        record.route = route;
    }
    record.principal = response.extensions_mut().remove();
    follow(response, record)
}

/// Lets the record end with the response: at once for a small one.
fn follow(response: Response<Body>, mut record: Record) -> Response<Body> {
    let size = response.body().size_hint().exact();
    match size {
        Some(size) if size <= SMALL_RESPONSE => {
            record.sent = size;
            record.whole = true;
            response
        }
        _ => {
            let flow = record.flow.clone();
            response.map(|body| Body::new(Sent::new(body, flow, record)))
        }
    }
}

/// The client's request id if it is a sane one, or a new one.
fn request_id(given: Option<&HeaderValue>) -> Arc<str> {
    let sane = |id: &&str| {
        !id.is_empty()
            && id.len() <= LONGEST_REQUEST_ID
            && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match given.and_then(|id| id.to_str().ok()).filter(sane) {
        Some(id) => id.into(),
        None => kit::request_id().into(),
    }
}

/// The answer of an application that panicked. Both of our error formats have this form.
fn broken(uri: &Uri) -> Response<Body> {
    let body = r#"{"errors":[{"code":"UNKNOWN","message":"internal server error"}]}"#;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if uri.path() == "/v2" || uri.path().starts_with("/v2/") {
        let version = HeaderValue::from_static("registry/2.0");
        response.headers_mut().insert("docker-distribution-api-version", version);
    }
    response
}

/// What is known of a request. When it goes, the request is over, however it ended.
pub(super) struct Record {
    started: Instant,
    method: Method,
    uri: Uri,
    agent: Option<HeaderValue>,
    client: IpAddr,
    id: Arc<str>,
    status: u16,
    route: &'static str,
    principal: Option<Principal>,
    received: Option<Arc<AtomicU64>>,
    /// Bytes of the response's body.
    pub(super) sent: u64,
    /// Whether the response was sent to its end.
    pub(super) whole: bool,
    flow: Arc<Flow>,
    metrics: Option<Arc<HttpMetrics>>,
    access: Option<AccessLog>,
    span: Option<Span>,
}

impl Drop for Record {
    fn drop(&mut self) {
        let now = Instant::now();
        let took = now - self.started;
        let received = self.received.as_ref().map_or(0, |bytes| bytes.load(Relaxed));
        self.flow.request_ends(now);
        if let Some(metrics) = &self.metrics {
            metrics.in_flight.decrease();
            metrics.count(self.route, &self.method, self.status, took, received, self.sent);
        }
        if let Some(span) = &self.span {
            crate::traces::close(span, &self.method, self.route, self.status);
        }
        if let Some(access) = &self.access {
            access.write(&AccessLine {
                method: self.method.as_str(),
                path: self.uri.path(),
                status: self.status,
                route: self.route,
                received,
                sent: self.sent,
                whole: self.whole,
                took,
                client: self.client,
                principal: self.principal.as_ref().map(|principal| &*principal.0),
                agent: self.agent.as_ref(),
                id: &self.id,
            });
        }
    }
}
