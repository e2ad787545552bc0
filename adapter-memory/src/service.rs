//! [`MemoryService`]: your types on the outside, documents on the inside.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use remex_core::{
    Answer, Call, Description, Document, Id, Options, Page, Params, Patch, Result, Service, Site, Stored,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::Store;

/// A service whose records are in memory: of your own type `T`, made from `In`, or documents.
///
/// What is stored is a document either way, packed, which takes less memory and is written as JSON faster than most types;
/// `T` is checked before anything is stored, so that every record reads as one.
///
/// ```
/// use remex_core::{Document, Options, Params, Result, Service};
/// use remex_memory::MemoryService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let birds = MemoryService::<Document>::new(Options::new("birds").unique("name"))?;
/// let wren = birds.create(Document::new().with("name", "Wren"), &Params::new()).await?;
/// assert_eq!(wren.to_string(), r#"{"id":1,"name":"Wren"}"#);
/// assert!(birds.create(Document::new().with("name", "Wren"), &Params::new()).await.is_err());
/// # Ok(())
/// # }
/// ```
pub struct MemoryService<T = Document, In = T> {
    store: Store,
    types: PhantomData<fn() -> (T, In)>,
}

impl<T, In> MemoryService<T, In>
where
    T: Serialize + DeserializeOwned + 'static,
{
    /// Makes a service without records.
    ///
    /// # Errors
    /// As [`Description::new`]: options that contradict themselves.
    pub fn new(options: Options) -> Result<Self> {
        Ok(Self { store: Store::new(options, Description::conform::<T>)?, types: PhantomData })
    }

    fn decode(&self, record: Document, params: &Params) -> Result<T>
    where
        T: Clone,
    {
        self.store.description().to_record(record, params)
    }
}

impl<T, In> fmt::Debug for MemoryService<T, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryService").field("store", &self.store).finish()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T, In> Service for MemoryService<T, In>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    In: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Id = Id;
    type Data = T;
    type Input = In;

    async fn index(&self, params: &Params) -> Result<Page<T>> {
        self.store.index(params).await?.try_map(|record| self.decode(record, params))
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<T> {
        self.decode(self.store.read(id, params).await?, params)
    }

    async fn create(&self, data: In, params: &Params) -> Result<T> {
        self.decode(self.store.create(self.store.description().to_document(&data)?, params).await?, params)
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<Stored<T>> {
        self.store.modify(id, patch, params).await?.try_map(|record| self.decode(record, params))
    }

    async fn update(&self, id: &Id, data: In, params: &Params) -> Result<Stored<T>> {
        self.store
            .update(id, self.store.description().to_document(&data)?, params)
            .await?
            .try_map(|record| self.decode(record, params))
    }

    async fn remove(&self, id: &Id, params: &Params) -> Result<T> {
        self.decode(self.store.remove(id, params).await?, params)
    }

    async fn find_one(&self, params: &Params) -> Result<Option<T>> {
        self.store.find_one(params).await?.map(|record| self.decode(record, params)).transpose()
    }

    async fn read_many(&self, ids: &[Id], params: &Params) -> Result<Vec<T>> {
        self.store.read_many(ids, params).await?.into_iter().map(|record| self.decode(record, params)).collect()
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.store.count(params).await
    }

    async fn create_many(&self, data: Vec<In>, params: &Params) -> Result<Vec<T>> {
        let data = data.iter().map(|data| self.store.description().to_document(data)).collect::<Result<_>>()?;
        self.store.create_many(data, params).await?.into_iter().map(|record| self.decode(record, params)).collect()
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<T>> {
        self.store.modify_many(patch, params).await?.into_iter().map(|record| self.decode(record, params)).collect()
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<T>> {
        self.store.remove_many(params).await?.into_iter().map(|record| self.decode(record, params)).collect()
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<T>> {
        let seen_by = params.clone();
        self.store.index_stream(params).map(move |record| self.decode(record?, &seen_by)).boxed()
    }

    async fn answer(&self, call: Call<Id, In>, params: &Params) -> Result<Answer> {
        // What goes on the wire is the stored document, which is what `T` writes: no record is built, and where all of a
        // document is shown, it is not even unpacked.
        let whole = self.store.description().reveals_all(params);
        let call = match call {
            Call::Index if whole => return self.store.answer_index(params).await,
            Call::Read(id) if whole => return self.store.answer_read(&id, params).await,
            call => call.try_map(Ok, |data| self.store.description().to_document(&data))?,
        };
        self.store.answer(call, params).await
    }

    fn describe(&self) -> Arc<Description> {
        self.store.describe()
    }

    fn mounted(&self, _: &Site) {}

    fn begins_with_hooks(&self) -> bool {
        false
    }
}
