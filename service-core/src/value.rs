//! [`Value`], what a field of a record holds, and [`Text`], the string inside it.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{Decimal, Document};

/// A string that keeps up to 24 bytes in place, so that short fields of a record cost no allocation.
///
/// It dereferences to `str` and converts from `&str` and [`String`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(CompactString);

impl Text {
    /// Returns the text as a string slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(CompactString::new(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(CompactString::from(text))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into_string()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::from(text))
            }

            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Text, E> {
                Ok(Text::from(text))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// What a field of a record holds: everything that JSON can say, with integers kept exact.
///
/// What JSON cannot say is text: dates as RFC 3339, binary as base64, UUIDs hyphenated. Decimals are text in JSON only:
/// here they are numbers among numbers.
///
/// `==` compares structure (`1` and `1.0` differ); filters compare by [`Value::compare`], where they are equal.
///
/// ```
/// use remex_core::Value;
///
/// let age = Value::from(19);
/// assert_eq!(age.as_i64(), Some(19));
/// assert!(Value::from("Alice").as_i64().is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// JSON's `null`. In filters and sorts it is the same as an absent field.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer past [`i64::MAX`]; smaller ones are always [`Value::Int`].
    UInt(u64),
    /// A number with a fraction or an exponent. It is finite: [`Value::from`] turns what is not into null.
    Float(f64),
    /// An exact decimal: what declared fields of that type hold. In JSON it is a string.
    Decimal(Decimal),
    /// A string.
    Text(Text),
    /// A list.
    Array(Box<[Self]>),
    /// A nested object.
    Document(Document),
}

impl Value {
    /// Returns whether the value is null.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the boolean, if the value is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one within the range of `i64`.
    #[must_use]
    pub const fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the number as a float, if the value is an integer or a float. Integers past 2^53 lose digits.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "the documentation says so")]
    pub const fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::UInt(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the exact decimal, if the value is one.
    #[must_use]
    pub const fn as_decimal(&self) -> Option<&Decimal> {
        match self {
            Self::Decimal(decimal) => Some(decimal),
            _ => None,
        }
    }

    /// Returns the string, if the value is one in JSON: a text, or the digits of a decimal.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Decimal(decimal) => Some(decimal.as_str()),
            _ => None,
        }
    }

    /// Returns the list, if the value is one.
    #[must_use]
    pub const fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    /// Returns the nested object, if the value is one.
    #[must_use]
    pub const fn as_document(&self) -> Option<&Document> {
        match self {
            Self::Document(document) => Some(document),
            _ => None,
        }
    }

    /// Names the JSON type of the value, for messages.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::UInt(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Decimal(_) => "a decimal",
            Self::Text(_) => "a string",
            Self::Array(_) => "a list",
            Self::Document(_) => "an object",
        }
    }

    /// Turns any serde type into a value.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where the type cannot be said in JSON: a map whose keys are
    /// not text, an integer past 64 bits, or a `Serialize` that fails.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> crate::Result<Self> {
        crate::serde_value::to_value(value)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Float(number) } else { Self::Null }
    }
}

impl From<Decimal> for Value {
    fn from(decimal: Decimal) -> Self {
        Self::Decimal(decimal)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Document> for Value {
    fn from(document: Document) -> Self {
        Self::Document(document)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            serde_json::Value::Number(number) => number
                .as_i64()
                .map(Self::Int)
                .or_else(|| number.as_u64().map(Self::from))
                .or_else(|| number.as_f64().map(Self::from))
                .unwrap_or_default(),
            serde_json::Value::String(text) => Self::from(text),
            serde_json::Value::Array(values) => Self::from(values),
            serde_json::Value::Object(map) => Self::Document(map.into_iter().collect()),
        }
    }
}

/// Writes the value as JSON text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_24_bytes() {
        // The size of a record in memory follows from this one.
        assert_eq!(size_of::<Value>(), 24);
        assert_eq!(size_of::<Option<Value>>(), 24);
        assert_eq!(size_of::<Document>(), 8);
    }

    #[test]
    fn conversions_keep_numbers_exact() {
        assert_eq!(Value::from(u64::MAX), Value::UInt(u64::MAX));
        assert_eq!(Value::from(5_u64), Value::Int(5));
        assert_eq!(Value::from(f64::NAN), Value::Null);
        assert_eq!(Value::from(serde_json::json!({"a": [1, 2.5, null]})).to_string(), r#"{"a":[1,2.5,null]}"#);
    }
}
