//! [`Entrance`]: a way in to a service, by which every case is tried again.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use remex_core::{Document, DynService, Page, Params, Provider, Query, Result, Service, ServiceExt};

use crate::{Case, Need, NewPerson, Person};

/// A way in to a service: directly, through a wrapper, over a wire.
///
/// Whatever the way, a service answers the same; so every case is tried by every way, and proves the way as well.
#[async_trait]
pub trait Entrance: Send + Sync {
    /// Names the way in, for the names of trials and for the table.
    fn name(&self) -> &str;

    /// Returns a service that reaches the given one by this way.
    fn enter(&self, service: Arc<DynService>) -> Arc<DynService>;

    /// Lists what matches a query string, as a client does. The service is one that [`enter`](Self::enter) gave.
    ///
    /// # Errors
    /// As [`Query::parse`] and [`Service::index`].
    async fn index_text(&self, service: &DynService, query: &str) -> Result<Page<Document>> {
        service.index(&client_of_text(service, query)?).await
    }

    /// Removes what matches a query string, as a client does. The service is one that [`enter`](Self::enter) gave.
    ///
    /// # Errors
    /// As [`Query::parse`] and [`Service::remove_many`].
    async fn remove_text(&self, service: &DynService, query: &str) -> Result<Vec<Document>> {
        service.remove_many(&client_of_text(service, query)?).await
    }

    /// Says why a case cannot be tried by this way, if so. Defaults to every case being applicable.
    fn not_applicable(&self, case: &Case) -> Option<&'static str> {
        let _ = case;
        None
    }
}

fn client_of_text(service: &DynService, query: &str) -> Result<Params> {
    let query = Query::parse(query, service.describe().syntax())?;
    Ok(Params::client(Provider::Rest).with_query(query))
}

/// Returns the ways in that need no transport: [`Direct`], [`Pointers`] and [`Views`].
#[must_use]
pub fn in_process() -> Vec<Arc<dyn Entrance>> {
    vec![Arc::new(Direct), Arc::new(Pointers), Arc::new(Views)]
}

/// The service itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Entrance for Direct {
    fn name(&self) -> &str {
        "direct"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        service
    }
}

/// The service behind pointers to pointers: nothing is lost by pointing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pointers;

impl Entrance for Pointers {
    fn name(&self) -> &str {
        "pointers"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        let boxed: Box<dyn Service<Id = _, Data = _, Input = _>> = Box::new(service);
        Arc::new(boxed)
    }
}

/// The service as one of [`Person`], and that as one of documents again: nothing is lost by being given types.
#[derive(Clone, Copy, Debug, Default)]
pub struct Views;

impl Entrance for Views {
    fn name(&self) -> &str {
        "views"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        Arc::new(service.typed::<Person, NewPerson>().untyped())
    }

    fn not_applicable(&self, case: &Case) -> Option<&'static str> {
        case.has_need(Need::AnyField).then(|| Need::AnyField.reason())
    }
}

impl fmt::Debug for dyn Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
