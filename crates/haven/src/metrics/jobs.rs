//! Jobs: what this process did of them, and how all of them stand. Names are Harbor's where
//! Harbor has them.

use std::{fmt, sync::Arc, time::Duration};

use domain::{
    Context,
    jobs::{self, Counted, OfKind, Standing, Tries},
};
use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Registry,
};

use super::{MICROSECONDS, encode_histogram};

/// How long the database may take to tell how jobs stand: longer, and nothing is said of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How jobs stood when somebody looked last. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Look(Arc<Mutex<Option<Standing>>>);

impl Look {
    /// Looks again. While the database does not answer nothing is known.
    pub async fn again(&self, context: &Context) {
        let standing = tokio::time::timeout(PATIENCE, jobs::standing(context)).await;
        *self.0.lock() = standing.ok().and_then(Result::ok);
    }
}

/// Shows what is counted, and how jobs stood at the last look.
pub fn register(registry: &mut Registry, counted: &Arc<Counted>, look: &Look) {
    let tries = |show, kind| OfTries { counted: counted.clone(), show, kind };
    registry.register(
        "harbor_jobservice_task",
        "Tries at tasks that this process made, by type and how they ended",
        tries(count, MetricType::Counter),
    );
    registry.register(
        "harbor_jobservice_task_process_time_seconds",
        "How long tries at tasks took, by type and how they ended",
        tries(took, MetricType::Histogram),
    );
    registry.register(
        "haven_jobservice_task_wait_seconds",
        "How long tasks waited from when they could run until this process took them, by type",
        Waited(counted.clone()),
    );
    let gauge = |show| AtLook { look: look.clone(), show };
    registry.register(
        "harbor_task_queue_size",
        "Tasks that wait, on all replicas together, by type",
        gauge(queue_sizes),
    );
    registry.register(
        "harbor_task_queue_latency",
        "For how many seconds the first task that waits could run, by type",
        gauge(queue_latencies),
    );
    registry.register(
        "haven_task_queue_paused",
        "1 while nothing of a type is begun",
        gauge(queue_pauses),
    );
    registry.register(
        "harbor_task_concurrency",
        "Tasks that run, by type and replica",
        gauge(running),
    );
    registry.register("harbor_task_scheduled_total", "Schedules", gauge(schedules));
}

/// Something of the tries at tasks, by type and how they ended.
struct OfTries {
    counted: Arc<Counted>,
    show: fn(MetricEncoder<'_>, &Tries) -> fmt::Result,
    kind: MetricType,
}

impl fmt::Debug for OfTries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfTries")
    }
}

impl EncodeMetric for OfTries {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (name, of) in self.counted.each() {
            for tries in of.tries() {
                let labels = [("type", name), ("status", tries.status)];
                (self.show)(encoder.encode_family(&labels)?, tries)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}

fn count(mut encoder: MetricEncoder<'_>, tries: &Tries) -> fmt::Result {
    encoder.encode_counter::<NoLabelSet, _, u64>(&tries.count.get(), None)
}

fn took(encoder: MetricEncoder<'_>, tries: &Tries) -> fmt::Result {
    encode_histogram(encoder, &tries.took, MICROSECONDS)
}

/// How long tasks waited, by type.
#[derive(Debug)]
struct Waited(Arc<Counted>);

impl EncodeMetric for Waited {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0.each().try_for_each(|(name, of): (&str, &OfKind)| {
            encode_histogram(encoder.encode_family(&[("type", name)])?, of.waited(), MICROSECONDS)
        })
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Something that was seen at the last look.
struct AtLook {
    look: Look,
    show: fn(MetricEncoder<'_>, &Standing) -> fmt::Result,
}

impl fmt::Debug for AtLook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtLook")
    }
}

impl EncodeMetric for AtLook {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        match &*self.look.0.lock() {
            Some(standing) => (self.show)(encoder, standing),
            None => Ok(()),
        }
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

fn queue_sizes(mut encoder: MetricEncoder<'_>, standing: &Standing) -> fmt::Result {
    standing.queues.iter().try_for_each(|queue| {
        encoder.encode_family(&[("type", queue.name)])?.encode_gauge(&queue.waiting)
    })
}

fn queue_latencies(mut encoder: MetricEncoder<'_>, standing: &Standing) -> fmt::Result {
    standing.queues.iter().try_for_each(|queue| {
        encoder.encode_family(&[("type", queue.name)])?.encode_gauge(&queue.latency)
    })
}

fn queue_pauses(mut encoder: MetricEncoder<'_>, standing: &Standing) -> fmt::Result {
    standing.queues.iter().try_for_each(|queue| {
        encoder.encode_family(&[("type", queue.name)])?.encode_gauge(&i64::from(queue.paused))
    })
}

fn running(mut encoder: MetricEncoder<'_>, standing: &Standing) -> fmt::Result {
    standing.running.iter().try_for_each(|(kind, pool, count)| {
        encoder.encode_family(&[("type", *kind), ("pool", pool.as_str())])?.encode_gauge(count)
    })
}

fn schedules(mut encoder: MetricEncoder<'_>, standing: &Standing) -> fmt::Result {
    encoder.encode_gauge(&standing.schedules)
}
