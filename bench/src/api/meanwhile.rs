//! Pushes while something long goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::content::Family;
use crate::kinds::push;
use crate::load::{Bound, Run, drive};
use crate::servers::Server;

/// How many clients push.
const PUSHERS: usize = 4;
/// How long a stretch of pushes is.
const STRETCH: Duration = Duration::from_millis(500);

/// Pushes of small blobs to one Haven.
pub struct Pushes<'s> {
    server: &'s Server,
    family: Family,
    /// How they go while nothing else does.
    pub alone: Run,
}

impl<'s> Pushes<'s> {
    /// Pushes for a while, to compare with.
    pub fn to(server: &'s Server, family: &Family) -> Outcome<Pushes<'s>> {
        let mut pushes = Pushes { server, family: family.clone(), alone: Run::default() };
        pushes.stretch(STRETCH)?;
        pushes.alone = pushes.stretch(STRETCH * 8)?;
        Ok(pushes)
    }

    /// Has a deed done and pushes until it is; gives what came of it, how long it took, and
    /// the pushes.
    pub fn while_done<T: Send>(
        &self,
        deed: impl FnOnce() -> Outcome<T> + Send,
    ) -> Outcome<(T, Duration, Run)> {
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let doing = scope.spawn(|| {
                let begun = Instant::now();
                let done = deed();
                ended.store(true, Ordering::Relaxed);
                done.map(|done| (done, begun.elapsed()))
            });
            let mut pushed = Run::default();
            while !ended.load(Ordering::Relaxed) {
                let run = self.stretch(STRETCH)?;
                pushed.requests += run.requests;
                pushed.elapsed += run.elapsed;
                pushed.cpu += run.cpu;
                pushed.latencies.extend(run.latencies);
            }
            pushed.latencies.sort_unstable();
            let done = doing.join().map_err(|_| "the deed's thread panicked".to_owned())?;
            done.map(|(done, took)| (done, took, pushed))
        })
    }

    fn stretch(&self, time: Duration) -> Outcome<Run> {
        let registry = self.server.registry()?;
        let bound = Bound { time, least: 1, most: u64::MAX };
        let work = || push(&registry, &self.family);
        drive(self.server.address, self.server.pid(), PUSHERS, bound, &work)
    }
}

/// One thing that took so long, as a run of one request.
pub fn once(took: Duration) -> Run {
    Run { requests: 1, elapsed: took, latencies: vec![took], ..Run::default() }
}
