//! [`Silent`]: a service without its hooks.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::{Answer, Call, Description, Page, Params, Patch, Result, Service, Site, Stored};

/// A view of a service whose calls pass over all hooks and have no events; made by
/// [`ServiceExt::silent`](crate::ServiceExt::silent).
#[derive(Clone, Copy, Debug)]
pub struct Silent<S> {
    service: S,
}

impl<S> Silent<S> {
    pub(crate) const fn new(service: S) -> Self {
        Self { service }
    }
}

fn silent(params: &Params) -> Params {
    Params { silent: true, ..params.clone() }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Service> Service for Silent<S> {
    type Id = S::Id;
    type Data = S::Data;
    type Input = S::Input;

    async fn index(&self, params: &Params) -> Result<Page<S::Data>> {
        self.service.index(&silent(params)).await
    }

    async fn read(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
        self.service.read(id, &silent(params)).await
    }

    async fn create(&self, data: S::Input, params: &Params) -> Result<S::Data> {
        self.service.create(data, &silent(params)).await
    }

    async fn modify(&self, id: &S::Id, patch: Patch, params: &Params) -> Result<Stored<S::Data>> {
        self.service.modify(id, patch, &silent(params)).await
    }

    async fn update(&self, id: &S::Id, data: S::Input, params: &Params) -> Result<Stored<S::Data>> {
        self.service.update(id, data, &silent(params)).await
    }

    async fn remove(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
        self.service.remove(id, &silent(params)).await
    }

    async fn find_one(&self, params: &Params) -> Result<Option<S::Data>> {
        self.service.find_one(&silent(params)).await
    }

    async fn read_many(&self, ids: &[S::Id], params: &Params) -> Result<Vec<S::Data>> {
        self.service.read_many(ids, &silent(params)).await
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.service.count(&silent(params)).await
    }

    async fn create_many(&self, data: Vec<S::Input>, params: &Params) -> Result<Vec<S::Data>> {
        self.service.create_many(data, &silent(params)).await
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<S::Data>> {
        self.service.modify_many(patch, &silent(params)).await
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<S::Data>> {
        self.service.remove_many(&silent(params)).await
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<S::Data>> {
        self.service.index_stream(Params { silent: true, ..params }).boxed()
    }

    async fn answer(&self, call: Call<S::Id, S::Input>, params: &Params) -> Result<Answer> {
        self.service.answer(call, &silent(params)).await
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }

    fn mounted(&self, site: &Site) {
        self.service.mounted(site);
    }

    fn begins_with_hooks(&self) -> bool {
        false
    }
}
