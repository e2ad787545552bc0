//! [`Backend`]: a store under test.

use std::sync::Arc;

use async_trait::async_trait;
use remex_core::{DynService, IdKind, Options, Result};

/// A store under test: one adapter, with one kind of ids and one kind of records.
///
/// An adapter has one for every combination that it offers, and gives them all to [`run`](crate::run).
#[async_trait]
pub trait Backend: Send + Sync {
    /// Names the backend, for the names of trials and for the table: `memory, documents, integer ids`.
    fn name(&self) -> &str;

    /// Returns of which kind the ids are.
    fn id_kind(&self) -> IdKind;

    /// Returns what is kept of a record.
    fn record(&self) -> RecordKind;

    /// Makes a service with these options over a store of its own, which is empty: its own map, table or collection.
    ///
    /// The options have the kind of ids, a name that no other service of the run has, and whatever the case asks for. For
    /// [`RecordKind::Columns`] they have the fields as well. A backend that must know what it is to store (to make a
    /// table, say) reads it off the description: `Description::new(options.clone())` tells the fields, the id and the
    /// times that the service keeps among them, and the indexes.
    ///
    /// # Errors
    /// Whatever keeps the store from being made; every case then fails with it.
    async fn service(&self, options: Options) -> Result<Arc<DynService>>;

    /// Says why this store cannot answer a case as the others do, if so. Defaults to every case being applicable.
    ///
    /// The case then shows as ignored, and the reason stands below the table: nothing is left out in silence.
    fn not_applicable(&self, case: &str) -> Option<&'static str> {
        let _ = case;
        None
    }
}

/// What a backend keeps of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// Whatever fields it has, unless the options say which there are.
    Documents,
    /// What [`Person`](crate::Person) holds; the options need not say which fields there are.
    Typed,
    /// The columns of a table, those of [`people_fields`](crate::people_fields); an absent value is null.
    Columns,
}
