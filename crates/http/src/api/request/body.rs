//! Bodies.

use std::marker::PhantomData;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kit::{Error, Kind, Result};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{
    super::describe::{Description, Input},
    strict,
};

/// The longest body that the API reads, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

/// A body that is JSON of a type. It is not read before the handler does, so that who may
/// not do something is not told first what is wrong with what it sent.
pub(in crate::api) struct Sent<T> {
    body: Body,
    of: PhantomData<fn() -> T>,
}

impl<T> Sent<T> {
    /// Reads the body as it is, for one that says in words of its own what is wrong with it.
    ///
    /// # Errors
    /// As [`read_body`].
    pub(in crate::api) async fn bytes(self) -> Result<Bytes> {
        read_body(self.body).await
    }
}

impl<T: DeserializeOwned> Sent<T> {
    /// Reads the body, whatever its content type says.
    ///
    /// # Errors
    /// As [`read_body`] and [`parse_body`].
    pub(in crate::api) async fn read(self) -> Result<T> {
        parse_body(&read_body(self.body).await?)
    }
}

impl<T, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self { body: request.into_body(), of: PhantomData })
    }
}

impl<T: ToSchema> Input for Sent<T> {
    fn describe(description: &mut Description) {
        description.json_body::<T>();
        description.refuses(400);
        description.refuses(413);
    }
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

/// Reads the JSON of a body. An object must be an object. Fields that are not known do not
/// matter; how deep it may be nested is limited by the parser.
///
/// # Errors
/// Invalid when it is not the JSON that is expected.
pub(crate) fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    strict::read(body)
        .map_err(|error| Error::invalid(format!("the body is not as expected: {error}")))
}

/// Reads a field that a client may write as null to leave it out, as Go's clients do.
pub(in crate::api) fn null_is_nothing<'de, D, T>(
    deserializer: D,
) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a field that a client may send back as it was shown, and that does not matter.
pub(in crate::api) fn whatever<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default,
{
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| T::default())
}
