//! Load: some keep-alive connections, each a thread that sends one request after the other.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::http1::Connection;
use crate::process;

/// One read of a body takes at most this many bytes.
const READ: usize = 256 * 1024;

/// What ends a run.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// How long requests are sent.
    pub time: Duration,
    /// So many requests are sent even when the time is over: CPU time is read in steps of 10 ms,
    /// and a run must hold many of them.
    pub least: u64,
    /// No more requests than these are sent, over all connections.
    pub most: u64,
}

impl Bound {
    fn allows(&self, number: u64, elapsed: Duration) -> bool {
        number < self.most && (number < self.least || elapsed < self.time)
    }
}

/// What one run of one kind of request on one server gave.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// How many requests were answered.
    pub requests: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// CPU time of the server's process meanwhile.
    pub cpu: Duration,
    /// Time from request to answer, sorted.
    pub latencies: Vec<Duration>,
}

impl Run {
    /// The server's CPU time per request, in microseconds.
    pub fn cpu_per_request(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency that `share` of the requests kept within, in microseconds.
    pub fn latency(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.latencies.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
    }
}

/// The work of one connection: sends one request, reads its answer and checks it.
pub type Work = Box<dyn FnMut(&mut Connection) -> Outcome<()> + Send>;

/// Drives `connections` connections to the server at `address` whose process is `pid`. The first
/// error ends the run.
pub fn drive(
    address: SocketAddr,
    pid: u32,
    connections: usize,
    bound: Bound,
    work: &dyn Fn() -> Work,
) -> Outcome<Run> {
    let ready = Barrier::new(connections + 1);
    let (tickets, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                let mut request = work();
                let (ready, tickets, failed) = (&ready, &tickets, &failed);
                scope.spawn(move || -> Outcome<Vec<Duration>> {
                    let connection = Connection::open(address, READ);
                    ready.wait();
                    let mut connection = connection?;
                    let (started, mut latencies) = (Instant::now(), Vec::new());
                    while !failed.load(Ordering::Relaxed)
                        && bound.allows(tickets.fetch_add(1, Ordering::Relaxed), started.elapsed())
                    {
                        let sent = Instant::now();
                        request(&mut connection)
                            .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
                        latencies.push(sent.elapsed());
                    }
                    Ok(latencies)
                })
            })
            .collect();

        let before = process::cpu(pid);
        ready.wait();
        let started = Instant::now();
        let mut run = Run::default();
        let mut outcome = Ok(());
        for thread in threads {
            match thread.join() {
                Ok(Ok(latencies)) => run.latencies.extend(latencies),
                Ok(Err(error)) => outcome = Err(error),
                Err(_) => outcome = Err("a connection's thread panicked".to_owned()),
            }
        }
        run.elapsed = started.elapsed();
        outcome?;
        run.cpu = process::cpu(pid)?.saturating_sub(before?);
        run.requests = run.latencies.len() as u64;
        run.latencies.sort_unstable();
        Ok(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_by_time_or_count_but_not_too_early() {
        let bound = Bound { time: Duration::from_secs(1), least: 3, most: 5 };
        let (early, late) = (Duration::from_millis(1), Duration::from_secs(2));
        assert!(bound.allows(4, early) && !bound.allows(5, early));
        assert!(bound.allows(2, late) && !bound.allows(3, late));
    }
}
