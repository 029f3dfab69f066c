//! The decision: which artifacts of a repository stay, and why. It reads nothing and writes
//! nothing.

use std::{cmp::Reverse, collections::HashMap};

use kit::{Time, Version};

use super::{policy::Ready, template::Template};

/// A day and a second, in microseconds.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3600 * SECOND;

/// What is decided by.
pub(super) use crate::artifacts::Surveyed as Facts;

/// What becomes of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    /// No rule keeps it: it goes, with all its tags.
    Delete = 0,
    /// No rule keeps it, and one of its tags is immutable: it stays.
    Immutable = 1,
    /// No rule keeps it, and an index that stays lists it: it stays.
    InUse = 2,
    /// A rule keeps it.
    Retain = 3,
    /// It was to go, and something kept it from going.
    Error = 4,
}

impl Outcome {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] =
        [Self::Delete, Self::Immutable, Self::InUse, Self::Retain, Self::Error];

    /// As clients call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Immutable => "immutable",
            Self::InUse => "in_use",
            Self::Retain => "retain",
            Self::Error => "error",
        }
    }

    /// The one that is stored as a number.
    pub(super) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| *outcome as i64 == number)
    }

    /// The one that clients call so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What was decided about an artifact: sets of rules, a bit for the place of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    /// The rules whose selectors mean it.
    pub(super) meant: u16,
    /// The rules that keep it.
    pub(super) kept: u16,
}

/// Decides about all artifacts of a repository by the rules that are about it. Whether one of an
/// artifact's tags is immutable, `is_immutable` says.
pub(super) fn evaluate(
    rules: &[Ready],
    artifacts: &[Facts],
    now: Time,
    is_immutable: impl Fn(&Facts) -> bool,
) -> Vec<Verdict> {
    let none = Verdict { outcome: Outcome::Delete, meant: 0, kept: 0 };
    let mut verdicts = vec![none; artifacts.len()];
    for rule in rules {
        let bit = 1_u16 << rule.place;
        let meant: Vec<usize> = (0..artifacts.len())
            .filter(|at| {
                let tags = || artifacts[*at].tags.iter().map(|tag| &**tag);
                rule.tags.iter().all(|selector| selector.means_one_of(tags()))
            })
            .collect();
        for at in &meant {
            verdicts[*at].meant |= bit;
        }
        for at in chosen(rule, artifacts, meant, now) {
            verdicts[at].kept |= bit;
        }
    }
    for (verdict, artifact) in verdicts.iter_mut().zip(artifacts) {
        if verdict.kept != 0 {
            verdict.outcome = Outcome::Retain;
        } else if is_immutable(artifact) {
            verdict.outcome = Outcome::Immutable;
        }
    }
    keep_parts(artifacts, &mut verdicts);
    verdicts
}

/// Which of the artifacts that a rule means it keeps, by their places.
fn chosen(rule: &Ready, artifacts: &[Facts], mut meant: Vec<usize>, now: Time) -> Vec<usize> {
    match rule.template {
        Template::Always => meant,
        Template::Signed => {
            meant.retain(|at| artifacts[*at].is_signed);
            meant
        }
        Template::PushedWithin(days) => {
            let since = since(now, days);
            meant.retain(|at| seconds(artifacts[*at].pushed_at) >= since);
            meant
        }
        Template::PulledWithin(days) => {
            let since = since(now, days);
            meant.retain(|at| artifacts[*at].pulled_at.is_some_and(|at| seconds(at) >= since));
            meant
        }
        Template::LatestPushed(count) => {
            first(meant, count, |at| Reverse((artifacts[at].pushed_at, artifacts[at].id)))
        }
        Template::LatestPulled(count) => first(meant, count, |at| {
            let artifact = &artifacts[at];
            Reverse((artifact.pulled_at, artifact.pushed_at, artifact.id))
        }),
        Template::VersionsPerMinor(count) => newest_versions(rule, artifacts, &meant, count),
    }
}

/// The first so many by an order.
fn first<K: Ord>(mut these: Vec<usize>, count: usize, key: impl Fn(usize) -> K) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    if these.len() > count {
        these.select_nth_unstable_by_key(count - 1, |at| key(*at));
        these.truncate(count);
    }
    these
}

/// Those with one of the newest versions of a minor release. A version counts once, however
/// many artifacts have it.
fn newest_versions(rule: &Ready, artifacts: &[Facts], meant: &[usize], count: usize) -> Vec<usize> {
    let mut versions: Vec<((u64, u64), Reverse<Version>, usize)> = Vec::new();
    for at in meant {
        let tags = artifacts[*at].tags.iter().map(|tag| &**tag);
        let meant = tags.filter(|tag| rule.tags.iter().all(|selector| selector.means(tag)));
        let of = meant.filter_map(Version::of);
        versions.extend(of.map(|version| (version.minor(), Reverse(version), *at)));
    }
    versions.sort_unstable();
    let mut chosen = Vec::new();
    for release in versions.chunk_by(|a, b| a.0 == b.0) {
        for same in release.chunk_by(|a, b| a.1 == b.1).take(count) {
            chosen.extend(same.iter().map(|(_, _, at)| *at));
        }
    }
    chosen
}

/// What an index that stays lists stays too. An index that lists do not show is part of another
/// one, and is taken to stay.
fn keep_parts(artifacts: &[Facts], verdicts: &mut [Verdict]) {
    if artifacts.iter().all(|artifact| artifact.parents.is_empty()) {
        return;
    }
    let places: HashMap<i64, usize> =
        artifacts.iter().enumerate().map(|(at, artifact)| (artifact.id, at)).collect();
    let mut going: Vec<usize> = (0..artifacts.len())
        .filter(|at| verdicts[*at].outcome == Outcome::Delete && !artifacts[*at].parents.is_empty())
        .collect();
    loop {
        let before = going.len();
        let (go, stay): (Vec<usize>, Vec<usize>) = going.into_iter().partition(|at| {
            artifacts[*at].parents.iter().all(|parent| {
                places.get(parent).is_some_and(|at| verdicts[*at].outcome == Outcome::Delete)
            })
        });
        for at in stay {
            verdicts[at].outcome = Outcome::InUse;
        }
        if go.len() == before {
            return;
        }
        going = go;
    }
}

/// Harbor compares whole seconds.
fn seconds(time: Time) -> i64 {
    time.0.div_euclid(SECOND)
}

fn since(now: Time, days: i64) -> i64 {
    seconds(now).saturating_sub(days.saturating_mul(DAY / SECOND))
}
