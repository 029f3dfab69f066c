//! What Prometheus sees. Names are Harbor's where Harbor has them.
//!
//! - `http`: requests by operation, method and status
//! - `jobs`: jobs that were done, and those that wait and run
//! - `process`: memory, processor time and open files
//! - `page`: the pages at the metrics address

mod http;
mod jobs;
mod page;
mod process;

use std::{fmt, sync::Arc};

use domain::jobs::Counted;
use kit::metrics::{Histogram, Metrics};
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Registry,
};

pub use self::{
    http::{HttpMetrics, register as register_http},
    jobs::Look,
};
pub use page::{Learning, Pages, Readiness};

use crate::log::Lines;

/// Gathers everything that is counted.
pub fn registry(
    http: Arc<HttpMetrics>,
    below: Metrics,
    lines: Lines,
    (counted, look): (&Arc<Counted>, &Look),
) -> Registry {
    let mut registry = Registry::default();
    register_http(&mut registry, http);
    jobs::register(&mut registry, counted, look);
    process::register(&mut registry);

    let uploads = below.clone();
    registry.register(
        "haven_uploads_in_flight",
        "Requests that are sending bytes of an upload",
        Read::gauge(move || uploads.uploads().get()),
    );
    registry.register(
        "haven_log_lines_dropped",
        "Log lines dropped because nobody read them",
        Read::counter(move || lines.dropped()),
    );
    registry.register(
        "haven_storage_operation_duration_seconds",
        "How long the blob store takes, by operation",
        ByOperation { below: below.clone(), part: Part::Store },
    );
    registry.register(
        "haven_database_operation_duration_seconds",
        "How long the database takes, by operation",
        ByOperation { below, part: Part::Database },
    );
    registry
}

/// A number that is read when somebody looks.
struct Read<F> {
    kind: MetricType,
    read: F,
}

impl<F> Read<F> {
    fn gauge(read: F) -> Self {
        Self { kind: MetricType::Gauge, read }
    }

    fn counter(read: F) -> Self {
        Self { kind: MetricType::Counter, read }
    }
}

impl<F> fmt::Debug for Read<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Read")
    }
}

/// A number of either kind that Prometheus knows.
trait Number {
    fn encode_as(self, kind: MetricType, encoder: &mut MetricEncoder<'_>) -> fmt::Result;
}

impl Number for i64 {
    fn encode_as(self, _: MetricType, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&self)
    }
}

impl Number for u64 {
    fn encode_as(self, kind: MetricType, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        match kind {
            MetricType::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&self, None),
            _ => encoder.encode_gauge(&self),
        }
    }
}

impl Number for f64 {
    fn encode_as(self, kind: MetricType, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        match kind {
            MetricType::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&self, None),
            _ => encoder.encode_gauge(&self),
        }
    }
}

impl<N: Number, F: Fn() -> N> EncodeMetric for Read<F> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        (self.read)().encode_as(self.kind, &mut encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}

/// A part whose operations are timed.
#[derive(Clone, Copy, Debug)]
enum Part {
    Store,
    Database,
}

/// Timings of a part by operation.
#[derive(Debug)]
struct ByOperation {
    below: Metrics,
    part: Part,
}

impl EncodeMetric for ByOperation {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let mut encode = |(operation, timings): (&'static str, &Histogram)| {
            let labels = [("operation", operation)];
            encode_histogram(encoder.encode_family(&labels)?, timings, MICROSECONDS)
        };
        match self.part {
            Part::Store => self.below.store_timings().each().try_for_each(&mut encode),
            Part::Database => self.below.database_timings().each().try_for_each(&mut encode),
        }
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// How many of a histogram's units make a second, or a byte.
const MICROSECONDS: f64 = 1e6;
const BYTES: f64 = 1.0;

fn encode_histogram(
    mut encoder: MetricEncoder<'_>,
    histogram: &Histogram,
    units: f64,
) -> fmt::Result {
    let mut total = 0;
    let buckets: Vec<(f64, u64)> = histogram
        .ranges()
        .map(|(bound, count)| {
            total += count;
            (bound.map_or(f64::INFINITY, |bound| bound as f64 / units), count)
        })
        .collect();
    encoder.encode_histogram::<NoLabelSet>(histogram.sum() as f64 / units, total, &buckets, None)
}
