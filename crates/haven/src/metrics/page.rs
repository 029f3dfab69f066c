//! The pages at the metrics address: for Prometheus and for whoever watches over us.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use prometheus_client::{encoding::text::encode, registry::Registry};

use crate::server::Application;

/// What is to be asked whenever somebody looks at a page.
type Ask<T> = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = T> + Send>> + Send + Sync>;

/// Says whether requests can be served, or why not.
pub type Readiness = Ask<kit::Result<()>>;

/// Learns what the registry shows and nobody has counted.
pub type Learning = Ask<()>;

/// `/metrics`, `/healthz` (the process lives) and `/readyz` (it can serve).
#[derive(Clone)]
pub struct Pages {
    registry: Arc<Registry>,
    learning: Learning,
    readiness: Readiness,
}

impl Pages {
    /// Shows a registry, and asks `learning` and `readiness` whenever somebody wants to know.
    pub fn new(registry: Registry, learning: Learning, readiness: Readiness) -> Self {
        Self { registry: Arc::new(registry), learning, readiness }
    }

    async fn metrics(&self) -> Response<Body> {
        (self.learning)().await;
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => page(
                StatusCode::OK,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
                text,
            ),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }

    async fn readyz(&self) -> Response<Body> {
        match (self.readiness)().await {
            Ok(()) => plain(StatusCode::OK, "ready".to_owned()),
            Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
}

impl Application for Pages {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/metrics") => self.metrics().await,
            (&Method::GET | &Method::HEAD, "/healthz") => plain(StatusCode::OK, "alive".to_owned()),
            (&Method::GET | &Method::HEAD, "/readyz") => self.readyz().await,
            _ => plain(StatusCode::NOT_FOUND, "see /metrics, /healthz and /readyz".to_owned()),
        }
    }
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    page(status, "text/plain; charset=utf-8", text + "\n")
}

fn page(status: StatusCode, media_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
