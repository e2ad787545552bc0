//! [`Table`]: the records by id and their indexes, changed together or not at all.

use std::collections::BTreeSet;

use remex_core::{Description, Document, Error, Result, Value};

use crate::index::FieldIndex;
use crate::key::Key;
use crate::records::{Record, Records};

/// The records by id and their indexes.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    name: String,
    pub(crate) records: Records,
    pub(crate) indexes: Vec<FieldIndex>,
    /// Grows with every change, so that a walk along an index notices that records may have moved.
    pub(crate) version: u64,
    /// Integer ids that callers made up and that are too large to be counted past; they are not made again either.
    pub(crate) given: BTreeSet<i64>,
    /// Whether a transaction works on a copy, which is to take this one's place.
    pub(crate) held: bool,
}

/// Changes that were made, in their order, so that they can be taken back.
#[derive(Debug, Default)]
pub(crate) struct Undo(Vec<(Key, Option<Document>)>);

impl Table {
    pub(crate) fn new(description: &Description) -> Self {
        let indexes = description.indexes().iter().map(|index| FieldIndex::new(index.field.clone(), index.unique));
        Self {
            name: description.name().to_owned(),
            records: Records::default(),
            indexes: indexes.collect(),
            version: 0,
            given: BTreeSet::new(),
            held: false,
        }
    }

    /// Sets a record, new or not, and its places in the indexes.
    ///
    /// # Errors
    /// `Conflict`, with nothing changed, where another record holds a value that must be unique.
    pub(crate) fn set(&mut self, key: Key, record: &Document) -> Result<()> {
        for index in self.indexes.iter().filter(|index| index.unique) {
            let value = &record[&index.field];
            // The index also leads to lists that hold the value as an element, which are not equal to it.
            let holds = |other: &Key| self.document(other).is_some_and(|other| other[&index.field].equals(value));
            if !value.is_null() && index.equal(value).any(|other| *other != key && holds(other)) {
                return Err(Error::duplicate(&self.name, &index.field));
            }
        }
        self.version += 1;
        if !self.indexes.is_empty() {
            let old = self.document(&key);
            for index in &mut self.indexes {
                if let Some(old) = &old {
                    index.remove(&key, old);
                }
                index.add(&key, record);
            }
        }
        self.records.insert(key, record);
        Ok(())
    }

    /// Returns the document of a record.
    pub(crate) fn document(&self, key: &Key) -> Option<Document> {
        self.records.get(key).map(Record::document)
    }

    /// Takes a record away, and its places in the indexes.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Document> {
        let record = self.records.remove(key)?;
        self.version += 1;
        for index in &mut self.indexes {
            index.remove(key, &record);
        }
        Some(record)
    }

    /// Takes all records away.
    pub(crate) fn clear(&mut self) -> Records {
        self.version += 1;
        self.indexes.iter_mut().for_each(FieldIndex::clear);
        std::mem::take(&mut self.records)
    }

    /// Sets a record as one of several changes, or takes all of these back.
    ///
    /// # Errors
    /// As [`set`](Self::set), with the earlier changes taken back.
    pub(crate) fn set_or_undo(&mut self, undo: &mut Undo, key: Key, record: &Document) -> Result<()> {
        let old = self.document(&key);
        match self.set(key.clone(), record) {
            Ok(()) => {
                undo.0.push((key, old));
                Ok(())
            }
            Err(error) => {
                self.undo(std::mem::take(undo));
                Err(error)
            }
        }
    }

    /// Takes changes back, the last one first.
    pub(crate) fn undo(&mut self, undo: Undo) {
        for (key, old) in undo.0.into_iter().rev() {
            self.remove(&key);
            if let Some(old) = old {
                for index in &mut self.indexes {
                    index.add(&key, &old);
                }
                self.records.insert(key, &old);
            }
        }
    }

    /// Makes the error of an id that a record has already.
    pub(crate) fn id_taken(&self, id_field: &str, id: &Value) -> Error {
        Error::conflict(format!("there is a record of `{}` with id `{}` already", self.name, plain(id))).with_field(
            id_field,
            "unique",
            "another record has the same id",
        )
    }
}

/// Writes an id without the quotes of JSON.
fn plain(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
