//! Documents to a record's own type and back, for stores that keep documents; free where that type is [`Document`] itself.

use std::any::{Any, TypeId};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::output::same;
use crate::{Description, Document, Error, Params, Result};

impl Description {
    /// Turns a stored document into a record: your type gets all of it, a document what the caller may see and asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) for a document that did not go through
    /// [`conform`](Self::conform), or by one of another type.
    pub fn to_record<T: DeserializeOwned + 'static>(&self, document: Document, params: &Params) -> Result<T> {
        if TypeId::of::<T>() == TypeId::of::<Document>() {
            return same(self.reveal(document, params)).map_err(|_| Error::internal("a document is no document"));
        }
        document.to_typed().map_err(|error| {
            // What is stored went through `conform`, where it was read once.
            let detail = format!("`{}` cannot be read from what it was written as", std::any::type_name::<T>());
            Error::internal(detail).with_source(error)
        })
    }

    /// Turns data into a document.
    ///
    /// # Errors
    /// As [`Document::from_serialize`].
    pub fn to_document<T: Serialize + 'static>(&self, data: &T) -> Result<Document> {
        match (data as &dyn Any).downcast_ref::<Document>() {
            Some(document) => Ok(document.clone()),
            None => Document::from_serialize(data),
        }
    }

    /// Makes sure that a document is a `T` before it is stored, and writes it as `T` does: defaults are filled in.
    ///
    /// The id and managed times stay, whether `T` has fields for them or not.
    ///
    /// # Errors
    /// [`ErrorKind::Unprocessable`](crate::ErrorKind::Unprocessable) naming every field that does not fit, and
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) for a type that cannot be read from what it writes.
    pub fn conform<T>(&self, document: Document) -> Result<Document>
    where
        T: Serialize + DeserializeOwned + 'static,
    {
        if (&document as &dyn Any).is::<T>() {
            return Ok(document);
        }
        let record: T = document.to_typed()?;
        let mut conformed = Document::from_serialize(&record)?;
        for (name, value) in document.iter().filter(|(name, _)| self.is_managed(name)) {
            if name == self.id_field() {
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
        self.keep_forms(&mut conformed);
        Ok(conformed)
    }
}
