//! [`Typed`], a view of a service of documents that speaks your own types.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::hook::Baton;
use crate::{
    Answer, Call, Description, Document, Error, Intent, Missing, Page, Paginate, Params, Patch, Query, Result, Service,
    Site, Stored, answer, fit,
};

/// A view of a service of documents that speaks your own types: `T` for records, `In` for what is created.
///
/// Data that does not fit `T` is refused before anything is stored, with every bad field named; for that, `modify` looks
/// at the records first, and an adapter's own typed service does it in one step. A typed caller gets whole records: what
/// is selected or hidden is applied on the way to the client.
///
/// ```
/// # use remex_core::{DynService, Params, Result, Service, ServiceExt, Typed};
/// # use std::sync::Arc;
/// #[derive(Clone, serde::Serialize, serde::Deserialize)]
/// struct Todo { id: i64, title: String }
/// #[derive(Clone, serde::Serialize, serde::Deserialize)]
/// struct NewTodo { title: String }
///
/// async fn first_todo(todos: Arc<DynService>) -> Result<Todo> {
///     let todos = todos.typed::<Todo, NewTodo>();
///     todos.create(NewTodo { title: "Feed the bird".to_owned() }, &Params::new()).await
/// }
/// ```
pub struct Typed<S, T, In = T> {
    service: S,
    description: Arc<Description>,
    /// Whether the service makes sure by itself that every record is a `T`.
    trusted: bool,
    types: PhantomData<fn() -> (T, In)>,
}

impl<S: Service, T, In> Typed<S, T, In> {
    /// Gives types to a service of documents.
    pub fn new(service: S) -> Self {
        // What comes out of the view is whole, documents among it.
        let description = Arc::new(service.describe().as_ref().clone().with_revealed(false));
        Self { service, description, trusted: false, types: PhantomData }
    }

    /// Says that below the documents is a service of records of the same type, which checks them itself.
    pub(crate) const fn trusting(mut self) -> Self {
        self.trusted = true;
        self
    }

    /// Returns the same view with another type for what is created.
    #[must_use]
    pub fn taking<New>(self) -> Typed<S, T, New> {
        Typed { service: self.service, description: self.description, trusted: self.trusted, types: PhantomData }
    }

    /// Returns the service of documents.
    pub fn into_inner(self) -> S {
        self.service
    }
}

impl<S, T, In> Typed<S, T, In>
where
    S: Service<Data = Document, Input = Document>,
    T: DeserializeOwned,
    In: Serialize,
{
    /// Turns data into a document, and refuses it where the record that would be stored is no `T`.
    fn to_document(&self, data: &In) -> Result<Document> {
        let document = Document::from_serialize(data)?;
        self.check_whole(&document)?;
        Ok(document)
    }

    /// The same call for whole records: a type has room for what a client does not see or did not select.
    fn whole<'a>(&self, intent: Intent, params: &'a Params) -> Result<Cow<'a, Params>> {
        let description = self.service.describe();
        if description.reveals_all(params) {
            return Ok(Cow::Borrowed(params));
        }
        // What is selected is checked nevertheless, and counts as something that the query says.
        description.plan(intent, params)?;
        let mut query = params.query.clone();
        // Where hooks around the view see to it, those below are to know it.
        if !params.extensions.get::<Baton>().is_some_and(Baton::wants_whole) {
            query.select = None;
        }
        Ok(Cow::Owned(Params { query, whole: true, ..params.clone() }))
    }

    fn check_whole(&self, document: &Document) -> Result<()> {
        if self.trusted {
            return Ok(());
        }
        let description = self.service.describe();
        // What is missing may be the store's to fill in: the id, times, and defaults of fields that it knows.
        fit::check::<T>(document, |fault| {
            fault.code != "required" || description.fields().is_none() && !description.is_managed(&fault.path)
        })
    }

    /// Refuses a patch that would leave a record no `T`.
    fn check_modified(&self, old: &Document, patch: Patch) -> Result<()> {
        let mut new = old.clone();
        patch.apply(&mut new);
        // Hooks may add what `T` needs on the way out, which is not there now.
        fit::check_changed::<T>(old, &new)
    }

    /// Returns params for the program to look at the records that a call is about, which is no call that hooks are for.
    fn look(&self, intent: Intent, params: &Params) -> Result<Params> {
        // What is applied of a client's query is decided for the client; to the program it is a scope.
        let scope = self.service.describe().plan(intent, params)?.filter.into_owned();
        let (query, provider, paginate) = (Query::default(), None, Some(Paginate::Off));
        Ok(Params { query, scope, provider, paginate, silent: true, whole: true, ..params.clone() })
    }

    /// Returns whether there is a record with this id that the query left out.
    async fn is_there(&self, id: &S::Id, params: &Params) -> Result<bool> {
        let unasked = Params { query: Query::default(), ..params.clone() };
        let params = self.look(Intent::Read, &unasked)?;
        match self.service.read(id, &params).await {
            Err(error) if error.is_not_found() => Ok(false),
            outcome => outcome.map(|_| true),
        }
    }
}

impl<S: fmt::Debug, T, In> fmt::Debug for Typed<S, T, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.service).finish()
    }
}

/// Returns whether a hook around the view has answered already: nothing will be stored.
fn is_preset(params: &Params) -> bool {
    params.extensions.get::<Baton>().is_some_and(Baton::is_preset)
}

/// Turns a stored record into a `T`. One that does not fit was stored by somebody else, and is no fault of the caller.
fn to_typed<T: DeserializeOwned>(record: Document) -> Result<T> {
    record.to_typed().map_err(|error| {
        Error::internal(format!("a stored record is no `{}`", std::any::type_name::<T>())).with_source(error)
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S, T, In> Service for Typed<S, T, In>
where
    S: Service<Data = Document, Input = Document>,
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    In: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Id = S::Id;
    type Data = T;
    type Input = In;

    async fn index(&self, params: &Params) -> Result<Page<T>> {
        self.service.index(&*self.whole(Intent::Index, params)?).await?.try_map(to_typed)
    }

    async fn read(&self, id: &S::Id, params: &Params) -> Result<T> {
        to_typed(self.service.read(id, &*self.whole(Intent::Read, params)?).await?)
    }

    async fn create(&self, data: In, params: &Params) -> Result<T> {
        let document = self.to_document(&data)?;
        drop(data);
        to_typed(self.service.create(document, &*self.whole(Intent::Create, params)?).await?)
    }

    async fn modify(&self, id: &S::Id, patch: Patch, params: &Params) -> Result<Stored<T>> {
        let mut params = self.whole(Intent::Modify, params)?;
        if self.trusted || is_preset(&params) {
            return self.service.modify(id, patch, &params).await?.try_map(to_typed);
        }
        match self.service.read(id, &self.look(Intent::Modify, &params)?).await {
            Ok(record) => self.check_modified(&record, patch.clone())?,
            Err(error) if error.is_not_found() => {
                let mut data = Document::new();
                patch.clone().apply(&mut data);
                if let Err(unfit) = self.check_whole(&data) {
                    if self.service.describe().missing(&params) == Missing::NotFound
                        || self.is_there(id, &params).await?
                    {
                        return Err(error);
                    }
                    // Should somebody make the record in the meantime, it is not for this patch to make it again.
                    params.to_mut().missing = Some(Missing::NotFound);
                    return match self.service.modify(id, patch, &params).await {
                        Err(error) if error.is_not_found() => Err(unfit),
                        outcome => outcome?.try_map(to_typed),
                    };
                }
            }
            Err(error) => return Err(error),
        }
        self.service.modify(id, patch, &params).await?.try_map(to_typed)
    }

    async fn update(&self, id: &S::Id, data: In, params: &Params) -> Result<Stored<T>> {
        let document = self.to_document(&data)?;
        drop(data);
        self.service.update(id, document, &*self.whole(Intent::Update, params)?).await?.try_map(to_typed)
    }

    async fn remove(&self, id: &S::Id, params: &Params) -> Result<T> {
        to_typed(self.service.remove(id, &*self.whole(Intent::Remove, params)?).await?)
    }

    async fn find_one(&self, params: &Params) -> Result<Option<T>> {
        self.service.find_one(&*self.whole(Intent::Index, params)?).await?.map(to_typed).transpose()
    }

    async fn read_many(&self, ids: &[S::Id], params: &Params) -> Result<Vec<T>> {
        self.service.read_many(ids, &*self.whole(Intent::Read, params)?).await?.into_iter().map(to_typed).collect()
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.service.count(params).await
    }

    async fn create_many(&self, data: Vec<In>, params: &Params) -> Result<Vec<T>> {
        let documents = data.iter().map(|data| self.to_document(data)).collect::<Result<_>>()?;
        drop(data);
        self.service
            .create_many(documents, &*self.whole(Intent::Create, params)?)
            .await?
            .into_iter()
            .map(to_typed)
            .collect()
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<T>> {
        if !self.trusted && !is_preset(params) {
            // A patch has some fields only. An object in it replaces one, whole, unless it is merged into it.
            let deep = matches!(patch, Patch::MergeDeep(_));
            fit::check::<T>(patch.data(), |fault| fault.code != "required" || !deep && fault.path.contains('.'))?;
        }
        self.service
            .modify_many(patch, &*self.whole(Intent::ModifyMany, params)?)
            .await?
            .into_iter()
            .map(to_typed)
            .collect()
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<T>> {
        self.service.remove_many(&*self.whole(Intent::RemoveMany, params)?).await?.into_iter().map(to_typed).collect()
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<T>> {
        match self.whole(Intent::Index, &params).map(Cow::into_owned) {
            Ok(params) => self.service.index_stream(params).map(|record| to_typed(record?)).boxed(),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn answer(&self, call: Call<S::Id, In>, params: &Params) -> Result<Answer> {
        // What goes out is the record as `T` writes it, which may rename or compute fields.
        answer::through_records(self, call, params).await
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }

    fn mounted(&self, site: &Site) {
        self.service.mounted(site);
    }

    fn begins_with_hooks(&self) -> bool {
        self.service.begins_with_hooks()
    }
}
