//! JSON in which an object is an object. What serde derives for a struct takes an array, too, as
//! the fields one after the other, and an empty one as no fields at all. A client that sends one
//! means something else: it must not begin what it never asked for.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, Visitor},
};

/// Reads the whole of a text as JSON.
pub(super) fn read<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(Strict(&mut json))?;
    json.end()?;
    Ok(value)
}

/// A deserializer that takes structs from objects only, or one of the things that lead from it
/// to those of the values within.
struct Strict<T>(T);

/// Passes on what a type asks for, with its visitor.
macro_rules! ask {
    ($($ask:ident($($name:ident: $type:ty),*))*) => {$(
        fn $ask<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$ask($($name,)* Strict(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Object(visitor))
    }

    ask! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32()
        deserialize_i64() deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32()
        deserialize_u64() deserialize_u128() deserialize_f32() deserialize_f64() deserialize_char()
        deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf()
        deserialize_option() deserialize_unit() deserialize_seq() deserialize_map()
        deserialize_identifier() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Passes on what was found.
macro_rules! tell {
    ($($tell:ident($type:ty))*) => {$(
        fn $tell<E: serde::de::Error>(self, found: $type) -> Result<V::Value, E> {
            self.0.$tell(found)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(formatter)
    }

    tell! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128)
        visit_f64(f64) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(values))
    }

    // No body that is read has a choice with a struct in it.
    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(choice)
    }
}

/// The visitor of a struct: it takes an object, and says so, where serde would tell a client what
/// the struct is called here.
struct Object<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Object<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(values))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Map, Value, json};

    use super::super::{null_is_nothing, whatever};

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Part {
        flag: bool,
        text: String,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Whole {
        part: Option<Part>,
        #[serde(deserialize_with = "null_is_nothing")]
        parts: Vec<Part>,
        named: BTreeMap<String, Part>,
        numbers: Vec<i64>,
        anything: Map<String, Value>,
        #[serde(deserialize_with = "whatever")]
        shown: i64,
    }

    fn read(value: &Value) -> serde_json::Result<Whole> {
        super::read(value.to_string().as_bytes())
    }

    #[test]
    fn objects_are_read_as_ever() {
        let read = read(&json!({
            "part": {"flag": true, "text": "x\n", "more": [1]},
            "parts": [{}, {"text": "y"}],
            "named": {"a": {"flag": true}},
            "numbers": [1, 2],
            "anything": {"list": [1, {"a": null}], "real": 1.5},
            "shown": [{}],
        }))
        .unwrap();
        let text = |flag, text: &str| Part { flag, text: text.to_owned() };
        assert_eq!(read.part, Some(text(true, "x\n")));
        assert_eq!(read.parts, [text(false, ""), text(false, "y")]);
        assert_eq!(read.named["a"], text(true, ""));
        assert_eq!((read.numbers.as_slice(), read.shown), (&[1, 2][..], 0));
        assert_eq!(json!(read.anything), json!({"list": [1, {"a": null}], "real": 1.5}));
        assert_eq!(
            super::read::<Whole>(b" {\"part\":null,\"parts\":null} ").unwrap(),
            Whole::default()
        );
    }

    #[test]
    fn an_array_is_no_object() {
        for bad in [
            json!([]),
            json!([{"flag": true}]),
            json!({"part": []}),
            json!({"part": [true, "x"]}),
            json!({"parts": [[]]}),
            json!({"named": {"a": [true]}}),
            json!({"numbers": {}}),
            json!(null),
            json!("x"),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
        let message = read(&json!({"part": [true]})).unwrap_err().to_string();
        assert!(message.starts_with("invalid type: sequence, expected an object"), "{message}");
        for bad in ["{} x", "{\"part\":{}", ""] {
            assert!(super::read::<Whole>(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
