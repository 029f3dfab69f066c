//! A statement in the making, for what varies with the values that a caller gives.

use crate::{Args, Sql, Value};

/// A statement put together from fragments written in the source, and values, each of which
/// becomes a placeholder. Nothing that a caller sends can become SQL: a fragment is
/// `'static`, and a value never enters the text.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    text: String,
    args: Args,
}

impl Statement {
    /// Begins with a fragment that names its values `$1`, `$2`, ….
    pub fn new(fragment: &'static str, args: Args) -> Self {
        Self { text: fragment.to_owned(), args }
    }

    /// Adds a fragment without values.
    pub fn push(&mut self, fragment: &'static str) -> &mut Self {
        self.text.push_str(fragment);
        self
    }

    /// Adds a value: its placeholder in the text.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.args.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.args.len().to_string());
        self
    }

    /// Adds values with commas between them, for `IN (…)`. As [`Sql::list`] does, the last is
    /// repeated up to a power of two, to keep the number of distinct statements low; none
    /// becomes `NULL`.
    pub fn bind_all<V: Into<Value> + Clone>(&mut self, values: &[V]) -> &mut Self {
        let Some(last) = values.last() else { return self.push("NULL") };
        for n in 0..values.len().next_power_of_two() {
            if n > 0 {
                self.push(", ");
            }
            self.bind(values.get(n).unwrap_or(last).clone());
        }
        self
    }

    /// The text and its values.
    pub fn finish(self) -> (Sql, Args) {
        (Sql::composed(self.text), self.args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    #[test]
    fn values_are_numbered_after_those_of_the_beginning() {
        let mut statement = Statement::new("SELECT 1 FROM t WHERE a = $1", args![7]);
        statement.push(" AND b = ").bind("x'; DROP TABLE t; --");
        statement.push(" AND c IN (").bind_all(&[1, 2, 3]).push(") AND d IN (");
        statement.bind_all::<i64>(&[]).push(")");
        let (sql, args) = statement.finish();
        assert_eq!(
            sql.text(),
            "SELECT 1 FROM t WHERE a = $1 AND b = $2 AND c IN ($3, $4, $5, $6) AND d IN (NULL)"
        );
        assert_eq!(args, args![7, "x'; DROP TABLE t; --", 1, 2, 3, 3]);
    }
}
