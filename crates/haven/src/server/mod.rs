//! Serving HTTP: listeners, connections and what happens to each request.
//!
//! - `listen`: sockets and the accept loop
//! - `connection`: TLS, HTTP/1.1 or HTTP/2, the graceful end
//! - `files`: blobs that the kernel sends by itself
//! - `stream`, `guard`: cut clients that make no progress
//! - `exchange`: one request and its response, from request id to access line
//! - `body`: bodies counted and bounded on their way
//! - `peer`: who the client is when trusted proxies stand between
//! - `tls`: certificates, reloaded when they change

mod body;
mod connection;
mod exchange;
mod files;
mod guard;
mod listen;
mod peer;
mod stream;
#[cfg(test)]
mod tests;
mod timer;
mod tls;

use std::{future::Future, sync::Arc, time::Duration};

use axum::body::Body;
use http::{Request, Response};
use ipnet::IpNet;
use tokio::sync::{Semaphore, watch};

use crate::{access::AccessLog, metrics::HttpMetrics, traces::Spans};

pub use listen::{Listeners, serve};
pub use tls::Certificate;

/// What answers requests: the registry itself, the metrics pages, or a test.
pub trait Application: Clone + Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

impl Application for haven_http::App {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        Self::handle(self, request).await
    }
}

/// Bounds on what one client may ask of the server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest request head, in bytes.
    pub header_size: usize,
    /// How long a client may take to send a request head.
    pub header_timeout: Duration,
    /// How long a connection may stay open without a request.
    pub idle_timeout: Duration,
    /// How long a body may stand still, in either direction.
    pub stall_timeout: Duration,
    /// How many connections may be open at once. More wait to be accepted.
    pub connections: usize,
    /// How many requests one HTTP/2 connection may have open at once.
    pub streams: u32,
}

/// Everything the connections of a server share.
pub struct Shared<A> {
    /// What answers.
    pub application: A,
    /// Bounds on clients.
    pub limits: Limits,
    /// Networks of the proxies whose word about the client is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where requests are counted. The metrics pages themselves are not counted.
    pub metrics: Option<Arc<HttpMetrics>>,
    /// Where each request leaves its line, if anywhere.
    pub access: Option<AccessLog>,
    /// Makes a span of each request when traces are exported.
    pub spans: Option<Spans>,
}

/// A server's side of the graceful stop: the signal, and who is still here.
#[derive(Clone)]
struct Presence {
    /// Turns true when the server is to stop.
    stopping: watch::Receiver<bool>,
    /// One permit for each connection that may be open.
    places: Arc<Semaphore>,
}
