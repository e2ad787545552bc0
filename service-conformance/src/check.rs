//! What cases expect, and how it is said that something else was found.

use std::fmt::Debug;

use remex_core::{Document, Error, ErrorKind, Id, Result, Value};

use crate::{Failed, Outcome};

/// Fails unless the condition holds.
#[track_caller]
pub(crate) fn holds(condition: bool, what: &str) -> Outcome {
    if condition { Ok(()) } else { Err(Failed::new(format!("this does not hold: {what}"))) }
}

/// Fails unless what was found is what was expected.
#[track_caller]
pub(crate) fn equal<F: PartialEq<E> + Debug, E: Debug>(what: &str, found: F, expected: E) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(Failed::new(format!("{what}\n  expected: {expected:?}\n  found:    {found:?}")))
    }
}

/// Fails unless the record has these fields with these values, and no others.
///
/// Null and absent are alike. What the service fills in, the id and times, is compared only if it is expected.
#[track_caller]
pub(crate) fn is_record(found: &Document, expected: serde_json::Value) -> Outcome {
    let expected = match Value::from(expected) {
        Value::Document(document) => document,
        other => return Err(Failed::new(format!("a record is expected to be an object, not {other}"))),
    };
    let managed = ["id", "created_at", "updated_at", "createdAt", "updatedAt"];
    let unlike = expected.iter().find(|(name, value)| !found[name].equals(value));
    let further =
        found.iter().find(|(name, value)| !value.is_null() && !expected.contains(name) && !managed.contains(name));
    match (unlike, further) {
        (None, None) => Ok(()),
        (Some((name, value)), _) => Err(Failed::new(format!(
            "the field `{name}` of a record is not as expected\n  expected: {value}\n  found:    {}\n  in:       {found}",
            found[name]
        ))),
        (_, Some((name, _))) => Err(Failed::new(format!(
            "a record has the field `{name}`, which is not expected\n  expected: {expected}\n  found:    {found}"
        ))),
    }
}

/// Fails unless two records are the same, the id and times among it; null and absent are alike.
#[track_caller]
pub(crate) fn same(found: &Document, expected: &Document) -> Outcome {
    let lacks = |one: &Document, other: &Document| one.iter().any(|(name, value)| !other[name].equals(value));
    if lacks(found, expected) || lacks(expected, found) {
        return Err(Failed::new(format!("two records differ\n  expected: {expected}\n  found:    {found}")));
    }
    Ok(())
}

/// Fails unless the two lists hold the same records in the same order.
#[track_caller]
pub(crate) fn all_same(found: &[Document], expected: &[Document]) -> Outcome {
    equal("how many records there are", found.len(), expected.len())?;
    for (found, expected) in found.iter().zip(expected) {
        same(found, expected)?;
    }
    Ok(())
}

/// Fails unless the records have these names, in this order.
#[track_caller]
pub(crate) fn named(found: &[Document], expected: &[&str]) -> Outcome {
    let names: Vec<&str> = found.iter().map(|record| record["name"].as_str().unwrap_or("(no name)")).collect();
    equal("the names of the records", names, expected)
}

/// Fails unless the records have these names, in whatever order.
#[track_caller]
pub(crate) fn named_somehow(found: &[Document], expected: &[&str]) -> Outcome {
    let mut names: Vec<&str> = found.iter().map(|record| record["name"].as_str().unwrap_or("(no name)")).collect();
    let mut expected = expected.to_vec();
    names.sort_unstable();
    expected.sort_unstable();
    equal("the names of the records, in whatever order", names, expected)
}

/// Fails unless the call was refused with an error of this kind, and one that a client may see; returns it.
#[track_caller]
pub(crate) fn refused<T: Debug>(result: Result<T>, kind: ErrorKind) -> Result<Error, Failed> {
    refused_as(result, &[kind])
}

/// As [`refused`], where more than one kind will do.
#[track_caller]
pub(crate) fn refused_as<T: Debug>(result: Result<T>, kinds: &[ErrorKind]) -> Result<Error, Failed> {
    let error = match result {
        Err(error) => error,
        Ok(answer) => {
            return Err(Failed::new(format!("an error was expected\n  expected: {kinds:?}\n  found:    {answer:?}")));
        }
    };
    if !kinds.contains(&error.kind()) {
        return Err(Failed::new(format!("another error was expected\n  expected: {kinds:?}\n  found:    {error:?}")));
    }
    tells_nothing_of_the_store(&error)?;
    Ok(error)
}

/// Fails where the text of an error has what only a store or its driver says.
#[track_caller]
fn tells_nothing_of_the_store(error: &Error) -> Outcome {
    let texts = std::iter::once(error.message()).chain(error.fields().iter().map(|field| field.message.as_str()));
    for text in texts {
        let lower = text.to_lowercase();
        let trace =
            ["select ", "insert into", "sqlstate", "sqlx", "mongodb", "e11000", "panicked", ".rs:", "constraint"];
        if let Some(trace) = trace.into_iter().find(|trace| lower.contains(trace)) {
            return Err(Failed::new(format!("a client is told of the store, by `{trace}`: {text}")));
        }
    }
    holds(!error.message().is_empty(), "an error has a message")
}

/// Fails unless the error names the field as one that is at fault.
#[track_caller]
pub(crate) fn names_field(error: &Error, field: &str) -> Outcome {
    let fields: Vec<&str> = error.fields().iter().map(|fault| fault.field.as_str()).collect();
    if fields.contains(&field) {
        return Ok(());
    }
    Err(Failed::new(format!("an error does not name the field `{field}`\n  found:    {fields:?} in {error:?}")))
}

/// Fails unless the message has the text in it.
#[track_caller]
pub(crate) fn mentions(error: &Error, text: &str) -> Outcome {
    if error.message().contains(text) {
        return Ok(());
    }
    Err(Failed::new(format!("the message of an error does not have `{text}` in it\n  found:    {}", error.message())))
}

/// Returns the id of a record.
#[track_caller]
pub(crate) fn id(record: &Document) -> Result<Id, Failed> {
    Id::from_value(&record["id"]).ok_or_else(|| Failed::new(format!("a record has no id: {record}")))
}

/// Returns the ids of records.
#[track_caller]
pub(crate) fn ids(records: &[Document]) -> Result<Vec<Id>, Failed> {
    records.iter().map(id).collect()
}

/// Returns the document that a JSON object is.
#[track_caller]
pub(crate) fn document(object: serde_json::Value) -> Document {
    match Value::from(object) {
        Value::Document(document) => document,
        other => panic!("a document is an object, not {other}"),
    }
}
