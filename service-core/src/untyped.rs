//! [`Untyped`]: a view of any service that speaks documents, with the hooks of an app around it.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::answer::encode;
use crate::hook::{Baton, Layer, Nested, counted, nested, nested_stream};
use crate::output::same;
use crate::{
    Answer, Call, Description, Document, Error, Id, Intent, Method, Missing, Page, Params, Patch, Result, Service,
    Site, Stored,
};

/// A view of any service that speaks documents, and ids as text: what an [`App`](crate::App) holds.
///
/// Data that does not fit the service's types is an error that names every bad field. In an app the hooks of the app are
/// part of it, and events begin here.
#[derive(Debug)]
pub struct Untyped<S> {
    service: Arc<S>,
    /// What the service says about itself.
    inner: Arc<Description>,
    description: Arc<Description>,
    /// The description while hooks look at whole lists.
    gathering: Arc<Description>,
    /// The hooks of the app, where the view is mounted in one.
    layer: Option<Layer>,
}

impl<S: Service> Untyped<S> {
    /// Makes a service speak documents.
    pub fn new(service: S) -> Self {
        Self::shared(Arc::new(service))
    }

    /// Makes a service speak documents that others have as well.
    pub(crate) fn shared(service: Arc<S>) -> Self {
        let inner = service.describe();
        let description = inner.as_ref().clone().with_revealed(true);
        let gathering = Arc::new(description.clone().with_streaming(false));
        Self { service, inner, description: Arc::new(description), gathering, layer: None }
    }

    /// Puts the hooks of an app around a service.
    pub(crate) fn mounted_in(service: Arc<S>, layer: Layer) -> Self {
        Self { layer: Some(layer), ..Self::shared(service) }
    }

    /// Returns the service with its own types.
    pub fn inner(&self) -> &S {
        &self.service
    }

    /// Returns the hooks of the app.
    pub(crate) const fn layer(&self) -> Option<&Layer> {
        self.layer.as_ref()
    }

    fn id<'a>(&self, id: &'a Id) -> Result<Cow<'a, S::Id>> {
        match (id as &dyn Any).downcast_ref() {
            Some(id) => Ok(Cow::Borrowed(id)),
            None => match id.as_str().parse() {
                Ok(id) => Ok(Cow::Owned(id)),
                Err(_) => Err(Error::no_record(self.inner.name(), id)),
            },
        }
    }

    /// Reads an id under which a record may have to be made.
    fn id_to_update<'a>(&self, id: &'a Id, params: &Params) -> Result<Cow<'a, S::Id>> {
        self.id(id).map_err(|error| match self.inner.missing(params) {
            Missing::NotFound => error,
            Missing::Create => Error::bad_request(format!(
                "`{}` cannot be an id of `{}`",
                crate::error::shown(id.as_str()),
                self.inner.name()
            )),
        })
    }

    fn record(&self, record: S::Data, params: &Params) -> Result<Document> {
        let document = match same(record) {
            // Hooks may have added to what they were shown.
            Ok(document) if self.inner.is_revealed() => return Ok(document),
            Ok(document) => document,
            Err(record) => Document::from_serialize(&record)?,
        };
        if self.inner.reveals_all(params) {
            return Ok(document);
        }
        // Hooks around the service see to what is selected.
        let whole = params.extensions.get::<Baton>().is_some_and(Baton::wants_whole);
        Ok(match (whole, params.is_client()) {
            (true, true) => self.inner.showing(document),
            (true, false) => document,
            (false, _) => self.inner.reveal(document, params),
        })
    }

    fn records(&self, records: Vec<S::Data>, params: &Params) -> Result<Vec<Document>> {
        records.into_iter().map(|record| self.record(record, params)).collect()
    }

    /// A method that is not offered is said to be so before its data is found not to fit.
    fn input(&self, data: Document, method: Method) -> Result<S::Input> {
        if !self.inner.methods().contains(method) {
            let name = self.inner.name();
            return Err(Error::method_not_allowed(format!("`{name}` does not offer `{method}`")));
        }
        match same(data) {
            Ok(data) => Ok(data),
            Err(data) => data.to_typed(),
        }
    }

    fn inputs(&self, data: Vec<Document>, params: &Params) -> Result<Vec<S::Input>> {
        // Whether a caller may do so at all comes before whether its data fits.
        if self.inner.methods().contains(Method::Create) {
            self.inner.plan(Intent::CreateMany(data.len()), params)?;
        }
        data.into_iter().map(|data| self.input(data, Method::Create)).collect()
    }

    /// Vets data of a client on its way to hooks that will see it in another type.
    ///
    /// Answers the params to go on with, where they are others.
    fn vetted(&self, data: &[Document], method: Method, params: &Params) -> Result<Option<Box<Params>>> {
        let due = self.inner.has_hooks() && self.inner.is_to_be_vetted(params) && self.inner.methods().contains(method);
        if !due || TypeId::of::<S::Input>() == TypeId::of::<Document>() {
            return Ok(None);
        }
        self.inner.vet(data)?;
        Ok(Some(Box::new(Params { vetted: Some(self.inner.name().into()), ..params.clone() })))
    }

    fn ids(&self, ids: &[Id], params: &Params) -> Result<Vec<S::Id>> {
        ids.iter().map(|id| self.id(id).map(Cow::into_owned)).filter(|id| id.is_ok() || !params.skip_missing).collect()
    }

    /// Returns the hooks of the app, where they have something to do about the call.
    fn engaged(&self, method: Method, params: &Params) -> Option<&Layer> {
        self.layer.as_ref().filter(|layer| layer.is_engaged(method, params))
    }

    /// Makes a call that no hook of the app has anything to do with.
    fn straight<'a, F: ?Sized>(&self, name: &'static str, call: Pin<&'a mut F>) -> Result<Nested<'a, F>> {
        match &self.layer {
            // Hooks count for themselves.
            Some(layer) if !layer.is_around_hooks() => nested(layer.path(), name, call),
            _ => Ok(counted(call)),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Service> Service for Untyped<S> {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        if let Some(layer) = self.engaged(Method::Index, params) {
            return layer.output(Call::Index, params).await?.into_page();
        }
        let page = self.straight("index", self.inner().index(params).as_mut())?.await?;
        page.try_map(|record| self.record(record, params))
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<Document> {
        if let Some(layer) = self.engaged(Method::Read, params) {
            return layer.output(Call::Read(id.clone()), params).await?.into_record();
        }
        let id = self.id(id)?;
        let record = self.straight("read", self.inner().read(&id, params).as_mut())?.await?;
        self.record(record, params)
    }

    async fn create(&self, data: Document, params: &Params) -> Result<Document> {
        if let Some(layer) = self.engaged(Method::Create, params) {
            return layer.output(Call::Create(data), params).await?.into_record();
        }
        let vetted = self.vetted(std::slice::from_ref(&data), Method::Create, params)?;
        let params = vetted.as_deref().unwrap_or(params);
        let data = self.input(data, Method::Create)?;
        let record = self.straight("create", self.inner().create(data, params).as_mut())?.await?;
        self.record(record, params)
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<Stored<Document>> {
        if let Some(layer) = self.engaged(Method::Modify, params) {
            return layer.output(Call::Modify(id.clone(), patch), params).await?.into_stored();
        }
        let id = self.id(id)?;
        let stored = self.straight("modify", self.inner().modify(&id, patch, params).as_mut())?.await?;
        stored.try_map(|record| self.record(record, params))
    }

    async fn update(&self, id: &Id, data: Document, params: &Params) -> Result<Stored<Document>> {
        if let Some(layer) = self.engaged(Method::Update, params) {
            return layer.output(Call::Update(id.clone(), data), params).await?.into_stored();
        }
        let vetted = self.vetted(std::slice::from_ref(&data), Method::Update, params)?;
        let params = vetted.as_deref().unwrap_or(params);
        let data = self.input(data, Method::Update)?;
        let id = self.id_to_update(id, params)?;
        let stored = self.straight("update", self.inner().update(&id, data, params).as_mut())?.await?;
        stored.try_map(|record| self.record(record, params))
    }

    async fn remove(&self, id: &Id, params: &Params) -> Result<Document> {
        if let Some(layer) = self.engaged(Method::Remove, params) {
            return layer.output(Call::Remove(id.clone()), params).await?.into_record();
        }
        let id = self.id(id)?;
        let record = self.straight("remove", self.inner().remove(&id, params).as_mut())?.await?;
        self.record(record, params)
    }

    async fn find_one(&self, params: &Params) -> Result<Option<Document>> {
        if let Some(layer) = self.engaged(Method::Index, params) {
            return layer.output(Call::FindOne, params).await?.into_found();
        }
        let found = self.straight("find_one", self.inner().find_one(params).as_mut())?.await?;
        found.map(|record| self.record(record, params)).transpose()
    }

    async fn read_many(&self, ids: &[Id], params: &Params) -> Result<Vec<Document>> {
        if let Some(layer) = self.engaged(Method::Read, params) {
            return layer.output(Call::ReadMany(ids.to_vec()), params).await?.into_records();
        }
        let ids = self.ids(ids, params)?;
        let records = self.straight("read_many", self.inner().read_many(&ids, params).as_mut())?.await?;
        self.records(records, params)
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        if let Some(layer) = self.engaged(Method::Index, params) {
            return layer.output(Call::Count, params).await?.into_count();
        }
        self.straight("count", self.inner().count(params).as_mut())?.await
    }

    async fn create_many(&self, data: Vec<Document>, params: &Params) -> Result<Vec<Document>> {
        if let Some(layer) = self.engaged(Method::Create, params) {
            return layer.output(Call::CreateMany(data), params).await?.into_records();
        }
        let vetted = self.vetted(&data, Method::Create, params)?;
        let params = vetted.as_deref().unwrap_or(params);
        let data = self.inputs(data, params)?;
        let records = self.straight("create_many", self.inner().create_many(data, params).as_mut())?.await?;
        self.records(records, params)
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<Document>> {
        if let Some(layer) = self.engaged(Method::Modify, params) {
            return layer.output(Call::ModifyMany(patch), params).await?.into_records();
        }
        let records = self.straight("modify_many", self.inner().modify_many(patch, params).as_mut())?.await?;
        self.records(records, params)
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<Document>> {
        if let Some(layer) = self.engaged(Method::Remove, params) {
            return layer.output(Call::RemoveMany, params).await?.into_records();
        }
        let records = self.straight("remove_many", self.inner().remove_many(params).as_mut())?.await?;
        self.records(records, params)
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        if let Some(layer) = self.engaged(Method::Index, &params) {
            return layer.stream(params);
        }
        let (query, provider) = (params.query.clone(), params.provider.clone());
        let seen_by = Params { query, provider, whole: params.whole, ..Params::default() };
        let records = self.inner().index_stream(params).map(move |record| self.record(record?, &seen_by)).boxed();
        match &self.layer {
            // Hooks count for themselves.
            Some(layer) if !layer.is_around_hooks() => nested_stream(layer.path(), records),
            _ => records,
        }
    }

    async fn answer(&self, call: Call<Id, Document>, params: &Params) -> Result<Answer> {
        if let Some(layer) = self.engaged(call.method(), params) {
            let operation = call.operation();
            let mut ran = layer.run(call, params).await?;
            let output = ran.shown()?;
            return encode(output, operation, &self.description, ran.params());
        }
        // The service writes its own JSON; only what goes in is turned into its types.
        let name = call.operation().name();
        let vetted = match &call {
            Call::Create(data) => self.vetted(std::slice::from_ref(data), Method::Create, params)?,
            Call::CreateMany(data) => self.vetted(data, Method::Create, params)?,
            Call::Update(_, data) => self.vetted(std::slice::from_ref(data), Method::Update, params)?,
            _ => None,
        };
        let params = vetted.as_deref().unwrap_or(params);
        let call = match call {
            Call::CreateMany(data) => Call::CreateMany(self.inputs(data, params)?),
            Call::Update(id, data) => {
                let data = self.input(data, Method::Update)?;
                Call::Update(self.id_to_update(&id, params)?.into_owned(), data)
            }
            Call::ReadMany(ids) => Call::ReadMany(self.ids(&ids, params)?),
            call => call.try_map(|id| self.id(&id).map(Cow::into_owned), |data| self.input(data, Method::Create))?,
        };
        self.straight(name, self.inner().answer(call, params).as_mut())?.await
    }

    fn describe(&self) -> Arc<Description> {
        match &self.layer {
            // A list that is gathered for hooks is answered whole.
            Some(layer) if layer.gathers_lists() => self.gathering.clone(),
            _ => self.description.clone(),
        }
    }

    fn mounted(&self, site: &Site) {
        self.inner().mounted(site);
    }

    fn begins_with_hooks(&self) -> bool {
        self.inner().begins_with_hooks()
    }
}
