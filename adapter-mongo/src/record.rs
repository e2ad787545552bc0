//! Documents to a record's own type and back; free where that type is [`Document`] itself.

use std::any::{Any, TypeId};

use remex_core::{Description, Document, Error, Params, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Turns a stored document into a record: your type gets all of it, a document what the caller may see and asked for.
pub(crate) fn decode<T>(description: &Description, document: Document, params: &Params) -> Result<T>
where
    T: DeserializeOwned + Clone + 'static,
{
    if TypeId::of::<T>() == TypeId::of::<Document>() {
        let document = description.reveal(document, params);
        // The types are the same, so there is a record; a clone of a document is the same document.
        return (&document as &dyn Any).downcast_ref::<T>().cloned().ok_or_else(|| Error::internal("no document"));
    }
    document.to_typed().map_err(|error| {
        // What is stored went through `conform`, where it was read once.
        let detail = format!("`{}` cannot be read from what it was written as", std::any::type_name::<T>());
        Error::internal(detail).with_source(error)
    })
}

/// Turns data into a document.
pub(crate) fn encode<T: Serialize + 'static>(data: &T) -> Result<Document> {
    match (data as &dyn Any).downcast_ref::<Document>() {
        Some(document) => Ok(document.clone()),
        None => Document::from_serialize(data),
    }
}

/// Makes sure that a document is a `T` before it is stored, and writes it as `T` does: defaults are filled in.
///
/// Every field that does not fit is named. The id and managed times stay, whether `T` has fields for them or not.
pub(crate) fn conform<T>(description: &Description, document: Document) -> Result<Document>
where
    T: Serialize + DeserializeOwned + 'static,
{
    if (&document as &dyn Any).is::<T>() {
        return Ok(document);
    }
    let record: T = document.to_typed()?;
    let mut conformed = Document::from_serialize(&record)?;
    for (name, value) in document.iter().filter(|(name, _)| description.is_managed(name)) {
        if name == description.id_field() {
            conformed.insert_first(name, value.clone());
        } else {
            conformed.insert(name, value.clone());
        }
    }
    // A type that leaves out what it must have again would make a record that nobody can read.
    if let Err(error) = conformed.to_typed::<T>() {
        let detail = format!("`{}` cannot be read from what it writes", std::any::type_name::<T>());
        return Err(Error::internal(detail).with_source(error));
    }
    Ok(conformed)
}
