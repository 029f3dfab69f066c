//! Pages of lists: by number in Harbor's API, by the last key in the registry's.

use url::form_urlencoded;

use crate::{Error, Kind, Result, Subject};

/// A page of one of Harbor's lists, by the query parameters `page` and `page_size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number; the first is 1.
    pub page: u64,
    /// How many entries a page has, 1 to 100.
    pub page_size: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self { page: 1, page_size: 10 }
    }
}

impl Page {
    /// The most entries that a page may have.
    pub const MOST: u64 = 100;

    /// Reads the two parameters from a query; the others are left alone. Page 0 is the first
    /// one, as it is for Harbor.
    ///
    /// # Errors
    /// Unprocessable if one is not a number or out of its range.
    pub fn from_query(query: &str) -> Result<Self> {
        const LAST_PAGE: u64 = i64::MAX as u64 / Page::MOST;
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                // As with Harbor, one that is empty is not there.
                _ if value.is_empty() => {}
                "page" => {
                    asked.page =
                        number(&value, 0..=LAST_PAGE, "page is a whole number from 1")?.max(1)
                }
                "page_size" => {
                    asked.page_size = number(
                        &value,
                        1..=Self::MOST,
                        "page_size is a whole number from 1 to 100",
                    )?;
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// How many entries come before it.
    pub fn offset(&self) -> u64 {
        (self.page.saturating_sub(1)).saturating_mul(self.page_size)
    }

    /// The `Link` header to the pages before and after it in a list of `total` entries, for the
    /// path and query of the request. Other parameters are kept as they were written. None if
    /// there is neither.
    pub fn links(&self, path_and_query: &str, total: u64) -> Option<String> {
        let link = |page: u64, relation: &str| {
            let address = self.address_of(page, path_and_query);
            format!("<{address}>; rel=\"{relation}\"")
        };
        let has_previous = self.page > 1 && self.offset() <= total;
        let has_next = self.offset().saturating_add(self.page_size) < total;
        match (has_previous, has_next) {
            (false, false) => None,
            (true, false) => Some(link(self.page - 1, "prev")),
            (false, true) => Some(link(self.page + 1, "next")),
            (true, true) => {
                Some(format!("{} , {}", link(self.page - 1, "prev"), link(self.page + 1, "next")))
            }
        }
    }

    fn address_of(&self, page: u64, path_and_query: &str) -> String {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let is_ours = |pair: &str| {
            form_urlencoded::parse(pair.as_bytes())
                .any(|(name, _)| name == "page" || name == "page_size")
        };
        let mut address = format!("{path}?page={page}&page_size={}", self.page_size);
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !is_ours(pair)) {
            address.push('&');
            address.push_str(pair);
        }
        address
    }
}

fn number(text: &str, range: std::ops::RangeInclusive<u64>, expected: &'static str) -> Result<u64> {
    let wrong = || Error::new(Kind::Unprocessable, expected).about(Subject::Page);
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
}

/// A part of one of the registry's sorted lists, by the query parameters `n` and `last`
/// (distribution-spec, "Listing Tags").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyset {
    /// At most how many entries are asked for; 0 is allowed and gives none.
    pub n: Option<u64>,
    /// The entry after which to go on. It need not exist.
    pub last: Option<String>,
}

impl Keyset {
    /// Reads the two parameters from a query; the others are left alone.
    ///
    /// # Errors
    /// Invalid, about the page, if `n` is not a whole number.
    pub fn from_query(query: &str) -> Result<Self> {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "n" => asked.n = Some(count(&value)?),
                "last" => asked.last = Some(value.into_owned()).filter(|last| !last.is_empty()),
                _ => {}
            }
        }
        Ok(asked)
    }

    /// How many entries to answer, where the server answers `most` at once.
    pub fn limit(&self, most: u64) -> u64 {
        self.n.map_or(most, |n| n.min(most))
    }

    /// The `Link` header to the entries after `last`, for an address that may have a query of
    /// its own. `limit` entries were answered, and there are more.
    pub fn next_link(address: &str, limit: u64, last: &str) -> String {
        let separator = if address.contains('?') { '&' } else { '?' };
        let last: String = form_urlencoded::byte_serialize(last.as_bytes()).collect();
        format!("<{address}{separator}n={limit}&last={last}>; rel=\"next\"")
    }
}

/// A number that is too large asks for all there is.
fn count(text: &str) -> Result<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid("n is a whole number of entries").about(Subject::Page));
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_has_defaults_and_limits() {
        for (query, page, page_size) in [
            ("", 1, 10),
            ("page=3", 3, 10),
            ("page=&page_size=", 1, 10),
            ("page=0", 1, 10),
            ("page_size=100&page=2&q=page%3D9", 2, 100),
            ("page=92233720368547758&page_size=1", 92_233_720_368_547_758, 1),
        ] {
            assert_eq!(Page::from_query(query).unwrap(), Page { page, page_size }, "{query}");
        }
        for query in [
            "page=-1",
            "page=a",
            "page=1.5",
            "page=92233720368547759",
            "page_size=0",
            "page_size=101",
            "page_size=-1",
            "page_size=99999999999999999999",
        ] {
            let error = Page::from_query(query).unwrap_err();
            assert_eq!(
                (error.kind, error.subject),
                (Kind::Unprocessable, Subject::Page),
                "{query}"
            );
        }
    }

    #[test]
    fn links_lead_to_the_neighbours_and_keep_the_rest_of_the_query() {
        let links = |query: &str, total| {
            Page::from_query(query).unwrap().links(&format!("/api/v2.0/projects?{query}"), total)
        };
        assert_eq!(links("", 0), None);
        assert_eq!(links("", 10), None);
        assert_eq!(
            links("", 11).unwrap(),
            "</api/v2.0/projects?page=2&page_size=10>; rel=\"next\""
        );
        assert_eq!(
            links("q=name%253D~a&page=2&&public=true&page_size=5", 11).unwrap(),
            "</api/v2.0/projects?page=1&page_size=5&q=name%253D~a&public=true>; rel=\"prev\" , \
             </api/v2.0/projects?page=3&page_size=5&q=name%253D~a&public=true>; rel=\"next\""
        );
        assert_eq!(
            links("page=2", 20).unwrap(),
            "</api/v2.0/projects?page=1&page_size=10>; rel=\"prev\""
        );
        assert_eq!(links("page=9", 20), None);
        let page = Page { page: 1, page_size: 10 };
        assert_eq!(page.links("/a", 11).unwrap(), "</a?page=2&page_size=10>; rel=\"next\"");
    }

    #[test]
    fn a_keyset_is_read_from_the_query() {
        let keyset = |n, last: Option<&str>| Keyset { n, last: last.map(str::to_owned) };
        for (query, expected) in [
            ("", keyset(None, None)),
            ("n=0", keyset(Some(0), None)),
            ("n=3&last=a%2Fb&x=y", keyset(Some(3), Some("a/b"))),
            ("last=v1", keyset(None, Some("v1"))),
            ("last=", keyset(None, None)),
            ("n=99999999999999999999", keyset(Some(u64::MAX), None)),
        ] {
            assert_eq!(Keyset::from_query(query).unwrap(), expected, "{query}");
        }
        for query in ["n=", "n=-1", "n=a", "n=1.5", "n=+1", "n=%201"] {
            let error = Keyset::from_query(query).unwrap_err();
            assert_eq!((error.kind, error.subject), (Kind::Invalid, Subject::Page), "{query}");
        }
        assert_eq!(keyset(None, None).limit(100), 100);
        assert_eq!(keyset(Some(3), None).limit(100), 3);
        assert_eq!(keyset(Some(300), None).limit(100), 100);
    }

    #[test]
    fn the_next_link_escapes_its_key() {
        assert_eq!(
            Keyset::next_link("/v2/a/b/tags/list", 3, "v1"),
            "</v2/a/b/tags/list?n=3&last=v1>; rel=\"next\""
        );
        assert_eq!(
            Keyset::next_link("/v2/_catalog?x=y", 3, "a/b&c>"),
            "</v2/_catalog?x=y&n=3&last=a%2Fb%26c%3E>; rel=\"next\""
        );
    }

    proptest! {
        #[test]
        fn a_link_leads_where_it_says(n: u64, last in ".{1,20}") {
            let link = Keyset::next_link("/x", n, &last);
            let query = link.strip_prefix("</x?").unwrap().split_once('>').unwrap().0;
            prop_assert_eq!(Keyset::from_query(query).unwrap(), Keyset { n: Some(n), last: Some(last) });
        }

        #[test]
        fn following_links_meets_every_entry_once(total in 0..300_u64, page_size in 1..=100_u64) {
            let mut page = Page { page: 1, page_size };
            let mut seen = page_size.min(total);
            while let Some(links) = page.links("/x?q=1", total).filter(|links| links.contains("next")) {
                let next = links.rsplit_once('<').unwrap().1.split_once('>').unwrap().0;
                page = Page::from_query(next.split_once('?').unwrap().1).unwrap();
                prop_assert_eq!(page.offset(), seen);
                seen += page_size.min(total - seen);
            }
            prop_assert_eq!(seen, total);
        }
    }
}
