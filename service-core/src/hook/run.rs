//! Runs a call through its hooks; the order stands at the top of the module.

use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use super::context::{Home, State};
use super::detached::DetachedHook;
use super::hooks::Chain;
use super::nested::nested_stream;
use super::{Baton, Hook, HookContext, HookFuture, HookKind, HookSlot, Told};
use crate::output::{perform, same};
use crate::{Call, Description, Document, Error, Intent, Output, Page, Params, Result, Service};

/// The rest of a call, for an around hook to run.
pub struct Next<S: Service + ?Sized> {
    chain: Arc<Chain<S>>,
    position: usize,
    wanted: Wanted,
}

/// What the rest of a call is to come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
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
    pub fn run(self, ctx: HookContext<S>) -> HookFuture<S> {
        let Self { chain, position, wanted } = self;
        // What the hook did to the context is its own doing, and not of those inside.
        let mut ctx = match ctx.check() {
            Ok(ctx) => ctx,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
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

    /// Takes what is to become of the call now that it has succeeded: its event, those that hooks added, detached hooks.
    pub(crate) fn take_told(&mut self) -> Told {
        std::mem::take(&mut self.0.told)
    }

    /// Returns what the caller gets to see: nothing that is hidden from it, and of whole records what its query selected.
    pub(crate) fn shown(&mut self) -> Result<Output<S::Data>> {
        let State { result, whole, params, place, .. } = &mut *self.0;
        let output = result
            .take()
            .ok_or_else(|| Error::internal(format!("the hooks of `{}` left a call without a result", place.path())))?;
        if *whole {
            reveal(output, &place.description, params)
        } else {
            without_hidden(output, &place.description, params)
        }
    }
}

/// Runs a call through the hooks.
pub(crate) async fn run<S: Service + ?Sized + 'static>(
    chain: Arc<Chain<S>>,
    mut ctx: HookContext<S>,
    wanted: Wanted,
) -> Result<Ran<S>> {
    ctx.begin()?;
    let mut ctx = within(&chain, ctx, wanted).await?;
    detach(&chain, &mut ctx);
    let mut state = ctx.into_state();
    if let Some(baton) = &state.baton {
        baton.tell(std::mem::take(&mut state.told));
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

/// Makes the detached hooks ready to begin when the whole call has succeeded.
fn detach<S: Service + ?Sized + 'static>(chain: &Chain<S>, ctx: &mut HookContext<S>) {
    for hook in &chain.detached {
        let (hook, mut copy) = (hook.clone(), ctx.copy());
        copy.state_mut().kind = HookKind::Detached;
        let work = Box::pin(async move { hook.run(copy).await.map(drop) });
        let detached = DetachedHook::new(work, ctx.path(), ctx.operation().name());
        ctx.state_mut().told.detached.push(detached);
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
    let mut slot = HookSlot::new();
    for hook in hooks {
        if ctx.state().finished {
            break;
        }
        ctx.state_mut().kind = kind;
        hook.begin(ctx, &mut slot);
        ctx = slot.run().await?.check()?;
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
    // Hooks behind the method, and events, have whole records; what is selected is applied when they have run.
    let whole = call.method().writes() && !json && ctx.params().query.select.is_some();
    if whole {
        // It is checked before anything is changed.
        ctx.description().plan(intent(&call), ctx.params())?;
        ctx.state_mut().whole = true;
    }
    let instead = ctx.state_mut().instead.take();
    if let (Some(instead), None) = (instead, ctx.result()) {
        return instead(ctx).await?.check_answered();
    }
    let around_hooks = ctx.state().place.around_hooks;
    if ctx.result().is_some() && !around_hooks {
        return Ok(ctx);
    }
    let operation = call.operation();
    let baton = match (around_hooks, ctx.state_mut().result.take()) {
        (false, _) => None,
        (true, None) => Some(Baton::default()),
        (true, Some(result)) => Some(Baton::with_preset(documents(result)?, operation, finished)),
    };
    if let Some(baton) = baton.clone() {
        ctx.params_mut().extensions.insert(baton);
    }
    let select = if whole { ctx.params_mut().query.select.take() } else { None };
    let made = made(&ctx, call, json).await;
    if whole {
        ctx.params_mut().query.select = select;
    }
    if let Some(baton) = baton {
        ctx.params_mut().extensions.remove::<Baton>();
        ctx.state_mut().told.extend(baton.told());
    }
    let made = made?;
    ctx.state_mut().answered = matches!(made, Output::Answer(_));
    ctx.state_mut().result = Some(made);
    Ok(ctx)
}

async fn made<S: Service + ?Sized>(
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

/// Takes out of documents what is hidden from a client, whichever hook put it there.
fn without_hidden<T: 'static>(output: Output<T>, description: &Description, params: &Params) -> Result<Output<T>> {
    if !description.hides_from(params) {
        return Ok(output);
    }
    match same::<Output<T>, Output<Document>>(output) {
        Ok(documents) => {
            let shown = documents.try_map(|document| Ok::<_, Error>(description.without_hidden(&document)))?;
            same(shown).map_err(|_| Error::internal("a document is no document"))
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
    Err(error.unwrap_or_else(|| ctx.mistake("left neither an error nor a result")))
}

/// How many records of a stream go through the after hooks at once.
const PIECE: usize = 256;

/// Lists records one by one through the hooks.
///
/// For hooks that look at none of the records or at each by itself: after hooks get them in parts, each a page of its own,
/// around hooks are around the beginning of the list, and detached ones begin there. What has come of the hooks is handed on
/// to those around, or to `settle` where there are none.
pub(crate) fn stream<'a, S: Service + ?Sized + 'static>(
    service: &'a S,
    chain: Arc<Chain<S>>,
    ctx: HookContext<S>,
    settle: impl Fn(Told) + Send + Sync + 'a,
) -> BoxStream<'a, Result<S::Data>> {
    let path = ctx.path().to_owned();
    let opened = async move {
        let mut ctx = ctx;
        ctx.begin()?;
        let mut ctx = within(&chain, ctx, Wanted::Beginning).await?;
        detach(&chain, &mut ctx);
        let begun = ctx.state().begun;
        let result = ctx.state_mut().result.take();
        let outer = ctx.state_mut().baton.take();
        let told = std::mem::take(&mut ctx.state_mut().told);
        let tell = move |told: Told| match &outer {
            Some(outer) => outer.tell(told),
            None => settle(told),
        };
        tell(told);
        if !begun {
            let page = result.map_or_else(|| Ok(Page::from(Vec::new())), Output::into_page)?;
            return Ok(stream::iter(page.data).map(Ok).boxed());
        }
        // Hooks of the service itself are told that there are others around them.
        let inner = ctx.state().place.around_hooks.then(Baton::default);
        let (description, mut params) = (ctx.description().clone(), ctx.params().clone());
        if let Some(inner) = inner.clone() {
            params.extensions.insert(inner);
        }
        let seen_by = params.clone();
        let records = service.index_stream(params).map(move |record| {
            if description.is_revealed() {
                record
            } else {
                reveal(Output::Record(record?), &description, &seen_by)?.into_record()
            }
        });
        let ctx = parking_lot::Mutex::new(ctx);
        let tell = Arc::new(tell);
        let last = tell.clone();
        let pieces = records.try_chunks(PIECE).map_err(|broken| broken.1).and_then(move |piece| {
            let mut ctx = ctx.lock().copy();
            let (chain, tell) = (chain.clone(), tell.clone());
            async move {
                ctx.set_result(Page::from(piece));
                let (ctx, _) = through(&chain.after, HookKind::After, ctx).await?;
                let mut state = ctx.into_state();
                tell(std::mem::take(&mut state.told));
                let page = state.result.map_or_else(|| Ok(Page::from(Vec::new())), Output::into_page)?;
                Ok(stream::iter(page.data).map(Ok))
            }
        });
        let end = stream::once(async move {
            if let Some(inner) = inner {
                last(inner.told());
            }
            None
        });
        Ok(pieces.try_flatten().map(Some).chain(end).filter_map(std::future::ready).boxed())
    };
    nested_stream(&path, stream::once(opened).try_flatten().boxed())
}
