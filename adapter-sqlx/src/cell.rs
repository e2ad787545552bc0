//! [`Cell`]: what goes to a database and comes from it, in the few forms that all of them have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use remex_core::{Decimal, Error, FieldType, Result, Value, read_json};
use uuid::Uuid;

/// A value on its way to or from a database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Null, with the form that a value would have.
    Null(Form),
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer past `i64::MAX`, where the database has such.
    UInt(u64),
    /// A float.
    Float(f64),
    /// Text, and everything that is written as text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// In which form values of a column travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// [`Cell::Bool`]
    Bool,
    /// [`Cell::Int`]
    Int,
    /// [`Cell::UInt`]
    UInt,
    /// [`Cell::Float`]
    Float,
    /// [`Cell::Text`]
    Text,
    /// [`Cell::Bytes`]
    Bytes,
}

/// How a database keeps what a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// As a boolean, or as the integers that stand for one.
    Boolean,
    /// As an integer with a sign.
    Integer,
    /// As an integer without one.
    Unsigned,
    /// As a float.
    Float,
    /// As a float of 32 bits.
    Single,
    /// As the number that it is, integer or float: SQLite.
    Number,
    /// As text.
    Text,
    /// As a day.
    Date,
    /// As a time of day.
    Time,
    /// As a moment.
    DateTime,
    /// As a UUID.
    Uuid,
    /// As bytes.
    Binary,
    /// As JSON.
    Json,
    /// As an exact decimal.
    Decimal,
    /// As the digits of an exact decimal.
    Digits,
    /// As an array of PostgreSQL.
    Array,
    /// As a set of MariaDB.
    Set,
    /// As something else that is written as text and read from it.
    Other,
}

impl Storage {
    /// Returns in which form values travel.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Boolean => Form::Bool,
            Self::Integer => Form::Int,
            Self::Unsigned => Form::UInt,
            Self::Float | Self::Single | Self::Number => Form::Float,
            Self::Binary => Form::Bytes,
            Self::Text
            | Self::Date
            | Self::Time
            | Self::DateTime
            | Self::Uuid
            | Self::Json
            | Self::Decimal
            | Self::Digits
            | Self::Array
            | Self::Set
            | Self::Other => Form::Text,
        }
    }

    /// Returns what a field holds that is kept so.
    pub(crate) const fn kind(self) -> FieldType {
        match self {
            Self::Boolean => FieldType::Boolean,
            Self::Integer | Self::Unsigned => FieldType::Integer,
            Self::Float | Self::Single | Self::Number => FieldType::Number,
            Self::Decimal | Self::Digits => FieldType::Decimal,
            Self::Text | Self::Other => FieldType::Text,
            Self::Date => FieldType::Date,
            Self::Time => FieldType::Time,
            Self::DateTime => FieldType::DateTime,
            Self::Uuid => FieldType::Uuid,
            Self::Binary => FieldType::Binary,
            Self::Json | Self::Array | Self::Set => FieldType::Json,
        }
    }
}

impl Cell {
    /// Turns a value into what is kept of it, or `None` where it cannot be kept so without loss.
    pub(crate) fn of(storage: Storage, value: &Value) -> Option<Self> {
        Some(match (storage, value) {
            (_, Value::Null) => Self::Null(storage.form()),
            (Storage::Json, value) => Self::Text(value.to_string()),
            (Storage::Boolean, Value::Bool(flag)) => Self::Bool(*flag),
            (Storage::Integer | Storage::Unsigned | Storage::Number, Value::Int(number)) => Self::Int(*number),
            (Storage::Unsigned, Value::UInt(number)) => Self::UInt(*number),
            (Storage::Number | Storage::Float, Value::Float(number)) => Self::Float(*number),
            (Storage::Float, Value::Int(_) | Value::UInt(_)) => {
                Self::Float(value.as_f64().filter(|float| Value::Float(*float).equals(value))?)
            }
            (Storage::Single, Value::Int(_) | Value::UInt(_) | Value::Float(_)) => {
                Self::Float(single(value).filter(|near| shortest(*near).equals(value))?)
            }
            (Storage::Binary, Value::Text(text)) => Self::Bytes(STANDARD.decode(text.as_bytes()).ok()?),
            (Storage::Uuid, Value::Text(text)) => Self::Text(text.parse::<Uuid>().ok()?.to_string()),
            (Storage::Date, Value::Text(_)) => Self::kept(FieldType::Date, value)?,
            (Storage::Time, Value::Text(_)) => Self::kept(FieldType::Time, value)?,
            (Storage::DateTime, Value::Text(_)) => Self::kept(FieldType::DateTime, value)?,
            (Storage::Decimal | Storage::Digits, Value::Decimal(decimal)) => Self::Text(decimal.to_string()),
            (Storage::Text | Storage::Other, Value::Text(text)) => Self::Text(text.to_string()),
            _ => return None,
        })
    }

    fn kept(kind: FieldType, value: &Value) -> Option<Self> {
        kind.keep(value.clone())?.as_str().map(|text| Self::Text(text.to_owned()))
    }

    /// Turns what a database answered into the value of a field of this type.
    pub(crate) fn into_value(self, kind: FieldType) -> Result<Value> {
        Ok(match (kind, self) {
            (_, Self::Null(_)) => Value::Null,
            (FieldType::Json, Self::Text(text)) => read_stored_json(&text)?,
            (FieldType::Boolean, Self::Int(number)) => Value::Bool(number != 0),
            (FieldType::Uuid, Self::Bytes(bytes)) => match Uuid::from_slice(&bytes) {
                Ok(uuid) => Value::from(uuid.to_string()),
                Err(_) => Value::from(STANDARD.encode(bytes)),
            },
            (FieldType::DateTime, Self::Text(text)) => moment(&text),
            (FieldType::Time, Self::Text(text)) => {
                FieldType::Time.keep(Value::from(text.as_str())).unwrap_or_else(|| text.into())
            }
            // What is no number, such as PostgreSQL's `NaN`, stays what it is.
            (FieldType::Decimal, Self::Text(text)) => {
                Decimal::new(&text).map_or_else(|| Value::from(text), Value::from)
            }
            (FieldType::Uuid, Self::Text(text)) => Value::from(text.to_lowercase()),
            (_, Self::Bool(flag)) => Value::Bool(flag),
            (_, Self::Int(number)) => Value::Int(number),
            (_, Self::UInt(number)) => Value::from(number),
            (_, Self::Float(number)) => Value::from(number),
            (_, Self::Text(text)) => Value::from(text),
            (_, Self::Bytes(bytes)) => Value::from(STANDARD.encode(bytes)),
        })
    }
}

/// Writes a moment in the one form, where the database or another program wrote it in SQL's.
pub(crate) fn moment(text: &str) -> Value {
    let read = |text: &str| FieldType::DateTime.keep(Value::from(text));
    read(text)
        .or_else(|| {
            let zoned = text.replacen(' ', "T", 1);
            read(&zoned).or_else(|| read(&format!("{zoned}Z")))
        })
        .unwrap_or_else(|| Value::from(text))
}

/// Returns the float of 32 bits that is nearest to a number, unless that is past all of them.
pub(crate) fn single(value: &Value) -> Option<f64> {
    #[allow(clippy::cast_possible_truncation, reason = "it is about what the nearest one is")]
    let near = value.as_f64()? as f32;
    near.is_finite().then_some(f64::from(near))
}

/// Returns a float of 32 bits as the number that its digits are: 0.1 and not 0.10000000149011612.
pub(crate) fn shortest(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "it was one of 32 bits")]
    let single = number as f32;
    single.to_string().parse::<f64>().map_or_else(|_| Value::from(number), Value::from)
}

pub(crate) fn read_stored_json(text: &str) -> Result<Value> {
    let broken = |error| Error::internal("a column of JSON holds what is none").with_source(error);
    match read_json(text.as_bytes()) {
        Ok(value) => Ok(value),
        // A database may write a float as an integer of 300 digits, which is none for whoever reads strictly.
        Err(_) => serde_json::from_str::<serde_json::Value>(text).map(Value::from).map_err(broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_without_loss_or_not_at_all() {
        let check = |storage, value: Value, expected: Option<Cell>| {
            assert_eq!(Cell::of(storage, &value), expected, "{storage:?} {value}");
        };
        check(Storage::Integer, 5.into(), Some(Cell::Int(5)));
        check(Storage::Integer, Value::UInt(u64::MAX), None);
        check(Storage::Unsigned, Value::UInt(u64::MAX), Some(Cell::UInt(u64::MAX)));
        check(Storage::Float, 5.into(), Some(Cell::Float(5.0)));
        check(Storage::Float, 9_007_199_254_740_993_i64.into(), None);
        check(Storage::Text, 5.into(), None);
        check(Storage::Boolean, 1.into(), None);
        check(Storage::Decimal, Decimal::new("12.30").into(), Some(Cell::Text("12.30".to_owned())));
        check(Storage::Decimal, "12.30".into(), None);
        check(Storage::Single, 0.1.into(), Some(Cell::Float(f64::from(0.1_f32))));
        check(Storage::Single, 16_777_216.into(), Some(Cell::Float(16_777_216.0)));
        check(Storage::Single, 16_777_217.into(), None);
        check(Storage::Single, 0.123_456_789.into(), None);
        check(Storage::Single, 1e300.into(), None);
        check(Storage::Binary, "AAE=".into(), Some(Cell::Bytes(vec![0, 1])));
        check(Storage::Uuid, Value::Null, Some(Cell::Null(Form::Text)));
    }

    #[test]
    fn moments_of_sql_take_the_one_form() {
        for text in ["2026-11-22 04:34:02", "2026-11-22T04:34:02Z", "2026-11-22 05:34:02+01:00"] {
            assert_eq!(moment(text), Value::from("2026-11-22T04:34:02.000000Z"), "{text}");
        }
    }
}
