//! What is shown of the log: pages of entries, the newest first if nothing else is asked for.
//!
//! A log has millions of entries, so neither are they counted one by one nor is a page found
//! by going through all before it. As long as a list is bounded by project and time only, and
//! sorted by time, `audit_counts` knows how many entries each hour has (`hours`): their sum
//! is the total, and they tell in which hours a page lies, so that only these are looked at.
//! A list that is filtered by something else is gone through by an index, and counted no
//! farther than [`COUNTED`] entries after its page: its total is exact up to there.

use db::{Args, Row, args};
use kit::{
    Result, Selection, Time,
    query::{self, Direction, Pattern, Sort},
};

use super::{
    hours::{Bounds, Window},
    sql,
};
use crate::{
    Context,
    listing::{Field, List, Listing, Source, limit, offset},
};

/// How many entries after its page a list that is filtered is counted at the most.
const COUNTED: i64 = 10_000;

/// From which entry on the hours are asked where a page lies; before, it is as quick to skip
/// what comes before it.
const FAR: i64 = 1_000;

/// How a list calls the moment of an entry, and its project.
const OP_TIME: &str = "op_time";
const PROJECT_ID: &str = "project_id";

/// There are indexes on the time, alone and after the project, the user, and the kind of
/// event. The others look through the entries that these leave.
pub(super) const LIST: List = List {
    id: "e.id",
    shown: sql::LIST_SHOWN,
    fields: &[
        Field::time(OP_TIME, "e.occurred_at"),
        Field::number(PROJECT_ID, "e.project_id"),
        Field::text("operation", "e.operation"),
        Field::text("resource_type", "e.resource_type"),
        Field::text("resource", "e.resource"),
        Field::text("username", "e.username"),
        Field::flag("operation_result", "e.succeeded"),
        Field::number("id", "e.id"),
    ],
    order: ("e.occurred_at", Direction::Descending),
};

/// An entry as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub id: i64,
    /// Who did it.
    pub username: String,
    /// What it was done to.
    pub resource: String,
    /// What kind of thing that is.
    pub resource_type: String,
    /// What was done.
    pub operation: String,
    /// What people read of it.
    pub description: String,
    /// Whether it worked.
    pub succeeded: bool,
    /// When it was done.
    pub at: Time,
}

/// Proof that somebody may read the log: all of it, or that of some projects.
#[derive(Clone, Debug)]
pub struct Readable(Option<Vec<i64>>);

impl Readable {
    /// All of the log, for `access` to say.
    pub(crate) fn everything() -> Self {
        Self(None)
    }

    /// The log of some projects, for `access` to say.
    pub(crate) fn projects(ids: Vec<i64>) -> Self {
        Self(Some(ids))
    }
}

/// A page of the log.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list(
    context: &Context,
    readable: &Readable,
    selection: &Selection,
) -> Result<Listing<Shown>> {
    let Some(asked) = Bounds::asked(readable.0.as_deref(), selection)? else {
        return filtered(context, readable, selection).await;
    };
    if asked.is_empty() {
        return Ok(Listing { items: Vec::new(), total: 0 });
    }
    let backwards = is_backwards(&selection.sort);
    let far = offset(selection.page) >= FAR || !asked.has_one_index();
    let window = match far {
        true => asked.window(&context.db, backwards, selection.page).await?,
        false => Window { from: asked.from, to: asked.to, skipped: offset(selection.page) },
    };
    let (sql, values) = asked.page(&window, backwards, limit(selection.page)).finish();
    let rows = context.db.all(sql, values).await?;
    let items = rows.iter().map(read).collect::<Result<_>>()?;
    Ok(Listing { items, total: asked.count(&context.db).await? })
}

/// A page of what only going through the entries finds.
async fn filtered(
    context: &Context,
    readable: &Readable,
    selection: &Selection,
) -> Result<Listing<Shown>> {
    let among = readable.0.as_deref().map(|ids| ("e.project_id", ids));
    let args: Args = args![];
    let source = Source { from: sql::LIST_FROM, args, among, counted: Some(COUNTED), total: None };
    LIST.page_from(&context.db, &source, selection, read).await
}

/// Whether the newest come first.
fn is_backwards(sort: &Sort) -> bool {
    let known = |key: &str| query::names_field(key, OP_TIME);
    let direction = sort.keys().find(|(key, _)| known(key)).map(|(_, direction)| direction);
    direction != Some(Direction::Ascending)
}

impl Bounds {
    /// The bounds that a client asks for, of the projects that it may read; none when it asks
    /// for more than bounds, or for another order.
    fn asked(projects: Option<&[i64]>, selection: &Selection) -> Result<Option<Self>> {
        let mut bounds = Self::of(projects);
        for term in selection.filter.terms() {
            if query::names_field(&term.key, OP_TIME) {
                let moment = |text: &String| query::moment(text);
                let (from, to) = match &term.pattern {
                    Pattern::Exact(at) => (Some(moment(at)?), Some(moment(at)?)),
                    Pattern::Range(from, to) => (
                        from.as_ref().map(moment).transpose()?,
                        to.as_ref().map(moment).transpose()?,
                    ),
                    _ => return Ok(None),
                };
                bounds.narrow(from, to);
            } else if query::names_field(&term.key, PROJECT_ID) {
                let Pattern::Exact(id) = &term.pattern else { return Ok(None) };
                bounds.only(query::number(id)?);
            } else if LIST.knows(&term.key) {
                return Ok(None);
            }
        }
        let first = selection.sort.keys().find(|(key, _)| LIST.sorts_by(key));
        let by_time = first.is_none_or(|(key, _)| query::names_field(key, OP_TIME));
        Ok(by_time.then_some(bounds))
    }
}

/// Reads the columns of [`sql::LIST_SHOWN`].
fn read(row: &Row) -> Result<Shown> {
    Ok(Shown {
        id: row.get(0)?,
        username: row.get(1)?,
        resource: row.get(2)?,
        resource_type: row.get(3)?,
        operation: row.get(4)?,
        description: row.get(5)?,
        succeeded: row.get(6)?,
        at: row.get(7)?,
    })
}
