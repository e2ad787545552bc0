//! Runs a call through its hooks; the order stands at the top of the module.

use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use super::context::{Home, State};
use super::hooks::Chain;
use super::{Baton, Detached, EventChoice, Hook, HookContext, HookFuture, HookKind};
use crate::output::{perform, same};
use crate::{Call, Description, Document, Error, Intent, Output, Page, Params, Query, Result, Service, Text};

/// The rest of a call, for an around hook to run.
pub struct Next<S: Service + ?Sized> {
    chain: Arc<Chain<S>>,
    position: usize,
    wanted: Wanted,
}

/// What the rest of a call is to come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Records,
    /// JSON text, which no hook looks into.
    Json,
    /// A list that is about to be read: nothing, unless a hook answers in the method's place.
    Beginning,
}

impl<S: Service + ?Sized + 'static> Next<S> {
    /// Runs the rest of the call: the hooks inside this one and the method.
    ///
    /// # Errors
    /// What the rest of the call comes to.
    pub fn run(self, mut ctx: HookContext<S>) -> HookFuture<S> {
        let Self { chain, position, wanted } = self;
        match chain.around.get(position).cloned() {
            Some(hook) => {
                ctx.state_mut().kind = HookKind::Around;
                let next = Self { chain, position: position + 1, wanted };
                Box::pin(async move { hook.run(ctx, next).await?.check_around() })
            }
            None => Box::pin(async move { innermost(&chain, ctx, wanted).await }),
        }
    }
}

impl<S: Service + ?Sized> std::fmt::Debug for Next<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Next").field("position", &self.position).finish_non_exhaustive()
    }
}

/// A call whose hooks have run.
pub(crate) struct Ran<S: Service + ?Sized>(Box<State<S>>);

impl<S: Service + ?Sized + 'static> Ran<S> {
    /// Returns what came of the call: of one that changes records they are whole, see [`shown`](Self::shown).
    pub(crate) const fn output(&self) -> Option<&Output<S::Data>> {
        self.0.result.as_ref()
    }

    /// Returns the params as the hooks left them.
    pub(crate) const fn params(&self) -> &Params {
        &self.0.params
    }

    /// Returns what is to become of the event of the call, and takes those that hooks added.
    pub(crate) fn take_events(&mut self) -> (EventChoice, Vec<(Text, Document)>) {
        (std::mem::take(&mut self.0.event), std::mem::take(&mut self.0.emitted))
    }

    /// Returns what the caller gets to see: what its query selected.
    pub(crate) fn shown(&mut self) -> Result<Output<S::Data>> {
        let State { result, select, params, place, .. } = &mut *self.0;
        let output = result
            .take()
            .ok_or_else(|| Error::internal(format!("the hooks of `{}` left a call without a result", place.path())))?;
        if select.is_none() {
            return Ok(output);
        }
        params.query.select = select.take();
        reveal(output, &place.description, params)
    }
}

/// Runs a call through the hooks. Where `json` says so and no hook looks at records, the result may be JSON text.
pub(crate) async fn run<S: Service + ?Sized + 'static>(
    chain: Arc<Chain<S>>,
    mut ctx: HookContext<S>,
    json: bool,
) -> Result<Ran<S>> {
    ctx.take_over()?;
    ctx.vet()?;
    let json = json && !chain.sees_records;
    if ctx.method().writes() && !json {
        // Hooks and events have whole records.
        let state = ctx.state_mut();
        state.select = state.params.query.select.take();
    }
    let wanted = if json { Wanted::Json } else { Wanted::Records };
    let ctx = within(&chain, ctx, wanted).await?;
    detach(&chain, &ctx).await;
    let state = ctx.into_state();
    if let Some(baton) = &state.baton {
        baton.tell(state.event.clone(), state.emitted.clone());
    }
    Ok(Ran(state))
}

/// Runs the around hooks and what is inside them.
async fn within<S: Service + ?Sized + 'static>(
    chain: &Arc<Chain<S>>,
    ctx: HookContext<S>,
    wanted: Wanted,
) -> Result<HookContext<S>> {
    if chain.around.is_empty() {
        innermost(chain, ctx, wanted).await
    } else {
        Next { chain: chain.clone(), position: 0, wanted }.run(ctx).await
    }
}

/// Begins the detached hooks.
async fn detach<S: Service + ?Sized + 'static>(chain: &Chain<S>, ctx: &HookContext<S>) {
    if chain.detached.is_empty() {
        return;
    }
    let pool = ctx.app().map_or_else(|_| Detached::unmounted(), |app| app.detached().clone());
    for hook in &chain.detached {
        let (hook, mut copy) = (hook.clone(), ctx.copy());
        copy.state_mut().kind = HookKind::Detached;
        let (path, method) = (ctx.path().to_owned(), ctx.operation().name());
        pool.run(async move { hook.run(copy).await.map(drop) }, path, method).await;
    }
}

/// Runs what is inside the around hooks.
async fn innermost<S: Service + ?Sized + 'static>(
    chain: &Chain<S>,
    mut ctx: HookContext<S>,
    wanted: Wanted,
) -> Result<HookContext<S>> {
    let home = (!chain.error.is_empty()).then(Home::new);
    ctx.set_home(home.clone());
    let outcome = async {
        let (mut ctx, finished) = through(&chain.before, HookKind::Before, ctx).await?;
        if wanted == Wanted::Beginning && ctx.result().is_none() && ctx.state().instead.is_none() {
            ctx.state_mut().begun = true;
            ctx.set_result(Page::from(Vec::new()));
            return Ok(ctx);
        }
        let ctx = method(ctx, wanted == Wanted::Json, finished).await?;
        Ok(through(&chain.after, HookKind::After, ctx).await?.0)
    };
    match (outcome.await, home) {
        (Ok(mut ctx), _) => {
            ctx.set_home(None);
            Ok(ctx)
        }
        (Err(error), None) => Err(error),
        (Err(error), Some(home)) => recover(&chain.error, &home, error).await,
    }
}

/// Runs hooks one behind the other, until one finishes; answers whether one has.
async fn through<S: Service + ?Sized + 'static>(
    hooks: &[Arc<dyn Hook<S>>],
    kind: HookKind,
    mut ctx: HookContext<S>,
) -> Result<(HookContext<S>, bool)> {
    for hook in hooks {
        if ctx.state().finished {
            break;
        }
        ctx.state_mut().kind = kind;
        ctx = hook.run(ctx).await?.check()?;
    }
    let finished = std::mem::take(&mut ctx.state_mut().finished);
    Ok((ctx, finished))
}

/// Runs the method, unless a hook has answered in its place. Hooks of the service itself run even so.
async fn method<S: Service + ?Sized + 'static>(
    mut ctx: HookContext<S>,
    json: bool,
    finished: bool,
) -> Result<HookContext<S>> {
    let call = ctx.call()?;
    if let Some(select) = ctx.state_mut().select.clone() {
        // What is selected is checked before anything is changed.
        let query = Query { select: Some(select), ..ctx.params().query.clone() };
        ctx.description().plan(intent(&call), &Params { query, ..ctx.params().clone() })?;
    }
    let instead = ctx.state_mut().instead.take();
    if let (Some(instead), None) = (instead, ctx.result()) {
        return instead(ctx).await?.check_answered();
    }
    let has_hooks = ctx.description().has_hooks();
    if ctx.result().is_some() && !has_hooks {
        return Ok(ctx);
    }
    let baton = match (has_hooks, ctx.state_mut().result.take()) {
        (false, _) => None,
        (true, None) => Some(Baton::default()),
        (true, Some(result)) => Some(Baton::with_preset(documents(result)?, finished)),
    };
    if let Some(baton) = baton.clone() {
        ctx.params_mut().extensions.insert(baton);
    }
    let made = made(&ctx, call, json).await;
    if let Some(baton) = baton {
        ctx.params_mut().extensions.remove::<Baton>();
        let (event, emitted) = baton.told();
        let state = ctx.state_mut();
        // What a hook of the service said holds, unless one around it says otherwise later.
        if event != EventChoice::Usual {
            state.event = event;
        }
        state.emitted.extend(emitted);
    }
    ctx.set_result(made?);
    Ok(ctx)
}

async fn made<S: Service + ?Sized + 'static>(
    ctx: &HookContext<S>,
    call: Call<S::Id, S::Input>,
    json: bool,
) -> Result<Output<S::Data>> {
    let state = ctx.state();
    if json {
        Ok(Output::Answer(state.place.service.answer(call, &state.params).await?))
    } else {
        let output = perform(&*state.place.service, call, &state.params).await?;
        let description = &state.place.description;
        if description.is_revealed() { Ok(output) } else { reveal(output, description, &state.params) }
    }
}

const fn intent<I, T>(call: &Call<I, T>) -> Intent {
    match call {
        Call::Index | Call::FindOne => Intent::Index,
        Call::Count => Intent::Count,
        Call::Read(_) | Call::ReadMany(_) => Intent::Read,
        Call::Create(_) => Intent::Create,
        Call::CreateMany(data) => Intent::CreateMany(data.len()),
        Call::Modify(..) => Intent::Modify,
        Call::ModifyMany(_) => Intent::ModifyMany,
        Call::Update(..) => Intent::Update,
        Call::Remove(_) => Intent::Remove,
        Call::RemoveMany => Intent::RemoveMany,
    }
}

/// Turns a result into documents, in which hooks of different places speak to each other.
fn documents<T: serde::Serialize + 'static>(output: Output<T>) -> Result<Output<Document>> {
    match same(output) {
        Ok(documents) => Ok(documents),
        Err(output) => output.try_map(|record| Document::from_serialize(&record)),
    }
}

/// Takes out of documents what the caller may not see or did not ask for. Records of other types stay as they are.
fn reveal<T: 'static>(output: Output<T>, description: &Description, params: &Params) -> Result<Output<T>> {
    if description.reveals_all(params) {
        return Ok(output);
    }
    match same::<Output<T>, Output<Document>>(output) {
        Ok(documents) => {
            let revealed = documents.try_map(|document| Ok::<_, Error>(description.reveal(document, params)))?;
            same(revealed).map_err(|_| Error::internal("a document is no document"))
        }
        Err(output) => Ok(output),
    }
}

/// Lets error hooks have their say: they may change the error, or answer in its place.
async fn recover<S: Service + ?Sized + 'static>(
    hooks: &[Arc<dyn Hook<S>>],
    home: &Arc<Home<S>>,
    error: Error,
) -> Result<HookContext<S>> {
    let Some(mut ctx) = home.take() else {
        // A hook has given its context to somebody else.
        tracing::error!(?error, "a hook failed and kept its context: error hooks cannot run");
        return Err(error);
    };
    ctx.state_mut().error = Some(error);
    ctx.state_mut().result = None;
    ctx.state_mut().finished = false;
    for hook in hooks {
        ctx.state_mut().kind = HookKind::Error;
        ctx.set_home(Some(home.clone()));
        ctx = match hook.run(ctx).await.and_then(HookContext::check) {
            Ok(ctx) => ctx,
            Err(error) => {
                let Some(mut ctx) = home.take() else { return Err(error) };
                ctx.state_mut().error = Some(error);
                ctx
            }
        };
        ctx.set_home(None);
        if ctx.result().is_some() {
            ctx.state_mut().error = None;
            return Ok(ctx);
        }
    }
    let error = ctx.take_error();
    Err(error.unwrap_or_else(|| {
        Error::internal(format!("the error hooks of `{}` left neither an error nor a result", ctx.path()))
    }))
}

/// How many records of a stream go through the after hooks at once.
const PIECE: usize = 256;

/// Lists records one by one through the hooks.
///
/// After hooks get the records in pieces, each a page of its own. Around hooks are around the beginning of the list, and
/// detached ones begin there, unless one of them looks at records: then the list is gathered for it.
pub(crate) fn stream<'a, S: Service + ?Sized + 'static>(
    service: &'a S,
    chain: Arc<Chain<S>>,
    ctx: HookContext<S>,
) -> BoxStream<'a, Result<S::Data>> {
    if chain.sees_lists {
        let list = async move {
            let page = run(chain, ctx, false).await?.shown()?.into_page()?;
            Ok::<_, Error>(stream::iter(page.data).map(Ok))
        };
        return stream::once(list).try_flatten().boxed();
    }
    let opened = async move {
        let mut ctx = ctx;
        ctx.take_over()?;
        let mut ctx = within(&chain, ctx, Wanted::Beginning).await?;
        detach(&chain, &ctx).await;
        let result = ctx.state_mut().result.take();
        if !ctx.state().begun {
            let page = result.map_or_else(|| Ok(Page::from(Vec::new())), Output::into_page)?;
            return Ok(stream::iter(page.data).map(Ok).boxed());
        }
        let (description, params) = (ctx.description().clone(), ctx.params().clone());
        let records = service.index_stream(params.clone()).map(move |record| {
            if description.is_revealed() {
                record
            } else {
                reveal(Output::Record(record?), &description, &params)?.into_record()
            }
        });
        if chain.after.is_empty() {
            return Ok(records.boxed());
        }
        let ctx = Arc::new(parking_lot::Mutex::new(ctx));
        let pieces = records.try_chunks(PIECE).map_err(|broken| broken.1).and_then(move |piece| {
            let mut ctx = ctx.lock().copy();
            let chain = chain.clone();
            async move {
                ctx.set_result(Page::from(piece));
                let (ctx, _) = through(&chain.after, HookKind::After, ctx).await?;
                let page = ctx.into_state().result.map_or_else(|| Ok(Page::from(Vec::new())), Output::into_page)?;
                Ok(stream::iter(page.data).map(Ok))
            }
        });
        Ok(pieces.try_flatten().boxed())
    };
    stream::once(opened).try_flatten().boxed()
}
