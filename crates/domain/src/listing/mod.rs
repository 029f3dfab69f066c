//! What the lists of all rooms have in common: a room declares once where the entries of a
//! list come from and by which fields they can be filtered and sorted, and gets pages of
//! them for whatever a client asks.
//!
//! A page is found in two steps that are one statement: the ids of its entries, by the
//! conditions and the order, and then what is shown of these few. The total is counted by
//! the same conditions, exactly, side by side with the page; a first page of a filter that is
//! not full needs no counting.
//!
//! Statements are put together of what the declaration holds and of placeholders only
//! ([`db::Statement`]). Every field that can be filtered or sorted by has an index, or the
//! declaration says what bounds the rows that have to be looked at.

mod conditions;
mod field;
#[cfg(test)]
mod tests;

use db::{Args, Db, Row, Statement};
use kit::{Error, Page, Result, Selection, query::Direction};

pub(crate) use field::Field;

/// One page of a list, and how long the whole list is.
#[derive(Clone, Debug, Default)]
pub struct Listing<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// How many items there are on all pages.
    pub total: i64,
}

/// A list, as its room declares it.
pub(crate) struct List {
    /// The column with the number of an entry. It ends every order, so that no entry is on
    /// two pages.
    pub(crate) id: &'static str,
    /// `SELECT … WHERE <id> IN (`: what is shown of entries. It calls tables as the places
    /// that the entries come from do.
    pub(crate) shown: &'static str,
    /// By what entries can be filtered and sorted.
    pub(crate) fields: &'static [Field],
    /// The order when a client names none: a column and its direction.
    pub(crate) order: (&'static str, Direction),
}

/// Where the entries of a list come from, when a statement of fragments alone cannot say.
pub(crate) struct Source<'s> {
    /// `FROM … WHERE …`, as for [`List::page`].
    pub(crate) from: &'static str,
    /// Its values.
    pub(crate) args: Args,
    /// One more condition: a column is one of some numbers.
    pub(crate) among: Option<(&'static str, &'s [i64])>,
    /// How many entries are counted after those of the page; all if nothing is said.
    pub(crate) counted: Option<i64>,
    /// How many entries there are, where that is kept. It counts if nothing is filtered.
    pub(crate) total: Option<i64>,
}

/// Entries of which only some are seen, by what no database understands.
pub(crate) struct Chosen {
    /// The columns that decide, of which the first is the number.
    pub(crate) columns: &'static str,
    /// Where they come from, as for [`List::page`].
    pub(crate) from: &'static str,
    /// How many are looked at, at most.
    pub(crate) most: i64,
}

impl List {
    /// A page of the entries that are kept of those that come from a place: they are gone
    /// through in their order, then what is shown of the page's is fetched.
    ///
    /// # Errors
    /// As [`List::page`].
    pub(crate) async fn page_of<T>(
        &self,
        db: &Db,
        Chosen { columns, from, most }: Chosen,
        args: Args,
        selection: &Selection,
        keep: impl Fn(&Row) -> Result<bool>,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Listing<T>> {
        let mut statement = Statement::new("SELECT ", args);
        statement.push(columns).push(from);
        conditions::push(&mut statement, self.fields, &selection.filter)?;
        self.push_order(&mut statement, selection);
        statement.push(" LIMIT ").bind(most);
        let (sql, values) = statement.finish();
        let mut ids: Vec<i64> = Vec::new();
        for row in db.all(sql, values).await? {
            if keep(&row)? {
                ids.push(row.get(0)?);
            }
        }
        let total = i64::try_from(ids.len()).map_err(Error::internal)?;
        let first = usize::try_from(offset(selection.page)).unwrap_or(usize::MAX);
        let size = usize::try_from(limit(selection.page)).unwrap_or_default();
        let page: Vec<i64> = ids.into_iter().skip(first).take(size).collect();
        let mut statement = Statement::new(self.shown, Args::new());
        statement.bind_all(&page).push(")");
        self.push_order(&mut statement, selection);
        let (sql, values) = statement.finish();
        let items = db.all(sql, values).await?.iter().map(read).collect::<Result<_>>()?;
        Ok(Listing { items, total })
    }

    /// A page of the entries that come from a place, `FROM … WHERE …` with its values.
    ///
    /// # Errors
    /// Invalid when a value is not what a field needs; else the database's.
    pub(crate) async fn page<T>(
        &self,
        db: &Db,
        from: &'static str,
        args: Args,
        selection: &Selection,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Listing<T>> {
        let source = Source { from, args, among: None, counted: None, total: None };
        self.page_from(db, &source, selection, read).await
    }

    /// A page of the entries of a source.
    ///
    /// # Errors
    /// As [`List::page`].
    pub(crate) async fn page_from<T>(
        &self,
        db: &Db,
        source: &Source<'_>,
        selection: &Selection,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Listing<T>> {
        if let Some(total) = source.total
            && !selection.filter.terms().iter().any(|term| self.knows(&term.key))
        {
            return self.known_page(db, source, selection, total, read).await;
        }
        let window = Window::of(selection.page);
        let (sql, values) = self.select(source, selection, window)?.finish();
        let page = db.all(sql, values);
        let count = async || -> Result<i64> {
            let (sql, values) = self.count(source, selection)?.finish();
            db.one(sql, values).await?.map_or(Ok(0), |row| row.get(0))
        };
        // Of a first page it shows only afterwards whether there is anything to count, and by a
        // filter the count may look at as much as the page did.
        let counts_later = selection.page.page == 1 && !selection.filter.is_empty();
        let (rows, known) = if counts_later {
            (page.await?, None)
        } else {
            let (rows, counted) = tokio::try_join!(page, count())?;
            (rows, Some(counted))
        };
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let known = known.or_else(|| self.total_without_counting(selection.page, items.len()));
        let total = match known {
            Some(total) => total,
            None => count().await?,
        };
        Ok(Listing { items, total })
    }

    /// A page of a list that is so long: it is looked for from the nearer end.
    async fn known_page<T>(
        &self,
        db: &Db,
        source: &Source<'_>,
        selection: &Selection,
        total: i64,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Listing<T>> {
        let Some(window) = Window::within(selection.page, total) else {
            return Ok(Listing { items: Vec::new(), total });
        };
        let (sql, values) = self.select(source, selection, window)?.finish();
        let items = db.all(sql, values).await?.iter().map(read).collect::<Result<_>>()?;
        Ok(Listing { items, total })
    }

    /// The statement for a page.
    fn select(
        &self,
        source: &Source<'_>,
        selection: &Selection,
        window: Window,
    ) -> Result<Statement> {
        let mut statement = Statement::new(self.shown, source.args.clone());
        statement.push("SELECT ").push(self.id).push(" ");
        self.push_source(&mut statement, source, selection)?;
        self.push_order_from(&mut statement, selection, window.from_end);
        statement.push(" LIMIT ").bind(window.limit);
        statement.push(" OFFSET ").bind(window.offset);
        statement.push(")");
        self.push_order(&mut statement, selection);
        Ok(statement)
    }

    /// The statement for how many entries there are.
    fn count(&self, source: &Source<'_>, selection: &Selection) -> Result<Statement> {
        let mut statement = Statement::new("SELECT COUNT(*) ", source.args.clone());
        let Some(counted) = source.counted else {
            self.push_source(&mut statement, source, selection)?;
            return Ok(statement);
        };
        statement.push("FROM (SELECT 1 ");
        self.push_source(&mut statement, source, selection)?;
        let seen = offset(selection.page).saturating_add(limit(selection.page));
        statement.push(" LIMIT ").bind(seen.saturating_add(counted)).push(") AS counted");
        Ok(statement)
    }

    /// Where the entries come from, and the conditions on them.
    fn push_source(
        &self,
        statement: &mut Statement,
        source: &Source<'_>,
        selection: &Selection,
    ) -> Result<()> {
        statement.push(source.from);
        if let Some((column, numbers)) = source.among {
            statement.push(" AND ").push(column).push(" IN (").bind_all(numbers).push(")");
        }
        conditions::push(statement, self.fields, &selection.filter)
    }

    /// A page that is not full is the last, unless it is empty and not the first.
    fn total_without_counting(&self, page: Page, items: usize) -> Option<i64> {
        let items = i64::try_from(items).ok()?;
        let is_last = items < limit(page) && (items > 0 || page.page == 1);
        is_last.then(|| offset(page) + items)
    }

    /// Whether a key of a `q` is one of the list's fields.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.fields.iter().any(|field| field.is_called(key))
    }

    /// Whether the list can be sorted by a key.
    pub(crate) fn sorts_by(&self, key: &str) -> bool {
        self.fields.iter().any(|field| field.sorts && field.is_called(key))
    }

    /// The order that a client asks for, as far as its keys are known, or the list's own.
    fn push_order(&self, statement: &mut Statement, selection: &Selection) {
        self.push_order_from(statement, selection, false);
    }

    /// The same order, perhaps from its end.
    fn push_order_from(&self, statement: &mut Statement, selection: &Selection, from_end: bool) {
        let mut keys: Vec<(&'static str, Direction)> = Vec::new();
        for (key, direction) in selection.sort.keys() {
            let field = self.fields.iter().find(|field| field.sorts && field.is_called(key));
            if let Some(field) = field
                && !keys.iter().any(|(column, _)| *column == field.column)
            {
                keys.push((field.column, direction));
            }
        }
        if keys.is_empty() {
            keys.push(self.order);
        }
        // In the direction of the first, so that one index serves both.
        let (_, direction) = keys[0];
        keys.push((self.id, direction));
        for (n, (column, direction)) in keys.into_iter().enumerate() {
            statement.push(if n == 0 { " ORDER BY " } else { ", " }).push(column);
            if (direction == Direction::Descending) != from_end {
                statement.push(" DESC");
            }
        }
    }
}

/// Which entries of an order are a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    offset: i64,
    limit: i64,
    /// Whether they are counted from the end of the order.
    from_end: bool,
}

impl Window {
    fn of(page: Page) -> Self {
        Self { offset: offset(page), limit: limit(page), from_end: false }
    }

    /// The same entries of a list whose length is known, counted from the nearer end; none
    /// behind the last.
    fn within(page: Page, total: i64) -> Option<Self> {
        let (first, limit) = (offset(page), limit(page).min(total - offset(page)));
        if limit <= 0 {
            return None;
        }
        let after = total - first - limit;
        Some(match after < first {
            true => Self { offset: after, limit, from_end: true },
            false => Self { offset: first, limit, from_end: false },
        })
    }
}

/// How many items a page has, for `LIMIT`.
pub(crate) fn limit(page: Page) -> i64 {
    i64::try_from(page.page_size).unwrap_or(i64::MAX)
}

/// How many items come before a page, for `OFFSET`.
pub(crate) fn offset(page: Page) -> i64 {
    i64::try_from(page.offset()).unwrap_or(i64::MAX)
}

/// A pattern for `lower(column) LIKE … ESCAPE '\'` that finds texts which contain
/// another, in whatever case. Only ASCII is folded, as both engines do.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}
