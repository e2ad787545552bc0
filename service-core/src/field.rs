//! [`Fields`]: the names and types of a record's fields, where a service knows them.

use serde::de::DeserializeOwned;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, Time, UtcOffset};
use uuid::Uuid;

use crate::{Decimal, Error, Path, Result, Text, Value};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// An integer of 64 bits.
    Integer,
    /// A number.
    Number,
    /// An exact decimal, as text with its digits: `12.50`. It is compared and sorted as a number.
    ///
    /// Up to 35 digits before the point and 30 behind it are taken, and kept as they are; so are integers of JSON, and other
    /// numbers of JSON with up to 15 digits, which are certain to be those that were written. A table that was there before
    /// may say otherwise: `numeric(10,2)` answers two digits behind the point whatever was given, and takes no more.
    Decimal,
    /// A string.
    Text,
    /// A day, as `2026-11-22`.
    Date,
    /// A time of day, with six digits of fraction: `04:34:02.123000`. Seconds and their fraction may be left out, any
    /// precision to a nanosecond is taken, and this form is kept and answered, in which the order of texts is that of time.
    Time,
    /// A moment, as RFC 3339 in UTC with six digits of fraction: `2026-11-22T04:34:02.123000Z`. Every offset and any
    /// precision to a nanosecond is taken, and this form is kept and answered, in which the order of texts is that of time.
    DateTime,
    /// A UUID, hyphenated in lower case.
    Uuid,
    /// Bytes, as base64.
    Binary,
    /// Anything that JSON can say; dotted paths reach into it.
    Json,
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// The name.
    pub name: Text,
    /// What it holds.
    pub kind: FieldType,
    /// Whether it must be there when a record is made, and may not be null. Defaults to no.
    pub required: bool,
}

/// The fields of a record, in their order.
///
/// ```
/// use remex_core::{FieldType, Fields};
///
/// let fields = Fields::new()
///     .required("name", FieldType::Text)
///     .optional("age", FieldType::Integer)
///     .optional("address", FieldType::Json);
/// assert_eq!(fields.find("age").map(|field| field.kind), Some(FieldType::Integer));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// Returns an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds out which fields a type of your own has, by trying what its `Deserialize` takes.
    ///
    /// Integers, numbers, booleans, text, bytes and enums without content are told apart, and of the types that read text
    /// those that take nothing but UUIDs, moments, days, times of day or decimals, in the form in which records hold them.
    /// Everything else, lists and objects above all, is [`FieldType::Json`]. A field that is an `Option`, or has a default,
    /// is optional. `None` is for a type that does not tell its fields: a map, an enum, one with a flattened field.
    ///
    /// ```
    /// use remex_core::{FieldType, Fields};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Todo {
    ///     title: String,
    ///     due_in: Option<u32>,
    ///     tags: Vec<String>,
    /// }
    ///
    /// let expected = Fields::new()
    ///     .required("title", FieldType::Text)
    ///     .optional("due_in", FieldType::Integer)
    ///     .required("tags", FieldType::Json);
    /// assert_eq!(Fields::of::<Todo>(), Some(expected));
    /// ```
    #[must_use]
    pub fn of<T: DeserializeOwned>() -> Option<Self> {
        crate::fit::fields::of::<T>()
    }

    /// Adds a field that may be null or absent.
    #[must_use]
    pub fn optional(mut self, name: impl Into<Text>, kind: FieldType) -> Self {
        self.0.push(Field { name: name.into(), kind, required: false });
        self
    }

    /// Adds a field that must be there and may not be null.
    #[must_use]
    pub fn required(mut self, name: impl Into<Text>, kind: FieldType) -> Self {
        self.0.push(Field { name: name.into(), kind, required: true });
        self
    }

    /// Returns the field of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name.as_str() == name)
    }

    /// Returns the field that a path begins with, if it may go on as it does: only [`FieldType::Json`] has an inside.
    #[must_use]
    pub fn find_path(&self, path: &Path) -> Option<&Field> {
        let field = self.find(path.first())?;
        (field.name.len() == path.as_str().len() || field.kind == FieldType::Json).then_some(field)
    }

    /// Lists the fields in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Field> {
        self.0.iter()
    }
}

impl FieldType {
    /// Names the type, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Decimal => "a decimal such as 12.50, in quotes if it has more than 15 digits",
            Self::Text => "a string",
            Self::Date => "a date such as 2026-11-22",
            Self::Time => "a time of day such as 04:34:02",
            Self::DateTime => "a time such as 2026-11-22T04:34:02Z",
            Self::Uuid => "a UUID",
            Self::Binary => "base64",
            Self::Json => "a JSON value",
        }
    }

    /// Turns a value of a record into the one form in which this type is kept, or `None` where it does not fit.
    ///
    /// Null fits every type; whether it may be is the field's matter.
    #[must_use]
    pub fn keep(self, value: Value) -> Option<Value> {
        if value.is_null() {
            return Some(value);
        }
        match (self, value) {
            (Self::Json, value)
            | (Self::Boolean, value @ Value::Bool(_))
            | (Self::Integer, value @ (Value::Int(_) | Value::UInt(_)))
            | (Self::Number, value @ (Value::Int(_) | Value::UInt(_) | Value::Float(_)))
            | (Self::Text, value @ Value::Text(_)) => Some(value),
            (Self::Integer, Value::Float(number)) => whole(number).map(Value::Int),
            (Self::Decimal, value) => decimal(&value).filter(Decimal::fits).map(Value::from),
            (Self::Time, Value::Text(text)) => time_of_day(&text).map(Value::from),
            (Self::Date, Value::Text(text)) => date(&text).map(Value::from),
            (Self::DateTime, Value::Text(text)) => date_time(&text).map(Value::from),
            (Self::Uuid, Value::Text(text)) => text.parse::<Uuid>().ok().map(|uuid| uuid.to_string().into()),
            (Self::Binary, Value::Text(text)) => {
                use base64::Engine;
                base64::engine::general_purpose::STANDARD.decode(text.as_bytes()).is_ok().then_some(Value::Text(text))
            }
            _ => None,
        }
    }

    /// Returns whether values of this type can be written in several forms, of which one is kept.
    pub(crate) const fn has_one_form(self) -> bool {
        matches!(self, Self::Decimal | Self::Date | Self::Time | Self::DateTime | Self::Uuid)
    }

    /// Reads a bare literal of a query string as this type, or `None` where it is none.
    ///
    /// `null` and nothing are null, but for [`FieldType::Text`], where each is the text that it is.
    #[must_use]
    pub fn read(self, literal: &str) -> Option<Value> {
        match (self, literal) {
            (Self::Text, _) => Some(literal.into()),
            (_, "" | "null") => Some(Value::Null),
            (Self::Boolean, "true") => Some(Value::Bool(true)),
            (Self::Boolean, "false") => Some(Value::Bool(false)),
            (Self::Boolean, _) => None,
            (Self::Integer, _) => self.keep(read_number(literal)?),
            (Self::Number, _) => read_number(literal),
            (Self::Decimal | Self::Date | Self::Time | Self::DateTime | Self::Uuid | Self::Binary, _) => {
                self.keep(literal.into())
            }
            (Self::Json, _) => Some(literal.into()),
        }
    }
}

/// Returns the integer that a float is, if it is one and exact.
fn whole(number: f64) -> Option<i64> {
    /// Up to this magnitude every integer is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "whole and within the bound")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// Reads a number as JSON writes it.
pub(crate) fn read_number(literal: &str) -> Option<Value> {
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    match serde_json::from_str(literal).ok()? {
        Value::Float(_) if digits.bytes().all(|byte| byte.is_ascii_digit()) => None,
        number => Some(number),
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(decimal) => Some(decimal.clone()),
        Value::Text(text) => Decimal::new(text),
        Value::Int(number) => Some(Decimal::from(*number)),
        Value::UInt(number) => Some(Decimal::from(*number)),
        Value::Float(number) => Decimal::from_float(*number),
        _ => None,
    }
}

fn time_of_day(text: &str) -> Option<String> {
    let taken = format_description!(version = 2, "[hour]:[minute][optional [:[second][optional [.[subsecond]]]]]");
    let form = format_description!("[hour]:[minute]:[second].[subsecond digits:6]");
    Time::parse(text, taken).ok()?.format(form).ok()
}

fn date(text: &str) -> Option<String> {
    let day = format_description!("[year]-[month]-[day]");
    Date::parse(text, day).ok()?.format(day).ok()
}

/// Reads a moment, or a day as its first moment in UTC, and writes it in the one form.
fn date_time(text: &str) -> Option<String> {
    let moment = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| {
            Date::parse(text, format_description!("[year]-[month]-[day]")).map(|day| day.midnight().assume_utc())
        })
        .ok()?;
    format_moment(moment)
}

/// Writes a moment as RFC 3339 in UTC with six digits of fraction, so that the order of texts is that of time.
pub(crate) fn format_moment(moment: OffsetDateTime) -> Option<String> {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    let moment = moment.checked_to_offset(UtcOffset::UTC)?;
    // Years past four digits would be written with a sign and sort before all others.
    (0..=9999).contains(&moment.year()).then(|| moment.format(form).ok()).flatten()
}

/// Refuses a bare literal that is not of its field's type.
pub(crate) fn literal_error(key: &str, kind: FieldType, literal: &str) -> Error {
    Error::bad_request(format!("`{key}` takes {}, not `{}`", kind.name(), crate::error::shown(literal))).with_field(
        key,
        "type",
        format!("expected {}", kind.name()),
    )
}

/// Checks that a name can be that of a field.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let path = Path::new(name)?;
    if path.names().count() == 1 {
        Ok(())
    } else {
        Err(Error::internal(format!("`{name}` is a path, not the name of a field")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_by_type() {
        let check = |kind: FieldType, literal: &str, expected: Option<&str>| {
            let found = kind.read(literal).map(|value| value.to_string());
            assert_eq!(found.as_deref(), expected, "{kind:?} {literal}");
        };
        check(FieldType::Integer, "25", Some("25"));
        check(FieldType::Integer, "-9223372036854775808", Some("-9223372036854775808"));
        check(FieldType::Integer, "18446744073709551615", Some("18446744073709551615"));
        check(FieldType::Integer, "18446744073709551616", None);
        check(FieldType::Integer, "25.0", Some("25"));
        check(FieldType::Integer, "2.5", None);
        check(FieldType::Integer, " 25", None);
        check(FieldType::Integer, "abc", None);
        check(FieldType::Integer, "0x10", None);
        check(FieldType::Integer, "", Some("null"));
        check(FieldType::Number, "1e3", Some("1000.0"));
        check(FieldType::Number, "NaN", None);
        check(FieldType::Number, "[1]", None);
        check(FieldType::Boolean, "true", Some("true"));
        check(FieldType::Boolean, "1", None);
        check(FieldType::Text, "25", Some("\"25\""));
        check(FieldType::Text, "null", Some("\"null\""));
        check(FieldType::Decimal, "007.50", Some("\"7.50\""));
        check(FieldType::Decimal, "1e3", None);
        check(FieldType::Decimal, &"9".repeat(35), Some(&format!("\"{}\"", "9".repeat(35))));
        check(FieldType::Decimal, &"9".repeat(36), None);
        check(FieldType::Decimal, &format!("0.{}", "1".repeat(31)), None);
        check(FieldType::Time, "04:34", Some("\"04:34:00.000000\""));
        check(FieldType::Time, "04:34:02.1234567", Some("\"04:34:02.123456\""));
        for text in ["4:34", "24:00", "04:34:60", "04:34:02.", "04:34:02Z", "04", "-04:34"] {
            check(FieldType::Time, text, None);
        }
        check(FieldType::Date, "2026-02-29", None);
        check(FieldType::Date, "2024-02-29", Some("\"2024-02-29\""));
        check(FieldType::DateTime, "2026-11-22T05:34:02+01:00", Some("\"2026-11-22T04:34:02.000000Z\""));
        check(FieldType::DateTime, "2026-11-22", Some("\"2026-11-22T00:00:00.000000Z\""));
        check(FieldType::DateTime, "0000-01-01T00:00:00+23:00", None);
        check(
            FieldType::Uuid,
            "0192F0C1-0000-7000-8000-000000000000",
            Some("\"0192f0c1-0000-7000-8000-000000000000\""),
        );
        check(FieldType::Binary, "AAE=", Some("\"AAE=\""));
        check(FieldType::Binary, "?", None);
    }

    #[test]
    fn decimals_are_made_of_numbers_that_are_exact() {
        let check = |value: Value, expected: Option<&str>| {
            let kept = FieldType::Decimal.keep(value.clone()).map(|kept| kept.to_string());
            assert_eq!(kept.as_deref(), expected, "{value}");
        };
        check(5.into(), Some("\"5\""));
        check(Value::UInt(u64::MAX), Some("\"18446744073709551615\""));
        check(1.5.into(), Some("\"1.5\""));
        check((0.1 + 0.2).into(), None);
        check(true.into(), None);
        check("1.50".into(), Some("\"1.50\""));
        check("abc".into(), None);
    }

    #[test]
    fn only_json_has_an_inside() {
        let fields = Fields::new().optional("name", FieldType::Text).optional("address", FieldType::Json);
        let found = |path: &str| fields.find_path(&Path::new(path).expect("a path")).is_some();
        assert!(found("name") && found("address") && found("address.city"));
        assert!(!found("name.first") && !found("other"));
    }
}
