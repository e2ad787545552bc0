//! [`SqlService`]: your types on the outside, documents on the inside, rows in the table.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use remex_core::{
    Description, Document, Error, Fields, Id, Intent, Page, Params, Patch, Result, Service, Shield, Site, Stored,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::change::Change;
use crate::condition::SqlCondition;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::options::SqlOptions;
use crate::pool::SqlPool;
use crate::store::{Conform, Store};

/// A service whose records are the rows of a table: of your own type `T`, made from `In`, or documents.
///
/// The table is looked at when the service is made: its columns are the fields, with their types. Whoever stops waiting
/// for a call leaves it to run to its end, so that no connection is left in the middle of anything.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> remex_core::Result<()> {
/// use remex_core::{Document, FieldType, Fields, Options, Params, Service};
/// use remex_sqlx::{SqlOptions, SqlService, Sqlite};
///
/// let fields = Fields::new().required("name", FieldType::Text).optional("wingspan", FieldType::Number);
/// let options = SqlOptions::from(Options::new("birds").fields(fields).unique("name")).create_table_if_missing(true);
/// let birds = SqlService::<Sqlite>::connect("sqlite::memory:", options).await?;
/// let wren = birds.create(Document::new().with("name", "Wren"), &Params::new()).await?;
/// assert_eq!(wren.to_string(), r#"{"id":1,"name":"Wren","wingspan":null}"#);
/// assert!(birds.create(Document::new().with("name", "Wren"), &Params::new()).await.is_err());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct SqlService<DB: Dialect, T = Document, In = T> {
    store: Arc<Store<DB>>,
    types: PhantomData<fn() -> (T, In)>,
}

impl<DB, T, In> SqlService<DB, T, In>
where
    DB: Dialect,
    T: Serialize + DeserializeOwned + 'static,
{
    /// Makes a service over the table that the options name, of connections that are there.
    ///
    /// # Errors
    /// - [`ErrorKind::Internal`](remex_core::ErrorKind::Internal), with what to do about it in the log: options that
    ///   contradict themselves or the table, a table that is not there or has nothing to tell its records apart.
    /// - [`ErrorKind::Unavailable`](remex_core::ErrorKind::Unavailable) where the database cannot be reached.
    pub async fn new(pool: impl Into<SqlPool<DB>>, options: impl Into<SqlOptions>) -> Result<Self> {
        let (pool, mut options) = (pool.into(), options.into());
        let typed = TypeId::of::<T>() != TypeId::of::<Document>();
        let conform: Option<Conform> = if typed { Some(Description::conform::<T>) } else { None };
        if typed && options.create_table {
            options.type_fields = Fields::of::<T>();
        }
        let store = Shield::new(async move { Store::open(pool, &options, conform).await }).await?;
        Ok(Self { store: Arc::new(store), types: PhantomData })
    }

    /// Makes a service over a table of the database of a URL; see [`SqlPool::connect`].
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn connect(url: &str, options: impl Into<SqlOptions>) -> Result<Self> {
        Self::new(SqlPool::connect(url).await?, options).await
    }

    /// Returns the connections, for statements of your own and for further services.
    #[must_use]
    pub fn pool(&self) -> &SqlPool<DB> {
        &self.store.pool
    }

    /// Returns a view of the records for which a condition in SQL holds as well, to be listed, read and counted: for what the
    /// query language cannot say. Queries, scopes and hooks around it work as on any service.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> remex_core::Result<()> {
    /// # use remex_core::{Document, FieldType, Fields, Options, Params, Service};
    /// # use remex_sqlx::{SqlCondition, SqlOptions, SqlService, Sqlite};
    /// # let fields = Fields::new().required("name", FieldType::Text);
    /// # let options = SqlOptions::from(Options::new("birds").fields(fields)).create_table_if_missing(true);
    /// let birds = SqlService::<Sqlite>::connect("sqlite::memory:", options).await?;
    /// birds.create(Document::new().with("name", "Wren"), &Params::new()).await?;
    /// let alike = birds.filtered(SqlCondition::new("lower(name) = lower(?)", ["WREN".into()])?);
    /// assert_eq!(alike.index(&Params::new()).await?.data.len(), 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn filtered(&self, condition: SqlCondition) -> Self {
        Self { store: Arc::new(self.store.filtered(condition)), types: PhantomData }
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

    /// Reads in a way that goes on even if nobody waits for it any more.
    async fn read_with<R, W, F>(&self, params: &Params, work: W) -> Result<R>
    where
        R: Send + 'static,
        W: Fn(Arc<Store<DB>>, Params) -> F + Send + 'static,
        F: Future<Output = Result<R, Failure>> + Send + 'static,
    {
        let (store, params) = (self.store.clone(), params.for_store());
        let reading = async move {
            // Each connection may have statements that were prepared before the table was altered.
            for _ in 0..STALE_MAX {
                match work(store.clone(), params.clone()).await {
                    Err(Failure::Stale(_)) => {}
                    outcome => return outcome.map_err(Failure::into_error),
                }
            }
            work(store, params).await.map_err(Failure::into_error)
        };
        Shield::new(reading).await
    }

    async fn change(&self, change: Change, params: &Params) -> Result<Vec<Stored<Document>>> {
        let (store, params) = (self.store.clone(), params.for_store());
        Shield::new(async move { store.change(&change, &params).await }).await
    }

    async fn change_one(&self, change: Change, params: &Params) -> Result<Stored<Document>> {
        let stored = self.change(change, params).await?.into_iter().next();
        stored.ok_or_else(|| Error::internal("a record was written and is not there"))
    }

    async fn change_many(&self, change: Change, params: &Params) -> Result<Vec<Document>> {
        Ok(self.change(change, params).await?.into_iter().map(Stored::into_inner).collect())
    }
}

/// How many connections with old statements are tried before the table is said to have changed: as many as a pool has.
const STALE_MAX: usize = 10;

impl<DB: Dialect, T, In> fmt::Debug for SqlService<DB, T, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlService").field("store", &self.store).finish()
    }
}

#[async_trait]
impl<DB, T, In> Service for SqlService<DB, T, In>
where
    DB: Dialect,
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    In: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Id = Id;
    type Data = T;
    type Input = In;

    async fn index(&self, params: &Params) -> Result<Page<T>> {
        let page = self.read_with(params, |store, params| async move { store.page(&params).await }).await?;
        page.try_map(|record| self.decode(record, params))
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<T> {
        let id = id.clone();
        let one = move |store: Arc<Store<DB>>, params: Params| {
            let id = id.clone();
            async move { store.one(&id, &params).await }
        };
        let record = self.read_with(params, one).await?;
        self.decode(record, params)
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
        let found = self.read_with(params, |store, params| async move { store.first(&params).await }).await?;
        found.map(|record| self.decode(record, params)).transpose()
    }

    async fn read_many(&self, ids: &[Id], params: &Params) -> Result<Vec<T>> {
        let ids: Arc<[Id]> = ids.into();
        let many = move |store: Arc<Store<DB>>, params: Params| {
            let ids = ids.clone();
            async move { store.many(&ids, &params).await }
        };
        let records = self.read_with(params, many).await?;
        self.decode_all(records, params)
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.read_with(params, |store, params| async move { store.total(&params).await }).await
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
