//! What comes out of a statement.

use std::fmt;

use kit::Time;
use sqlx::{Decode, Postgres, Row as _, ValueRef as _, postgres::PgRow};

use crate::Value;

/// One row of a result.
pub struct Row(pub(crate) Columns);

pub(crate) enum Columns {
    Sqlite(Box<[Value]>),
    Postgres(PgRow),
}

/// Nothing of the row: its values may be secrets.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row")
    }
}

impl Row {
    /// The value of the column at an index, counted from 0.
    ///
    /// # Errors
    /// Internal when there is no such column, it is of another type, or it is NULL and
    /// `T` is no `Option`.
    pub fn get<T: Column>(&self, index: usize) -> kit::Result<T> {
        T::of(self, index)
    }

    fn is_null(&self, index: usize) -> kit::Result<bool> {
        match &self.0 {
            Columns::Sqlite(values) => match values.get(index) {
                Some(value) => Ok(matches!(value, Value::Null(_))),
                None => Err(wrong(index, "there is none")),
            },
            Columns::Postgres(row) => {
                Ok(row.try_get_raw(index).map_err(|cause| wrong(index, cause))?.is_null())
            }
        }
    }
}

/// What a column can be read as.
pub trait Column: Sized {
    /// Reads the column at an index.
    ///
    /// # Errors
    /// As [`Row::get`].
    fn of(row: &Row, index: usize) -> kit::Result<Self>;
}

impl Column for i64 {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        match &row.0 {
            Columns::Sqlite(values) => match values.get(index) {
                Some(Value::Int(number)) => Ok(*number),
                _ => Err(wrong(index, "not a number")),
            },
            // A literal such as SELECT 1 is a four byte integer in PostgreSQL.
            Columns::Postgres(row) => row
                .try_get(index)
                .or_else(|_| row.try_get::<i32, _>(index).map(i64::from))
                .map_err(|cause| wrong(index, cause)),
        }
    }
}

impl Column for i32 {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        Self::try_from(i64::of(row, index)?).map_err(|cause| wrong(index, cause))
    }
}

impl Column for u32 {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        Self::try_from(i64::of(row, index)?).map_err(|cause| wrong(index, cause))
    }
}

impl Column for Time {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        i64::of(row, index).map(Time)
    }
}

impl Column for bool {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        match &row.0 {
            Columns::Sqlite(values) => match values.get(index) {
                Some(Value::Int(number)) => Ok(*number != 0),
                _ => Err(wrong(index, "not a truth value")),
            },
            Columns::Postgres(row) => from_postgres(row, index),
        }
    }
}

impl Column for String {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        match &row.0 {
            Columns::Sqlite(values) => match values.get(index) {
                Some(Value::Text(text)) => Ok(text.clone()),
                _ => Err(wrong(index, "not text")),
            },
            Columns::Postgres(row) => from_postgres(row, index),
        }
    }
}

impl Column for Vec<u8> {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        match &row.0 {
            Columns::Sqlite(values) => match values.get(index) {
                Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
                _ => Err(wrong(index, "not bytes")),
            },
            Columns::Postgres(row) => from_postgres(row, index),
        }
    }
}

impl Column for f64 {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        match &row.0 {
            Columns::Sqlite(values) => match values.get(index) {
                Some(Value::Real(number)) => Ok(*number),
                _ => Err(wrong(index, "not a floating point number")),
            },
            Columns::Postgres(row) => from_postgres(row, index),
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn of(row: &Row, index: usize) -> kit::Result<Self> {
        if row.is_null(index)? { Ok(None) } else { T::of(row, index).map(Some) }
    }
}

fn from_postgres<'r, T>(row: &'r PgRow, index: usize) -> kit::Result<T>
where
    T: Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(index).map_err(|cause| wrong(index, cause))
}

/// The text is for the log, where it helps to find the statement.
fn wrong(index: usize, how: impl fmt::Display) -> kit::Error {
    kit::Error::internal(format!("column {index} of a row: {how}"))
}
