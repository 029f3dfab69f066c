//! Traces: a span for each request, sent to a collector by OTLP over HTTP.
//!
//! Nothing here runs unless a collector is configured.

use std::{future::Future, pin::Pin, time::Duration};

use haven_http::Peer;
use http::{Method, request::Parts};
use kit::{Error, Result};
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator,
    trace::{Status, TraceContextExt, TracerProvider},
};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::Handle;
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::filter_fn};
use url::Url;

use crate::log::ExtraLayer;

/// How long the collector may take for a batch of spans.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last spans may take when the server stops.
const LAST_EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends spans to a collector until it is told to stop.
pub struct TraceExport {
    provider: SdkTracerProvider,
}

impl TraceExport {
    /// Prepares the export. The layer gives it the spans of every request; the share of
    /// traces that begin here and are kept is `sample_ratio`, from 0 to 1.
    ///
    /// # Errors
    /// When the exporter cannot be built.
    pub fn start(collector: &Url, sample_ratio: f64) -> Result<(Self, ExtraLayer)> {
        let client = OnRuntime {
            client: reqwest::Client::builder()
                .timeout(EXPORT_TIMEOUT)
                .build()
                .map_err(Error::internal)?,
            runtime: Handle::current(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(traces_endpoint(collector))
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(Error::internal)?;
        // A caller that traces has decided already.
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(Resource::builder().with_service_name("haven").build())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("haven"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|metadata| {
                metadata.is_span() && *metadata.level() <= Level::INFO
            }));
        Ok((Self { provider }, Box::new(layer)))
    }

    /// Sends what is left.
    pub async fn stop(self) {
        let last = move || self.provider.shutdown_with_timeout(LAST_EXPORT_TIMEOUT);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(last).await {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// A collector is configured by its base; its path for traces is part of OTLP.
fn traces_endpoint(collector: &Url) -> String {
    let base = collector.as_str().trim_end_matches('/');
    if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") }
}

/// The exporter works on a thread of its own, while the client needs our runtime.
#[derive(Debug)]
struct OnRuntime {
    client: reqwest::Client,
    runtime: Handle,
}

type Sending<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for OnRuntime {
    fn send_bytes<'a, 'b>(&'a self, request: http::Request<Bytes>) -> Sending<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sent.await? })
    }
}

/// Makes the span of each request.
#[derive(Default)]
pub struct Spans {
    propagator: TraceContextPropagator,
}

impl Spans {
    /// Opens the span of a request, as a child of the caller's if it sent `traceparent`
    /// (W3C Trace Context).
    pub fn open(&self, head: &Parts, peer: &Peer) -> Span {
        let span = tracing::info_span!(
            "request",
            otel.kind = "server",
            http.request.method = head.method.as_str(),
            url.path = head.uri.path(),
            url.scheme = if peer.scheme_https { "https" } else { "http" },
            client.address = %peer.address.ip(),
        );
        let caller = self.propagator.extract(&HeaderExtractor(&head.headers));
        // This fails only where the span is not to be exported.
        let _ = span.set_parent(caller);
        span
    }
}

/// Tells a request's span how the request ended.
pub fn close(span: &Span, method: &Method, route: &'static str, status: u16) {
    let context = span.context();
    let span = context.span();
    span.update_name(format!("{method} {route}"));
    span.set_attribute(KeyValue::new("http.route", route));
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    if status >= 500 {
        span.set_status(Status::error(""));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_path_of_traces_is_added_once() {
        for (collector, endpoint) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("https://apm.example/otlp", "https://apm.example/otlp/v1/traces"),
            ("https://apm.example/v1/traces", "https://apm.example/v1/traces"),
        ] {
            assert_eq!(traces_endpoint(&Url::parse(collector).unwrap()), endpoint);
        }
    }
}
