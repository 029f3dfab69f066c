//! What operations answer when all is well.

use axum::{
    Json,
    http::{
        HeaderName, HeaderValue, StatusCode, Uri,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE, LINK, LOCATION},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::Listing;
use kit::{Page, Time};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::{
    ApiError,
    describe::{Description, Output},
};

/// How Harbor's lists tell how long they are.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// A page of a list, with what the list is long and where the other pages are.
pub(super) struct Listed<M> {
    items: Vec<M>,
    total: u64,
    links: Option<String>,
}

impl<M> Listed<M> {
    /// A page of what was found, for the address that was asked.
    pub(super) fn new<T>(
        uri: &Uri,
        page: Page,
        found: Listing<T>,
        show: impl FnMut(T) -> M,
    ) -> Self {
        let total = u64::try_from(found.total).unwrap_or_default();
        let address = uri.path_and_query().map_or("/", |address| address.as_str());
        Self {
            items: found.items.into_iter().map(show).collect(),
            total,
            links: page.links(address, total),
        }
    }
}

impl<M: Serialize> IntoResponse for Listed<M> {
    fn into_response(self) -> Response {
        let mut response = Json(self.items).into_response();
        response.headers_mut().insert(TOTAL_COUNT, HeaderValue::from(self.total));
        if let Some(links) = self.links.and_then(|links| HeaderValue::try_from(links).ok()) {
            response.headers_mut().insert(LINK, links);
        }
        response
    }
}

/// A whole list, which has no pages.
pub(super) struct Whole<M>(pub(super) Vec<M>);

impl<M: Serialize> IntoResponse for Whole<M> {
    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

/// That something was made, and where it is now.
pub(super) struct Created(String);

impl Created {
    /// Made beside an address, in the place of its last part.
    pub(super) fn beside(uri: &Uri, name: impl std::fmt::Display) -> Self {
        let path = uri.path().trim_end_matches('/');
        let (above, _) = path.rsplit_once('/').unwrap_or_default();
        Self(format!("{above}/{name}"))
    }

    /// Made below the address of a list.
    pub(super) fn below(uri: &Uri, name: impl std::fmt::Display) -> Self {
        Self(format!("{}/{name}", uri.path().trim_end_matches('/')))
    }
}

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        let mut response = StatusCode::CREATED.into_response();
        if let Ok(location) = HeaderValue::try_from(self.0) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

/// That something was made, where it is now, and what only whoever made it is told.
pub(super) struct CreatedWith<M>(pub(super) Created, pub(super) M);

impl<M: Serialize> IntoResponse for CreatedWith<M> {
    fn into_response(self) -> Response {
        let Self(created, model) = self;
        let mut response = Json(model).into_response();
        *response.status_mut() = StatusCode::CREATED;
        response.headers_mut().extend(created.into_response().headers().clone());
        response
    }
}

/// That it was done.
pub(super) struct Done;

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        StatusCode::OK.into_response()
    }
}

/// Text.
pub(super) struct Text(pub(super) String);

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "text/plain")], self.0).into_response()
    }
}

/// A model, or nothing at all where there is none.
pub(super) struct Perhaps<M>(pub(super) Option<M>);

impl<M: Serialize> IntoResponse for Perhaps<M> {
    fn into_response(self) -> Response {
        self.0.map_or_else(|| StatusCode::OK.into_response(), |model| Json(model).into_response())
    }
}

/// A file to be saved.
pub(super) struct Attachment {
    /// What it is called.
    pub(super) name: &'static str,
    /// What is in it.
    pub(super) content: Bytes,
}

impl IntoResponse for Attachment {
    fn into_response(self) -> Response {
        let disposition = format!("attachment; filename={}", self.name);
        let headers = [
            (CONTENT_TYPE, "application/octet-stream"),
            (CONTENT_DISPOSITION, disposition.as_str()),
        ];
        (headers, self.content).into_response()
    }
}

impl Output for Attachment {
    fn describe(description: &mut Description) {
        let (media_type, headers) = ("application/octet-stream", &["Content-Disposition"]);
        description.answers_text(StatusCode::OK, media_type, headers);
    }
}

impl<M: ToSchema> Output for Listed<M> {
    fn describe(description: &mut Description) {
        description.answers_list::<M>(StatusCode::OK, &["X-Total-Count", "Link"]);
    }
}

impl<M: ToSchema> Output for Whole<M> {
    fn describe(description: &mut Description) {
        description.answers_list::<M>(StatusCode::OK, &[]);
    }
}

impl Output for Created {
    fn describe(description: &mut Description) {
        description.answers(StatusCode::CREATED, &["Location"]);
    }
}

impl<M: ToSchema> Output for CreatedWith<M> {
    fn describe(description: &mut Description) {
        description.answers_json::<M>(StatusCode::CREATED, &["Location"]);
    }
}

impl Output for Done {
    fn describe(description: &mut Description) {
        description.answers(StatusCode::OK, &[]);
    }
}

impl Output for Text {
    fn describe(description: &mut Description) {
        description.answers_text(StatusCode::OK, "text/plain", &["Content-Type"]);
    }
}

impl<M: ToSchema> Output for Perhaps<M> {
    fn describe(description: &mut Description) {
        description.answers_json::<M>(StatusCode::OK, &[]);
    }
}

impl<M: ToSchema> Output for Json<M> {
    fn describe(description: &mut Description) {
        description.answers_json::<M>(StatusCode::OK, &[]);
    }
}

impl Output for &'static str {
    fn describe(description: &mut Description) {
        description.answers_text(StatusCode::OK, "text/plain", &[]);
    }
}

/// How it is refused is declared with the operation.
impl<T: Output> Output for Result<T, ApiError> {
    fn describe(description: &mut Description) {
        T::describe(description);
    }
}

/// A moment as Harbor writes it: RFC 3339 in UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(Time);

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        Self(time)
    }
}

impl Timestamp {
    /// What Harbor writes for a moment that never came: its language's zero.
    pub(super) fn or_never(time: Option<Time>) -> Self {
        const NEVER: Time = Time(-62_135_596_800_000_000);
        Self(time.unwrap_or(NEVER))
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::or_never(None)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = jiff::Timestamp::from_microsecond(self.0.0).unwrap_or_default();
        write!(f, "{moment:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Time(moment.as_microsecond())))
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_milliseconds() {
        let shown = |time| Timestamp::from(time).to_string();
        assert_eq!(shown(Time(1_700_000_000_123_456)), "2023-11-14T22:13:20.123Z");
        assert_eq!(shown(Time(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::or_never(None).to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::or_never(Some(Time(0))), Timestamp(Time(0)));
    }
}
