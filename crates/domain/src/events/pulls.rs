//! Pulls: gathered in memory, since a pull never waits for a write, and written together.

use std::collections::HashMap;

use kit::{Result, Time};
use parking_lot::Mutex;

use super::{Event, Happened, record_all};
use crate::{Context, rights::Who};

/// How many different pulls wait at the most. More in one second, or while the database is
/// away, are lost, and said so.
const MOST_WAITING: usize = 50_000;

/// How many pulls are written in one transaction.
const AT_ONCE: usize = 1024;

/// Pulls that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Pulls(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    pulls: HashMap<Pull, (u64, Time)>,
    lost: u64,
}

/// What was pulled, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pull {
    project_id: i64,
    repository: String,
    digest: String,
    reference: String,
    operator: String,
}

/// Notes that somebody was given a manifest of a repository, to be written soon.
pub(crate) fn pulled(
    context: &Context,
    by: &Who,
    (project_id, repository): (i64, &str),
    (digest, reference): (String, String),
) {
    let pull = Pull {
        project_id,
        repository: repository.to_owned(),
        digest,
        reference,
        operator: by.display_name().to_owned(),
    };
    context.event_pulls.add(pull, 1, context.clock.now());
}

/// Writes the pulls that wait. When that fails they wait on.
///
/// # Errors
/// Those of the database.
pub async fn write_pulls(context: &Context) -> Result<()> {
    let Waiting { pulls, lost } = std::mem::take(&mut *context.event_pulls.0.lock());
    if lost > 0 {
        tracing::warn!(pulls = lost, "pulls are missing among the events: there were too many");
    }
    let mut pulls: Vec<_> = pulls.into_iter().collect();
    pulls.sort_by_key(|(_, (_, at))| *at);
    while !pulls.is_empty() {
        let some: Vec<Happened> = pulls
            .iter()
            .take(AT_ONCE)
            .map(|(pull, (times, at))| pull.happened(*times, *at))
            .collect();
        let written = some.len();
        let writing = context
            .db
            .write(move |tx| {
                let some = some.clone();
                Box::pin(async move { record_all(tx, &some).await })
            })
            .await;
        if let Err(error) = writing {
            for (pull, (times, at)) in pulls {
                context.event_pulls.add(pull, times, at);
            }
            return Err(error);
        }
        pulls.drain(..written);
    }
    Ok(())
}

impl Pull {
    fn happened(&self, times: u64, at: Time) -> Happened {
        let (digest, reference) = (self.digest.clone(), self.reference.clone());
        Happened {
            event: Event::ArtifactPulled { digest, reference, times },
            project_id: self.project_id,
            repository: self.repository.clone(),
            operator: self.operator.clone(),
            at,
        }
    }
}

impl Pulls {
    fn add(&self, pull: Pull, times: u64, at: Time) {
        let mut waiting = self.0.lock();
        if waiting.pulls.len() >= MOST_WAITING && !waiting.pulls.contains_key(&pull) {
            waiting.lost += times;
            return;
        }
        let (count, _) = waiting.pulls.entry(pull).or_insert((0, at));
        *count += times;
    }
}
