//! [`MongoService`]: your types on the outside, documents on the inside, BSON in the collection.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use mongodb::bson::{self, RawDocumentBuf};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection, Database};
use remex_core::{
    Description, Document, Error, Id, Intent, Page, Params, Patch, Result, Service, Shield, Site, Stored,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::change::Change;
use crate::driver::Reading;
use crate::error::away;
use crate::options::MongoOptions;
use crate::store::{Conform, Store};
use crate::transaction::Held;

/// A service whose records are the documents of a collection: of your own type `T`, made from `In`, or documents.
///
/// Whoever stops waiting for a call leaves it to run to its end, so that the driver is never left in the middle of anything.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> remex_core::Result<()> {
/// use remex_core::{Document, IdKind, Options, Params, Service};
/// use remex_mongo::MongoService;
///
/// let options = Options::new("birds").id_kind(IdKind::ObjectId).unique("name");
/// let birds = MongoService::<Document>::connect("mongodb://localhost/zoo", options).await?;
/// birds.create(Document::new().with("name", "Wren"), &Params::new()).await?;
/// # Ok(())
/// # }
/// ```
pub struct MongoService<T = Document, In = T> {
    store: Arc<Store>,
    types: PhantomData<fn() -> (T, In)>,
}

/// How long a call waits for a server that takes it.
const SELECTION_TIME: Duration = Duration::from_secs(3);

/// The database, where a URL names none.
const DATABASE: &str = "test";

impl<T, In> MongoService<T, In>
where
    T: Serialize + DeserializeOwned + 'static,
{
    /// Makes a service over the collection that the options name, in a database that is handed in ready-made, with whatever
    /// settings its client has. A collection and indexes that are not there are made.
    ///
    /// The driver waits half a minute for a server unless it is told otherwise, and with it every call; [`connect`] makes
    /// that three seconds.
    ///
    /// [`connect`]: Self::connect
    ///
    /// # Errors
    /// - [`ErrorKind::Internal`](remex_core::ErrorKind::Internal), with what is wrong in the log: options that contradict
    ///   themselves, or what is there already.
    /// - [`ErrorKind::Unavailable`](remex_core::ErrorKind::Unavailable) where the database cannot be reached.
    pub async fn new(database: Database, options: impl Into<MongoOptions>) -> Result<Self> {
        let options = options.into();
        let typed = TypeId::of::<T>() != TypeId::of::<Document>();
        let conform: Option<Conform> = if typed { Some(Description::conform::<T>) } else { None };
        let store = Shield::new(async move { Store::open(&database, options, conform).await }).await?;
        Ok(Self { store: Arc::new(store), types: PhantomData })
    }

    /// Makes a service over a collection of the database of a URL, `mongodb://host/database`; without a name in it, of the
    /// database `test`.
    ///
    /// Each call of this has connections of its own; services of one database rather share a [`Database`] through
    /// [`new`](Self::new).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn connect(url: &str, options: impl Into<MongoOptions>) -> Result<Self> {
        Self::new(open_database(url).await?, options).await
    }

    /// Returns the collection, for what a service has no word for. What is done there passes by hooks and events, and its
    /// futures are not to be dropped unfinished: see [`Shield`].
    #[must_use]
    pub fn collection(&self) -> Collection<bson::Document> {
        self.store.driver.collection.clone_with_type()
    }

    /// Runs a pipeline over the collection and answers the documents that come out of it, for what the query language
    /// cannot say. It is the program's own: scopes and hidden fields do not hold for it, and nothing in it may come from a
    /// client unless it stands behind a `$literal`.
    ///
    /// ```no_run
    /// # async fn count_by_state(todos: remex_mongo::MongoService) -> remex_core::Result<()> {
    /// use remex_mongo::mongodb::bson::doc;
    ///
    /// let counts = todos.aggregate(vec![doc! { "$sortByCount": "$state" }]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](remex_core::ErrorKind::Internal) for a pipeline that the server refuses.
    pub async fn aggregate(&self, pipeline: Vec<bson::Document>) -> Result<Vec<Document>> {
        let store = self.store.clone();
        let work = async move {
            let mut rows = store.driver.aggregate(None, pipeline, Reading::default()).await?;
            let mut found: Vec<RawDocumentBuf> = Vec::new();
            while rows.advance().await? {
                found.push(rows.current().to_owned());
            }
            Ok(found)
        };
        let found = Shield::new(work).await.map_err(|error| self.store.failure(error).into_error())?;
        let mut decoder = self.store.decoder();
        found.iter().map(|document| decoder.decode(document)).collect()
    }

    fn decode(&self, record: Document, params: &Params) -> Result<T>
    where
        T: Clone,
    {
        self.store.description.to_record(record, params)
    }

    fn decode_all(&self, records: Vec<Document>, params: &Params) -> Result<Vec<T>>
    where
        T: Clone,
    {
        records.into_iter().map(|record| self.decode(record, params)).collect()
    }

    /// Runs work that goes on even if nobody waits for it any more, in the session of its transaction, if it has one.
    async fn run<R, W, F>(&self, params: &Params, work: W) -> Result<R>
    where
        R: Send + 'static,
        W: FnOnce(Arc<Store>, Held, Params) -> F + Send + 'static,
        F: Future<Output = Result<R>> + Send + 'static,
    {
        let (store, params) = (self.store.clone(), params.for_store());
        Shield::new(async move {
            let held = Held::take(&store).await?;
            work(store, held, params).await
        })
        .await
    }

    async fn change(&self, change: Change, params: &Params) -> Result<Vec<Stored<Document>>> {
        self.run(params, |store, mut held, params| async move {
            let stored = store.change(held.session(), &change, &params).await;
            held.noted(stored)
        })
        .await
    }

    async fn change_one(&self, change: Change, params: &Params) -> Result<Stored<Document>> {
        let stored = self.change(change, params).await?.into_iter().next();
        stored.ok_or_else(|| Error::internal("a record was written and is not there"))
    }

    async fn change_many(&self, change: Change, params: &Params) -> Result<Vec<Document>> {
        Ok(self.change(change, params).await?.into_iter().map(Stored::into_inner).collect())
    }
}

impl<T, In> fmt::Debug for MongoService<T, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoService").field("store", &self.store).finish()
    }
}

/// Opens the database of a URL, for any number of services: `mongodb://host/database`; without a name in it, `test`.
///
/// # Errors
/// [`ErrorKind::Unavailable`](remex_core::ErrorKind::Unavailable) for a URL that the driver cannot make anything of. That the
/// server is not there shows with the first service.
pub async fn open_database(url: &str) -> Result<Database> {
    let url = url.to_owned();
    let client = Shield::new(async move {
        let mut options = ClientOptions::parse(url).await?;
        options.server_selection_timeout.get_or_insert(SELECTION_TIME);
        options.connect_timeout.get_or_insert(SELECTION_TIME);
        Client::with_options(options)
    });
    let client = client.await.map_err(away)?;
    Ok(client.default_database().unwrap_or_else(|| client.database(DATABASE)))
}

#[async_trait]
impl<T, In> Service for MongoService<T, In>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    In: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Id = Id;
    type Data = T;
    type Input = In;

    async fn index(&self, params: &Params) -> Result<Page<T>> {
        let page = self.run(params, |store, mut held, params| async move {
            let page = store.page(held.session(), &params).await;
            held.noted(page)
        });
        page.await?.try_map(|record| self.decode(record, params))
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<T> {
        let id = id.clone();
        let record = self.run(params, |store, mut held, params| async move {
            let record = store.one(held.session(), &id, &params).await;
            held.noted(record)
        });
        self.decode(record.await?, params)
    }

    async fn create(&self, data: In, params: &Params) -> Result<T> {
        self.store.description.plan(Intent::Create, params)?;
        let stored = self.change_one(Change::Create(vec![self.store.description.to_document(&data)?]), params).await?;
        self.decode(stored.into_inner(), params)
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<Stored<T>> {
        let stored = self.change_one(Change::Modify(id.clone(), patch), params).await?;
        stored.try_map(|record| self.decode(record, params))
    }

    async fn update(&self, id: &Id, data: In, params: &Params) -> Result<Stored<T>> {
        let stored =
            self.change_one(Change::Update(id.clone(), self.store.description.to_document(&data)?), params).await?;
        stored.try_map(|record| self.decode(record, params))
    }

    async fn remove(&self, id: &Id, params: &Params) -> Result<T> {
        let stored = self.change_one(Change::Remove(id.clone()), params).await?;
        self.decode(stored.into_inner(), params)
    }

    async fn find_one(&self, params: &Params) -> Result<Option<T>> {
        let found = self.run(params, |store, mut held, params| async move {
            let found = store.first(held.session(), &params).await;
            held.noted(found)
        });
        found.await?.map(|record| self.decode(record, params)).transpose()
    }

    async fn read_many(&self, ids: &[Id], params: &Params) -> Result<Vec<T>> {
        let ids = ids.to_vec();
        let records = self.run(params, |store, mut held, params| async move {
            let records = store.many(held.session(), &ids, &params).await;
            held.noted(records)
        });
        self.decode_all(records.await?, params)
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.run(params, |store, mut held, params| async move {
            let total = store.total(held.session(), &params).await;
            held.noted(total)
        })
        .await
    }

    async fn create_many(&self, data: Vec<In>, params: &Params) -> Result<Vec<T>> {
        self.store.description.plan(Intent::CreateMany(data.len()), params)?;
        if data.is_empty() {
            return Ok(Vec::new());
        }
        let data = data.iter().map(|data| self.store.description.to_document(data)).collect::<Result<_>>()?;
        self.decode_all(self.change_many(Change::Create(data), params).await?, params)
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<T>> {
        self.decode_all(self.change_many(Change::ModifyMany(patch), params).await?, params)
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<T>> {
        self.decode_all(self.change_many(Change::RemoveMany, params).await?, params)
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<T>> {
        let seen_by = params.clone();
        Store::stream(self.store.clone(), params.for_store()).map(move |record| self.decode(record?, &seen_by)).boxed()
    }

    fn describe(&self) -> Arc<Description> {
        self.store.description.clone()
    }

    fn mounted(&self, _: &Site) {}
}
