//! [`Key`]: ids as the table orders them.

use remex_core::{IdKind, Text, Value};
use uuid::Uuid;

/// The id of a record, compact and ordered as ids are: integers by size, UUIDs by their bytes, text by code point.
///
/// All keys of one table are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Integer(i64),
    Uuid(Uuid),
    Text(Text),
}

impl Key {
    /// Turns an id that [`IdKind::read`] has read into a key.
    pub(crate) fn from_value(kind: IdKind, id: &Value) -> Option<Self> {
        match (kind, id) {
            (IdKind::Integer, Value::Int(number)) => Some(Self::Integer(*number)),
            (IdKind::Uuid, Value::Text(text)) => text.parse().ok().map(Self::Uuid),
            (IdKind::ObjectId | IdKind::Text, Value::Text(text)) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }

    /// Turns the key into the value that the record's id field holds.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Integer(number) => Value::Int(*number),
            Self::Uuid(uuid) => Value::from(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) as &str),
            Self::Text(text) => Value::Text(text.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_takes_24_bytes() {
        assert_eq!(size_of::<Key>(), 24);
    }

    #[test]
    fn keys_and_values_go_both_ways() {
        for (kind, value) in [
            (IdKind::Integer, Value::Int(-7)),
            (IdKind::Uuid, Value::from("0192f0c1-0000-7000-8000-00000000000a")),
            (IdKind::Text, Value::from("null")),
        ] {
            assert_eq!(Key::from_value(kind, &value).expect("a key").to_value(), value);
        }
    }
}
