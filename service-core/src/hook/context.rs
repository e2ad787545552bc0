//! [`HookContext`]: a call as hooks see it.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::baton::{Baton, EventChoice, Told};
use super::{HookFuture, HookKind};
use crate::output::same;
use crate::site::Place;
use crate::{
    App, Call, Description, Document, DynService, Error, Method, Operation, Output, Params, Patch, Path, Result,
    Service, Site, Text,
};

/// A call as hooks see it: everything that goes into it and, behind the method, what came of it.
///
/// A hook takes its context by value and gives it back, changed or not. `S` is the service below the hooks: its types are
/// those of ids, data and records. In hooks of an [`App`] these are documents, see [`AppContext`].
///
/// ```
/// use remex_core::{Error, HookContext, Result, Service};
///
/// /// Lets nobody read before the service is open.
/// async fn opened<S: Service>(mut ctx: HookContext<S>) -> Result<HookContext<S>> {
///     if ctx.is_client() && ctx.params().headers.contains_key("x-early") {
///         return Err(Error::forbidden("come back later"));
///     }
///     ctx.params_mut().query.limit.get_or_insert(10);
///     Ok(ctx)
/// }
/// ```
pub struct HookContext<S: Service + ?Sized> {
    /// There until the context is dropped or taken apart. A pointer and no more, so that a context is handed on fast.
    state: Option<Box<State<S>>>,
}

/// The context of hooks of an [`App`], where records are documents whatever the service is made of.
pub type AppContext = HookContext<DynService>;

pub(super) struct State<S: Service + ?Sized> {
    pub(super) place: Arc<Place<S>>,
    pub(super) kind: HookKind,
    pub(super) operation: Operation,
    pub(super) id: Option<S::Id>,
    pub(super) ids: Vec<S::Id>,
    pub(super) data: Data<S::Input>,
    pub(super) params: Params,
    pub(super) result: Option<Output<S::Data>>,
    /// What is done in the place of the method.
    pub(super) instead: Option<Instead<S>>,
    /// Whether the rest of the hooks of this kind is passed over.
    pub(super) finished: bool,
    /// Whether a list is about to be read, little by little.
    pub(super) begun: bool,
    /// Whether records are whole, though the query selects some of their fields.
    pub(super) whole: bool,
    /// What the query selects, while a method changes records, or what is done in its place.
    pub(super) set_aside: Option<Vec<Path>>,
    /// Whether the method answered JSON text.
    pub(super) answered: bool,
    pub(super) error: Option<Error>,
    /// What the hooks want to become of the call besides its result; seldom anything.
    pub(super) told: Option<Box<Told>>,
    pub(super) baton: Option<Baton>,
    /// Where this goes should a hook fail and drop the context: error hooks go on with it.
    home: Option<Arc<Home<S>>>,
}

impl<S: Service + ?Sized> State<S> {
    pub(super) fn told(&mut self) -> &mut Told {
        self.told.get_or_insert_default()
    }

    /// Sets aside what the query selects, where records are to come whole.
    #[inline]
    pub(super) fn set_select_aside(&mut self) {
        if self.whole {
            self.set_aside = self.params.query.select.take();
        }
    }

    /// Selects again what was set aside.
    #[inline]
    pub(super) fn restore_select(&mut self) {
        if let Some(select) = self.set_aside.take() {
            self.params.query.select.get_or_insert(select);
        }
    }
}

/// What a hook wants to be done in the place of the method.
pub(super) type Instead<S> = Box<dyn FnOnce(HookContext<S>) -> HookFuture<S> + Send + Sync>;

/// The data of a call.
#[derive(Clone)]
pub(super) enum Data<T> {
    None,
    One(T),
    Many(Vec<T>),
    Patch(Patch),
    /// A hook took it and is to give it back.
    Taken,
}

/// A place for the state of a context that was dropped.
pub(super) struct Home<S: Service + ?Sized>(Mutex<Option<Box<State<S>>>>);

impl<S: Service + ?Sized> Home<S> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(None)))
    }

    pub(super) fn take(&self) -> Option<HookContext<S>> {
        self.0.lock().take().map(|state| HookContext { state: Some(state) })
    }
}

impl<S: Service + ?Sized> Drop for HookContext<S> {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take()
            && let Some(home) = state.home.take()
        {
            *home.0.lock() = Some(state);
        }
    }
}

impl<S: Service + ?Sized> HookContext<S> {
    pub(super) fn new(place: Arc<Place<S>>, call: Call<S::Id, S::Input>, params: &Params) -> Self {
        let operation = call.operation();
        let (mut id, mut ids, mut data) = (None, Vec::new(), Data::None);
        match call {
            Call::Index | Call::FindOne | Call::Count | Call::RemoveMany => {}
            Call::Read(one) | Call::Remove(one) => id = Some(one),
            Call::ReadMany(many) => ids = many,
            Call::Create(one) => data = Data::One(one),
            Call::CreateMany(many) => data = Data::Many(many),
            Call::Modify(one, patch) => (id, data) = (Some(one), Data::Patch(patch)),
            Call::ModifyMany(patch) => data = Data::Patch(patch),
            Call::Update(one, new) => (id, data) = (Some(one), Data::One(new)),
        }
        // Written where it is to stay: it is large.
        let mut state = Box::write(
            Box::new_uninit(),
            State {
                place,
                kind: HookKind::Before,
                operation,
                id,
                ids,
                data,
                params: params.clone(),
                result: None,
                instead: None,
                finished: false,
                begun: false,
                whole: false,
                set_aside: None,
                answered: false,
                error: None,
                told: None,
                baton: None,
                home: None,
            },
        );
        if !state.params.extensions.is_empty() {
            // Taken out, so that it does not go along where a hook hands on its params.
            state.baton = state.params.extensions.remove::<Baton>();
        }
        Self { state: Some(state) }
    }

    pub(super) fn state(&self) -> &State<S> {
        self.state.as_ref().expect("it is taken out only where the context ends")
    }

    pub(super) fn state_mut(&mut self) -> &mut State<S> {
        self.state.as_mut().expect("it is taken out only where the context ends")
    }

    /// Takes the context apart.
    pub(super) fn into_state(mut self) -> Box<State<S>> {
        let mut state = self.state.take().expect("it is taken out only where the context ends");
        state.home = None;
        state
    }

    pub(super) fn set_home(&mut self, home: Option<Arc<Home<S>>>) {
        self.state_mut().home = home;
    }

    /// Returns a copy for a hook that runs on its own; an error stays behind.
    pub(super) fn copy(&self) -> Self {
        let state = self.state();
        let copy = State {
            place: state.place.clone(),
            kind: state.kind,
            operation: state.operation,
            id: state.id.clone(),
            ids: state.ids.clone(),
            data: state.data.clone(),
            params: state.params.clone(),
            result: state.result.clone(),
            instead: None,
            finished: false,
            begun: false,
            whole: state.whole,
            set_aside: None,
            answered: state.answered,
            error: None,
            told: None,
            baton: None,
            home: None,
        };
        Self { state: Some(Box::new(copy)) }
    }

    /// Returns the call as it is to be made now.
    pub(super) fn call(&self) -> Result<Call<S::Id, S::Input>> {
        let State { operation, id, ids, data, .. } = self.state();
        let id = || id.clone().ok_or_else(|| self.mistake("left the call without an id"));
        let lost = || self.mistake("took the data and gave none back");
        Ok(match (operation, data) {
            (Operation::Index, _) => Call::Index,
            (Operation::FindOne, _) => Call::FindOne,
            (Operation::Count, _) => Call::Count,
            (Operation::Read, _) => Call::Read(id()?),
            (Operation::ReadMany, _) => Call::ReadMany(ids.clone()),
            (Operation::Create, Data::One(data)) => Call::Create(data.clone()),
            (Operation::CreateMany, Data::Many(data)) => Call::CreateMany(data.clone()),
            (Operation::Modify, Data::Patch(patch)) => Call::Modify(id()?, patch.clone()),
            (Operation::ModifyMany, Data::Patch(patch)) => Call::ModifyMany(patch.clone()),
            (Operation::Update, Data::One(data)) => Call::Update(id()?, data.clone()),
            (Operation::Remove, _) => Call::Remove(id()?),
            (Operation::RemoveMany, _) => Call::RemoveMany,
            (
                Operation::Create
                | Operation::CreateMany
                | Operation::Modify
                | Operation::ModifyMany
                | Operation::Update,
                _,
            ) => return Err(lost()),
        })
    }

    /// Makes sure that a hook left behind what the rest of the way needs.
    #[inline]
    pub(super) fn check(&mut self) -> Result<()> {
        let state = self.state();
        match (&state.data, &state.result) {
            (Data::Taken, _) => Err(self.mistake("took the data and gave none back")),
            (_, None) => Ok(()),
            (_, Some(_)) => self.check_result(),
        }
    }

    fn check_result(&mut self) -> Result<()> {
        let state = self.state_mut();
        let Some(result) = state.result.take() else { return Ok(()) };
        let form = result.form();
        let made_up = matches!(result, Output::Answer(_)) && !state.answered;
        state.result = if made_up { None } else { result.fit(state.operation) };
        match state.result {
            Some(_) => Ok(()),
            None => Err(self.mistake(&format!("gave {form} as the result"))),
        }
    }

    /// Makes sure of the same for an around hook, which is to leave a result behind.
    pub(super) fn check_around(&mut self) -> Result<()> {
        self.state_mut().kind = HookKind::Around;
        self.check_answered()
    }

    /// Makes sure of the same for what was done in the place of the method.
    pub(super) fn check_answered(&mut self) -> Result<()> {
        self.check()?;
        match self.result() {
            Some(_) => Ok(()),
            None => Err(self.mistake("left the call without a result")),
        }
    }

    /// Makes the error of a hook that is wrong: it names the hook's kind, service and method.
    pub(super) fn mistake(&self, what: &str) -> Error {
        let state = self.state();
        let (kind, path, operation) = (state.kind, self.path(), state.operation);
        Error::internal(format!("{} {kind} hook of `{path}` for `{operation}` {what}", kind.article()))
    }

    /// Returns of which of the six methods the call is.
    #[must_use]
    pub fn method(&self) -> Method {
        self.state().operation.method()
    }

    /// Returns which call it is: `create` or `create_many`, `index` or `count`, …
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.state().operation
    }

    /// Returns which kind of hook is running.
    #[must_use]
    pub fn kind(&self) -> HookKind {
        self.state().kind
    }

    /// Returns the path under which the service is mounted, or its name where it is not mounted.
    #[must_use]
    pub fn path(&self) -> &str {
        self.state().place.path()
    }

    /// Returns the app in which the service is mounted.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is in none.
    pub fn app(&self) -> Result<App> {
        let app = self.state().place.site.get().and_then(Site::app);
        app.ok_or_else(|| Error::internal(format!("`{}` is not mounted in an app that is still there", self.path())))
    }

    /// Returns the service below these hooks. A call of it does not come by here again.
    #[must_use]
    pub fn service(&self) -> &Arc<S> {
        &self.state().place.service
    }

    /// Returns what the service says about itself.
    #[must_use]
    pub fn description(&self) -> &Arc<Description> {
        &self.state().place.description
    }

    /// Returns whether the call comes from a client and not from inside the program.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.state().params.is_client()
    }

    /// Returns the id, of calls of one record.
    #[must_use]
    pub fn id(&self) -> Option<&S::Id> {
        self.state().id.as_ref()
    }

    /// Sets the id, of calls of one record.
    pub fn set_id(&mut self, id: S::Id) {
        self.state_mut().id = Some(id);
    }

    /// Returns the ids of `read_many`, none for other calls.
    #[must_use]
    pub fn ids(&self) -> &[S::Id] {
        &self.state().ids
    }

    /// Sets the ids of `read_many`.
    pub fn set_ids(&mut self, ids: Vec<S::Id>) {
        self.state_mut().ids = ids;
    }

    /// Returns the params.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.state().params
    }

    /// Returns the params to change: the query, the scope, extensions for hooks behind this one.
    #[must_use]
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.state_mut().params
    }

    /// Lists the data of `create` and `update`, and every one of `create_many`; none for other calls.
    #[must_use]
    pub fn inputs(&self) -> &[S::Input] {
        match &self.state().data {
            Data::One(data) => std::slice::from_ref(data),
            Data::Many(many) => many,
            Data::None | Data::Patch(_) | Data::Taken => &[],
        }
    }

    /// Lists the data of `create` and `update`, and every one of `create_many`, to change.
    #[must_use]
    pub fn inputs_mut(&mut self) -> &mut [S::Input] {
        match &mut self.state_mut().data {
            Data::One(data) => std::slice::from_mut(data),
            Data::Many(many) => many,
            Data::None | Data::Patch(_) | Data::Taken => &mut [],
        }
    }

    /// Returns the data of `create` and `update` and, where data is a [`Document`], the fields of `modify`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) for calls without data, and for `create_many`, which has the data
    /// of many records: [`inputs_mut`](Self::inputs_mut) goes through those of any call.
    pub fn data_mut(&mut self) -> Result<&mut S::Input> {
        let why = match &self.state().data {
            Data::One(_) | Data::Patch(_) => "the fields of a patch are no data of its type; see `patch_mut`",
            Data::Many(_) => "there is data of many records; see `inputs_mut`",
            Data::None => "there is no data",
            Data::Taken => "the data was taken",
        };
        let mistake = self.mistake(&format!("wanted the data of one record, but {why}"));
        match &mut self.state_mut().data {
            Data::One(data) => Ok(data),
            Data::Patch(patch) => (patch.data_mut() as &mut dyn std::any::Any).downcast_mut().ok_or(mistake),
            Data::Many(_) | Data::None | Data::Taken => Err(mistake),
        }
    }

    /// Returns the patch of `modify` and `modify_many`.
    #[must_use]
    pub fn patch(&self) -> Option<&Patch> {
        if let Data::Patch(patch) = &self.state().data { Some(patch) } else { None }
    }

    /// Returns the patch of `modify` and `modify_many` to change.
    #[must_use]
    pub fn patch_mut(&mut self) -> Option<&mut Patch> {
        if let Data::Patch(patch) = &mut self.state_mut().data { Some(patch) } else { None }
    }

    /// Takes the data of `create` and `update` out, to be given back by [`set_data`](Self::set_data).
    ///
    /// # Errors
    /// As [`data_mut`](Self::data_mut).
    pub fn take_data(&mut self) -> Result<S::Input> {
        match std::mem::replace(&mut self.state_mut().data, Data::Taken) {
            Data::One(data) => Ok(data),
            other => {
                self.state_mut().data = other;
                match self.data_mut() {
                    Err(error) => Err(error),
                    Ok(_) => Err(self.mistake("wanted to take the data of `modify`, which is a patch")),
                }
            }
        }
    }

    /// Sets the data of `create` and `update`.
    pub fn set_data(&mut self, data: S::Input) {
        self.state_mut().data = Data::One(data);
    }

    /// Returns what came of the call so far: what the method answered, or a hook in its place.
    #[must_use]
    pub fn result(&self) -> Option<&Output<S::Data>> {
        self.state().result.as_ref()
    }

    /// Returns what came of the call so far, to change.
    #[must_use]
    pub fn result_mut(&mut self) -> Option<&mut Output<S::Data>> {
        self.state_mut().result.as_mut()
    }

    /// Lists the records of the result, as many as there are.
    #[must_use]
    pub fn records(&self) -> &[S::Data] {
        self.result().map_or(&[], Output::records)
    }

    /// Lists the records of the result to change.
    #[must_use]
    pub fn records_mut(&mut self) -> &mut [S::Data] {
        self.result_mut().map_or(&mut [], Output::records_mut)
    }

    /// Returns whether the call made records: `create`, and `modify` or `update` of what was missing.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.result().is_some_and(|result| self.method() == Method::Create || result.is_created())
    }

    /// Answers in the place of the method, or replaces what it answered. In an error hook the call has succeeded then.
    ///
    /// Hooks behind this one run nevertheless; see [`finish`](Self::finish).
    pub fn set_result(&mut self, result: impl Into<Output<S::Data>>) {
        let state = self.state_mut();
        state.result = Some(match state.result.take() {
            Some(old) => old.replaced_by(result.into()),
            None => result.into(),
        });
    }

    /// Answers one record in the place of the method, or replaces the one that it answered, see
    /// [`set_result`](Self::set_result).
    pub fn set_record(&mut self, record: S::Data) {
        self.set_result(Output::Record(record));
    }

    /// Answers in the place of the method, and passes over the hooks of this kind that are still to come.
    ///
    /// An around hook passes over the rest by not running it; there this is the same as [`set_result`](Self::set_result).
    pub fn finish(&mut self, result: impl Into<Output<S::Data>>) {
        self.set_result(result);
        let state = self.state_mut();
        state.finished = state.kind != HookKind::Around;
    }

    /// Says what is to be done in the place of the method: it runs where the method would, behind all before hooks, and has to
    /// set a result. Of several the last one counts; a result that stands already goes before it.
    ///
    /// What may be refused by hooks behind this one is then not done yet, as it would be if it were done in the hook itself.
    ///
    /// ```
    /// use remex_core::{AppContext, Document, Output, Patch, Result, Service};
    ///
    /// /// Keeps what is removed, with a mark.
    /// async fn mark(mut ctx: AppContext) -> Result<AppContext> {
    ///     ctx.instead(|mut ctx| async move {
    ///         let Some(id) = ctx.id().cloned() else { return Ok(ctx) };
    ///         let patch = Patch::from(Document::new().with("removed", true));
    ///         let marked = ctx.service().clone().modify(&id, patch, ctx.params()).await?;
    ///         ctx.set_result(Output::Record(marked.into_inner()));
    ///         Ok(ctx)
    ///     });
    ///     Ok(ctx)
    /// }
    /// ```
    pub fn instead<F, R>(&mut self, work: F)
    where
        F: FnOnce(Self) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Self>> + Send + 'static,
    {
        self.state_mut().instead = Some(Box::new(move |ctx| Box::pin(work(ctx))));
    }

    /// Returns the error, in error hooks.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.state().error.as_ref()
    }

    /// Puts another error in the place of the one that the call came to, in error hooks.
    pub fn set_error(&mut self, error: Error) {
        self.state_mut().error = Some(error);
    }

    /// Takes the error, in error hooks; one is to be [set](Self::set_error) again, or a result.
    #[must_use]
    pub fn take_error(&mut self) -> Option<Error> {
        self.state_mut().error.take()
    }

    /// Gives the event of this call another name than `created`, `modified`, `updated` or `removed`.
    pub fn set_event(&mut self, name: impl Into<Text>) {
        self.state_mut().told().event = EventChoice::Named(name.into());
    }

    /// Sees to it that this call has no event.
    pub fn suppress_event(&mut self) {
        self.state_mut().told().event = EventChoice::None;
    }

    /// Adds an event of your own, which subscribers get behind those of the call itself, should it succeed.
    pub fn emit(&mut self, name: impl Into<Text>, data: Document) {
        self.state_mut().told().emitted.push((name.into(), data));
    }
}

impl<S: Service<Input = Document> + ?Sized> HookContext<S> {
    /// Lists all data of the call as documents to change, the fields of a patch among it.
    #[must_use]
    pub fn documents_mut(&mut self) -> &mut [Document] {
        match &mut self.state_mut().data {
            Data::One(data) => std::slice::from_mut(data),
            Data::Many(many) => many,
            Data::Patch(patch) => std::slice::from_mut(patch.data_mut()),
            Data::None | Data::Taken => &mut [],
        }
    }

    /// Lists all data of the call as documents, the fields of a patch among it.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        match &self.state().data {
            Data::One(data) => std::slice::from_ref(data),
            Data::Many(many) => many,
            Data::Patch(patch) => std::slice::from_ref(patch.data()),
            Data::None | Data::Taken => &[],
        }
    }
}

impl<S: Service + ?Sized> HookContext<S> {
    /// Does what comes before all hooks.
    pub(super) fn begin(&mut self) -> Result<()>
    where
        S: 'static,
    {
        let (description, method) = (self.description(), self.method());
        if !description.methods().contains(method) {
            let name = description.name();
            return Err(Error::method_not_allowed(format!("`{name}` does not offer `{method}`")));
        }
        let state = self.state();
        let (around, vet) = (state.baton.is_some(), state.place.description.is_to_be_vetted(&state.params));
        if around {
            self.take_over()?;
        }
        if vet { self.vet() } else { Ok(()) }
    }

    /// Refuses what a client may not set, once, before hooks set it.
    fn vet(&mut self) -> Result<()>
    where
        S: 'static,
    {
        let state = self.state();
        match &state.data {
            Data::None | Data::Taken => return Ok(()),
            Data::Patch(patch) => state.place.description.vet([patch.data()])?,
            // Data of other types was vetted when it was a document still.
            Data::One(_) | Data::Many(_) => {
                let documents = self.inputs().iter().filter_map(|data| (data as &dyn std::any::Any).downcast_ref());
                state.place.description.vet(documents)?;
                if std::any::TypeId::of::<S::Input>() != std::any::TypeId::of::<Document>() {
                    return Ok(());
                }
            }
        }
        let name = self.description().name().into();
        self.state_mut().params.vetted = Some(name);
        Ok(())
    }

    /// Takes over what hooks around these have decided already: the result in the method's place.
    fn take_over(&mut self) -> Result<()>
    where
        S: 'static,
    {
        let operation = self.operation();
        let preset = self.state().baton.as_ref().and_then(|baton| baton.take_preset(operation));
        let Some((preset, finished)) = preset else { return Ok(()) };
        let preset = match same::<Output<Document>, Output<S::Data>>(preset) {
            Ok(preset) => preset,
            Err(preset) => preset.try_map(|document| {
                document.to_typed().map_err(|error| {
                    let (path, data) = (self.path(), std::any::type_name::<S::Data>());
                    let detail = format!("a hook around `{path}` for `{operation}` gave a result that is no `{data}`");
                    Error::internal(detail).with_source(error)
                })
            })?,
        };
        let state = self.state_mut();
        (state.result, state.finished) = (Some(preset), finished);
        Ok(())
    }
}

impl<S: Service + ?Sized> fmt::Debug for HookContext<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut context = f.debug_struct("HookContext");
        if let Some(state) = &self.state {
            context
                .field("kind", &state.kind)
                .field("path", &self.path())
                .field("operation", &state.operation)
                .field("id", &state.id.as_ref().map(ToString::to_string))
                .field("params", &state.params)
                .field("error", &state.error);
        }
        context.finish_non_exhaustive()
    }
}
