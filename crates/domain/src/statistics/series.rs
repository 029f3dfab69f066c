//! How much was pushed and pulled, by project and hour: counted from events.

use std::collections::{BTreeMap, btree_map::Entry};

use db::{Tx, args};
use kit::{Error, Result, Time};

use super::sql;
use crate::{
    Context,
    events::{Event, Happened},
    projects, quotas,
    rights::{Action, Allowed, Resource, Right, System},
    users::User,
};

/// An hour in microseconds.
pub(super) const HOUR: i64 = 3_600_000_000;

/// The project that stands for all of them.
pub(super) const ALL: i64 = 0;

/// The most buckets that are asked for at a time.
const MOST_BUCKETS: i64 = 1000;

/// What happened in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// When the while begins.
    pub from: Time,
    /// How many manifests were pushed.
    pub pushes: i64,
    /// How many times manifests were pulled.
    pub pulls: i64,
    /// How many manifests were deleted.
    pub deletes: i64,
    /// How much was stored at its end, in bytes, as far as pushes and deletes tell.
    pub stored: i64,
}

/// What moved in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moves {
    /// When the while begins.
    pub from: Time,
    /// How many manifests were pushed.
    pub pushes: i64,
    /// How many times manifests were pulled.
    pub pulls: i64,
    /// How many manifests were deleted.
    pub deletes: i64,
}

/// How long each part of a series is, in hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
    /// Seven days, of which the first is a Monday.
    Week,
}

/// What part of a series is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    from: i64,
    to: i64,
    bucket: Bucket,
}

impl Bucket {
    const ALL: [(&'static str, Self); 3] =
        [("hour", Self::Hour), ("day", Self::Day), ("week", Self::Week)];

    /// The one with a name.
    ///
    /// # Errors
    /// Invalid, with the names that there are.
    pub fn from_name(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|(own, _)| *own == name);
        let unknown = || Error::invalid("bucket must be one of hour, day and week");
        found.map(|(_, bucket)| bucket).ok_or_else(unknown)
    }

    const fn hours(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
        }
    }

    /// The number of the bucket that an hour is in. The first hour that is counted was one of
    /// a Thursday.
    const fn of(self, hour: i64) -> i64 {
        (hour + self.ahead()).div_euclid(self.hours())
    }

    /// How many hours of its first bucket came before the hours were counted.
    const fn ahead(self) -> i64 {
        match self {
            Self::Hour | Self::Day => 0,
            Self::Week => 3 * 24,
        }
    }

    /// The first hour of a bucket.
    const fn first_hour(self, number: i64) -> i64 {
        number * self.hours() - self.ahead()
    }
}

impl Range {
    /// The buckets that a while touches: from a moment on, and before another one.
    ///
    /// # Errors
    /// Invalid when the one is not before the other, or that makes more than 1,000 buckets.
    pub fn new(from: Time, to: Time, bucket: Bucket) -> Result<Self> {
        if from >= to {
            return Err(Error::invalid("from must be before to"));
        }
        let hour = |time: Time| time.0.div_euclid(HOUR);
        let (from, to) = (bucket.of(hour(from)), bucket.of(hour(Time(to.0 - 1))) + 1);
        if to - from > MOST_BUCKETS {
            let message = format!("at most {MOST_BUCKETS} buckets can be asked for at a time");
            return Err(Error::invalid(message));
        }
        Ok(Self { from, to, bucket })
    }
}

/// What happened in a project, in each part of a while, those without anything included.
///
/// # Errors
/// None but the database's.
pub async fn activity(
    context: &Context,
    allowed: &projects::Allowed,
    range: Range,
) -> Result<Vec<Activity>> {
    allowed.require(Right::new(Resource::Itself, Action::Read))?;
    series(context, allowed.project().id, range).await
}

/// What happened in all projects, those that are gone included.
///
/// # Errors
/// None but the database's.
pub async fn activity_of_all(
    context: &Context,
    allowed: &Allowed<System>,
    range: Range,
) -> Result<Vec<Activity>> {
    allowed.require(Right::new(Resource::Project, Action::List))?;
    series(context, ALL, range).await
}

/// What happened in the projects that a user is a member of, by itself or by a group, in each
/// part of a while.
///
/// # Errors
/// None but the database's.
pub async fn activity_of_own(context: &Context, user: &User, range: Range) -> Result<Vec<Moves>> {
    let Range { from, to, bucket } = range;
    let empty = |number| {
        let from = Time(bucket.first_hour(number) * HOUR);
        Moves { from, pushes: 0, pulls: 0, deletes: 0 }
    };
    let mut series: Vec<Moves> = (from..to).map(empty).collect();
    let (first, end) = (bucket.first_hour(from), bucket.first_hour(to));
    let arguments = args![user.id, first, end, bucket.ahead(), bucket.hours()];
    for row in context.db.all(sql::ACTIVITY_OF_OWN, arguments).await? {
        let place = usize::try_from(row.get::<i64>(0)? - from).map_err(Error::internal)?;
        if let Some(moves) = series.get_mut(place) {
            (moves.pushes, moves.pulls, moves.deletes) = (row.get(1)?, row.get(2)?, row.get(3)?);
        }
    }
    Ok(series)
}

async fn series(context: &Context, project_id: i64, range: Range) -> Result<Vec<Activity>> {
    let Range { from, to, bucket } = range;
    let empty = |number| Activity {
        from: Time(bucket.first_hour(number) * HOUR),
        pushes: 0,
        pulls: 0,
        deletes: 0,
        stored: 0,
    };
    let mut series: Vec<Activity> = (from..to).map(empty).collect();
    let (first, end) = (bucket.first_hour(from), bucket.first_hour(to));
    let arguments = args![project_id, first, end, bucket.ahead(), bucket.hours()];
    let before = context.db.one(sql::STORED_EARLIER, args![project_id, first]);
    let (rows, before) = tokio::try_join!(context.db.all(sql::ACTIVITY, arguments), before)?;
    let mut stored: i64 = before.map_or(Ok(0), |row| row.get(0))?;
    let mut rows = rows.iter().peekable();
    for (number, activity) in (from..).zip(&mut series) {
        if let Some(row) = rows.peek()
            && row.get::<i64>(0)? == number
        {
            (activity.pushes, activity.pulls, activity.deletes) =
                (row.get(1)?, row.get(2)?, row.get(3)?);
            stored = row.get(4)?;
            rows.next();
        }
        activity.stored = stored;
    }
    Ok(series)
}

/// Counts events: a subscriber.
///
/// # Errors
/// Those of the database.
pub(crate) async fn count_events(tx: &mut Tx, happened: &[Happened]) -> Result<()> {
    let mut counts: BTreeMap<(i64, i64), (i64, i64, i64)> = BTreeMap::new();
    for one in happened {
        let (pushes, pulls, deletes) = match &one.event {
            Event::ArtifactPushed { .. } => (1, 0, 0),
            Event::ArtifactPulled { times, .. } => {
                (0, i64::try_from(*times).unwrap_or(i64::MAX), 0)
            }
            Event::ArtifactDeleted { .. } => (0, 0, 1),
            _ => continue,
        };
        for project_id in [ALL, one.project_id] {
            let sum = counts.entry((project_id, one.at.0.div_euclid(HOUR))).or_default();
            *sum = (sum.0 + pushes, sum.1.saturating_add(pulls), sum.2 + deletes);
        }
    }
    let mut stored: BTreeMap<i64, i64> = BTreeMap::new();
    for ((project_id, hour), (pushes, pulls, deletes)) in counts {
        let stored = match stored.entry(project_id) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => {
                let project = (project_id != ALL).then_some(project_id);
                *unknown.insert(quotas::stored(tx, project).await?)
            }
        };
        let arguments = args![project_id, hour, pushes, pulls, deletes, stored];
        tx.execute(sql::COUNT_ACTIVITY, arguments).await?;
    }
    Ok(())
}
