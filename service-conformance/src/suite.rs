//! [`Suite`] and [`People`]: what a case works with.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use remex_core::{Document, DynService, Id, IdKind, Options, Page, Params, Provider, Query, Result, Value};
use serde_json::json;

use crate::check::document;
use crate::{Backend, Entrance, Failed, RecordKind, people_fields};

/// What a case is tried on: a backend, and a way in to it.
#[derive(Clone)]
pub struct Suite {
    backend: Arc<dyn Backend>,
    entrance: Arc<dyn Entrance>,
}

/// So that every service has a name of its own, and with it its own table where it has one.
static SERVICES: AtomicUsize = AtomicUsize::new(1);

impl Suite {
    /// Makes a suite for a backend and a way in.
    #[must_use]
    pub const fn new(backend: Arc<dyn Backend>, entrance: Arc<dyn Entrance>) -> Self {
        Self { backend, entrance }
    }

    /// Makes an empty service; the closure says which options it has.
    ///
    /// # Errors
    /// The backend's.
    pub async fn people(&self, shape: impl FnOnce(Options) -> Options) -> Result<People> {
        let kind = self.backend.id_kind();
        let number = SERVICES.fetch_add(1, Ordering::Relaxed);
        let mut options = Options::new(format!("people_{number}")).id_kind(kind);
        if self.backend.record() == RecordKind::Columns {
            options = options.fields(people_fields());
        }
        let service = self.entrance.enter(self.backend.service(shape(options)).await?);
        Ok(People { service, entrance: self.entrance.clone(), kind, made: Arc::new(AtomicUsize::new(1)) })
    }

    /// Makes a service with Bob (25), Doug (32) and Alice (19), made in this order.
    ///
    /// # Errors
    /// The backend's.
    pub async fn three(&self, shape: impl FnOnce(Options) -> Options) -> Result<People> {
        let people = self.people(shape).await?;
        people.add(json!({"name": "Bob", "age": 25})).await?;
        people.add(json!({"name": "Doug", "age": 32})).await?;
        people.add(json!({"name": "Alice", "age": 19})).await?;
        Ok(people)
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.backend.name(), self.entrance.name())
    }
}

/// A service of people. It dereferences to the service.
#[derive(Clone)]
pub struct People {
    service: Arc<DynService>,
    entrance: Arc<dyn Entrance>,
    kind: IdKind,
    made: Arc<AtomicUsize>,
}

impl Deref for People {
    type Target = DynService;

    fn deref(&self) -> &DynService {
        &*self.service
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").field("entrance", &self.entrance).finish_non_exhaustive()
    }
}

impl People {
    /// Returns the service to share.
    #[must_use]
    pub const fn service(&self) -> &Arc<DynService> {
        &self.service
    }

    /// Returns data to create a record from, with an id where callers have to make it.
    #[must_use]
    pub fn new_data(&self, data: serde_json::Value) -> Document {
        let mut data = document(data);
        if self.kind == IdKind::Text && !data.contains("id") {
            // In the order of making, as the other kinds are.
            data.insert("id", format!("person-{:06}", self.made.fetch_add(1, Ordering::Relaxed)));
        }
        data
    }

    /// Creates a record from inside the program.
    ///
    /// # Errors
    /// The service's.
    pub async fn add(&self, data: serde_json::Value) -> Result<Document> {
        self.service.create(self.new_data(data), &Params::new()).await
    }

    /// Creates records from inside the program, one by one.
    ///
    /// # Errors
    /// The service's.
    pub fn add_all(&self, data: impl IntoIterator<Item = serde_json::Value>) -> BoxFuture<'_, Result<Vec<Document>>> {
        // Collected before the first call, since futures are sent between threads and iterators need not be.
        let data: Vec<_> = data.into_iter().collect();
        Box::pin(async move {
            let mut records = Vec::with_capacity(data.len());
            for data in data {
                records.push(self.add(data).await?);
            }
            Ok(records)
        })
    }

    /// Returns an id that is of the right kind and that no record has, another one every time.
    #[must_use]
    pub fn free_id(&self) -> Id {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        match self.kind {
            IdKind::Integer => Id::from(1_000_000 + i64::try_from(number).unwrap_or(0)),
            IdKind::Uuid => Id::from(format!("0192f0c1-0000-7000-8000-{number:012x}")),
            IdKind::ObjectId => Id::from(format!("0192f0c1000070008{number:07x}")),
            IdKind::Text => Id::from(format!("free {number}/ä?&%")),
        }
    }

    /// Returns the value under which a record of this service holds the id.
    #[must_use]
    pub fn id_value(&self, id: &Id) -> Value {
        match self.kind {
            IdKind::Integer => id.as_str().parse::<i64>().map_or(Value::Null, Value::from),
            IdKind::Uuid | IdKind::ObjectId | IdKind::Text => Value::from(id.as_str()),
        }
    }

    /// Lists texts that cannot be ids of this service.
    #[must_use]
    pub fn unparsable_ids(&self) -> Vec<Id> {
        let texts: &[&str] = match self.kind {
            IdKind::Integer => &["abc", "007", "1.0", "+1", "1e3", "9223372036854775808", "1 OR 1=1", "ä"],
            IdKind::Uuid => &["abc", "1", "0192f0c100007000800000000000000a", "0192f0c1-0000-7000-8000-00000000000g"],
            IdKind::ObjectId => &["abc", "1", "0192f0c1000070008000000", "0192f0c1000070008000000g", "ä"],
            IdKind::Text => return vec![Id::from("x".repeat(256))],
        };
        texts.iter().map(|text| Id::from(*text)).collect()
    }

    /// Returns the person of this name.
    ///
    /// # Errors
    /// Where there is none, or the service's.
    pub async fn person(&self, name: &str) -> Result<Document, Failed> {
        let records = self.all().await?;
        let found = records.into_iter().find(|record| record["name"].as_str() == Some(name));
        found.ok_or_else(|| Failed::new(format!("there is no {name}")))
    }

    /// Lists all records, from inside the program.
    ///
    /// # Errors
    /// The service's.
    pub async fn all(&self) -> Result<Vec<Document>> {
        self.list(Query::new()).await
    }

    /// Lists what matches a query from inside the program.
    ///
    /// # Errors
    /// The service's.
    pub async fn list(&self, query: Query) -> Result<Vec<Document>> {
        let params = Params { paginate: Some(remex_core::Paginate::Off), ..Params::from(query) };
        Ok(self.service.index(&params).await?.data)
    }

    /// Lists what matches a query string, as a client does.
    ///
    /// # Errors
    /// The service's.
    pub async fn text(&self, query: &str) -> Result<Page<Document>> {
        self.entrance.index_text(&self.service, query).await
    }

    /// Removes what matches a query string, as a client does.
    ///
    /// # Errors
    /// The service's.
    pub async fn remove_text(&self, query: &str) -> Result<Vec<Document>> {
        self.entrance.remove_text(&self.service, query).await
    }
}

/// Returns params of a call from a client.
pub(crate) fn client() -> Params {
    Params::client(Provider::Rest)
}

/// Returns params of a call from inside the program.
pub(crate) fn server() -> Params {
    Params::new()
}
