//! [`IdAs`]: a view of a service with ids of another type.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{Answer, Call, Description, Id, Page, Params, Patch, Result, Service, Site, Stored};

/// A view of a service whose ids are text, with ids of a type of your own: `i64`, `Uuid`, …
pub struct IdAs<S, I> {
    service: S,
    id: PhantomData<fn() -> I>,
}

impl<S, I> IdAs<S, I> {
    /// Makes the view.
    pub const fn new(service: S) -> Self {
        Self { service, id: PhantomData }
    }
}

impl<S: fmt::Debug, I> fmt::Debug for IdAs<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdAs").field(&self.service).finish()
    }
}

fn text<I: fmt::Display>(id: &I) -> Id {
    Id::from(id.to_string())
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S, I> Service for IdAs<S, I>
where
    S: Service<Id = Id>,
    I: Clone + fmt::Display + FromStr + Send + Sync + 'static,
{
    type Id = I;
    type Data = S::Data;
    type Input = S::Input;

    async fn index(&self, params: &Params) -> Result<Page<S::Data>> {
        self.service.index(params).await
    }

    async fn read(&self, id: &I, params: &Params) -> Result<S::Data> {
        self.service.read(&text(id), params).await
    }

    async fn create(&self, data: S::Input, params: &Params) -> Result<S::Data> {
        self.service.create(data, params).await
    }

    async fn modify(&self, id: &I, patch: Patch, params: &Params) -> Result<Stored<S::Data>> {
        self.service.modify(&text(id), patch, params).await
    }

    async fn update(&self, id: &I, data: S::Input, params: &Params) -> Result<Stored<S::Data>> {
        self.service.update(&text(id), data, params).await
    }

    async fn remove(&self, id: &I, params: &Params) -> Result<S::Data> {
        self.service.remove(&text(id), params).await
    }

    async fn find_one(&self, params: &Params) -> Result<Option<S::Data>> {
        self.service.find_one(params).await
    }

    async fn read_many(&self, ids: &[I], params: &Params) -> Result<Vec<S::Data>> {
        let ids: Vec<Id> = ids.iter().map(text).collect();
        self.service.read_many(&ids, params).await
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.service.count(params).await
    }

    async fn create_many(&self, data: Vec<S::Input>, params: &Params) -> Result<Vec<S::Data>> {
        self.service.create_many(data, params).await
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<S::Data>> {
        self.service.modify_many(patch, params).await
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<S::Data>> {
        self.service.remove_many(params).await
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<S::Data>> {
        self.service.index_stream(params)
    }

    async fn answer(&self, call: Call<I, S::Input>, params: &Params) -> Result<Answer> {
        self.service.answer(call.try_map(|id| Ok(text(&id)), Ok)?, params).await
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }

    fn mounted(&self, site: &Site) {
        self.service.mounted(site);
    }

    fn begins_with_hooks(&self) -> bool {
        self.service.begins_with_hooks()
    }
}
