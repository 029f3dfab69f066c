//! Reading the query of a request.

use std::borrow::Cow;

use url::form_urlencoded;

/// The first value of a parameter.
pub(super) fn first<'q>(query: Option<&'q str>, name: &str) -> Option<Cow<'q, str>> {
    all(query, name).next()
}

/// Every value of a parameter.
pub(super) fn all<'q>(query: Option<&'q str>, name: &str) -> impl Iterator<Item = Cow<'q, str>> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .filter_map(move |(found, value)| (found == name).then_some(value))
}

/// Where a mount is to come from.
pub(super) fn mount_source(query: Option<&str>) -> Option<Cow<'_, str>> {
    query?;
    first(query, "mount").and_then(|_| first(query, "from"))
}
