//! Reading the query of a request.

use std::borrow::Cow;

use kit::{Error, Result, Subject};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

/// The most names on a page; who asks for more gets as many and a link to the next.
const LONGEST_PAGE: u32 = 10_000;

/// What is written as it is in a query of ours.
const IN_QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/').remove(b':');

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

/// A page asked for by keys: at most `count` after `last`.
pub(super) struct Page<'q> {
    pub(super) count: u32,
    pub(super) last: Cow<'q, str>,
}

/// The page that a query asks for.
///
/// # Errors
/// Invalid when `n` is no count.
pub(super) fn page(query: Option<&str>) -> Result<Page<'_>> {
    let last = first(query, "last").unwrap_or_default();
    let count = match first(query, "n") {
        None => LONGEST_PAGE,
        Some(text) => count(&text)?,
    };
    Ok(Page { count, last })
}

fn count(text: &str) -> Result<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(Error::invalid("n has to be a whole number of 0 or more")
            .about(Subject::Page)
            .with("n has to be a whole number of 0 or more", vec![("n", text.chars().take(64).collect())]));
    }
    // What does not fit is more than a page in any case.
    Ok(text.parse().unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE))
}

/// The link to the next page (RFC 8288).
pub(super) fn next_link(path: &str, count: u32, last: &str, more: &[(&str, &str)]) -> String {
    let last = utf8_percent_encode(last, IN_QUERY);
    let mut link = format!("<{path}?n={count}&last={last}");
    for (name, value) in more {
        link.push('&');
        link.push_str(name);
        link.push('=');
        link.extend(utf8_percent_encode(value, IN_QUERY));
    }
    link.push_str(">; rel=\"next\"");
    link
}
