//! Requests counted by operation, method and status, without a lock or an allocation.

use std::{fmt, sync::Arc, sync::OnceLock, time::Duration};

use http::Method;
use kit::metrics::{Counter, Gauge, Histogram};
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Registry,
};

use super::{BYTES, MICROSECONDS, Read, encode_histogram};

/// Pairs of operation and method there is room for. There are some hundred; should the
/// room ever be too small, the rest is counted together.
const ROOM: usize = 1024;

/// The statuses that are counted one by one; any other counts as its class.
const STATUSES: [u16; 43] = [
    100, 200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406,
    408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422, 423, 428, 429, 431, 499, 500, 501, 502,
    503, 504, 505, 507, 511,
];

/// Methods that are counted one by one; any other is called `OTHER`, since a client may
/// make up as many as it likes.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];

/// What is counted of requests.
pub struct HttpMetrics {
    /// Requests that are being answered.
    pub in_flight: Gauge,
    /// A table of open addresses: each pair of operation and method finds its place once.
    places: Box<[OnceLock<Box<Operation>>]>,
    overflow: Operation,
}

/// What is counted of one operation by one method.
struct Operation {
    name: &'static str,
    method: &'static str,
    statuses: [Counter; STATUSES.len()],
    duration: Histogram,
    received: Histogram,
    sent: Histogram,
}

impl Operation {
    fn new(name: &'static str, method: &'static str) -> Self {
        Self {
            name,
            method,
            statuses: std::array::from_fn(|_| Counter::default()),
            duration: Histogram::of_durations(),
            received: Histogram::of_sizes(),
            sent: Histogram::of_sizes(),
        }
    }
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            in_flight: Gauge::default(),
            places: (0..ROOM).map(|_| OnceLock::new()).collect(),
            overflow: Operation::new("others", "OTHER"),
        }
    }
}

impl HttpMetrics {
    /// Counts a request that is over. Sizes are of bodies, in bytes.
    pub fn count(
        &self,
        operation: &'static str,
        method: &Method,
        status: u16,
        took: Duration,
        received: u64,
        sent: u64,
    ) {
        let operation = self.place(operation, method_name(method));
        operation.statuses[status_place(status)].add(1);
        operation.duration.observe_duration(took);
        operation.received.observe(received);
        operation.sent.observe(sent);
    }

    fn place(&self, name: &'static str, method: &'static str) -> &Operation {
        let hash =
            name.bytes().chain(method.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        (0..ROOM)
            .map(|step| {
                let place = &self.places[(hash as usize).wrapping_add(step) % ROOM];
                place.get_or_init(|| Box::new(Operation::new(name, method)))
            })
            .find(|found| found.name == name && found.method == method)
            .map_or(&self.overflow, |found| found)
    }

    fn operations(&self) -> impl Iterator<Item = &Operation> {
        let placed = self.places.iter().filter_map(OnceLock::get).map(|operation| &**operation);
        placed
            .chain([&self.overflow])
            .filter(|operation| operation.statuses.iter().any(|count| count.get() > 0))
    }
}

fn method_name(method: &Method) -> &'static str {
    METHODS.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

fn status_place(status: u16) -> usize {
    let place = STATUSES.binary_search(&status);
    let class = STATUSES.binary_search(&(status / 100 * 100));
    place.or(class).unwrap_or_else(|place| place.min(STATUSES.len() - 1))
}

/// Shows what is counted.
pub fn register(registry: &mut Registry, metrics: Arc<HttpMetrics>) {
    let in_flight = metrics.clone();
    registry.register(
        "harbor_core_http_inflight_requests",
        "Requests that are being answered",
        Read::gauge(move || in_flight.in_flight.get()),
    );
    registry.register(
        "harbor_core_http_request",
        "Requests answered, by operation, method and status",
        Answered(metrics.clone()),
    );
    let of_operations = |show, units| OfOperations { metrics: metrics.clone(), show, units };
    registry.register(
        "harbor_core_http_request_duration_seconds",
        "From the complete request head to the end of the response",
        of_operations(|operation| &operation.duration, MICROSECONDS),
    );
    registry.register(
        "haven_http_request_size_bytes",
        "Sizes of request bodies",
        of_operations(|operation| &operation.received, BYTES),
    );
    registry.register(
        "haven_http_response_size_bytes",
        "Sizes of response bodies",
        of_operations(|operation| &operation.sent, BYTES),
    );
}

/// Counts by operation, method and status.
struct Answered(Arc<HttpMetrics>);

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answered")
    }
}

impl EncodeMetric for Answered {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for operation in self.0.operations() {
            for (status, count) in STATUSES.iter().zip(&operation.statuses) {
                if count.get() == 0 {
                    continue;
                }
                let status = status.to_string();
                let labels = [
                    ("method", operation.method),
                    ("operation", operation.name),
                    ("code", &status),
                ];
                encoder
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, _, u64>(&count.get(), None)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

/// One histogram of each operation.
struct OfOperations {
    metrics: Arc<HttpMetrics>,
    show: fn(&Operation) -> &Histogram,
    units: f64,
}

impl fmt::Debug for OfOperations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfOperations")
    }
}

impl EncodeMetric for OfOperations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for operation in self.metrics.operations() {
            let labels = [("method", operation.method), ("operation", operation.name)];
            encode_histogram(encoder.encode_family(&labels)?, (self.show)(operation), self.units)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn every_status_has_a_place() {
        assert!(STATUSES.is_sorted());
        for status in 100..600 {
            let counted_as = STATUSES[status_place(status)];
            assert!(counted_as == status || counted_as == status / 100 * 100, "{status}");
        }
    }

    #[test]
    fn requests_are_shown_by_operation_method_and_status() {
        let metrics = Arc::new(HttpMetrics::default());
        let took = Duration::from_micros(300);
        metrics.count("manifest_get", &Method::GET, 200, took, 0, 1000);
        metrics.count("manifest_get", &Method::GET, 200, took, 0, 1000);
        metrics.count("manifest_get", &Method::HEAD, 404, took, 0, 0);
        metrics.count("manifest_get", &Method::from_bytes(b"BREW").unwrap(), 405, took, 0, 0);
        let mut registry = Registry::default();
        register(&mut registry, metrics);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            r#"harbor_core_http_request_total{method="GET",operation="manifest_get",code="200"} 2"#,
            r#"harbor_core_http_request_total{method="HEAD",operation="manifest_get",code="404"} 1"#,
            r#"harbor_core_http_request_total{method="OTHER",operation="manifest_get",code="405"} 1"#,
            r#"harbor_core_http_request_duration_seconds_bucket{le="0.0005",method="GET",operation="manifest_get"} 2"#,
            r#"haven_http_response_size_bytes_sum{method="GET",operation="manifest_get"} 2000.0"#,
            "harbor_core_http_inflight_requests 0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\nis missing in\n{text}");
        }
    }

    #[test]
    fn more_operations_than_room_are_counted_together() {
        let metrics = HttpMetrics::default();
        for number in 0..ROOM + 5 {
            let name: &'static str = Box::leak(format!("operation {number}").into_boxed_str());
            metrics.count(name, &Method::GET, 200, Duration::ZERO, 0, 0);
        }
        assert_eq!(metrics.overflow.statuses[status_place(200)].get(), 5);
    }
}
