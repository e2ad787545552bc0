//! [`Map`], a view of a service with another record type.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Answer, Call, Description, Page, Params, Patch, Result, Service, Site, Stored, answer};

/// A view of a service with another record type; made by [`ServiceExt::map`](crate::ServiceExt::map).
pub struct Map<S, T, E, D> {
    service: S,
    encode: E,
    decode: D,
    description: Arc<Description>,
    record: PhantomData<fn() -> T>,
}

impl<S: Service, T, E, D> Map<S, T, E, D> {
    pub(crate) fn new(service: S, encode: E, decode: D) -> Self {
        // The view's records may be no objects, and lists of those are not streamed.
        let description = Arc::new(Arc::unwrap_or_clone(service.describe()).with_streaming(false).with_revealed(false));
        Self { service, encode, decode, description, record: PhantomData }
    }
}

impl<S: fmt::Debug, T, E, D> fmt::Debug for Map<S, T, E, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Map").field(&self.service).finish()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S, T, E, D> Service for Map<S, T, E, D>
where
    S: Service,
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    E: Fn(S::Data) -> Result<T> + Send + Sync,
    D: Fn(T) -> Result<S::Input> + Send + Sync,
{
    type Id = S::Id;
    type Data = T;
    type Input = T;

    async fn index(&self, params: &Params) -> Result<Page<T>> {
        self.service.index(params).await?.try_map(&self.encode)
    }

    async fn read(&self, id: &S::Id, params: &Params) -> Result<T> {
        (self.encode)(self.service.read(id, params).await?)
    }

    async fn create(&self, data: T, params: &Params) -> Result<T> {
        (self.encode)(self.service.create((self.decode)(data)?, params).await?)
    }

    async fn modify(&self, id: &S::Id, patch: Patch, params: &Params) -> Result<Stored<T>> {
        self.service.modify(id, patch, params).await?.try_map(&self.encode)
    }

    async fn update(&self, id: &S::Id, data: T, params: &Params) -> Result<Stored<T>> {
        self.service.update(id, (self.decode)(data)?, params).await?.try_map(&self.encode)
    }

    async fn remove(&self, id: &S::Id, params: &Params) -> Result<T> {
        (self.encode)(self.service.remove(id, params).await?)
    }

    async fn find_one(&self, params: &Params) -> Result<Option<T>> {
        self.service.find_one(params).await?.map(&self.encode).transpose()
    }

    async fn read_many(&self, ids: &[S::Id], params: &Params) -> Result<Vec<T>> {
        self.service.read_many(ids, params).await?.into_iter().map(&self.encode).collect()
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.service.count(params).await
    }

    async fn create_many(&self, data: Vec<T>, params: &Params) -> Result<Vec<T>> {
        let data = data.into_iter().map(&self.decode).collect::<Result<_>>()?;
        self.service.create_many(data, params).await?.into_iter().map(&self.encode).collect()
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<T>> {
        self.service.modify_many(patch, params).await?.into_iter().map(&self.encode).collect()
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<T>> {
        self.service.remove_many(params).await?.into_iter().map(&self.encode).collect()
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<T>> {
        self.service.index_stream(params).map(|record| (self.encode)(record?)).boxed()
    }

    async fn answer(&self, call: Call<S::Id, T>, params: &Params) -> Result<Answer> {
        // The service's own JSON is of its own record type, so the view writes its records itself.
        answer::through_records(self, call, params).await
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }

    fn mounted(&self, site: &Site) {
        self.service.mounted(site);
    }

    fn begins_with_hooks(&self) -> bool {
        false
    }
}
