//! Filters as BSON. Pure: nothing here speaks to a database.
//!
//! What a client said is only ever a value here, behind an operator that was written here: `{"$gt": ""}` as the value of a
//! field becomes `{"$eq": {"$gt": ""}}`, which no record holds.
//!
//! Most of the query language is MongoDB's own and is said word for word. Where MongoDB compares otherwise than the core's
//! evaluator (objects by the order of their fields, above all), the filter lets through all that may match, and
//! [`Said::AtLeast`] says so: the records are then looked at again by the evaluator itself.

use std::cmp::Ordering;

use mongodb::bson::{Bson, Document, Regex, doc};
use remex_core::{Condition, Description, FieldType, Filter, IdKind, Path, Value};

use crate::pattern::{PATTERN_BYTES_MAX, escaped, like};
use crate::spelled::{date_bound, id_to_bson, spelled};
use crate::value::{fits, to_bson};

/// What a filter became.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// Nothing matches.
    None,
    /// Everything matches.
    All,
    /// This finds exactly what should be found.
    Exactly(Document),
    /// This finds all that should be found, and more.
    AtLeast(Document),
}

impl Said {
    /// All may match.
    fn unsaid() -> Self {
        Self::AtLeast(Document::new())
    }

    /// Nothing but the absence of any value.
    const fn all_or_none(all: bool) -> Self {
        if all { Self::All } else { Self::None }
    }

    pub(crate) const fn is_exact(&self) -> bool {
        !matches!(self, Self::AtLeast(_))
    }

    /// Returns the filter, which is always one that MongoDB can be given.
    pub(crate) fn into_document(self) -> Document {
        match self {
            // No document is without an `_id`, so this ends before it begins.
            Self::None => doc! { "_id": { "$in": [] } },
            Self::All => Document::new(),
            Self::Exactly(filter) | Self::AtLeast(filter) => filter,
        }
    }

    fn negated(self) -> Self {
        match self {
            Self::None => Self::All,
            Self::All => Self::None,
            Self::Exactly(filter) => Self::Exactly(doc! { "$nor": [filter] }),
            Self::AtLeast(_) => Self::unsaid(),
        }
    }

    /// What matches both.
    pub(crate) fn and(self, other: Self) -> Self {
        all([self, other].into_iter())
    }
}

fn all(said: impl Iterator<Item = Said>) -> Said {
    let (mut filters, mut exact) = (Vec::new(), true);
    for one in said {
        match one {
            Said::None => return Said::None,
            Said::All => {}
            Said::Exactly(filter) => filters.push(filter),
            Said::AtLeast(filter) => {
                exact = false;
                if !filter.is_empty() {
                    filters.push(filter);
                }
            }
        }
    }
    let filter = match filters.len() {
        0 if exact => return Said::All,
        0 => Document::new(),
        1 => filters.remove(0),
        _ => doc! { "$and": filters },
    };
    if exact { Said::Exactly(filter) } else { Said::AtLeast(filter) }
}

fn any(said: impl Iterator<Item = Said>) -> Said {
    let (mut filters, mut exact) = (Vec::new(), true);
    for one in said {
        match one {
            Said::None => {}
            Said::All => return Said::All,
            Said::AtLeast(filter) if filter.is_empty() => return Said::unsaid(),
            Said::Exactly(filter) => filters.push(filter),
            Said::AtLeast(filter) => {
                exact = false;
                filters.push(filter);
            }
        }
    }
    let filter = match filters.len() {
        0 => return Said::None,
        1 => filters.remove(0),
        _ => doc! { "$or": filters },
    };
    if exact { Said::Exactly(filter) } else { Said::AtLeast(filter) }
}

/// Where a path leads to in a document of the collection.
pub(crate) enum Place<'a> {
    /// To the id.
    Id,
    /// To what has the same name there.
    Field(&'a str),
    /// Nowhere: no record has such a field.
    Nowhere,
}

/// Tells where a path leads to.
pub(crate) fn place<'a>(description: &Description, path: &'a Path) -> Place<'a> {
    let id_field = description.id_field();
    match path.first() {
        first if first == id_field && path.as_str() == id_field => Place::Id,
        // There is nothing inside an id, and `_id` is not what it is called outside.
        first if first == id_field || first == "_id" => Place::Nowhere,
        _ => Place::Field(path.as_str()),
    }
}

/// Says a filter in BSON.
pub(crate) fn say(description: &Description, filter: &Filter) -> Said {
    write(description, filter, true)
}

/// Negations are carried down to the conditions, since "all that may match" turned round is not that any more.
fn write(description: &Description, filter: &Filter, holds: bool) -> Said {
    let each =
        |filters: &[Filter], holds| filters.iter().map(move |filter| write(description, filter, holds)).collect();
    let each = |filters, holds| -> std::vec::IntoIter<Said> { Vec::into_iter(each(filters, holds)) };
    match (filter, holds) {
        (Filter::All, _) => Said::all_or_none(holds),
        (Filter::Field(path, condition), _) => {
            let said = match place(description, path) {
                Place::Id => say_of_id(description.id_kind(), condition),
                Place::Field(path) => {
                    let said = say_of_field(path, condition);
                    // Said by the index, so that the server sees that it may go along it.
                    let held = holds && asks_for_plain_values(condition) && is_held_by_type(description, path);
                    if held { said.and(Said::Exactly(not_null(path))) } else { said }
                }
                Place::Nowhere => Said::all_or_none(holds_for_null(condition)),
            };
            if holds { said } else { said.negated() }
        }
        (Filter::Not(filter), _) => write(description, filter, !holds),
        (Filter::And(filters), true) => all(each(filters, true)),
        (Filter::And(filters), false) => any(each(filters, false)),
        (Filter::Or(filters), true) => any(each(filters, true)),
        (Filter::Or(filters), false) => all(each(filters, false)),
        (Filter::Nor(filters), true) => all(each(filters, false)),
        (Filter::Nor(filters), false) => any(each(filters, true)),
    }
}

/// Returns whether a field has a unique index that says of which types the values in it are, since the type of the field
/// is not declared.
pub(crate) fn is_held_by_type(description: &Description, field: &str) -> bool {
    let declared = description.fields().and_then(|fields| fields.find(field)).map(|field| field.kind);
    let unique = description.indexes().iter().any(|index| index.unique && index.field.as_str() == field);
    unique && declared.is_none_or(|kind| kind == FieldType::Json)
}

/// Judges a condition for a field that no record has.
fn holds_for_null(condition: &Condition) -> bool {
    match condition {
        Condition::Eq(value) | Condition::Gte(value) | Condition::Lte(value) => value.is_null(),
        Condition::Ne(value) => !value.is_null(),
        Condition::In(values) => values.iter().any(Value::is_null),
        Condition::Nin(values) => !values.iter().any(Value::is_null),
        Condition::Exists(wanted) => !wanted,
        Condition::Gt(_)
        | Condition::Lt(_)
        | Condition::Like(_)
        | Condition::StartsWith(_)
        | Condition::Contains(_) => false,
    }
}

fn say_of_id(kind: IdKind, condition: &Condition) -> Said {
    if matches!(kind, IdKind::Integer | IdKind::Text) {
        return say_of_field("_id", condition);
    }
    let one_of = |values: &[Value]| {
        let ids: Vec<Bson> = values.iter().filter_map(|value| id_to_bson(kind, value)).collect();
        match ids.as_slice() {
            [] => Said::None,
            [id] => Said::Exactly(doc! { "_id": { "$eq": id } }),
            _ => Said::Exactly(doc! { "_id": { "$in": ids } }),
        }
    };
    // The order of the bytes is that of the digits.
    let compared = |operator: &str, bound: &Value| match id_to_bson(kind, bound) {
        Some(id) => Said::Exactly(doc! { "_id": { operator: id } }),
        None if bound.as_str().is_some() => Said::unsaid(),
        None => Said::None,
    };
    match condition {
        Condition::Eq(value) => one_of(std::slice::from_ref(value)),
        Condition::Ne(value) => one_of(std::slice::from_ref(value)).negated(),
        Condition::In(values) => one_of(values),
        Condition::Nin(values) => one_of(values).negated(),
        Condition::Gt(bound) => compared("$gt", bound),
        Condition::Gte(bound) => compared("$gte", bound),
        Condition::Lt(bound) => compared("$lt", bound),
        Condition::Lte(bound) => compared("$lte", bound),
        Condition::Exists(wanted) => Said::all_or_none(*wanted),
        Condition::Like(_) | Condition::StartsWith(_) | Condition::Contains(_) => Said::unsaid(),
    }
}

fn say_of_field(path: &str, condition: &Condition) -> Said {
    // A decimal of more digits than MongoDB's have is one for the evaluator.
    if speaks_of_unfit(condition) {
        return Said::unsaid();
    }
    // Of lists within lists, MongoDB has other ideas of what a position is of.
    if let Some(outside) = before_position(path) {
        return match asks_for_plain_values(condition) {
            true => Said::AtLeast(doc! { outside: { "$type": ["array", "object"] } }),
            false => Said::unsaid(),
        };
    }
    match condition {
        Condition::Eq(value) => equal(path, std::slice::from_ref(value)),
        Condition::Ne(value) => equal(path, std::slice::from_ref(value)).negated(),
        Condition::In(values) => equal(path, values),
        Condition::Nin(values) => equal(path, values).negated(),
        Condition::Gt(bound) => compared(path, Comparison::Greater, bound),
        Condition::Gte(bound) => compared(path, Comparison::GreaterOrEqual, bound),
        Condition::Lt(bound) => compared(path, Comparison::Less, bound),
        Condition::Lte(bound) => compared(path, Comparison::LessOrEqual, bound),
        Condition::Exists(true) => Said::Exactly(not_null(path)),
        Condition::Exists(false) => Said::Exactly(not_null(path)).negated(),
        Condition::Like(pattern) => matched(path, like(pattern)),
        Condition::StartsWith(start) => matched(path, format!("^{}", escaped(start))),
        Condition::Contains(part) => matched(path, escaped(part)),
    }
}

/// Returns whether a condition compares with a decimal that is none of MongoDB's.
fn speaks_of_unfit(condition: &Condition) -> bool {
    let unfit = |value: &Value| value.as_decimal().is_some_and(|decimal| !fits(decimal));
    match condition {
        Condition::Eq(value)
        | Condition::Ne(value)
        | Condition::Gt(value)
        | Condition::Gte(value)
        | Condition::Lt(value)
        | Condition::Lte(value) => unfit(value),
        Condition::In(values) | Condition::Nin(values) => values.iter().any(unfit),
        Condition::Exists(_) | Condition::Like(_) | Condition::StartsWith(_) | Condition::Contains(_) => false,
    }
}

/// Returns the path of that in which a path speaks of a position, if it does.
fn before_position(path: &str) -> Option<&str> {
    path.match_indices('.').find_map(|(end, _)| {
        let next = path[end + 1..].split('.').next()?;
        next.parse::<usize>().is_ok().then(|| &path[..end])
    })
}

/// Returns whether a condition holds only where there is a value that is neither list nor object, and says which.
fn asks_for_plain_values(condition: &Condition) -> bool {
    let plain = |value: &Value| !matches!(value, Value::Null | Value::Array(_) | Value::Document(_));
    match condition {
        Condition::Eq(value)
        | Condition::Gt(value)
        | Condition::Gte(value)
        | Condition::Lt(value)
        | Condition::Lte(value) => plain(value),
        Condition::In(values) => values.iter().all(plain),
        Condition::Like(_) | Condition::StartsWith(_) | Condition::Contains(_) => true,
        Condition::Ne(_) | Condition::Nin(_) | Condition::Exists(_) => false,
    }
}

/// Holds where a value is there and not null. `$ne` would deny it of a list with a null in it.
pub(crate) fn not_null(path: &str) -> Document {
    // Every type but `null`, `undefined`, and those that are read as null.
    const TYPES: [&str; 16] = [
        "double",
        "string",
        "object",
        "array",
        "binData",
        "objectId",
        "bool",
        "date",
        "regex",
        "javascript",
        "symbol",
        "javascriptWithScope",
        "int",
        "timestamp",
        "long",
        "decimal",
    ];
    doc! { path: { "$type": TYPES.map(Bson::from).to_vec() } }
}

fn equal(path: &str, values: &[Value]) -> Said {
    let mut wanted = Vec::with_capacity(values.len());
    let mut kinds = Vec::new();
    for value in values {
        match value {
            Value::Document(_) if !is_one_way(value) => kinds.push("object"),
            Value::Array(_) if !is_one_way(value) => kinds.push("array"),
            Value::Text(text) => {
                wanted.push(to_bson(value));
                wanted.extend(spelled(text));
            }
            value => wanted.push(to_bson(value)),
        }
    }
    let said = match wanted.as_slice() {
        [] => Said::None,
        [one] => Said::Exactly(doc! { path: { "$eq": one } }),
        _ => Said::Exactly(doc! { path: { "$in": wanted } }),
    };
    let of_kind = |kind: &str| Said::AtLeast(doc! { path: { "$type": kind } });
    // Where a way goes on into a list without objects there is nothing, and MongoDB does not call that null.
    let nothing = path.contains('.') && values.iter().any(Value::is_null);
    let nothing = nothing.then(|| Said::Exactly(doc! { path: { "$exists": false } }));
    kinds.dedup();
    any(std::iter::once(said).chain(nothing).chain(kinds.into_iter().map(of_kind)))
}

/// Returns whether there is one way only to write a value: objects with two fields can have them in two orders.
fn is_one_way(value: &Value) -> bool {
    match value {
        Value::Document(document) => document.len() <= 1 && document.values().iter().all(is_one_way),
        Value::Array(values) => values.iter().all(is_one_way),
        _ => true,
    }
}

/// Returns whether there is an object somewhere in a value.
pub(crate) fn holds_object(value: &Value) -> bool {
    match value {
        Value::Document(_) => true,
        Value::Array(values) => values.iter().any(holds_object),
        _ => false,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) const fn operator(self) -> &'static str {
        match self {
            Self::Less => "$lt",
            Self::LessOrEqual => "$lte",
            Self::Greater => "$gt",
            Self::GreaterOrEqual => "$gte",
        }
    }

    const fn holds_for_equal(self) -> bool {
        matches!(self, Self::LessOrEqual | Self::GreaterOrEqual)
    }
}

fn compared(path: &str, comparison: Comparison, bound: &Value) -> Said {
    let plain = |bound: Bson| Said::Exactly(doc! { path: { comparison.operator(): bound } });
    match bound {
        Value::Null if comparison.holds_for_equal() => equal(path, &[Value::Null]),
        Value::Null => Said::None,
        Value::Text(text) => match date_bound(comparison, text) {
            Some((comparison, date)) => {
                any([plain(to_bson(bound)), Said::Exactly(doc! { path: { comparison.operator(): date } })].into_iter())
            }
            None => plain(to_bson(bound)),
        },
        Value::Document(_) => Said::AtLeast(doc! { path: { "$type": "object" } }),
        Value::Array(_) if holds_object(bound) => Said::AtLeast(doc! { path: { "$type": "array" } }),
        bound => plain(to_bson(bound)),
    }
}

fn matched(path: &str, pattern: String) -> Said {
    // BSON ends a pattern at its first NUL.
    if pattern.len() > PATTERN_BYTES_MAX || pattern.contains('\0') {
        return Said::AtLeast(doc! { path: { "$type": "string" } });
    }
    // `s`: a dot stands for a line break too.
    match (pattern.try_into(), "s".try_into()) {
        (Ok(pattern), Ok(options)) => {
            Said::Exactly(doc! { path: { "$regex": Bson::RegularExpression(Regex { pattern, options }) } })
        }
        _ => Said::AtLeast(doc! { path: { "$type": "string" } }),
    }
}

/// Compares two values of the id of a record.
pub(crate) fn compare_ids(id: &Value, other: &Value) -> Ordering {
    // A cursor whose id is none of this service's is behind everything with the same values.
    if id.type_name() == other.type_name() { id.compare(other) } else { Ordering::Less }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::DateTime;
    use remex_core::Options;

    use super::*;

    fn check(kind: IdKind, filter: &Filter, expected: &Said) {
        let description = Description::new(Options::new("people").id_kind(kind)).expect("options");
        assert_eq!(say(&description, filter), *expected, "{filter}");
    }

    fn exactly(kind: IdKind, filter: &Filter, expected: Document) {
        check(kind, filter, &Said::Exactly(expected));
    }

    #[test]
    fn conditions_are_said_in_operators_of_our_own() {
        let of = |filter: Filter, expected: Document| exactly(IdKind::Integer, &filter, expected);
        of(Filter::eq("a", 1), doc! { "a": { "$eq": 1_i64 } });
        of(Filter::ne("a", 1), doc! { "$nor": [{ "a": { "$eq": 1_i64 } }] });
        of(Filter::is_in("a", [Value::Null, "x".into()]), doc! { "a": { "$in": [null, "x"] } });
        of(
            Filter::eq("a.b", Value::Null),
            doc! { "$or": [{ "a.b": { "$eq": null } }, { "a.b": { "$exists": false } }] },
        );
        of(Filter::gt("a", 1.5), doc! { "a": { "$gt": 1.5 } });
        of(Filter::lte("a", Value::Null), doc! { "a": { "$eq": null } });
        of(Filter::eq("id", 7), doc! { "_id": { "$eq": 7_i64 } });
        let injected = remex_core::Document::new().with("$gt", "");
        of(Filter::eq("password", injected), doc! { "password": { "$eq": { "$gt": "" } } });
        of(
            !Filter::eq("a", 1).and(Filter::eq("b", 2)),
            doc! { "$or": [
                { "$nor": [{ "a": { "$eq": 1_i64 } }] }, { "$nor": [{ "b": { "$eq": 2_i64 } }] },
            ] },
        );
    }

    #[test]
    fn what_holds_for_all_or_none_is_said_so() {
        let of = |filter: Filter, expected: Said| check(IdKind::Integer, &filter, &expected);
        of(Filter::All, Said::All);
        of(Filter::And(Vec::new()), Said::All);
        of(Filter::Or(Vec::new()), Said::None);
        of(Filter::is_in("a", Vec::<Value>::new()), Said::None);
        of(Filter::not_in("a", Vec::<Value>::new()), Said::All);
        of(Filter::gt("a", Value::Null), Said::None);
        of(Filter::eq("_id", 7), Said::None);
        of(Filter::eq("id.x", Value::Null), Said::All);
    }

    #[test]
    fn ids_are_said_as_they_are_kept() {
        let text = "0192f0c1-0000-7000-8000-00000000000a";
        exactly(IdKind::Uuid, &Filter::eq("id", text), doc! { "_id": { "$eq": spelled(text).expect("a UUID") } });
        check(IdKind::Uuid, &Filter::eq("id", "x"), &Said::None);
        check(IdKind::Uuid, &Filter::ne("id", text.to_uppercase()), &Said::All);
        let hex = "0123456789abcdef01234567";
        exactly(IdKind::ObjectId, &Filter::gt("id", hex), doc! { "_id": { "$gt": spelled(hex).expect("an id") } });
        check(IdKind::ObjectId, &Filter::gt("id", 5), &Said::None);
        exactly(IdKind::Text, &Filter::eq("id", "x"), doc! { "_id": { "$eq": "x" } });
    }

    #[test]
    fn what_mongodb_compares_otherwise_is_said_wider() {
        let list_or_object = doc! { "a.b": { "$type": ["array", "object"] } };
        check(IdKind::Integer, &Filter::gt("a.b.0.c", 1), &Said::AtLeast(list_or_object));
        check(IdKind::Integer, &Filter::ne("a.0", 1), &Said::unsaid());
        let pair = remex_core::Document::new().with("a", 1).with("b", 2);
        check(IdKind::Integer, &Filter::eq("o", pair.clone()), &Said::AtLeast(doc! { "o": { "$type": "object" } }));
        check(IdKind::Integer, &Filter::ne("o", pair), &Said::unsaid());
    }

    #[test]
    fn dates_are_found_by_their_texts() {
        let text = "2026-11-22T04:34:02.000001Z";
        let date = DateTime::from_millis(1_795_322_042_000);
        exactly(
            IdKind::Integer,
            &Filter::gt("seen", text),
            doc! { "$or": [
                { "seen": { "$gt": text } }, { "seen": { "$gt": date } },
            ] },
        );
        let text = "2026-11-22T04:34:02.000000Z";
        exactly(IdKind::Integer, &Filter::eq("seen", text), doc! { "seen": { "$in": [text, date] } });
    }
}
