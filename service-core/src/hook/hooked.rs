//! [`Hooked`]: a service with hooks around it.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::detached::begin;
use super::run::Wanted;
use super::{
    AroundHook, Baton, Chains, Hook, HookContext, HookKind, HookSet, Hooks, Nested, Next, Ran, Told, counted, nested,
    nested_stream, run, stream,
};
use crate::answer::encode;
use crate::output::same;
use crate::site::Place;
use crate::{
    Answer, Call, Description, Document, Error, Method, MethodSet, Page, Params, Patch, Result, Service, Site, Stored,
};

/// A service with hooks around it; made by [`ServiceExt::hooked`](crate::ServiceExt::hooked).
///
/// Every call goes through the hooks of its method, whoever makes it and whatever wraps the service; calls through
/// [`silent`](crate::ServiceExt::silent) do not. Methods without hooks cost nothing.
///
/// ```
/// use remex_core::{Document, FnService, HookContext, Id, Method, Params, Service, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> remex_core::Result<()> {
/// let notes = FnService::<Id>::new("notes")
///     .on_create(|data: Document, _| async { Ok(data) })
///     .hooked()
///     .before(Method::Create, |mut ctx| async move {
///         ctx.data_mut()?.insert("done", false);
///         Ok(ctx)
///     });
/// let note = notes.create(Document::new().with("text", "sing"), &Params::new()).await?;
/// assert_eq!(note.to_string(), r#"{"text":"sing","done":false}"#);
/// # Ok(())
/// # }
/// ```
pub struct Hooked<S: Service + 'static> {
    place: Arc<Place<S>>,
    hooks: Hooks<S>,
    chains: Chains<S>,
    description: Arc<Description>,
}

impl<S: Service + 'static> Hooked<S> {
    /// Puts hooks around a service; there are none yet.
    pub fn new(service: S) -> Self {
        let inner = service.describe();
        let documents = std::any::TypeId::of::<S::Data>() == std::any::TypeId::of::<Document>();
        let description = inner.as_ref().clone().with_hooks().with_revealed(documents);
        let hooks = Hooks::new();
        let chains = Chains::new(&hooks);
        let place = Arc::new(Place::new(Arc::new(service), inner));
        Self { place, hooks, chains, description: Arc::new(description) }
    }

    /// Returns the service below the hooks.
    pub fn inner(&self) -> &Arc<S> {
        &self.place.service
    }

    /// The service below the hooks, itself and not the pointer to it.
    fn service(&self) -> &S {
        &self.place.service
    }

    fn with(mut self, add: impl FnOnce(&mut Hooks<S>) -> &mut Hooks<S>) -> Self {
        add(&mut self.hooks);
        self.chains = Chains::new(&self.hooks);
        // A list that is gathered for hooks is answered whole.
        let streams = self.place.description.streams() && !self.chains.gathers_lists();
        self.description = Arc::new(self.description.as_ref().clone().with_streaming(streams));
        self
    }

    /// Adds a hook around the methods, see [`Hooks::around`].
    #[must_use]
    pub fn around<F, R>(self, methods: impl Into<MethodSet>, hook: F) -> Self
    where
        F: Fn(HookContext<S>, Next<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.with(|hooks| hooks.around(methods, hook))
    }

    /// Adds a hook that runs before the methods, see [`Hooks::before`].
    #[must_use]
    pub fn before<F, R>(self, methods: impl Into<MethodSet>, hook: F) -> Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.with(|hooks| hooks.before(methods, hook))
    }

    /// Adds a hook that runs behind the methods, see [`Hooks::after`].
    #[must_use]
    pub fn after<F, R>(self, methods: impl Into<MethodSet>, hook: F) -> Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.with(|hooks| hooks.after(methods, hook))
    }

    /// Adds an after hook that deals with each record by itself, see [`Hooks::after_parts`].
    #[must_use]
    pub fn after_parts<F, R>(self, methods: impl Into<MethodSet>, hook: F) -> Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.with(|hooks| hooks.after_parts(methods, hook))
    }

    /// Adds a hook that runs where something failed, see [`Hooks::error`].
    #[must_use]
    pub fn error<F, R>(self, methods: impl Into<MethodSet>, hook: F) -> Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.with(|hooks| hooks.error(methods, hook))
    }

    /// Adds a hook that runs on its own behind a call, see [`Hooks::detached`].
    #[must_use]
    pub fn detached<F, R>(self, methods: impl Into<MethodSet>, hook: F) -> Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.with(|hooks| hooks.detached(methods, hook))
    }

    /// Adds a type that is a hook, see [`Hooks::add`].
    ///
    /// # Panics
    /// Where the kind is [`HookKind::Around`].
    #[must_use]
    pub fn add(self, kind: HookKind, methods: impl Into<MethodSet>, hook: impl Hook<S>) -> Self {
        self.with(|hooks| hooks.add(kind, methods, hook))
    }

    /// Adds a type that is an around hook, see [`Hooks::add_around`].
    #[must_use]
    pub fn add_around(self, methods: impl Into<MethodSet>, hook: impl AroundHook<S>) -> Self {
        self.with(|hooks| hooks.add_around(methods, hook))
    }

    /// Adds several hooks that belong together, see [`HookSet`].
    #[must_use]
    pub fn apply(self, set: impl HookSet<S>) -> Self {
        self.with(|hooks| hooks.apply(set))
    }

    /// Returns whether calls of the method go straight to the service.
    fn passes(&self, method: Method, params: &Params) -> bool {
        params.silent || !self.chains.hooked.contains(method) && params.extensions.get::<Baton>().is_none()
    }

    fn context(&self, call: Call<S::Id, S::Input>, params: &Params) -> HookContext<S> {
        HookContext::new(self.place.clone(), call, params)
    }

    /// Runs a call through the hooks.
    async fn run(&self, ctx: HookContext<S>, json: bool) -> Result<Ran<S>> {
        let operation = ctx.operation();
        let chain = self.chains.of(operation.method());
        let wanted = if json && !chain.sees_records { Wanted::Json } else { Wanted::Records };
        // Hooks around these have counted the call, and see to what comes of it.
        let alone = ctx.state().baton.is_none();
        let running = pin!(run(chain, ctx, wanted));
        let running = if alone { self.straight(operation.name(), running)? } else { counted(running) };
        let mut ran = running.await?;
        if alone && ran.is_told() {
            // Seldom, and large.
            begin(ran.take_told().detached, self.place.site.get()).boxed().await;
        }
        Ok(ran)
    }

    /// Makes a call that no hook has anything to do with.
    fn straight<'a, F: ?Sized>(&self, name: &'static str, call: Pin<&'a mut F>) -> Result<Nested<'a, F>> {
        nested(self.place.path(), name, call)
    }

    /// Shows a record that went past the hooks as it would have been shown by them.
    fn reveal(&self, record: S::Data, params: &Params) -> S::Data {
        let inner = &self.place.description;
        if inner.is_revealed() || inner.reveals_all(params) {
            return record;
        }
        match same::<S::Data, Document>(record) {
            Ok(document) => match same(inner.reveal(document, params)) {
                Ok(record) => record,
                Err(_) => unreachable!("a document is a document"),
            },
            Err(record) => record,
        }
    }

    fn revealed(&self, records: Vec<S::Data>, params: &Params) -> Vec<S::Data> {
        records.into_iter().map(|record| self.reveal(record, params)).collect()
    }
}

impl<S: Service + fmt::Debug + 'static> fmt::Debug for Hooked<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooked").field("service", &self.place.service).field("hooks", &self.hooks).finish()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Service + 'static> Service for Hooked<S> {
    type Id = S::Id;
    type Data = S::Data;
    type Input = S::Input;

    async fn index(&self, params: &Params) -> Result<Page<S::Data>> {
        if self.passes(Method::Index, params) {
            let page = self.straight("index", self.service().index(params).as_mut())?.await?;
            return Ok(page.map(|record| self.reveal(record, params)));
        }
        self.run(self.context(Call::Index, params), false).await?.shown()?.into_page()
    }

    async fn read(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
        if self.passes(Method::Read, params) {
            let record = self.straight("read", self.service().read(id, params).as_mut())?.await?;
            return Ok(self.reveal(record, params));
        }
        self.run(self.context(Call::Read(id.clone()), params), false).await?.shown()?.into_record()
    }

    async fn create(&self, data: S::Input, params: &Params) -> Result<S::Data> {
        if self.passes(Method::Create, params) {
            let record = self.straight("create", self.service().create(data, params).as_mut())?.await?;
            return Ok(self.reveal(record, params));
        }
        self.run(self.context(Call::Create(data), params), false).await?.shown()?.into_record()
    }

    async fn modify(&self, id: &S::Id, patch: Patch, params: &Params) -> Result<Stored<S::Data>> {
        if self.passes(Method::Modify, params) {
            let stored = self.straight("modify", self.service().modify(id, patch, params).as_mut())?.await?;
            return Ok(stored.map(|record| self.reveal(record, params)));
        }
        self.run(self.context(Call::Modify(id.clone(), patch), params), false).await?.shown()?.into_stored()
    }

    async fn update(&self, id: &S::Id, data: S::Input, params: &Params) -> Result<Stored<S::Data>> {
        if self.passes(Method::Update, params) {
            let stored = self.straight("update", self.service().update(id, data, params).as_mut())?.await?;
            return Ok(stored.map(|record| self.reveal(record, params)));
        }
        self.run(self.context(Call::Update(id.clone(), data), params), false).await?.shown()?.into_stored()
    }

    async fn remove(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
        if self.passes(Method::Remove, params) {
            let record = self.straight("remove", self.service().remove(id, params).as_mut())?.await?;
            return Ok(self.reveal(record, params));
        }
        self.run(self.context(Call::Remove(id.clone()), params), false).await?.shown()?.into_record()
    }

    async fn find_one(&self, params: &Params) -> Result<Option<S::Data>> {
        if self.passes(Method::Index, params) {
            let found = self.straight("find_one", self.service().find_one(params).as_mut())?.await?;
            return Ok(found.map(|record| self.reveal(record, params)));
        }
        self.run(self.context(Call::FindOne, params), false).await?.shown()?.into_found()
    }

    async fn read_many(&self, ids: &[S::Id], params: &Params) -> Result<Vec<S::Data>> {
        if self.passes(Method::Read, params) {
            let records = self.straight("read_many", self.service().read_many(ids, params).as_mut())?.await?;
            return Ok(self.revealed(records, params));
        }
        self.run(self.context(Call::ReadMany(ids.to_vec()), params), false).await?.shown()?.into_records()
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        if self.passes(Method::Index, params) {
            return self.straight("count", self.service().count(params).as_mut())?.await;
        }
        self.run(self.context(Call::Count, params), false).await?.shown()?.into_count()
    }

    async fn create_many(&self, data: Vec<S::Input>, params: &Params) -> Result<Vec<S::Data>> {
        if self.passes(Method::Create, params) {
            let records = self.straight("create_many", self.service().create_many(data, params).as_mut())?.await?;
            return Ok(self.revealed(records, params));
        }
        self.run(self.context(Call::CreateMany(data), params), false).await?.shown()?.into_records()
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<S::Data>> {
        if self.passes(Method::Modify, params) {
            let records = self.straight("modify_many", self.service().modify_many(patch, params).as_mut())?.await?;
            return Ok(self.revealed(records, params));
        }
        self.run(self.context(Call::ModifyMany(patch), params), false).await?.shown()?.into_records()
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<S::Data>> {
        if self.passes(Method::Remove, params) {
            let records = self.straight("remove_many", self.service().remove_many(params).as_mut())?.await?;
            return Ok(self.revealed(records, params));
        }
        self.run(self.context(Call::RemoveMany, params), false).await?.shown()?.into_records()
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<S::Data>> {
        if self.passes(Method::Index, &params) {
            let shown = Params {
                provider: params.provider.clone(),
                query: params.query.clone(),
                whole: params.whole,
                ..Params::default()
            };
            let records = self.service().index_stream(params).map(move |record| Ok(self.reveal(record?, &shown)));
            return nested_stream(self.place.path(), records.boxed());
        }
        if self.chains.gathers_lists() {
            let list = async move {
                let page = self.run(self.context(Call::Index, &params), false).await?.shown()?.into_page()?;
                Ok::<_, Error>(futures::stream::iter(page.data).map(Ok))
            };
            return futures::stream::once(list).try_flatten().boxed();
        }
        let chain = self.chains.of(Method::Index).clone();
        let ctx = self.context(Call::Index, &params);
        stream(self.service(), chain, ctx, |told: Told| begin(told.detached, self.place.site.get()).boxed())
    }

    async fn answer(&self, call: Call<S::Id, S::Input>, params: &Params) -> Result<Answer> {
        if self.passes(call.method(), params) {
            let name = call.operation().name();
            return self.straight(name, self.service().answer(call, params).as_mut())?.await;
        }
        let operation = call.operation();
        let mut ran = self.run(self.context(call, params), true).await?;
        let output = ran.shown()?;
        encode(output, operation, &self.description, ran.params())
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }

    fn mounted(&self, site: &Site) {
        // Mounted twice, the first place is the one that hooks are told.
        drop(self.place.site.set(site.clone()));
        self.service().mounted(site);
    }

    fn begins_with_hooks(&self) -> bool {
        true
    }
}
