//! Cookies (RFC 6265): read from a request, set in an answer.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

/// The most cookies that are looked at; browsers keep fewer for one host.
const MOST: usize = 200;

/// The value of a cookie; of several with a name, the first: the one for the longest path.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .take(MOST)
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(of, value)| (of == name).then_some(value))
}

/// A cookie to be set for the whole host, which no script reads.
pub(super) struct Cookie<'a> {
    /// Its name.
    pub(super) name: &'static str,
    /// Its value, of characters that need no quotes.
    pub(super) value: &'a str,
    /// `Lax` or `Strict`.
    pub(super) same_site: &'static str,
    /// Whether it is sent over TLS only.
    pub(super) secure: bool,
    /// For how many seconds it is kept; none until the browser is closed, 0 removes it.
    pub(super) max_age: Option<u32>,
}

impl Cookie<'_> {
    /// Has an answer set it.
    pub(super) fn set(&self, headers: &mut HeaderMap) {
        let Self { name, value, same_site, .. } = self;
        let mut text = format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}");
        if self.secure {
            text.push_str("; Secure");
        }
        if let Some(seconds) = self.max_age {
            text.push_str(&format!("; Max-Age={seconds}"));
        }
        if let Ok(header) = HeaderValue::try_from(text) {
            headers.append(SET_COOKIE, header);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let many = format!("{} sid=late", "a=b; ".repeat(MOST));
        for (values, found) in [
            (vec!["sid=x"], Some("x")),
            (vec!["a=b; sid=x;c=d"], Some("x")),
            (vec!["a=b", "sid=x"], Some("x")),
            (vec!["sid=x; sid=y"], Some("x")),
            (vec!["sid="], Some("")),
            (vec!["sid=a=b"], Some("a=b")),
            (vec!["ä=b", "sid=x"], Some("x")),
            (vec!["xsid=x; sid"], None),
            (vec!["", ";;; =", "SID=x"], None),
            (vec![many.as_str()], None),
        ] {
            assert_eq!(find(&headers(&values), "sid"), found, "{values:?}");
        }
    }

    #[test]
    fn a_cookie_that_could_break_the_header_is_not_set() {
        let mut headers = HeaderMap::new();
        let cookie =
            |value| Cookie { name: "sid", value, same_site: "Lax", secure: true, max_age: Some(0) };
        cookie("a\r\nx: y").set(&mut headers);
        assert!(headers.is_empty());
        cookie("x").set(&mut headers);
        let set = headers.get(SET_COOKIE).unwrap();
        assert_eq!(set, "sid=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
    }
}
