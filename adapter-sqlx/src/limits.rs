//! [`Limits`]: what a column takes of the values that its storage could keep, said here, since not every database tells
//! which column refused a value, and some round or cut instead.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use remex_core::{Decimal, Result, Value};

use crate::cell::{Cell, Storage, read_stored_json};

/// What a column takes of the values that its storage could keep.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Limits {
    /// All of them.
    None,
    /// Integers from one to another.
    Integers(i64, u64),
    /// Decimals of so many digits, of which so many are behind the point; fewer than none are zeros before it.
    Digits(i64, i64),
    /// Text of so many characters at most.
    Characters(usize),
    /// One of these texts; in a set, some of them.
    Names(Vec<String>),
    /// Lists of what an element may be.
    Elements(Box<Element>),
}

/// What the elements of an array are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Element {
    pub(crate) storage: Storage,
    pub(crate) limits: Limits,
}

impl Limits {
    /// Checks a value.
    ///
    /// # Errors
    /// Says what the column takes instead.
    pub(crate) fn check(&self, value: &Value) -> std::result::Result<(), String> {
        match (self, value) {
            (Self::Integers(min, max), Value::Int(_) | Value::UInt(_)) => {
                let within = value.compare(&Value::from(*min)).is_ge() && value.compare(&Value::from(*max)).is_le();
                if within { Ok(()) } else { Err(format!("must be from {min} to {max}")) }
            }
            (Self::Digits(precision, scale), Value::Decimal(decimal)) if !fits(decimal, *precision, *scale) => {
                Err(format!("must have at most {precision} digits, of which {scale} are behind the point"))
            }
            (Self::Characters(max), Value::Text(text)) if text.chars().nth(*max).is_some() => {
                Err(format!("must have at most {max} characters"))
            }
            (Self::Names(names), Value::Text(text)) if !names.iter().any(|name| *text == **name) => {
                Err(format!("must be one of: {}", names.join(", ")))
            }
            _ => Ok(()),
        }
    }
}

/// Returns whether a column of so many digits keeps a decimal as it is: databases round what is behind their last place.
fn fits(decimal: &Decimal, precision: i64, scale: i64) -> bool {
    let (whole, fraction) = decimal.parts();
    let fraction = fraction.trim_end_matches('0');
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let zeros = |text: &str, kept: &str| length(text) - length(kept);
    // The places of the first and the last digit that is no zero, counted upwards from the one before the point.
    let (first, last) = match (whole, fraction) {
        ("0", "") => return true,
        ("0", _) => (-1 - zeros(fraction, fraction.trim_start_matches('0')), -length(fraction)),
        (_, "") => (length(whole) - 1, zeros(whole, whole.trim_end_matches('0'))),
        _ => (length(whole) - 1, -length(fraction)),
    };
    first < precision - scale && last >= -scale
}

/// Writes a value of a set: its names, as MariaDB takes them.
pub(crate) fn set(names: &[String], value: &Value) -> std::result::Result<Cell, String> {
    let known = || format!("must be a list of these: {}", names.join(", "));
    let Value::Array(values) = value else {
        return if value.is_null() { Ok(Cell::Null(Storage::Set.form())) } else { Err(known()) };
    };
    let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
    let texts = texts.filter(|texts| texts.iter().all(|text| names.iter().any(|name| name == text)));
    Ok(Cell::Text(texts.ok_or_else(known)?.join(",")))
}

impl Element {
    /// Writes a list as PostgreSQL reads arrays: `{1,NULL,"a"}`.
    ///
    /// See [Array Input and Output Syntax](https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO).
    pub(crate) fn array(&self, value: &Value) -> std::result::Result<Cell, String> {
        match value {
            Value::Null => Ok(Cell::Null(Storage::Array.form())),
            Value::Array(values) => {
                let mut text = String::new();
                self.write(values, &mut text)?;
                Ok(Cell::Text(text))
            }
            other => Err(format!("must be a list, not {}", other.type_name())),
        }
    }

    fn write(&self, values: &[Value], text: &mut String) -> std::result::Result<(), String> {
        text.push('{');
        for (position, value) in values.iter().enumerate() {
            if position > 0 {
                text.push(',');
            }
            match value {
                Value::Array(values) if self.storage != Storage::Json => self.write(values, text)?,
                value => {
                    let kept = self.storage.kind().keep(value.clone()).unwrap_or_else(|| value.clone());
                    self.limits.check(&kept).map_err(|says| format!("holds an element that {says}"))?;
                    let cell = Cell::of(self.storage, &kept);
                    let kind = self.storage.kind().name();
                    push_element(cell.ok_or_else(|| format!("must be a list whose elements are {kind} each"))?, text);
                }
            }
        }
        text.push('}');
        Ok(())
    }

    /// Reads the JSON that PostgreSQL makes of an array.
    pub(crate) fn values(&self, json: &str) -> Result<Value> {
        Ok(self.value(read_stored_json(json)?))
    }

    fn value(&self, value: Value) -> Value {
        match (self.storage, value) {
            (Storage::Json, value) => value,
            (_, Value::Array(values)) => {
                Value::from(values.into_iter().map(|value| self.value(value)).collect::<Vec<_>>())
            }
            (Storage::Binary, Value::Text(text)) => {
                let hex = text.strip_prefix("\\x").unwrap_or(&text);
                let byte = |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let bytes: Vec<u8> = (0..hex.len()).step_by(2).filter_map(byte).collect();
                Value::from(STANDARD.encode(bytes))
            }
            (Storage::DateTime, Value::Text(text)) => crate::cell::moment(&text),
            (Storage::Time, value) => self.storage.kind().keep(value.clone()).unwrap_or(value),
            (_, value) => value,
        }
    }
}

/// Writes an element in quotes, in which only quotes and backslashes mean something.
fn push_element(cell: Cell, text: &mut String) {
    let element = match cell {
        Cell::Null(_) => {
            text.push_str("NULL");
            return;
        }
        Cell::Bool(flag) => flag.to_string(),
        Cell::Int(number) => number.to_string(),
        Cell::UInt(number) => number.to_string(),
        Cell::Float(number) => number.to_string(),
        Cell::Text(element) => element,
        Cell::Bytes(bytes) => bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
    };
    text.push('"');
    for character in element.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_fit_where_nothing_is_rounded() {
        let check = |precision, scale, text: &str, expected| {
            let decimal = Decimal::new(text).expect("a decimal");
            assert_eq!(fits(&decimal, precision, scale), expected, "{text} as ({precision},{scale})");
        };
        for (text, expected) in [
            ("0", true),
            ("0.00000", true),
            ("999.99", true),
            ("-999.99", true),
            ("1000", false),
            ("1.500", true),
            ("1.505", false),
            ("0.01", true),
            ("0.001", false),
        ] {
            check(5, 2, text, expected);
        }
        check(2, -3, "99000", true);
        check(2, -3, "99500", false);
        check(2, -3, "100000", false);
        check(2, 4, "0.0099", true);
        check(2, 4, "0.01", false);
    }

    #[test]
    fn arrays_are_written_so_that_elements_stay_what_they_are() {
        let check = |storage, limits, value: Value, expected: Option<&str>| {
            let written = Element { storage, limits }.array(&value).ok();
            assert_eq!(written, expected.map(|text| Cell::Text(text.to_owned())), "{value}");
        };
        let small = || Limits::Integers(-32_768, 32_767);
        check(Storage::Integer, small(), vec![1, 2].into(), Some(r#"{"1","2"}"#));
        check(Storage::Integer, small(), vec![1, 70_000].into(), None);
        check(Storage::Integer, small(), vec!["1"].into(), None);
        check(Storage::Integer, small(), Vec::<Value>::new().into(), Some("{}"));
        check(Storage::Integer, small(), vec![vec![1], vec![2]].into(), Some(r#"{{"1"},{"2"}}"#));
        check(Storage::Integer, small(), 1.into(), None);
        let odd = vec![Value::from("a\"b\\c,{}"), Value::Null, "NULL".into(), "".into()];
        check(Storage::Text, Limits::None, odd.into(), Some(r#"{"a\"b\\c,{}",NULL,"NULL",""}"#));
        check(Storage::Binary, Limits::None, vec!["AAE="].into(), Some(r#"{"\\x0001"}"#));
        check(Storage::Decimal, Limits::Digits(3, 1), vec![1.5].into(), Some(r#"{"1.5"}"#));
        check(Storage::Decimal, Limits::Digits(3, 1), vec![1.55].into(), None);
    }

    #[test]
    fn elements_are_read_as_their_columns_are() {
        let check = |storage, json: &str, expected: &str| {
            let found = Element { storage, limits: Limits::None }.values(json).expect("JSON");
            assert_eq!(found.to_string(), expected);
        };
        check(Storage::Binary, r#"["\\x0001",null]"#, r#"["AAE=",null]"#);
        check(Storage::DateTime, r#"["2026-11-22T05:34:02+01:00"]"#, r#"["2026-11-22T04:34:02.000000Z"]"#);
        check(Storage::Time, r#"["04:34:02"]"#, r#"["04:34:02.000000"]"#);
        check(Storage::Integer, "[[1],[2]]", "[[1],[2]]");
    }
}
