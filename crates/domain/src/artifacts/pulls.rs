//! When artifacts and tags were last pulled, and how often repositories: gathered in memory,
//! since a pull never waits for a write, and written together every second.

use std::collections::{BTreeMap, HashMap};

use db::{Args, Sql, args};
use kit::{Result, Time};
use parking_lot::Mutex;

use super::sql;
use crate::{
    Context,
    settings::{self, Key},
};

/// How many artifacts, tags and repositories each wait at the most. Pulls of more in one
/// second, or while the database is away, leave no mark, and that is said.
const MOST_WAITING: usize = 50_000;

/// How many rows one transaction changes, so that nobody waits for long.
const AT_ONCE: usize = 500;

/// Times that lie in one second are written as the last of them.
const PRECISION: i64 = 1_000_000;

/// How times are written.
const ARTIFACTS: (&str, &str) = (sql::ARTIFACTS_PULLED_BEFORE, sql::ARTIFACTS_PULLED_AFTER);
const TAGS: (&str, &str) = (sql::TAGS_PULLED_BEFORE, sql::TAGS_PULLED_AFTER);

/// Marks of pulls that are not written yet.
#[derive(Default)]
pub(crate) struct PullMarks(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    artifacts: HashMap<i64, Time>,
    tags: HashMap<i64, Time>,
    repositories: HashMap<i64, Count>,
    lost: u64,
}

/// How often a repository was pulled from, and when for the last time.
#[derive(Clone, Copy)]
struct Count {
    times: i64,
    last: Time,
}

/// What was pulled, by the numbers of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) repository_id: i64,
    pub(super) artifact_id: i64,
    pub(super) tag_id: Option<i64>,
}

/// Notes a pull, to be written soon.
pub(super) async fn note(context: &Context, mark: Mark) -> Result<()> {
    let settings = settings::current(context).await?;
    let now = context.clock.now();
    let mut waiting = context.pull_marks.0.lock();
    if !settings.flag(Key::PullTimeUpdateDisable) {
        waiting.pulled(mark, now);
    }
    if !settings.flag(Key::PullCountUpdateDisable) {
        waiting.count(mark.repository_id, Count { times: 1, last: now });
    }
    Ok(())
}

/// Writes the marks that wait. Those that cannot be written wait on.
///
/// # Errors
/// Those of the database.
pub async fn write_pulls(context: &Context) -> Result<()> {
    let waiting = std::mem::take(&mut *context.pull_marks.0.lock());
    if waiting.lost > 0 {
        tracing::warn!(pulls = waiting.lost, "pulls left no mark: there were too many");
    }
    let Waiting { artifacts, tags, repositories, .. } = waiting;
    let artifacts = write_times(context, artifacts, ARTIFACTS).await;
    let tags = write_times(context, tags, TAGS).await;
    let repositories = write_counts(context, repositories).await;
    let mut waiting = context.pull_marks.0.lock();
    let mut outcome = Ok(());
    if let Err((left, error)) = artifacts {
        left.into_iter().for_each(|(id, at)| waiting.lost += later(&mut waiting.artifacts, id, at));
        outcome = Err(error);
    }
    if let Err((left, error)) = tags {
        left.into_iter().for_each(|(id, at)| waiting.lost += later(&mut waiting.tags, id, at));
        outcome = Err(error);
    }
    if let Err((left, error)) = repositories {
        left.into_iter().for_each(|(id, count)| waiting.count(id, count));
        outcome = Err(error);
    }
    outcome
}

/// What could not be written, and why.
type Left<T> = (Vec<(i64, T)>, kit::Error);

async fn write_times(
    context: &Context,
    times: HashMap<i64, Time>,
    (before, after): (&'static str, &'static str),
) -> Result<(), Left<Time>> {
    let mut by_second: BTreeMap<i64, Vec<(i64, Time)>> = BTreeMap::new();
    for (id, at) in times {
        by_second.entry(at.0.div_euclid(PRECISION)).or_default().push((id, at));
    }
    let mut batches = batches(by_second);
    while let Some(batch) = batches.pop() {
        let last = batch.iter().map(|(_, at)| *at).max().unwrap_or(Time(0));
        let mut args: Args = args![last];
        args.extend(batch.iter().map(|(id, _)| *id));
        let sql = Sql::list(before, batch.len(), after);
        if let Err(error) = write(context, sql, args).await {
            batches.push(batch);
            return Err((batches.concat(), error));
        }
    }
    Ok(())
}

async fn write_counts(context: &Context, counts: HashMap<i64, Count>) -> Result<(), Left<Count>> {
    let mut by_times: BTreeMap<i64, Vec<(i64, Count)>> = BTreeMap::new();
    for (id, count) in counts {
        by_times.entry(count.times).or_default().push((id, count));
    }
    let mut batches = batches(by_times);
    while let Some(batch) = batches.pop() {
        let last = batch.iter().map(|(_, count)| count.last).max().unwrap_or(Time(0));
        let mut args: Args = args![batch.first().map_or(0, |(_, count)| count.times), last];
        args.extend(batch.iter().map(|(id, _)| *id));
        let sql = Sql::list(sql::COUNT_PULLS_BEFORE, batch.len(), sql::COUNT_PULLS_AFTER);
        if let Err(error) = write(context, sql, args).await {
            batches.push(batch);
            return Err((batches.concat(), error));
        }
    }
    Ok(())
}

/// Groups in pieces that are written at once, each in the order in which rows are locked.
fn batches<T: Copy>(groups: BTreeMap<i64, Vec<(i64, T)>>) -> Vec<Vec<(i64, T)>> {
    let mut batches = Vec::new();
    for mut group in groups.into_values() {
        group.sort_unstable_by_key(|(id, _)| *id);
        batches.extend(group.chunks(AT_ONCE).map(<[_]>::to_vec));
    }
    batches
}

async fn write(context: &Context, sql: Sql, args: Args) -> Result<()> {
    context
        .db
        .write(move |tx| {
            let (sql, args) = (sql.clone(), args.clone());
            Box::pin(async move { tx.execute(sql, args).await.map(drop) })
        })
        .await
}

/// Keeps the later time for a row; 1 if there is no room for it.
fn later(times: &mut HashMap<i64, Time>, id: i64, at: Time) -> u64 {
    if let Some(known) = times.get_mut(&id) {
        *known = at.max(*known);
    } else if times.len() < MOST_WAITING {
        times.insert(id, at);
    } else {
        return 1;
    }
    0
}

impl Waiting {
    fn pulled(&mut self, mark: Mark, at: Time) {
        self.lost += later(&mut self.artifacts, mark.artifact_id, at);
        if let Some(tag_id) = mark.tag_id {
            self.lost += later(&mut self.tags, tag_id, at);
        }
    }

    fn count(&mut self, repository_id: i64, more: Count) {
        if let Some(count) = self.repositories.get_mut(&repository_id) {
            count.times = count.times.saturating_add(more.times);
            count.last = count.last.max(more.last);
        } else if self.repositories.len() < MOST_WAITING {
            self.repositories.insert(repository_id, more);
        } else {
            self.lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_known_rows_are_still_marked() {
        let mut waiting = Waiting::default();
        let most = MOST_WAITING as i64;
        for id in 0..most + 3 {
            let mark = Mark { repository_id: id, artifact_id: id, tag_id: Some(id) };
            waiting.pulled(mark, Time(1));
            waiting.count(id, Count { times: 1, last: Time(1) });
        }
        assert_eq!(waiting.lost, 9);
        waiting.pulled(Mark { repository_id: 0, artifact_id: 0, tag_id: None }, Time(5));
        waiting.count(0, Count { times: 1, last: Time(5) });
        assert_eq!((waiting.artifacts[&0], waiting.tags[&0]), (Time(5), Time(1)));
        assert_eq!(waiting.repositories[&0].times, 2);
        assert_eq!((waiting.artifacts.len(), waiting.lost), (MOST_WAITING, 9));
    }
}
