//! From the terms of a `q` to conditions.

use db::Statement;
use kit::{
    Result,
    query::{Filter, Pattern},
};

use super::{
    containing,
    field::{Field, Kind},
};

/// Adds a condition for each term whose field is known; the others do not matter.
///
/// # Errors
/// Invalid when a value is not what its field needs.
pub(super) fn push(
    statement: &mut Statement,
    fields: &'static [Field],
    filter: &Filter,
) -> Result<()> {
    for term in filter.terms() {
        if let Some(field) = fields.iter().find(|field| field.is_called(&term.key)) {
            field.push_condition(statement, &term.pattern)?;
        }
    }
    Ok(())
}

impl Field {
    fn push_condition(&self, statement: &mut Statement, pattern: &Pattern) -> Result<()> {
        match (pattern, self.around) {
            // As in Harbor, whose columns have one value only.
            (Pattern::And(_), None) => {}
            (Pattern::Or(values), _) if values.is_empty() => {}
            (Pattern::And(values), Some(_)) => {
                for value in values {
                    self.push_around(statement, &Pattern::Exact(value.clone()))?;
                }
            }
            (Pattern::Exact(text), Some((before, after))) if text == "nil" => {
                statement.push(" AND NOT ").push(before).push("TRUE").push(after);
            }
            (Pattern::Exact(text), Some((before, after))) if text == "*" => {
                statement.push(" AND ").push(before).push("TRUE").push(after);
            }
            (pattern, _) => self.push_around(statement, pattern)?,
        }
        Ok(())
    }

    /// A comparison where its column is.
    fn push_around(&self, statement: &mut Statement, pattern: &Pattern) -> Result<()> {
        let (before, after) = self.around.unwrap_or_default();
        statement.push(" AND ").push(before);
        self.push_comparison(statement, pattern)?;
        statement.push(after);
        Ok(())
    }

    fn push_comparison(&self, statement: &mut Statement, pattern: &Pattern) -> Result<()> {
        match pattern {
            Pattern::Exact(text) => {
                statement.push(self.column).push(" = ").bind(self.value(text)?);
            }
            Pattern::Fuzzy(text) => {
                match self.kind {
                    Kind::Text => statement.push("lower(").push(self.column).push(")"),
                    Kind::Number => statement.push("CAST(").push(self.column).push(" AS TEXT)"),
                    Kind::Time | Kind::Flag => return Err(self.refuses("fuzzy match")),
                };
                statement.push(" LIKE ").bind(containing(text)).push(r" ESCAPE '\'");
            }
            Pattern::Range(..) if self.kind == Kind::Flag => return Err(self.refuses("range")),
            Pattern::Range(min, max) => {
                if let Some(min) = min {
                    statement.push(self.column).push(" >= ").bind(self.value(min)?);
                }
                if let (Some(_), Some(_)) = (min, max) {
                    statement.push(" AND ");
                }
                if let Some(max) = max {
                    statement.push(self.column).push(" <= ").bind(self.value(max)?);
                }
            }
            Pattern::Or(texts) | Pattern::And(texts) => {
                let values =
                    texts.iter().map(|text| self.value(text)).collect::<Result<Vec<_>>>()?;
                statement.push(self.column).push(" IN (").bind_all(&values).push(")");
            }
        }
        Ok(())
    }
}
