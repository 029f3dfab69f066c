//! What is counted while we work: plain atomics, cheap enough for every request.
//!
//! The rooms below HTTP record into [`Metrics`], which is handed to them; only the
//! binary knows how they are shown.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// The number so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds one.
    pub fn increase(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Takes one away.
    pub fn decrease(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// How often values fell into which range, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is above the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// Bounds for durations in microseconds: 100 µs to a minute.
const DURATIONS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// Bounds for durations of what takes long, in microseconds: 10 ms to six hours.
const LONG_DURATIONS: &[u64] = &[
    10_000,
    100_000,
    1_000_000,
    5_000_000,
    15_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
    3_600_000_000,
    21_600_000_000,
];

/// Bounds for sizes in bytes: 256 B to 10 GiB.
const SIZES: &[u64] = &[256, 4 << 10, 64 << 10, 1 << 20, 10 << 20, 100 << 20, 1 << 30, 10 << 30];

impl Histogram {
    /// Of durations, in microseconds.
    pub fn of_durations() -> Self {
        Self::new(DURATIONS)
    }

    /// Of what takes long, in microseconds.
    pub fn of_long_durations() -> Self {
        Self::new(LONG_DURATIONS)
    }

    /// Of sizes, in bytes.
    pub fn of_sizes() -> Self {
        Self::new(SIZES)
    }

    fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Adds a value in the histogram's unit.
    pub fn observe(&self, value: u64) {
        let range = self.bounds.partition_point(|bound| *bound < value);
        self.counts[range].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    /// Adds a duration to a histogram of durations.
    pub fn observe_duration(&self, took: Duration) {
        self.observe(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Adds how long some work takes.
    pub async fn time<T>(&self, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let done = work.await;
        self.observe_duration(started.elapsed());
        done
    }

    /// The sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum.load(Relaxed)
    }

    /// Each range's upper bound and count; the last has no bound.
    pub fn ranges(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        bounds.zip(self.counts.iter().map(|count| count.load(Relaxed)))
    }
}

/// Timings of a part we depend on, by what it was asked to do.
#[derive(Debug)]
pub struct Timings<const N: usize> {
    operations: [(&'static str, Histogram); N],
}

impl<const N: usize> Timings<N> {
    fn new(names: [&'static str; N]) -> Self {
        Self { operations: names.map(|name| (name, Histogram::of_durations())) }
    }

    /// Each operation's name and timings.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &Histogram)> {
        self.operations.iter().map(|(name, timings)| (*name, timings))
    }
}

/// What the blob store is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreOperation {
    /// Open a blob for reading, to its first byte.
    Read,
    /// Take bytes of an upload.
    Write,
    /// Make an upload a durable blob.
    Commit,
    /// Delete.
    Delete,
}

/// What the database is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseOperation {
    /// Answer a question.
    Read,
    /// Commit a transaction that writes.
    Write,
}

/// Everything that is counted below HTTP. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    uploads: Gauge,
    store: Timings<4>,
    database: Timings<2>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Counts {
            uploads: Gauge::default(),
            store: Timings::new(["read", "write", "commit", "delete"]),
            database: Timings::new(["read", "write"]),
        }))
    }
}

impl Metrics {
    /// Requests that are sending bytes of an upload now.
    pub fn uploads(&self) -> &Gauge {
        &self.0.uploads
    }

    /// Counts an upload in flight until the answer is dropped.
    pub fn upload_in_flight(&self) -> UploadInFlight {
        self.0.uploads.increase();
        UploadInFlight(self.clone())
    }

    /// How long the blob store takes for an operation, in microseconds.
    pub fn store(&self, operation: StoreOperation) -> &Histogram {
        &self.0.store.operations[operation as usize].1
    }

    /// How long the database takes for an operation, in microseconds.
    pub fn database(&self, operation: DatabaseOperation) -> &Histogram {
        &self.0.database.operations[operation as usize].1
    }

    /// The blob store's timings by operation.
    pub fn store_timings(&self) -> &Timings<4> {
        &self.0.store
    }

    /// The database's timings by operation.
    pub fn database_timings(&self) -> &Timings<2> {
        &self.0.database
    }
}

/// An upload that is being sent.
#[derive(Debug)]
pub struct UploadInFlight(Metrics);

impl Drop for UploadInFlight {
    fn drop(&mut self) {
        self.0.uploads().decrease();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_the_range_whose_bound_they_do_not_pass() {
        let histogram = Histogram::of_sizes();
        for value in [0, 256, 257, u64::from(u32::MAX), 20 << 30] {
            histogram.observe(value);
        }
        let counts: Vec<u64> = histogram.ranges().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(histogram.sum(), 513 + u64::from(u32::MAX) + (20 << 30));
    }

    #[test]
    fn an_upload_counts_until_it_is_dropped() {
        let metrics = Metrics::default();
        let upload = metrics.upload_in_flight();
        assert_eq!(metrics.uploads().get(), 1);
        drop(upload);
        assert_eq!(metrics.uploads().get(), 0);
    }
}
