//! What stands in a query, beside what all lists have.

use std::borrow::Cow;

use axum::{extract::FromRequestParts, http::request::Parts};
use kit::{Error, Kind};
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{Error as Wrong, MapDeserializer},
    },
    forward_to_deserialize_any,
};
use utoipa::IntoParams;

use super::{
    super::{
        ApiError,
        describe::{Description, Input},
    },
    ParameterIn,
};

/// The parameters of a query by name, as a struct whose fields are texts, whole numbers and
/// flags. One that is empty is not there; of several with one name the first counts; those
/// that the struct does not have do not matter.
pub(in crate::api) struct Query<T>(pub(in crate::api) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(read(parts.uri.query().unwrap_or_default())?))
    }
}

impl<T: IntoParams> Input for Query<T> {
    fn describe(description: &mut Description) {
        for parameter in T::into_params(|| Some(ParameterIn::Query)) {
            description.parameter(parameter);
        }
        description.refuses(422);
    }
}

/// Reads a query as a struct.
///
/// # Errors
/// Unprocessable, when a value is of another type or one that must be there is not.
fn read<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let mut parameters: Vec<(Cow<'_, str>, Value<'_>)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if !value.is_empty() && !parameters.iter().any(|(known, _)| *known == name) {
            parameters.push((name, Value(value)));
        }
    }
    T::deserialize(MapDeserializer::<_, Wrong>::new(parameters.into_iter()))
        .map_err(|wrong| Error::new(Kind::Unprocessable, format!("the query is wrong: {wrong}")))
}

/// A value, which becomes what the field is.
struct Value<'q>(Cow<'q, str>);

impl<'de> IntoDeserializer<'de, Wrong> for Value<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads a value as a number or refuses it.
macro_rules! numbers {
    ($($deserialize:ident $visit:ident)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            let number = self.0.parse().map_err(|_| {
                serde::de::Error::custom(format_args!("{:?} is not a whole number", self.0))
            })?;
            visitor.$visit(number)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_string(self.0.into_owned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match kit::query::flag(&self.0) {
            Ok(flag) => visitor.visit_bool(flag),
            Err(_) => Err(serde::de::Error::custom(format_args!(
                "{:?} is neither true nor false",
                self.0
            ))),
        }
    }

    numbers! {
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
    }

    forward_to_deserialize_any! {
        i8 i16 u8 u16 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Asked {
        name: Option<String>,
        public: Option<bool>,
        #[serde(default)]
        count: i64,
    }

    #[test]
    fn values_become_what_the_fields_are() {
        for (query, name, public, count) in [
            ("", None, None, 0),
            ("name=a%20b&public=true&count=-3&other=x", Some("a b"), Some(true), -3),
            ("name=&public=&count=", None, None, 0),
            ("name=a&name=b&public=False", Some("a"), Some(false), 0),
            ("name=1", Some("1"), None, 0),
        ] {
            let expected = Asked { name: name.map(str::to_owned), public, count };
            assert_eq!(read::<Asked>(query).unwrap(), expected, "{query}");
        }
        for query in ["public=perhaps", "count=x", "count=99999999999999999999", "count=1.5"] {
            assert_eq!(read::<Asked>(query).unwrap_err().kind, Kind::Unprocessable, "{query}");
        }
    }

    #[test]
    fn what_must_be_there_is_missed() {
        #[derive(Debug, Deserialize)]
        struct Needed {
            #[allow(dead_code)]
            username: String,
        }
        let error = read::<Needed>("username=&x=y").unwrap_err();
        assert_eq!(error.kind, Kind::Unprocessable);
        assert!(error.message.contains("username"), "{}", error.message);
    }
}
