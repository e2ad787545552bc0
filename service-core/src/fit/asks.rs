//! What a type asks to be read from: an object, or something else.

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Returns whether a type may be read from an object, as records usually are. A type that asks for text, a number, a list
/// or the like is none.
pub(crate) fn may_be_object<T: DeserializeOwned>() -> bool {
    match T::deserialize(Question) {
        Err(Asked { object }) => object,
        // It did not ask for anything.
        Ok(_) => false,
    }
}

/// Answers every question with what was asked.
struct Question;

/// What was asked, as an error: there is nothing to be read.
#[derive(Debug)]
struct Asked {
    object: bool,
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a question")
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        // The type has something to say of its own; what it asked for is not known.
        Self { object: true }
    }
}

impl<'de> Deserializer<'de> for Question {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        // Whatever is there will do.
        Err(Asked { object: true })
    }

    fn deserialize_bool<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked { object: false })
    }

    fn deserialize_i64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked { object: false })
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Asked> {
        self.deserialize_i64(visitor)
    }

    /// Nothing at all is an answer as well, and then there is no object.
    fn deserialize_option<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked { object: false })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Asked> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! { i128 u128 map struct enum identifier ignored_any }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;
    use crate::{Document, Value};

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    struct Todo {
        title: String,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    struct Name(String);

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    struct Wrapped(Todo);

    #[test]
    fn records_are_told_from_other_values() {
        assert!(may_be_object::<Todo>() && may_be_object::<Wrapped>());
        assert!(may_be_object::<HashMap<String, u8>>());
        assert!(may_be_object::<Document>() && may_be_object::<Value>());
        assert!(!may_be_object::<String>() && !may_be_object::<Name>() && !may_be_object::<u32>());
        assert!(!may_be_object::<Vec<Todo>>() && !may_be_object::<()>() && !may_be_object::<Option<Todo>>());
    }
}
