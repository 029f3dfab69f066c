//! How many entries there are between two moments, and in which hours a page of them lies.
//!
//! Sealed entries are counted by project and hour as they are sealed. The rest is little and
//! counted when it is asked for: entries that no block holds yet, which a partial index has,
//! and those of the first and the last hour, of which the bounds may leave only a part.

use std::collections::BTreeMap;

use db::{Db, Statement, args};
use kit::{Page, Result, Time};

use super::{
    chain::{ALL, HOUR},
    sql,
};
use crate::listing::{limit, offset};

/// The moments before and after which there is nothing, a whole number of hours each.
const FIRST: Time = Time(0);
const LAST: Time = Time(1_000_000 * HOUR * 24 - 1);

/// Entries of some projects, or of all, between two moments, both included.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    projects: Option<Vec<i64>>,
    pub(super) from: Time,
    pub(super) to: Time,
}

/// The part of some bounds in which a page lies, and how many entries of it come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Time,
    pub(super) to: Time,
    pub(super) skipped: i64,
}

impl Window {
    /// Where there is nothing: what lies beyond the last entry.
    const NOTHING: Self = Self { from: LAST, to: FIRST, skipped: 0 };
}

impl Bounds {
    /// All entries of some projects, or of all.
    pub(super) fn of(projects: Option<&[i64]>) -> Self {
        Self { projects: projects.map(<[i64]>::to_vec), from: FIRST, to: LAST }
    }

    /// Leaves what lies between two moments.
    pub(super) fn narrow(&mut self, from: Option<Time>, to: Option<Time>) {
        self.from = self.from.max(from.unwrap_or(self.from));
        self.to = self.to.min(to.unwrap_or(self.to));
    }

    /// Leaves the entries of one project.
    pub(super) fn only(&mut self, project_id: i64) {
        let is_among = self.projects.as_ref().is_none_or(|ids| ids.contains(&project_id));
        self.projects = Some(if is_among { vec![project_id] } else { Vec::new() });
    }

    /// Whether nothing can be found.
    pub(super) fn is_empty(&self) -> bool {
        self.from > self.to || self.projects.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether an index has the entries in their order.
    pub(super) fn has_one_index(&self) -> bool {
        self.projects.as_ref().is_none_or(|ids| ids.len() == 1)
    }

    /// The hours of which all is within the bounds; none when the first is after the last.
    fn full_hours(&self) -> (i64, i64) {
        let first = self.from.0.div_euclid(HOUR) + i64::from(self.from.0.rem_euclid(HOUR) > 0);
        (first, (self.to.0 + 1).div_euclid(HOUR) - 1)
    }

    /// What is not in full hours.
    fn edges(&self) -> Vec<(Time, Time)> {
        let (first, last) = self.full_hours();
        if first > last {
            return vec![(self.from, self.to)];
        }
        let (before, after) = (Time(first * HOUR - 1), Time((last + 1) * HOUR));
        let mut edges = Vec::new();
        if self.from <= before {
            edges.push((self.from, before));
        }
        if after <= self.to {
            edges.push((after, self.to));
        }
        edges
    }

    /// How many entries there are.
    pub(super) async fn count(&self, db: &Db) -> Result<i64> {
        let mut statement = Statement::new("SELECT CAST(0", args![]);
        let (first, last) = self.full_hours();
        if first <= last {
            statement.push(" + COALESCE((SELECT SUM(c.entries) ");
            self.push_counts(&mut statement, first, last);
            statement.push("), 0) + (SELECT COUNT(*) ");
            self.push_unsealed(&mut statement, first, last);
            statement.push(")");
        }
        for (from, to) in self.edges() {
            statement.push(" + (SELECT COUNT(*) ").push(sql::LIST_FROM);
            self.push(&mut statement, from, to);
            statement.push(")");
        }
        statement.push(" AS BIGINT)");
        let (sql, values) = statement.finish();
        db.one(sql, values).await?.map_or(Ok(0), |row| row.get(0))
    }

    /// In which part of the bounds a page lies.
    pub(super) async fn window(&self, db: &Db, backwards: bool, page: Page) -> Result<Window> {
        let hours = self.entries_by_hour(db).await?;
        let (first, last) = (offset(page), offset(page).saturating_add(limit(page)));
        let mut ordered: Vec<(i64, i64)> = hours.into_iter().collect();
        if backwards {
            ordered.reverse();
        }
        let (mut seen, mut found): (i64, Option<(i64, i64, i64)>) = (0, None);
        for (hour, entries) in ordered {
            let after = seen + entries;
            if after > first {
                let (begin, _, skipped) = found.unwrap_or((hour, hour, first - seen));
                found = Some((begin, hour, skipped));
            }
            seen = after;
            if seen >= last {
                break;
            }
        }
        let Some((begin, end, skipped)) = found else {
            return Ok(Window::NOTHING);
        };
        let (oldest, newest) = (begin.min(end), begin.max(end));
        Ok(Window {
            from: self.from.max(Time(oldest * HOUR)),
            to: self.to.min(Time((newest + 1) * HOUR - 1)),
            skipped,
        })
    }

    /// How many entries each hour has.
    async fn entries_by_hour(&self, db: &Db) -> Result<BTreeMap<i64, i64>> {
        let (first, last) = self.full_hours();
        let mut hours = BTreeMap::new();
        let mut statement =
            Statement::new("SELECT c.hour, CAST(SUM(c.entries) AS BIGINT) ", args![]);
        self.push_counts(&mut statement, first, last);
        statement.push(" GROUP BY c.hour UNION ALL SELECT ");
        push_hour(&mut statement);
        self.push_unsealed(&mut statement, first, last);
        statement.push(" GROUP BY 1");
        for (from, to) in self.edges() {
            statement.push(" UNION ALL SELECT ");
            push_hour(&mut statement);
            statement.push(sql::LIST_FROM);
            self.push(&mut statement, from, to);
            statement.push(" GROUP BY 1");
        }
        let (sql, values) = statement.finish();
        for row in db.all(sql, values).await? {
            let (hour, entries): (i64, i64) = (row.get(0)?, row.get(1)?);
            *hours.entry(hour).or_default() += entries;
        }
        hours.retain(|_, entries| *entries > 0);
        Ok(hours)
    }

    /// The statement for a page.
    pub(super) fn page(&self, window: &Window, backwards: bool, size: i64) -> Statement {
        let order = if backwards { sql::NEWEST_FIRST_AFTER } else { sql::OLDEST_FIRST_AFTER };
        let mut statement = Statement::new(sql::LIST_SHOWN, args![]);
        statement.push("SELECT e.id ").push(sql::LIST_FROM);
        self.push(&mut statement, window.from, window.to);
        statement.push(order).push(" LIMIT ").bind(size);
        statement.push(" OFFSET ").bind(window.skipped).push(")").push(order);
        statement
    }

    /// The counts of hours.
    fn push_counts(&self, statement: &mut Statement, first: i64, last: i64) {
        statement.push(sql::COUNTS_FROM).push(" AND c.project_id IN (");
        match &self.projects {
            Some(ids) => statement.bind_all(ids),
            None => statement.bind(ALL),
        };
        statement.push(") AND c.hour >= ").bind(first).push(" AND c.hour <= ").bind(last);
    }

    /// The entries of hours that are in no block. The signs keep other indexes than that of
    /// these few from being taken.
    fn push_unsealed(&self, statement: &mut Statement, first: i64, last: i64) {
        statement.push(sql::UNSEALED_FROM);
        if let Some(ids) = &self.projects {
            statement.push(" AND +e.project_id IN (").bind_all(ids).push(")");
        }
        statement.push(" AND +e.occurred_at >= ").bind(Time(first.saturating_mul(HOUR)));
        statement.push(" AND +e.occurred_at < ").bind(Time((last + 1).saturating_mul(HOUR)));
    }

    /// The conditions on entries between two moments.
    fn push(&self, statement: &mut Statement, from: Time, to: Time) {
        match self.projects.as_deref() {
            Some([id]) => {
                statement.push(" AND e.project_id = ").bind(*id);
            }
            Some(ids) => {
                statement.push(" AND e.project_id IN (").bind_all(ids).push(")");
            }
            None => {}
        }
        statement.push(" AND e.occurred_at >= ").bind(from).push(" AND e.occurred_at <= ").bind(to);
    }
}

/// The hour of an entry, and how many there are of it.
fn push_hour(statement: &mut Statement) {
    statement.push("e.occurred_at / ").bind(HOUR).push(", COUNT(*) ");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_full_or_edges() {
        let bounds = |from: i64, to: i64| Bounds { projects: None, from: Time(from), to: Time(to) };
        let whole = bounds(HOUR, 3 * HOUR - 1);
        assert_eq!((whole.full_hours(), whole.edges()), ((1, 2), vec![]));
        let ragged = bounds(HOUR + 1, 3 * HOUR);
        assert_eq!(ragged.full_hours(), (2, 2));
        let edges = [(HOUR + 1, 2 * HOUR - 1), (3 * HOUR, 3 * HOUR)];
        assert_eq!(ragged.edges(), edges.map(|(from, to)| (Time(from), Time(to))));
        let short = bounds(HOUR + 1, HOUR + 5);
        assert_eq!(short.edges(), [(Time(HOUR + 1), Time(HOUR + 5))]);
        assert!(Bounds::of(None).edges().is_empty());
        let mut none = bounds(5, 7);
        none.narrow(Some(Time(8)), None);
        assert!(none.is_empty());
    }
}
