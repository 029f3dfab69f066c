//! The log of a task as people read it: Harbor's table of what was decided.

use std::fmt::Write as _;

use kit::Time;

use super::evaluate::{Facts, Outcome, Verdict};

/// How many artifacts the table shows; those that go come first when there are more.
const MOST_ROWS: usize = 10_000;

/// The longest cell, in characters: of an artifact with very many tags some are shown.
const LONGEST_CELL: usize = 512;

const HEADS: [&str; 8] =
    ["Digest", "Tag", "Kind", "Labels", "PushedTime", "PulledTime", "CreatedTime", "Retention"];

/// What the table says of an outcome, in Harbor's words.
pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delete => "DEL",
        Outcome::Immutable => "IMMUTABLE",
        Outcome::InUse | Outcome::Retain => "RETAIN",
        Outcome::Error => "ERR",
    }
}

/// The table. `labels` gives the names of an artifact's labels.
pub(super) fn table<'f>(
    artifacts: &[Facts],
    verdicts: &[Verdict],
    labels: impl Fn(i64) -> &'f [String],
) -> String {
    let mut order: Vec<usize> = (0..artifacts.len()).collect();
    if order.len() > MOST_ROWS {
        order.sort_by_key(|at| verdicts[*at].outcome == Outcome::Retain);
        order.truncate(MOST_ROWS);
    }
    let rows: Vec<[String; 8]> = order
        .into_iter()
        .map(|at| {
            let (artifact, verdict) = (&artifacts[at], &verdicts[at]);
            [
                artifact.digest.to_string(),
                joined(artifact.tags.iter().map(|tag| &**tag)),
                "image".to_owned(),
                joined(labels(artifact.id).iter().map(String::as_str)),
                moment(Some(artifact.pushed_at)),
                moment(artifact.pulled_at),
                moment(Some(artifact.created_at)),
                word(verdict.outcome).to_owned(),
            ]
        })
        .collect();
    let mut text = drawn(&rows);
    if artifacts.len() > MOST_ROWS {
        let rest = artifacts.len() - MOST_ROWS;
        let _ = writeln!(text, "and {rest} artifacts more");
    }
    text
}

fn drawn(rows: &[[String; 8]]) -> String {
    let mut widths = HEADS.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: [&str; 8], centred: bool| {
        for (cell, width) in cells.iter().zip(widths) {
            // Writing into a text cannot fail.
            let _ = match centred {
                true => write!(text, "| {cell:^width$} "),
                false => write!(text, "| {cell:<width$} "),
            };
        }
        text.push_str("|\n");
    };
    line(HEADS, true);
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let rule = format!("|{}|\n", rules.join("|"));
    let body_at = text.len();
    let mut line = |cells: [&str; 8]| {
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
    };
    for row in rows {
        line(std::array::from_fn(|n| row[n].as_str()));
    }
    text.insert_str(body_at, &rule);
    text.push_str(&rule);
    text
}

fn joined<'t>(names: impl Iterator<Item = &'t str>) -> String {
    let mut text = String::new();
    for name in names {
        if !text.is_empty() {
            text.push(',');
        }
        if text.len() + name.len() > LONGEST_CELL {
            text.push('…');
            break;
        }
        text.push_str(name);
    }
    text
}

fn moment(time: Option<Time>) -> String {
    let Some(Time(micros)) = time else { return String::new() };
    let moment = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    moment.strftime("%Y/%m/%d %H:%M:%S").to_string()
}
