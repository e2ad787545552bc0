//! [`Value`] to BSON and back.
//!
//! What is written is what JSON says: text is text, whatever it spells, an integer is one of 64 bits, and one past these
//! is a decimal, which keeps its digits. What only BSON has is read as text, in the forms that every store uses, so that no
//! client ever sees [Extended JSON](https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{self, Binary, Bson, Decimal128, RawBsonRef, RawDocument};
use remex_core::{Decimal, Description, Document, Error, FieldType, Fields, Result, Shape, Text, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// Turns a value into BSON.
pub(crate) fn to_bson(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Boolean(*flag),
        Value::Int(number) => Bson::Int64(*number),
        // Twenty digits, of 34 that a decimal has; the form is one that it reads.
        Value::UInt(number) => number.to_string().parse().map_or(Bson::Null, Bson::Decimal128),
        Value::Float(number) => Bson::Double(*number),
        // Looked at before it comes here: see `fits`.
        Value::Decimal(decimal) => decimal.as_str().parse().map_or(Bson::Null, Bson::Decimal128),
        Value::Text(text) => Bson::String(text.to_string()),
        Value::Array(values) => Bson::Array(values.iter().map(to_bson).collect()),
        Value::Document(document) => Bson::Document(to_document(document)),
    }
}

/// Returns whether a decimal is one of MongoDB's, to the last of its digits: these have
/// [34](https://www.mongodb.com/docs/manual/reference/bson-types/#decimal128).
pub(crate) fn fits(decimal: &Decimal) -> bool {
    let (whole, fraction) = decimal.parts();
    format!("{whole}{fraction}").trim_start_matches('0').len() <= 34
}

/// Turns fields into BSON.
pub(crate) fn to_document(document: &Document) -> bson::Document {
    document.iter().map(|(name, value)| (name.to_owned(), to_bson(value))).collect()
}

/// Turns what a record is to hold into BSON, and leaves as they are the values that are still as they were read: what only
/// BSON has does not become text because its neighbour was changed.
pub(crate) fn to_bson_keeping(value: &Value, old: Option<&Bson>) -> Bson {
    match (value, old) {
        (Value::Document(document), Some(Bson::Document(old))) => {
            let field = |(name, value): (&str, &Value)| (name.to_owned(), to_bson_keeping(value, old.get(name)));
            Bson::Document(document.iter().map(field).collect())
        }
        (Value::Array(values), Some(Bson::Array(old))) => {
            Bson::Array(values.iter().enumerate().map(|(at, value)| to_bson_keeping(value, old.get(at))).collect())
        }
        (value, Some(old)) if from_bson(old) == *value => old.clone(),
        (value, _) => to_bson(value),
    }
}

/// Turns BSON into the value that it is read as.
fn from_bson(bson: &Bson) -> Value {
    match bson {
        Bson::Null => Value::Null,
        Bson::Boolean(flag) => Value::Bool(*flag),
        Bson::Int32(number) => Value::from(*number),
        Bson::Int64(number) => Value::Int(*number),
        Bson::Double(number) => Value::from(*number),
        Bson::String(text) => Value::from(text.as_str()),
        Bson::Array(values) => Value::Array(values.iter().map(from_bson).collect()),
        Bson::Document(document) => {
            Value::Document(document.iter().map(|(name, value)| (name.as_str(), from_bson(value))).collect())
        }
        Bson::Binary(Binary { subtype, bytes }) => binary(*subtype, bytes),
        Bson::ObjectId(id) => Value::from(id.to_hex()),
        Bson::DateTime(moment) => date_time(*moment),
        Bson::Decimal128(number) => decimal(*number),
        Bson::Timestamp(stamp) => timestamp(stamp.time),
        Bson::Symbol(text) | Bson::JavaScriptCode(text) => Value::from(text.as_str()),
        Bson::JavaScriptCodeWithScope(code) => Value::from(code.code.as_str()),
        Bson::RegularExpression(regex) => Value::from(format!("/{}/{}", regex.pattern, regex.options)),
        // None of these says anything to whoever reads it elsewhere.
        Bson::Undefined | Bson::MaxKey | Bson::MinKey | Bson::DbPointer(_) => Value::Null,
    }
}

/// Turns BSON that is still in the buffer of a reply into a value.
fn from_raw(raw: RawBsonRef<'_>) -> Result<Value> {
    Ok(match raw {
        RawBsonRef::Null => Value::Null,
        RawBsonRef::Boolean(flag) => Value::Bool(flag),
        RawBsonRef::Int32(number) => Value::from(number),
        RawBsonRef::Int64(number) => Value::Int(number),
        RawBsonRef::Double(number) => Value::from(number),
        RawBsonRef::String(text) => Value::from(text),
        RawBsonRef::Array(array) => {
            let values = array.into_iter().map(|item| from_raw(item.map_err(malformed)?));
            Value::Array(values.collect::<Result<_>>()?)
        }
        RawBsonRef::Document(document) => {
            let mut fields = Vec::new();
            for element in document {
                let (name, value) = element.map_err(malformed)?;
                fields.push((name.as_str(), from_raw(value)?));
            }
            Value::Document(fields.into_iter().collect())
        }
        RawBsonRef::Binary(binary_ref) => binary(binary_ref.subtype, binary_ref.bytes),
        RawBsonRef::ObjectId(id) => Value::from(id.to_hex()),
        RawBsonRef::DateTime(moment) => date_time(moment),
        RawBsonRef::Decimal128(number) => decimal(number),
        other => from_bson(&Bson::try_from(other).map_err(malformed)?),
    })
}

fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("a document of the collection cannot be read").with_source(error)
}

fn binary(subtype: BinarySubtype, bytes: &[u8]) -> Value {
    match (subtype, Uuid::from_slice(bytes)) {
        (BinarySubtype::Uuid, Ok(uuid)) => Value::from(uuid.hyphenated().to_string()),
        _ => Value::from(STANDARD.encode(bytes)),
    }
}

/// Writes a moment with the six digits of fraction that moments have in every store.
fn date_time(moment: bson::DateTime) -> Value {
    let milliseconds = moment.timestamp_millis();
    let written = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000);
    let written = written.ok().and_then(|moment| {
        let text = Value::from(moment.format(&Rfc3339).ok()?);
        FieldType::DateTime.keep(text)
    });
    // A date past the year 9999 has no such form; its milliseconds at least say which it is.
    written.unwrap_or_else(|| Value::from(milliseconds.to_string()))
}

fn timestamp(seconds: u32) -> Value {
    date_time(bson::DateTime::from_millis(i64::from(seconds) * 1000))
}

/// Reads a decimal as its digits, or as the integer that [`to_bson`] has no other type for.
fn decimal(number: Decimal128) -> Value {
    let text = plain(&number.to_string());
    match text.parse::<u64>() {
        Ok(number) if i64::try_from(number).is_err() && number.to_string() == text => Value::from(number),
        _ => Value::from(text),
    }
}

/// Writes a number without an exponent, which MongoDB writes where there are many zeros.
fn plain(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once(['E', 'e']) else { return text.to_owned() };
    let Ok(exponent) = exponent.trim_start_matches('+').parse::<i32>() else { return text.to_owned() };
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    // Where the point stands among all digits; a decimal of MongoDB's has an exponent of a few thousand at most.
    let point = i32::try_from(whole.len()).unwrap_or(0) + exponent;
    match usize::try_from(point) {
        Ok(0) => format!("{sign}0.{all}"),
        Ok(point) if point >= all.len() => format!("{sign}{all}{}", "0".repeat(point - all.len())),
        Ok(point) => format!("{sign}{}.{}", &all[..point], &all[point..]),
        Err(_) => format!("{sign}0.{}{all}", "0".repeat(point.unsigned_abs() as usize)),
    }
}

/// Reads documents of a collection as records: `_id` under the name that it has outside.
///
/// One after the other, since most have the names of the one before.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    id_field: &'a str,
    shape: Option<Arc<Shape>>,
    /// Who says which fields hold decimals, which are otherwise read as text; none, where none does.
    decimals: Option<&'a Description>,
}

impl<'a> Decoder<'a> {
    pub(crate) const fn new(id_field: &'a str) -> Self {
        Self { id_field, shape: None, decimals: None }
    }

    /// Reads what a service says of its records.
    pub(crate) fn of(description: &'a Description) -> Self {
        let declared = description.fields().into_iter().flat_map(Fields::iter);
        let decimals = declared.into_iter().any(|field| field.kind == FieldType::Decimal).then_some(description);
        Self { decimals, ..Self::new(description.id_field()) }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// `Internal` where it is not well-formed.
    pub(crate) fn decode(&mut self, raw: &RawDocument) -> Result<Document> {
        let mut record = self.read(raw)?;
        if let Some(description) = self.decimals {
            description.keep_forms(&mut record);
        }
        Ok(record)
    }

    fn read(&mut self, raw: &RawDocument) -> Result<Document> {
        let known = self.shape.as_ref().map_or(&[] as &[Text], |shape| shape.names());
        let mut values = Vec::with_capacity(known.len());
        // The names, once one differs from that of the document before.
        let mut own: Option<Vec<Text>> = None;
        for element in raw {
            let (name, value) = element.map_err(malformed)?;
            let name = match name.as_str() {
                "_id" => self.id_field,
                // There cannot be two fields of one name, and the id is the one that records are found by.
                name if name == self.id_field => continue,
                name => name,
            };
            if let Some(own) = &mut own {
                own.push(name.into());
            } else if known.get(values.len()).is_none_or(|known| *known != name) {
                let mut names = known[..values.len()].to_vec();
                names.push(name.into());
                own = Some(names);
            }
            values.push(from_raw(value)?);
        }
        match (&self.shape, own) {
            (Some(shape), None) if values.len() == known.len() => Ok(Document::from_shape(shape.clone(), values)),
            (_, own) => {
                let names = own.unwrap_or_else(|| known[..values.len()].to_vec());
                let document: Document = names.into_iter().zip(values).collect();
                self.shape = Some(document.shape().clone());
                Ok(document)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::{DateTime, RawDocumentBuf, doc};

    use super::*;

    fn read(document: &bson::Document) -> Document {
        let raw = RawDocumentBuf::try_from(document).expect("a document");
        Decoder::new("id").decode(&raw).expect("a record")
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = r#"{"n":null,"b":true,"i":-5,"u":18446744073709551615,"f":1.5,"t":"x","l":[1,[2],{"a":null}],"o":{"$a.b":{}}}"#;
        let document = Document::from_json(text.as_bytes()).expect("JSON");
        assert_eq!(read(&to_document(&document)), document);
    }

    #[test]
    fn what_only_bson_has_is_text() {
        let check = |bson: Bson, expected: &str| {
            let found = read(&doc! { "a": bson.clone() });
            assert_eq!(found["a"], from_bson(&bson), "{bson}");
            assert_eq!(found["a"].to_string(), expected, "{bson}");
        };
        check(Bson::DateTime(DateTime::from_millis(1_795_322_042_123)), r#""2026-11-22T04:34:02.123000Z""#);
        check(Bson::DateTime(DateTime::from_millis(-500)), r#""1969-12-31T23:59:59.500000Z""#);
        check(Bson::DateTime(DateTime::MAX), r#""9223372036854775807""#);
        check(Bson::ObjectId(ObjectId::from_bytes([7; 12])), r#""070707070707070707070707""#);
        check(Bson::Decimal128("12.30".parse().expect("a decimal")), r#""12.30""#);
        check(Bson::Decimal128("5".parse().expect("a decimal")), r#""5""#);
        check(Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: vec![0, 1] }), r#""AAE=""#);
        let uuid = Binary { subtype: BinarySubtype::Uuid, bytes: vec![10; 16] };
        check(Bson::Binary(uuid), r#""0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a""#);
        check(Bson::Int32(5), "5");
        check(Bson::Double(f64::NAN), "null");
        check(Bson::Timestamp(bson::Timestamp { time: 0, increment: 1 }), r#""1970-01-01T00:00:00.000000Z""#);
        check(Bson::MinKey, "null");
    }

    #[test]
    fn decimals_have_no_exponent() {
        for (written, expected) in [
            ("1E-30", "0.000000000000000000000000000001"),
            ("-1.5E-3", "-0.0015"),
            ("12E+3", "12000"),
            ("1.50", "1.50"),
        ] {
            assert_eq!(plain(written), expected);
        }
        assert_eq!(plain("1.23E+1"), "12.3");
        assert_eq!(plain("5E-1"), "0.5");
        let decimal = |text: &str| Decimal::new(text).expect("a decimal");
        assert!(fits(&decimal(&"9".repeat(34))) && !fits(&decimal(&"9".repeat(35))));
        assert!(fits(&decimal("0.000000000000000000000000000001")));
    }

    #[test]
    fn the_id_has_its_name() {
        let record = read(&doc! { "_id": 7, "id": 8, "name": "x" });
        assert_eq!(record.to_string(), r#"{"id":7,"name":"x"}"#);
    }

    #[test]
    fn documents_of_many_shapes_are_read_one_after_the_other() {
        let documents =
            [doc! { "_id": 1, "a": 1 }, doc! { "_id": 2, "a": 2 }, doc! { "_id": 3 }, doc! { "_id": 4, "b": 1 }];
        let mut decoder = Decoder::new("id");
        let texts: Vec<String> = documents
            .iter()
            .map(|document| RawDocumentBuf::try_from(document).expect("a document"))
            .map(|raw| decoder.decode(&raw).expect("a record").to_string())
            .collect();
        assert_eq!(texts, [r#"{"id":1,"a":1}"#, r#"{"id":2,"a":2}"#, r#"{"id":3}"#, r#"{"id":4,"b":1}"#]);
    }

    #[test]
    fn what_is_not_changed_stays_as_it_is() {
        let moment = Bson::DateTime(DateTime::from_millis(0));
        let old = doc! { "seen": moment.clone(), "deep": { "seen": moment.clone(), "n": 1_i32 } };
        let mut new = read(&old);
        new.insert("deep", Document::new().with("seen", new["seen"].clone()).with("n", 2));
        let kept = to_bson_keeping(&Value::Document(new), Some(&Bson::Document(old)));
        assert_eq!(kept, Bson::Document(doc! { "seen": moment.clone(), "deep": { "seen": moment, "n": 2_i64 } }));
    }
}
