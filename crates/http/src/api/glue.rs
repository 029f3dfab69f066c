//! What the handlers have in common: reading queries and bodies, answering with lists.

use std::borrow::Cow;

use axum::{
    Json,
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
        header::{LINK, LOCATION},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{Listing, projects::ProjectRef};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kit::{Error, Kind, Page, Result, Time};
use oci::RepositoryName;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

/// The longest body that the API reads.
const LONGEST_BODY: usize = 1024 * 1024;

/// How Harbor's lists tell how long they are.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Makes what stands for a project in a path a name, even when it is all digits.
const IS_RESOURCE_NAME: HeaderName = HeaderName::from_static("x-is-resource-name");

/// The parameters of a query.
pub(super) struct Query<'u>(Vec<(Cow<'u, str>, Cow<'u, str>)>);

impl<'u> Query<'u> {
    pub(super) fn of(uri: &'u Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(url::form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// A parameter that is there and not empty; the first, if there are several.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_ref());
        value.filter(|value| !value.is_empty())
    }

    /// A parameter that is true or false.
    ///
    /// # Errors
    /// Unprocessable when it is anything else.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.text(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => {
                Err(Error::new(Kind::Unprocessable, format!("{name} must be true or false")))
            }
        }
    }
}

/// The page that a query asks for.
pub(super) fn page(uri: &Uri) -> Result<Page> {
    Page::from_query(uri.query().unwrap_or_default())
}

/// A page of a list, with what the list is long and where the other pages are.
pub(super) fn listed<T, S: Serialize>(
    uri: &Uri,
    page: Page,
    listing: Listing<T>,
    show: impl FnMut(T) -> S,
) -> Response {
    let total = u64::try_from(listing.total).unwrap_or_default();
    let items: Vec<S> = listing.items.into_iter().map(show).collect();
    let mut response = Json(items).into_response();
    response.headers_mut().insert(TOTAL_COUNT, HeaderValue::from(total));
    let address = uri.path_and_query().map_or("/", |address| address.as_str());
    let links = page.links(address, total).and_then(|links| HeaderValue::try_from(links).ok());
    if let Some(links) = links {
        response.headers_mut().insert(LINK, links);
    }
    response
}

/// The answer that something was made, and where it is now.
pub(super) fn created(uri: &Uri, name: impl std::fmt::Display) -> Response {
    let location = format!("{}/{name}", uri.path().trim_end_matches('/'));
    let mut response = StatusCode::CREATED.into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Reads a body whole.
///
/// # Errors
/// TooLarge beyond 1 MiB; Invalid when it ends too early.
pub(crate) async fn read_body(body: Body) -> Result<Bytes> {
    match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Error::new(Kind::TooLarge, "the body is longer than 1 MiB"))
        }
        Err(error) => Err(Error::invalid("the body could not be read").because(error)),
    }
}

/// Reads a body as JSON, whatever its content type says. Fields that are not known do not
/// matter; how deep it may be nested is limited by the parser.
///
/// # Errors
/// As [`read_body`], and Invalid when it is not the JSON that is expected.
pub(super) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T> {
    let body = read_body(body).await?;
    serde_json::from_slice(&body)
        .map_err(|error| Error::invalid(format!("the body is not as expected: {error}")))
}

/// Reads a field that a client may write as null to leave it out, as Go's clients do.
pub(super) fn null_is_nothing<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a header is there and says true.
pub(super) fn header_is_true(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// What a path names a project by: a number if it is all digits, unless the client says
/// that it is a name.
pub(super) fn project_ref<'a>(headers: &HeaderMap, text: &'a str) -> ProjectRef<'a> {
    if header_is_true(headers, &IS_RESOURCE_NAME) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return ProjectRef::Name(text);
    }
    text.parse().map_or(ProjectRef::Name(text), ProjectRef::Id)
}

/// The name of a repository whose last part is in a path: it holds slashes, which
/// clients encode twice; once has been decoded already.
///
/// # Errors
/// Invalid when it is not a name.
pub(super) fn repository_name(project: &str, rest: &str) -> Result<RepositoryName> {
    let rest = percent_decode_str(rest).decode_utf8_lossy();
    format!("{project}/{rest}")
        .parse()
        .map_err(|error: oci::NameError| Error::invalid(error.to_string()))
}

/// A moment as Harbor writes it: RFC 3339 in UTC, to the millisecond.
pub(crate) fn timestamp(time: Time) -> String {
    let moment = jiff::Timestamp::from_microsecond(time.0).unwrap_or_default();
    format!("{moment:.3}")
}

/// What Harbor writes for a moment that never came.
pub(super) fn timestamp_or_never(time: Option<Time>) -> String {
    time.map_or_else(|| "0001-01-01T00:00:00.000Z".to_owned(), timestamp)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn moments_have_milliseconds() {
        assert_eq!(timestamp(Time(1_700_000_000_123_456)), "2023-11-14T22:13:20.123Z");
        assert_eq!(timestamp(Time(0)), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn repository_names_are_decoded_once_more() {
        for rest in ["a/b", "a%2Fb", "a%2fb"] {
            assert_eq!(repository_name("library", rest).unwrap().as_str(), "library/a/b");
        }
        assert!(repository_name("library", "../x").is_err());
        assert!(repository_name("library", "").is_err());
    }

    #[test]
    fn digits_are_a_number_unless_said_otherwise() {
        let mut headers = HeaderMap::new();
        assert_eq!(project_ref(&headers, "12"), ProjectRef::Id(12));
        assert_eq!(project_ref(&headers, "a12"), ProjectRef::Name("a12"));
        let beyond = "99999999999999999999";
        assert_eq!(project_ref(&headers, beyond), ProjectRef::Name(beyond));
        headers.insert(IS_RESOURCE_NAME, HeaderValue::from_static("true"));
        assert_eq!(project_ref(&headers, "12"), ProjectRef::Name("12"));
    }
}
