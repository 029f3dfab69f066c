//! The text of a statement: one text for both engines, made of fragments written
//! in the source, so that nothing a caller sends can become SQL.

use std::borrow::Cow;

use crate::{Args, Engine};

/// What SQLite has no words for and does not need: its writer is alone, so a row
/// it has read is locked already.
const LOCKING: [&str; 4] =
    [" FOR UPDATE", " FOR SHARE", " FOR KEY SHARE", " FOR UPDATE SKIP LOCKED"];

/// A statement with `$1`, `$2`, … for its values.
///
/// A locking clause at the very end (` FOR UPDATE`, ` FOR SHARE`, ` FOR KEY SHARE`,
/// ` FOR UPDATE SKIP LOCKED`) is dropped on SQLite.
#[derive(Clone, Debug)]
pub struct Sql {
    text: Cow<'static, str>,
    /// How many values the statement takes, when a list in it was rounded up.
    takes: Option<usize>,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), takes: None }
    }
}

impl Sql {
    /// The most values a list may have; who has more asks several times.
    pub const LONGEST_LIST: usize = 16_384;

    /// `before`, then `n` placeholders with commas between them, then `after`, as in
    /// `Sql::list("SELECT … WHERE repository = $1 AND digest IN (", n, ")")`.
    ///
    /// The list is numbered after every `$n` that the fragments themselves name, so
    /// the values of the list come last in the [`Args`]. To keep the number of
    /// distinct statements low, `n` is rounded up to a power of two and the last value
    /// is repeated; an empty list becomes `NULL`, which no `IN` matches.
    pub fn list(before: &'static str, n: usize, after: &'static str) -> Self {
        let first = highest_placeholder(before).max(highest_placeholder(after)) + 1;
        let mut text = String::with_capacity(before.len() + after.len() + n * 6);
        text.push_str(before);
        let takes = if n == 0 {
            text.push_str("NULL");
            first - 1
        } else {
            let end = first + n.next_power_of_two();
            push_placeholders(&mut text, first, end);
            end - 1
        };
        text.push_str(after);
        Self { text: Cow::Owned(text), takes: Some(takes) }
    }

    /// `before`, then `n` rows of `columns` placeholders each, then `after`, as in
    /// `Sql::rows("INSERT INTO t (a, b) VALUES ", 2, n, " ON CONFLICT DO NOTHING")`.
    ///
    /// The rows are numbered after every `$n` that the fragments themselves name, and
    /// never rounded: `n` is at least 1, and few distinct ones keep statements few.
    pub fn rows(before: &'static str, columns: usize, n: usize, after: &'static str) -> Self {
        let mut next = highest_placeholder(before).max(highest_placeholder(after)) + 1;
        let mut text = String::with_capacity(before.len() + after.len() + n * (columns * 6 + 3));
        text.push_str(before);
        for row in 0..n {
            text.push_str(if row == 0 { "(" } else { ", (" });
            push_placeholders(&mut text, next, next + columns);
            text.push(')');
            next += columns;
        }
        text.push_str(after);
        Self { text: Cow::Owned(text), takes: None }
    }

    /// Fragments one after the other, for statements whose conditions vary.
    pub fn join(fragments: &[&'static str]) -> Self {
        Self { text: Cow::Owned(fragments.concat()), takes: None }
    }

    /// This statement and a further fragment.
    #[must_use]
    pub fn then(mut self, fragment: &'static str) -> Self {
        self.text.to_mut().push_str(fragment);
        self
    }

    /// What a [`Statement`](crate::Statement) put together.
    pub(crate) fn composed(text: String) -> Self {
        Self { text: Cow::Owned(text), takes: None }
    }

    /// The text for PostgreSQL, which is the whole.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text for an engine.
    pub(crate) fn into_text(self, engine: Engine) -> Cow<'static, str> {
        if engine == Engine::Postgres {
            return self.text;
        }
        match self.text {
            Cow::Borrowed(text) => Cow::Borrowed(without_locking(text)),
            Cow::Owned(mut text) => {
                text.truncate(without_locking(&text).len());
                Cow::Owned(text)
            }
        }
    }

    /// Whether a list of values belongs to it.
    pub(crate) fn is_list(&self) -> bool {
        self.takes.is_some()
    }

    /// Repeats the last value until a rounded list is full.
    pub(crate) fn fill(&self, args: &mut Args) {
        let Some(takes) = self.takes else { return };
        if let Some(last) = args.0.last().cloned()
            && args.0.len() < takes
        {
            args.0.resize(takes, last);
        }
    }
}

/// A statement without its locking clause.
pub(crate) fn without_locking(text: &str) -> &str {
    let may_lock = text.ends_with("UPDATE") || text.ends_with("SHARE") || text.ends_with("LOCKED");
    if !may_lock {
        return text;
    }
    LOCKING.iter().find_map(|clause| text.strip_suffix(clause)).unwrap_or(text)
}

fn push_placeholders(text: &mut String, first: usize, end: usize) {
    for number in first..end {
        text.push_str(if number == first { "$" } else { ", $" });
        text.push_str(&number.to_string());
    }
}

/// The highest `$n` in a fragment, 0 when it has none.
fn highest_placeholder(fragment: &str) -> usize {
    let number_at = |rest: &str| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().unwrap_or(0)
    };
    fragment.split('$').skip(1).map(number_at).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::args;

    #[test]
    fn lists_are_numbered_after_the_fragments_and_rounded_up() {
        let sql = Sql::list("SELECT 1 WHERE a = $1 AND b IN (", 3, ") AND c > $2");
        assert_eq!(sql.text(), "SELECT 1 WHERE a = $1 AND b IN ($3, $4, $5, $6) AND c > $2");
        let mut args = args![1, 2, "x", "y", "z"];
        sql.fill(&mut args);
        assert_eq!(args, args![1, 2, "x", "y", "z", "z"]);
    }

    #[test]
    fn an_empty_list_matches_nothing() {
        let sql = Sql::list("SELECT 1 WHERE a = $1 AND b IN (", 0, ")");
        assert_eq!(sql.text(), "SELECT 1 WHERE a = $1 AND b IN (NULL)");
        let mut args = args![1];
        sql.fill(&mut args);
        assert_eq!(args, args![1]);
    }

    #[test]
    fn rows_are_numbered_one_after_the_other() {
        let sql = Sql::rows("INSERT INTO t (a, b) VALUES ", 2, 2, " ON CONFLICT DO NOTHING");
        assert_eq!(
            sql.text(),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING"
        );
    }

    #[test]
    fn locking_is_dropped_on_sqlite_and_only_there() {
        for clause in LOCKING {
            let sql = Sql::join(&["SELECT 1", clause]);
            assert_eq!(sql.clone().into_text(Engine::Sqlite), "SELECT 1");
            assert_eq!(sql.text(), sql.clone().into_text(Engine::Postgres));
        }
        assert_eq!(Sql::from("SELECT 1 FOR UPDATE").into_text(Engine::Sqlite), "SELECT 1");
        assert_eq!(
            Sql::from("UPDATE t SET a = 'MY UPDATE'").into_text(Engine::Sqlite),
            "UPDATE t SET a = 'MY UPDATE'"
        );
    }
}
