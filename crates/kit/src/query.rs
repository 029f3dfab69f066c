//! What a client asks of one of Harbor's lists: which entries (`q`), in what order (`sort`),
//! which page.
//!
//! `q` is a list of terms with commas between them, and an entry has to match all of them:
//!
//! | term | matches |
//! |---|---|
//! | `k=v` | what equals `v`; a first character with a meaning is escaped by `\` |
//! | `k=~v` | what contains `v`, in whatever case |
//! | `k=[min~max]` | what lies between both, either of which may be left out |
//! | `k={v1 v2}` | what equals one of the values |
//! | `k=(v1 v2)` | what has all of the values |
//!
//! Values stay text here; the field that they are compared with says what they have to be.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::{Error, Page, Result, Subject, Time};

/// The longest `q` that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// The most terms of a `q`, and the most keys of a `sort`.
const MOST_TERMS: usize = 32;

/// The most values in a list of a `q`.
const MOST_VALUES: usize = 256;

/// Which entries of a list, in what order, which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Which entries.
    pub filter: Filter,
    /// In what order; the list's own when nothing is said.
    pub sort: Sort,
    /// Which page.
    pub page: Page,
}

impl From<Page> for Selection {
    fn from(page: Page) -> Self {
        Self { page, ..Self::default() }
    }
}

/// The terms of a `q`. A key is there once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Term>);

/// One term: what a field of an entry has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The field, as the client calls it.
    pub key: String,
    /// What it has to be.
    pub pattern: Pattern,
}

/// What a field has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Equal to this.
    Exact(String),
    /// A text that contains this, in whatever case.
    Fuzzy(String),
    /// Not below the first and not above the second; one of them is there.
    Range(Option<String>, Option<String>),
    /// Equal to one of these.
    Or(Vec<String>),
    /// All of these.
    And(Vec<String>),
}

impl Filter {
    /// Whether everything is let through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a `q` that was decoded once, as all of a query is. Clients that encode it
    /// twice, as Harbor's portal does, are understood too.
    ///
    /// # Errors
    /// Invalid, in Harbor's words, when a term has no key or no value or a value is not
    /// closed; and beyond the bounds of length and number.
    pub fn parse(q: &str) -> Result<Self> {
        if q.len() > LONGEST {
            return Err(invalid(format!("the query string is longer than {LONGEST} bytes")));
        }
        let q = decoded_again(q);
        let mut filter = Self::default();
        if q.is_empty() {
            return Ok(filter);
        }
        for term in q.split(',') {
            let (key, value) = term
                .split_once('=')
                .filter(|(key, value)| !key.is_empty() && !value.is_empty())
                .ok_or_else(|| {
                    invalid(
                        r#"the query string must contain "=" and the key/value cannot be empty"#,
                    )
                })?;
            let pattern = Pattern::parse(value)
                .map_err(|why| invalid(format!("invalid query string value: {value}: {why}")))?;
            filter.set(key, pattern);
            if filter.0.len() > MOST_TERMS {
                return Err(invalid(format!("the query string has more than {MOST_TERMS} terms")));
            }
        }
        Ok(filter)
    }

    /// Adds a term, in place of one with the same key.
    pub fn set(&mut self, key: &str, pattern: Pattern) {
        self.0.retain(|term| term.key != key);
        self.0.push(Term { key: key.to_owned(), pattern });
    }

    /// The terms.
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// What a field has to be, if something is said of it.
    pub fn of(&self, field: &str) -> Option<&Pattern> {
        self.0.iter().find(|term| names_field(&term.key, field)).map(|term| &term.pattern)
    }
}

/// Whether a key names a field: clients write names in snake or camel case.
pub fn names_field(key: &str, field: &str) -> bool {
    let letters = |name: &str| {
        name.bytes().filter(|b| *b != b'_').map(|b| b.to_ascii_lowercase()).collect::<Vec<u8>>()
    };
    key.len() <= 2 * field.len() && letters(key) == letters(field)
}

impl Pattern {
    /// Reads the value of a term; an error says why it is none.
    fn parse(value: &str) -> Result<Self, &'static str> {
        match value.as_bytes() {
            [b'~'] => Err(
                r#"fuzzy match value must start with "~" and contain at least 1 other characters"#,
            ),
            [b'~', ..] => Ok(Self::Fuzzy(value[1..].to_owned())),
            [b'[', ..] => Self::range(value),
            [b'{', ..] => {
                let inner = between(value, '{', '}')
                    .ok_or(r#"or list must start with "{" and end with "}""#)?;
                list(inner).map(Self::Or)
            }
            [b'(', ..] => {
                let inner = between(value, '(', ')')
                    .ok_or(r#"and list must start with "(" and end with ")""#)?;
                list(inner).map(Self::And)
            }
            [b'\\', ..] => Ok(Self::Exact(value[1..].to_owned())),
            _ => Ok(Self::Exact(unquoted(value).to_owned())),
        }
    }

    fn range(value: &str) -> Result<Self, &'static str> {
        let wrong = r#"range must start with "[", end with "]" and contains only one "~""#;
        let inner = between(value, '[', ']').ok_or(wrong)?;
        let (min, max) = inner.split_once('~').ok_or(wrong)?;
        if max.contains('~') {
            return Err(wrong);
        }
        let bound = |text: &str| Some(unquoted(text).to_owned()).filter(|text| !text.is_empty());
        match (bound(min), bound(max)) {
            (None, None) => Err("min and max at least one should be set in range"),
            (min, max) => Ok(Self::Range(min, max)),
        }
    }
}

/// How a list is sorted: keys, and whether each counts backwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sort(Vec<(String, Direction)>);

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The least.
    Ascending,
    /// The greatest.
    Descending,
}

impl Sort {
    /// Reads a `sort`: keys with commas between them, `-` before one that counts backwards.
    ///
    /// # Errors
    /// Invalid beyond the bounds of length and number.
    pub fn parse(sort: &str) -> Result<Self> {
        if sort.len() > LONGEST || sort.split(',').count() > MOST_TERMS {
            return Err(invalid(format!("sort has at most {MOST_TERMS} keys")));
        }
        let key = |text: &str| match text.strip_prefix('-') {
            Some(key) => (key.to_owned(), Direction::Descending),
            None => (text.to_owned(), Direction::Ascending),
        };
        Ok(Self(sort.split(',').filter(|text| !text.is_empty()).map(key).collect()))
    }

    /// The keys in the order in which they count.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Direction)> {
        self.0.iter().map(|(key, direction)| (key.as_str(), *direction))
    }
}

/// A value as a whole number.
///
/// # Errors
/// Invalid, in Harbor's words.
pub fn number(value: &str) -> Result<i64> {
    value.parse().map_err(|_| wrong_value(value, "a whole number"))
}

/// A value as true or false, in the words of Harbor's language.
///
/// # Errors
/// Invalid, in Harbor's words.
pub fn flag(value: &str) -> Result<bool> {
    match value {
        "true" | "True" | "TRUE" | "t" | "T" | "1" => Ok(true),
        "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(false),
        _ => Err(wrong_value(value, "true or false")),
    }
}

/// A value as a moment, such as `2006-01-02T15:04:05`; in UTC unless it says otherwise.
///
/// # Errors
/// Invalid, in Harbor's words.
pub fn moment(value: &str) -> Result<Time> {
    let utc = |at: jiff::civil::DateTime| at.to_zoned(jiff::tz::TimeZone::UTC);
    let at = value
        .parse::<jiff::Timestamp>()
        .or_else(|_| value.parse().and_then(utc).map(|at| at.timestamp()));
    at.map(|at| Time(at.as_microsecond()))
        .map_err(|_| wrong_value(value, "a moment such as 2006-01-02T15:04:05"))
}

fn wrong_value(value: &str, expected: &str) -> Error {
    invalid(format!("invalid query string value: {value}: it must be {expected}"))
}

fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::invalid(message).about(Subject::Page)
}

/// A `q` without the second of its encodings, if it has one. A `+` is a space then; in
/// one that was encoded once it stands for itself.
fn decoded_again(q: &str) -> Cow<'_, str> {
    let mut encoded = 0;
    for rest in q.split('%').skip(1) {
        let digits = rest.as_bytes().get(..2);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Cow::Borrowed(q);
        }
        encoded += 1;
    }
    if encoded == 0 {
        return Cow::Borrowed(q);
    }
    let spaced = q.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Cow::Owned(decoded.into_owned()),
        Err(_) => Cow::Borrowed(q),
    }
}

/// The values of a list, which has spaces between them.
fn list(inner: &str) -> Result<Vec<String>, &'static str> {
    let values: Vec<String> =
        inner.split(' ').map(unquoted).filter(|v| !v.is_empty()).map(str::to_owned).collect();
    if values.len() > MOST_VALUES {
        return Err("a list has at most 256 values");
    }
    Ok(values)
}

/// What stands between two brackets.
fn between(value: &str, open: char, close: char) -> Option<&str> {
    value.strip_prefix(open)?.strip_suffix(close)
}

/// A value without spaces and quotes around it.
fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests;
