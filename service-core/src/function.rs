//! [`FnService`]: a service made of closures.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Description, Document, Id, Method, MethodSet, Options, Page, Params, Patch, Result, Service, Stored};

type Function<A, R> = Option<Box<dyn Fn(A) -> BoxFuture<'static, Result<R>> + Send + Sync>>;

/// A service made of closures, for any of the six methods; the others are not offered.
///
/// A closure gets what it works on by value.
///
/// ```
/// use remex_core::{Document, FnService, Id, Params, Service};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> remex_core::Result<()> {
/// let echo = FnService::<Id, Document>::new("echo").on_create(|data: Document, _| async { Ok(data) });
/// let answer = echo.create(Document::new().with("hello", "world"), &Params::new()).await?;
/// assert_eq!(answer["hello"].as_str(), Some("world"));
/// assert!(echo.read(&"1".into(), &Params::new()).await.is_err());
/// # Ok(())
/// # }
/// ```
pub struct FnService<I = Id, T = Document, In = T> {
    description: Arc<Description>,
    index: Function<Params, Page<T>>,
    read: Function<(I, Params), T>,
    create: Function<(In, Params), T>,
    modify: Function<(I, Patch, Params), Stored<T>>,
    update: Function<(I, In, Params), Stored<T>>,
    remove: Function<(I, Params), T>,
}

impl<I, T, In> FnService<I, T, In> {
    /// Returns a service of this name that offers nothing yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let description = Description::of_name(name).as_ref().clone().with_methods(MethodSet::NONE);
        Self {
            description: Arc::new(description),
            index: None,
            read: None,
            create: None,
            modify: None,
            update: None,
            remove: None,
        }
    }

    /// Sets the options, by which clients may do more or less; the closures are told by the params.
    ///
    /// # Errors
    /// As [`Description::new`].
    pub fn options(mut self, options: Options) -> Result<Self> {
        let methods = self.description.methods();
        self.description = Arc::new(Description::new(options)?.with_methods(methods));
        Ok(self)
    }

    fn offering(mut self, method: Method) -> Self {
        let methods = self.description.methods().with(method);
        let description = Arc::unwrap_or_clone(self.description).with_methods(methods);
        self.description = Arc::new(description);
        self
    }

    /// Sets what lists records: a closure over the params.
    #[must_use]
    pub fn on_index<F, R>(mut self, function: F) -> Self
    where
        F: Fn(Params) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Page<T>>> + Send + 'static,
    {
        self.index = Some(Box::new(move |params| Box::pin(function(params))));
        self.offering(Method::Index)
    }

    /// Sets what answers a record: a closure over id and params.
    #[must_use]
    pub fn on_read<F, R>(mut self, function: F) -> Self
    where
        F: Fn(I, Params) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        self.read = Some(Box::new(move |(id, params)| Box::pin(function(id, params))));
        self.offering(Method::Read)
    }

    /// Sets what makes a record: a closure over data and params.
    #[must_use]
    pub fn on_create<F, R>(mut self, function: F) -> Self
    where
        F: Fn(In, Params) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        self.create = Some(Box::new(move |(data, params)| Box::pin(function(data, params))));
        self.offering(Method::Create)
    }

    /// Sets what merges into a record: a closure over id, patch and params.
    #[must_use]
    pub fn on_modify<F, R>(mut self, function: F) -> Self
    where
        F: Fn(I, Patch, Params) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Stored<T>>> + Send + 'static,
    {
        self.modify = Some(Box::new(move |(id, patch, params)| Box::pin(function(id, patch, params))));
        self.offering(Method::Modify)
    }

    /// Sets what replaces a record: a closure over id, data and params.
    #[must_use]
    pub fn on_update<F, R>(mut self, function: F) -> Self
    where
        F: Fn(I, In, Params) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Stored<T>>> + Send + 'static,
    {
        self.update = Some(Box::new(move |(id, data, params)| Box::pin(function(id, data, params))));
        self.offering(Method::Update)
    }

    /// Sets what takes a record away: a closure over id and params.
    #[must_use]
    pub fn on_remove<F, R>(mut self, function: F) -> Self
    where
        F: Fn(I, Params) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        self.remove = Some(Box::new(move |(id, params)| Box::pin(function(id, params))));
        self.offering(Method::Remove)
    }

    fn not_offered<R>(&self, method: Method) -> Result<R> {
        let name = self.description.name();
        Err(crate::Error::method_not_allowed(format!("`{name}` does not offer `{method}`")))
    }
}

impl<I, T, In> fmt::Debug for FnService<I, T, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnService")
            .field("name", &self.description.name())
            .field("methods", &self.description.methods())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<I, T, In> Service for FnService<I, T, In>
where
    I: Clone + fmt::Display + std::str::FromStr + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    In: DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Id = I;
    type Data = T;
    type Input = In;

    async fn index(&self, params: &Params) -> Result<Page<T>> {
        match &self.index {
            Some(function) => function(params.clone()).await,
            None => self.not_offered(Method::Index),
        }
    }

    async fn read(&self, id: &I, params: &Params) -> Result<T> {
        match &self.read {
            Some(function) => function((id.clone(), params.clone())).await,
            None => self.not_offered(Method::Read),
        }
    }

    async fn create(&self, data: In, params: &Params) -> Result<T> {
        match &self.create {
            Some(function) => function((data, params.clone())).await,
            None => self.not_offered(Method::Create),
        }
    }

    async fn modify(&self, id: &I, patch: Patch, params: &Params) -> Result<Stored<T>> {
        match &self.modify {
            Some(function) => function((id.clone(), patch, params.clone())).await,
            None => self.not_offered(Method::Modify),
        }
    }

    async fn update(&self, id: &I, data: In, params: &Params) -> Result<Stored<T>> {
        match &self.update {
            Some(function) => function((id.clone(), data, params.clone())).await,
            None => self.not_offered(Method::Update),
        }
    }

    async fn remove(&self, id: &I, params: &Params) -> Result<T> {
        match &self.remove {
            Some(function) => function((id.clone(), params.clone())).await,
            None => self.not_offered(Method::Remove),
        }
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }
}
