//! The fields of a list.

use db::Value;
use kit::{Error, Result, query};

/// A field by which a list can be filtered and sorted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Its name in Harbor's API.
    name: &'static str,
    /// Its column.
    pub(super) column: &'static str,
    /// What its values are.
    pub(super) kind: Kind,
    /// What stands before and after a condition on the column, where it is of a table of
    /// its own.
    pub(super) around: Option<(&'static str, &'static str)>,
    /// Whether a list can be sorted by it.
    pub(super) sorts: bool,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Time,
    Flag,
}

impl Field {
    const fn new(name: &'static str, column: &'static str, kind: Kind) -> Self {
        Self { name, column, kind, around: None, sorts: true }
    }

    /// A field of text.
    pub(crate) const fn text(name: &'static str, column: &'static str) -> Self {
        Self::new(name, column, Kind::Text)
    }

    /// A field of whole numbers.
    pub(crate) const fn number(name: &'static str, column: &'static str) -> Self {
        Self::new(name, column, Kind::Number)
    }

    /// A field of moments.
    pub(crate) const fn time(name: &'static str, column: &'static str) -> Self {
        Self::new(name, column, Kind::Time)
    }

    /// A field that is true or false.
    pub(crate) const fn flag(name: &'static str, column: &'static str) -> Self {
        Self::new(name, column, Kind::Flag)
    }

    /// The field in a table of its own, of which an entry may have any number of rows: what
    /// stands before and after a condition, as in `EXISTS (SELECT 1 FROM tags AS t WHERE
    /// t.artifact_id = a.id AND ` and `)`. `nil` then stands for none and `*` for any. A
    /// list cannot be sorted by it.
    pub(crate) const fn within(mut self, around: (&'static str, &'static str)) -> Self {
        self.around = Some(around);
        self.sorts = false;
        self
    }

    /// Whether a client means this field: it may write the name in snake or camel case.
    pub(super) fn is_called(&self, key: &str) -> bool {
        query::names_field(key, self.name)
    }

    /// A text of a client's as a value of the field.
    ///
    /// # Errors
    /// Invalid when it is none.
    pub(super) fn value(&self, text: &str) -> Result<Value> {
        Ok(match self.kind {
            Kind::Text => text.into(),
            Kind::Number => query::number(text)?.into(),
            Kind::Time => query::moment(text)?.into(),
            Kind::Flag => query::flag(text)?.into(),
        })
    }

    /// The error for a pattern that the field has no use for.
    pub(super) fn refuses(&self, pattern: &str) -> Error {
        Error::invalid(format!("invalid query string value: {} takes no {pattern}", self.name))
    }

    /// Its name, for tests.
    #[cfg(test)]
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}
