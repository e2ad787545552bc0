//! Documents to serde types, naming every field that does not fit.
//!
//! Serde stops at the first field that does not fit. To name them all, a [draft] of the document is mended and
//! read again, until it fits or nothing more can be found out. How a draft is mended depends on what serde tells:
//!
//! - Most faults come with their [place](fault): the value there is replaced by a stand-in, see [search].
//! - What is flattened, or tagged in the object itself, serde first copies into a buffer of its own, and a fault in that
//!   comes with the place of the buffered object. What is bad inside is found by growing the object from nothing, see
//!   [grow].

mod asks;
mod draft;
mod fault;
pub(crate) mod fields;
mod grow;
mod reader;
mod search;
mod stand_in;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

pub(crate) use asks::may_be_object;
use draft::Node;
use reader::Reader;

use crate::{Document, Error, Result};

/// A field that keeps a document from being read, and why.
#[derive(Debug)]
pub(crate) struct BadField {
    pub(crate) path: String,
    pub(crate) code: &'static str,
    message: String,
}

/// Turns a document into a serde type.
pub(crate) fn from_document<T: DeserializeOwned>(document: &Document) -> Result<T> {
    // The common case goes first and costs no more than reading does.
    T::deserialize(Reader::new(Node::Document(document))).map_err(|_| error_of(&search::bad_fields::<T>(document)))
}

/// Finds what keeps a document from being a `T`, of what matters to the caller; nothing where it fits.
///
/// # Errors
/// [`ErrorKind::Unprocessable`](crate::ErrorKind::Unprocessable) naming each field.
pub(crate) fn check<T: DeserializeOwned>(document: &Document, matters: impl Fn(&BadField) -> bool) -> Result<()> {
    if T::deserialize(Reader::new(Node::Document(document))).is_ok() {
        return Ok(());
    }
    let mut fields = search::bad_fields::<T>(document);
    fields.retain(matters);
    if fields.is_empty() { Ok(()) } else { Err(error_of(&fields)) }
}

/// Finds what keeps a changed document from being a `T` that did not keep it so before.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_changed<T: DeserializeOwned>(old: &Document, new: &Document) -> Result<()> {
    if T::deserialize(Reader::new(Node::Document(new))).is_ok() {
        return Ok(());
    }
    let before = search::bad_fields::<T>(old);
    check::<T>(new, |field| !before.iter().any(|old| old.path == field.path && old.code == field.code))
}

fn error_of(fields: &[BadField]) -> Error {
    let named = fields.iter().map(|field| (field.path.as_str(), field.message.as_str()));
    let mut error = Error::unprocessable(crate::error::summary(named));
    for field in fields {
        error = error.with_field(&field.path, field.code, field.message.clone());
    }
    error
}
