//! What texts spell that are no texts in a collection: ids, and dates of other programs. Pure.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime};
use remex_core::{IdKind, Value};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::query::Comparison;
use crate::value::to_bson;

/// Turns an id, as records hold it, into what the collection holds; `None` where it is no id of this kind.
pub(crate) fn id_to_bson(kind: IdKind, id: &Value) -> Option<Bson> {
    match (kind, id) {
        (IdKind::Integer, Value::Int(_)) | (IdKind::Text, Value::Text(_)) => Some(to_bson(id)),
        (IdKind::Uuid, Value::Text(text)) => uuid(text),
        (IdKind::ObjectId, Value::Text(text)) => object_id(text),
        _ => None,
    }
}

fn uuid(text: &str) -> Option<Bson> {
    let uuid = text.parse::<Uuid>().ok().filter(|uuid| uuid.hyphenated().to_string() == text)?;
    Some(Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: uuid.as_bytes().to_vec() }))
}

fn object_id(text: &str) -> Option<Bson> {
    ObjectId::parse_str(text).ok().filter(|id| id.to_hex() == text).map(Bson::ObjectId)
}

/// What is read as this text and is none.
pub(crate) fn spelled(text: &str) -> Option<Bson> {
    match text.len() {
        24 => object_id(text),
        27 => match moment(text)? {
            (milliseconds, 0) => Some(Bson::DateTime(DateTime::from_millis(milliseconds))),
            _ => None,
        },
        36 => uuid(text),
        _ => None,
    }
}

/// Reads a moment in the form that records have it in, as milliseconds and whether there is more behind them.
fn moment(text: &str) -> Option<(i64, i128)> {
    let kept = remex_core::FieldType::DateTime.keep(Value::from(text))?;
    let moment = OffsetDateTime::parse(kept.as_str().filter(|kept| *kept == text)?, &Rfc3339).ok()?;
    let (milliseconds, rest) =
        (moment.unix_timestamp_nanos().div_euclid(1_000_000), moment.unix_timestamp_nanos().rem_euclid(1_000_000));
    Some((i64::try_from(milliseconds).ok()?, rest))
}

/// Reads a day as the milliseconds at which it begins.
fn day(text: &str) -> Option<i64> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(day.midnight().assume_utc().unix_timestamp() * 1000)
}

/// Says of dates what a comparison says of the texts that they are read as, where the bound is such a text as well.
pub(crate) fn date_bound(comparison: Comparison, text: &str) -> Option<(Comparison, DateTime)> {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let (comparison, milliseconds) = match text.len() {
        // A day is the beginning of the texts of its moments, and comes before them.
        10 => match comparison {
            Greater | GreaterOrEqual => (GreaterOrEqual, day(text)?),
            Less | LessOrEqual => (Less, day(text)?),
        },
        27 => match (comparison, moment(text)?) {
            (comparison, (milliseconds, 0)) => (comparison, milliseconds),
            // Between two dates.
            (Greater | GreaterOrEqual, (milliseconds, _)) => (Greater, milliseconds),
            (Less | LessOrEqual, (milliseconds, _)) => (LessOrEqual, milliseconds),
        },
        _ => return None,
    };
    Some((comparison, DateTime::from_millis(milliseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_that_is_read_is_spelled() {
        let check = |text: &str, expected: bool| assert_eq!(spelled(text).is_some(), expected, "{text}");
        check("0123456789abcdef01234567", true);
        check("0123456789ABCDEF01234567", false);
        check("0192f0c1-0000-7000-8000-00000000000a", true);
        check("0192f0c1-0000-7000-8000-00000000000A", false);
        check("2026-11-22T04:34:02.123000Z", true);
        check("2026-11-22T04:34:02.123001Z", false);
        check("2026-11-22T04:34:02Z", false);
        check("", false);
    }

    #[test]
    fn dates_are_bounded_as_their_texts_are() {
        use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
        let check = |comparison, text: &str, expected: Option<(Comparison, i64)>| {
            let expected = expected.map(|(comparison, at)| (comparison, DateTime::from_millis(at)));
            assert_eq!(date_bound(comparison, text), expected, "{comparison:?} {text}");
        };
        check(Greater, "1970-01-01T00:00:00.005000Z", Some((Greater, 5)));
        check(GreaterOrEqual, "1970-01-01T00:00:00.005001Z", Some((Greater, 5)));
        check(Less, "1969-12-31T23:59:59.999999Z", Some((LessOrEqual, -1)));
        check(Greater, "1970-01-02", Some((GreaterOrEqual, 86_400_000)));
        check(LessOrEqual, "1970-01-02", Some((Less, 86_400_000)));
        check(Less, "1970", None);
    }
}
