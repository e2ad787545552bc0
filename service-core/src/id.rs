//! [`Id`], what names a record in every service that an app holds.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::{Text, Value};

/// What names one record, as text: `7`, `0192f0c1-…`, `alice`.
///
/// A service knows of which kind its ids are and reads the text accordingly, so that `Id::from(7)` and `Id::from("7")`
/// name the same record. From outside an id is always text; this type is where it stays text until a service takes it.
///
/// ```
/// use remex_core::Id;
///
/// assert_eq!(Id::from(7), Id::from("7"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Text);

/// How long an id may be, in bytes.
pub const ID_BYTES_MAX: usize = 255;

impl Id {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the id that a record's field holds, or `None` where the value cannot be one.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::from(*number)),
            Value::UInt(number) => Some(Self(number.to_string().into())),
            Value::Text(text) => Some(Self(text.clone())),
            _ => None,
        }
    }
}

impl From<i64> for Id {
    fn from(number: i64) -> Self {
        Self(number.to_string().into())
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Uuid> for Id {
    fn from(uuid: Uuid) -> Self {
        let mut buffer = Uuid::encode_buffer();
        let text: &str = uuid.hyphenated().encode_lower(&mut buffer);
        Self(text.into())
    }
}

impl FromStr for Id {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
