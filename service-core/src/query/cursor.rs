//! [`Cursor`]: where a page ended, for the next to begin there.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Direction, Sort};
use crate::{Decimal, Document, Error, Result, Value};

/// Where a page ended: what its last record held under the keys of the sort, and its id.
///
/// The next page begins behind that place, whatever was written in the meantime, so that no record comes twice and none
/// is left out. To clients it is opaque text.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor(Box<Place>);

/// Behind a pointer, since most queries and pages have none and are moved about nevertheless.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    sort: Vec<String>,
    values: Vec<Value>,
    id: Value,
}

impl Cursor {
    /// Returns the cursor behind a record.
    #[must_use]
    pub fn behind(record: &Document, sort: &[Sort], id_field: &str) -> Self {
        Self(Box::new(Place {
            sort: sort.iter().map(written).collect(),
            values: sort.iter().map(|key| key.value_in(record).clone()).collect(),
            id: record[id_field].clone(),
        }))
    }

    /// Returns what the last record held under the keys of the sort.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0.values
    }

    /// Returns the id of the last record.
    #[must_use]
    pub fn id(&self) -> &Value {
        &self.0.id
    }

    /// Compares a record with the place where the page ended; what comes after is greater.
    ///
    /// `compare_id` says how the record's id stands to the cursor's, since a service knows how its ids are ordered.
    pub fn compare_record(
        &self,
        sort: &[Sort],
        record: &Document,
        compare_id: impl FnOnce(&Value) -> Ordering,
    ) -> Ordering {
        let mut order = Ordering::Equal;
        for (key, value) in sort.iter().zip(&self.0.values) {
            order = key.value_in(record).compare(value);
            if key.direction == Direction::Descending {
                order = order.reverse();
            }
            if order.is_ne() {
                break;
            }
        }
        order.then_with(|| compare_id(&self.0.id))
    }

    /// Checks that the cursor belongs to a query with this sort.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) where the page that it came from was sorted otherwise.
    pub fn check_sort(&self, sort: &[Sort]) -> Result<()> {
        if self.0.sort.iter().map(String::as_str).eq(sort
            .iter()
            .map(written)
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str))
        {
            Ok(())
        } else {
            Err(Error::bad_request("`$after` is from a page with another `$sort`"))
        }
    }

    /// Writes the cursor as text for a URL.
    #[must_use]
    pub fn encode(&self) -> String {
        let sort: Vec<Value> = self.0.sort.iter().map(|key| key.as_str().into()).collect();
        let values: Vec<Value> = self.0.values.iter().map(marked).collect();
        let parts = Value::Array(Box::new([sort.into(), values.into(), self.0.id.clone()]));
        URL_SAFE_NO_PAD.encode(parts.to_string())
    }

    /// Reads a cursor from text.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) where the text is no cursor.
    pub fn decode(text: &str) -> Result<Self> {
        let malformed = || Error::bad_request("`$after` is not a cursor that this service gave");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
        let parts: Vec<Value> = crate::json::read(&bytes).map_err(|_| malformed())?;
        let [Value::Array(sort), Value::Array(values), id @ (Value::Int(_) | Value::Text(_))] = parts.as_slice() else {
            return Err(malformed());
        };
        let sort =
            sort.iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
        if sort.len() != values.len() {
            return Err(malformed());
        }
        Ok(Self(Box::new(Place { sort, values: values.iter().map(unmarked).collect(), id: id.clone() })))
    }
}

/// What a decimal stands under in a cursor, since JSON would take it for text. No field has such a name.
const DECIMAL: &str = "$decimal";

fn marked(value: &Value) -> Value {
    match value {
        Value::Decimal(decimal) => Document::new().with(DECIMAL, decimal.as_str()).into(),
        value => value.clone(),
    }
}

fn unmarked(value: &Value) -> Value {
    let digits = value.as_document().and_then(|document| document.get(DECIMAL)).and_then(Value::as_str);
    digits.and_then(Decimal::new).map_or_else(|| value.clone(), Value::from)
}

/// Writes a key of a sort, so that a cursor knows the sort that it came from.
fn written(key: &Sort) -> String {
    match key.direction {
        Direction::Ascending => key.path.to_string(),
        Direction::Descending => format!("-{}", key.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Query;

    #[test]
    fn a_cursor_survives_the_wire_and_knows_its_sort() {
        let price = Decimal::new("1.50").expect("a decimal");
        let record = Document::new().with("id", 7).with("name", "Zoë").with("age", Value::Null).with("price", price);
        let sort = Query::new().sort("name").sort_descending("age").sort("price").sort;
        let cursor = Cursor::behind(&record, &sort, "id");
        assert_eq!(Cursor::decode(&cursor.encode()).expect("a cursor"), cursor);
        assert!(cursor.check_sort(&sort).is_ok());
        assert!(cursor.check_sort(&sort[..1]).is_err());
        for text in ["", "x", "bm8", "W10", "W1tdLFtdLG51bGxd", "W1siYSJdLFtdLDFd"] {
            assert!(Cursor::decode(text).is_err(), "{text}");
        }
    }
}
