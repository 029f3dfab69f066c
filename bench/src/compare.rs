//! Two servers, the same requests, in turns.

use std::time::Duration;

use crate::Outcome;
use crate::load::{Bound, Run, Work, drive};
use crate::registry::Registry;
use crate::servers::Server;
use crate::statistics::{Spread, median, spread};

/// Every run has at least so many requests, or as many as its kind allows.
const LEAST: u64 = 24;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Runs of each kind on each server.
    pub rounds: usize,
    /// The most time of one run.
    pub time: Duration,
    /// Connections at once.
    pub connections: usize,
}

/// What the runs of one server come to.
#[derive(Debug, Clone)]
pub struct Result {
    /// The server's name.
    pub server: &'static str,
    /// CPU per request of each run, in microseconds.
    pub cpu: Vec<f64>,
    /// Median over the runs of the median latency, in microseconds.
    pub p50: f64,
    /// Median over the runs of the 99th percentile of latency, in microseconds.
    pub p99: f64,
    /// Median over the runs of requests per second.
    pub rate: f64,
}

impl Result {
    fn of(server: &'static str, runs: &[Run]) -> Result {
        let each =
            |value: &dyn Fn(&Run) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>());
        Result {
            server,
            cpu: runs.iter().map(Run::cpu_per_request).collect(),
            p50: each(&|run| run.latency(0.5)),
            p99: each(&|run| run.latency(0.99)),
            rate: each(&Run::rate),
        }
    }

    /// The median CPU per request, in microseconds.
    pub fn cpu_per_request(&self) -> f64 {
        median(&self.cpu)
    }

    /// This server's CPU as a share of the other's, round by round.
    pub fn share_of(&self, other: &Result) -> Spread {
        let shares: Vec<f64> =
            self.cpu.iter().zip(&other.cpu).map(|(ours, theirs)| ours / theirs).collect();
        spread(&shares)
    }
}

/// A server and the work it is given.
pub struct Contestant<'a> {
    /// The server.
    pub server: &'a Server,
    /// The work of one connection.
    pub work: Box<dyn Fn() -> Work + 'a>,
}

impl<'a> Contestant<'a> {
    /// A registry with a fresh token, given the work that `kind` makes of it.
    pub fn registry(
        server: &'a Server,
        kind: impl Fn(&Registry) -> Work + 'a,
    ) -> Outcome<Contestant<'a>> {
        let registry = server.registry()?;
        Ok(Contestant { server, work: Box::new(move || kind(&registry)) })
    }
}

/// Gives every contestant the same number of runs, in turns, the order reversed from round to
/// round, after a warm-up each. At most `requests` requests a run. `before` is called before
/// every run.
pub fn compare(
    contestants: Vec<Contestant<'_>>,
    effort: Effort,
    requests: u64,
    before: &dyn Fn() -> Outcome<()>,
) -> Outcome<Vec<Result>> {
    let run = |contestant: &Contestant<'_>, bound| -> Outcome<Run> {
        before()?;
        let server = contestant.server;
        drive(server.address, server.pid(), effort.connections, bound, &contestant.work)
            .map_err(|error| format!("{}: {error}", server.name))
    };
    let warm_up = Bound { time: effort.time / 4, least: 1, most: (requests / 4).max(1) };
    for contestant in &contestants {
        run(contestant, warm_up)?;
    }
    let bound = Bound { time: effort.time, least: LEAST, most: requests };
    let mut runs: Vec<Vec<Run>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..effort.rounds {
        let mut order: Vec<usize> = (0..contestants.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            runs[at].push(run(&contestants[at], bound)?);
        }
    }
    Ok(contestants
        .iter()
        .zip(&runs)
        .map(|(contestant, runs)| Result::of(contestant.server.name, runs))
        .collect())
}
