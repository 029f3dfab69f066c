//! What is counted of jobs, for whoever watches: what this process did, and how all of them stand.

use std::{collections::BTreeMap, time::Duration};

use db::args;
use kit::{
    Result,
    metrics::{Counter, Histogram},
};

use super::{Kind, queues::Queue, sql};
use crate::Context;

/// What this process did of all jobs.
#[derive(Debug)]
pub struct Counted(BTreeMap<Kind, OfKind>);

/// What this process did of a kind of job.
#[derive(Debug)]
pub struct OfKind {
    waited: Histogram,
    tries: [Tries; 3],
}

/// The tries that ended in one way.
#[derive(Debug)]
pub struct Tries {
    /// How, in Harbor's word.
    pub status: &'static str,
    /// How many.
    pub count: Counter,
    /// How long they took, in microseconds.
    pub took: Histogram,
}

/// How a try ended, by its place in [`OfKind::tries`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Try {
    Success,
    Stop,
    Fail,
}

impl Default for Counted {
    fn default() -> Self {
        Self(Kind::ALL.into_iter().map(|kind| (kind, OfKind::default())).collect())
    }
}

impl Default for OfKind {
    fn default() -> Self {
        let tries = |status| Tries {
            status,
            count: Counter::default(),
            took: Histogram::of_long_durations(),
        };
        Self {
            waited: Histogram::of_long_durations(),
            tries: ["success", "stop", "fail"].map(tries),
        }
    }
}

impl Counted {
    /// Each kind, by Harbor's name.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &OfKind)> {
        self.0.iter().map(|(kind, of)| (kind.name(), of))
    }

    /// A task was taken that could have been for a while.
    pub(crate) fn taken(&self, kind: Kind, waited: Duration) {
        if let Some(of) = self.0.get(&kind) {
            of.waited.observe_duration(waited);
        }
    }

    /// A try at a task has ended.
    pub(crate) fn tried(&self, kind: Kind, how: Try, took: Duration) {
        if let Some(of) = self.0.get(&kind) {
            let tries = &of.tries[how as usize];
            tries.count.add(1);
            tries.took.observe_duration(took);
        }
    }
}

impl OfKind {
    /// How long tasks waited from when they could run until they were taken, in microseconds.
    pub fn waited(&self) -> &Histogram {
        &self.waited
    }

    /// How tries ended, and how long they took.
    pub fn tries(&self) -> &[Tries] {
        &self.tries
    }
}

/// How jobs stand on all replicas together.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The queues: what waits.
    pub queues: Vec<Queue>,
    /// How many tasks of which kind run on which replica.
    pub running: Vec<(&'static str, String, i64)>,
    /// How many schedules there are.
    pub schedules: i64,
}

/// How jobs stand.
///
/// # Errors
/// Those of the database.
pub async fn standing(context: &Context) -> Result<Standing> {
    let queues = super::queues::all(context).await?;
    let mut running = Vec::new();
    for row in context.db.all(sql::RUNNING_BY_REPLICA, args![]).await? {
        // One that only a newer version knows is not shown.
        if let Some(kind) = Kind::from_name(&row.get::<String>(0)?) {
            running.push((kind.name(), row.get(1)?, row.get(2)?));
        }
    }
    let schedules = context.db.one(sql::COUNT_SCHEDULES, args![]).await?;
    Ok(Standing { queues, running, schedules: schedules.map_or(Ok(0), |row| row.get(0))? })
}
