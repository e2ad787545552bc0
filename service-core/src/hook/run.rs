//! Runs a call through its hooks; the order stands at the top of the module.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::context::{Home, Instead, State};
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
    pub fn run(self, mut ctx: HookContext<S>) -> HookFuture<S> {
        let Self { chain, position, wanted } = self;
        // What the hook did to the context is its own doing, and not of those inside.
        if let Err(error) = ctx.check() {
            return Box::pin(std::future::ready(Err(error)));
        }
        match chain.around.get(position).cloned() {
            Some(hook) => {
                ctx.state_mut().kind = HookKind::Around;
                let next = Self { chain, position: position + 1, wanted };
                Box::pin(async move {
                    let mut ctx = hook.run(ctx, next).await?;
                    ctx.check_around()?;
                    Ok(ctx)
                })
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

    /// Returns whether hooks have said what is to become of the call.
    pub(crate) const fn is_told(&self) -> bool {
        self.0.told.is_some()
    }

    /// Takes what is to become of the call now that it has succeeded: its event, those that hooks added, detached hooks.
    pub(crate) fn take_told(&mut self) -> Told {
        self.0.told.take().map_or_else(Told::default, |told| *told)
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
    chain: &Arc<Chain<S>>,
    mut ctx: HookContext<S>,
    wanted: Wanted,
) -> Result<Ran<S>> {
    ctx.begin()?;
    let mut ctx = if chain.is_plain() {
        plain(chain, HookKind::Before, ctx, wanted).await?
    } else {
        within(chain, ctx, wanted).await?
    };
    if !chain.detached.is_empty() {
        detach(chain, &mut ctx);
    }
    let mut state = ctx.into_state();
    if let Some(baton) = state.baton.take() {
        if baton.wants_whole() {
            let select = state.params.query.select.clone();
            state.told().select = Some(select);
            state.whole = false;
        }
        if let Some(told) = state.told.take() {
            baton.tell(*told);
        }
    }
    Ok(Ran(state))
}

/// Runs the around hooks and what is inside them.
fn within<S: Service + ?Sized + 'static>(chain: &Arc<Chain<S>>, ctx: HookContext<S>, wanted: Wanted) -> HookFuture<S> {
    Next { chain: chain.clone(), position: 0, wanted }.run(ctx)
}

/// Makes the detached hooks ready to begin when the whole call has succeeded.
fn detach<S: Service + ?Sized + 'static>(chain: &Chain<S>, ctx: &mut HookContext<S>) {
    for hook in &chain.detached {
        let (hook, mut copy) = (hook.clone(), ctx.copy());
        copy.state_mut().kind = HookKind::Detached;
        let work = Box::pin(async move { hook.run(copy).await.map(drop) });
        let detached = DetachedHook::new(work, ctx.path(), ctx.operation().name());
        ctx.state_mut().told().detached.push(detached);
    }
}

/// Runs what is inside the around hooks.
async fn innermost<S: Service + ?Sized + 'static>(
    chain: &Chain<S>,
    mut ctx: HookContext<S>,
    wanted: Wanted,
) -> Result<HookContext<S>> {
    if chain.error.is_empty() {
        return plain(chain, HookKind::Before, ctx, wanted).await;
    }
    let home = Home::new();
    ctx.set_home(Some(home.clone()));
    match plain(chain, HookKind::Before, ctx, wanted).await {
        Ok(mut ctx) => {
            ctx.set_home(None);
            Ok(ctx)
        }
        Err(error) => recover(&chain.error, &home, error).await,
    }
}

/// Runs before hooks, the method and after hooks, up to where one of them fails; from the after hooks on, where these are
/// the kind to begin with.
async fn plain<S: Service + ?Sized + 'static>(
    chain: &Chain<S>,
    mut kind: HookKind,
    mut ctx: HookContext<S>,
    wanted: Wanted,
) -> Result<HookContext<S>> {
    // All in one body: each future inside another is one more for every call to make, to poll and to drop.
    let mut slot = HookSlot::new();
    loop {
        let before = kind == HookKind::Before;
        let hooks = if before { &chain.before } else { &chain.after };
        if !hooks.is_empty() {
            ctx = Round { hooks: hooks.iter(), kind, ctx: Some(ctx), slot: &mut slot }.await?;
        }
        let finished = std::mem::take(&mut ctx.state_mut().finished);
        if !before {
            return Ok(ctx);
        }
        if wanted == Wanted::Beginning && ctx.result().is_none() && ctx.state().instead.is_none() {
            ctx.state_mut().begun = true;
            ctx.set_result(Page::from(Vec::new()));
            return Ok(ctx);
        }
        let json = wanted == Wanted::Json;
        match next_step(&mut ctx, json, finished)? {
            Step::None => {}
            Step::Instead(instead) => {
                ctx = instead(ctx).await?;
                ctx.check_answered()?;
                ctx.state_mut().restore_select();
            }
            Step::Method(call, baton) => {
                let State { place, params, .. } = ctx.state();
                let made = if json {
                    place.service.answer(call, params).await.map(Output::Answer)
                } else {
                    perform(&*place.service, call, params).await
                };
                take_in(&mut ctx, made, baton)?;
            }
        }
        kind = HookKind::After;
    }
}

/// Runs hooks one behind the other, until one finishes.
struct Round<'a, S: Service + ?Sized> {
    hooks: std::slice::Iter<'a, Arc<dyn Hook<S>>>,
    kind: HookKind,
    /// None while a hook has it.
    ctx: Option<HookContext<S>>,
    slot: &'a mut HookSlot<S>,
}

impl<S: Service + ?Sized + 'static> Future for Round<'_, S> {
    type Output = Result<HookContext<S>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A loop over all of them, and no await for each: most hooks are done at once.
        let round = &mut *self;
        let mut ctx = match round.ctx.take() {
            Some(ctx) => ctx,
            None => {
                let mut ctx = ready!(round.slot.poll(cx))?;
                ctx.check()?;
                ctx
            }
        };
        while !ctx.state().finished
            && let Some(hook) = round.hooks.next()
        {
            ctx.state_mut().kind = round.kind;
            ctx = ready!(hook.begin(ctx, round.slot, cx))?;
            ctx.check()?;
        }
        Poll::Ready(Ok(ctx))
    }
}

/// What comes between before and after hooks.
enum Step<S: Service + ?Sized> {
    /// A hook has answered.
    None,
    Instead(Instead<S>),
    /// The method, with a baton where the service has hooks of its own.
    Method(Call<S::Id, S::Input>, Option<Baton>),
}

/// Makes a call ready for the method, unless a hook has answered in its place. Hooks of the service itself run even so.
fn next_step<S: Service + ?Sized>(ctx: &mut HookContext<S>, json: bool, finished: bool) -> Result<Step<S>> {
    let call = ctx.call()?;
    let operation = call.operation();
    // Hooks behind the method, and events, have whole records; what is selected is applied when they have run.
    let writes = operation.method().writes() && !json;
    if writes && ctx.params().query.select.is_some() {
        // It is checked before anything is changed.
        ctx.description().plan(intent(&call), ctx.params())?;
        ctx.state_mut().whole = true;
    }
    let state = ctx.state_mut();
    let instead = state.instead.take();
    if let (Some(instead), None) = (instead, &state.result) {
        state.set_select_aside();
        return Ok(Step::Instead(instead));
    }
    if !state.place.around_hooks {
        if state.result.is_some() {
            return Ok(Step::None);
        }
        state.set_select_aside();
        return Ok(Step::Method(call, None));
    }
    // Hooks of the service see what is selected, and leave it to these to take the rest away.
    let preset = match state.result.take() {
        Some(result) => Some((documents(result)?, operation, finished)),
        None => None,
    };
    let baton = Baton::new(preset, writes);
    state.params.extensions.insert(baton.clone());
    Ok(Step::Method(call, Some(baton)))
}

/// Takes in what the method came to.
fn take_in<S: Service + ?Sized>(
    ctx: &mut HookContext<S>,
    made: Result<Output<S::Data>>,
    baton: Option<Baton>,
) -> Result<()> {
    let state = ctx.state_mut();
    let answered = matches!(made, Ok(Output::Answer(_)));
    let description = &state.place.description;
    // As long as what is selected is set aside, so that records stay whole.
    let made = match made {
        Ok(output) if !answered && !description.is_revealed() => reveal(output, description, &state.params),
        made => made,
    };
    if let Some(baton) = baton {
        state.params.extensions.remove::<Baton>();
        let mut told = baton.told();
        if let Some(select) = told.select.take() {
            state.whole = select.is_some();
            state.params.query.select = select;
        }
        if !told.is_empty() {
            state.told().extend(told);
        }
    }
    state.restore_select();
    state.result = Some(made?);
    state.answered = answered;
    Ok(())
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
    each_document(output, |document| description.reveal(document, params))
}

/// Takes out of documents what is hidden from a client, whichever hook put it there.
fn without_hidden<T: 'static>(output: Output<T>, description: &Description, params: &Params) -> Result<Output<T>> {
    if !description.hides_from(params) {
        return Ok(output);
    }
    each_document(output, |document| description.showing(document))
}

/// Turns documents into others, and leaves records of other types as they are.
fn each_document<T: 'static>(output: Output<T>, turn: impl Fn(Document) -> Document) -> Result<Output<T>> {
    match same::<Output<T>, Output<Document>>(output) {
        Ok(documents) => {
            let turned = documents.try_map(|document| Ok::<_, Error>(turn(document)))?;
            same(turned).map_err(|_| Error::internal("a document is no document"))
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
    ctx.state_mut().restore_select();
    for hook in hooks {
        ctx.state_mut().kind = HookKind::Error;
        ctx.set_home(Some(home.clone()));
        let ran = hook.run(ctx).await.and_then(|mut ctx| ctx.check().map(|()| ctx));
        ctx = match ran {
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
    settle: impl Fn(Told) -> BoxFuture<'a, ()> + Send + Sync + 'a,
) -> BoxStream<'a, Result<S::Data>> {
    let path = ctx.path().to_owned();
    // Hooks around these have counted the call.
    let counted = ctx.state().baton.is_some();
    let opened = async move {
        let mut ctx = ctx;
        ctx.begin()?;
        let mut ctx = within(&chain, ctx, Wanted::Beginning).await?;
        detach(&chain, &mut ctx);
        let outer = ctx.state_mut().baton.take();
        let told = taken(&mut ctx);
        let tell = move |told: Told| match &outer {
            Some(outer) => {
                outer.tell(told);
                std::future::ready(()).boxed()
            }
            None => settle(told),
        };
        tell(told).await;
        if !ctx.state().begun {
            return Ok(stream::iter(listed(ctx)?).map(Ok).boxed());
        }
        ctx.state_mut().result = None;
        // Hooks of the service itself are told that there are others around them.
        let inner = ctx.state().place.around_hooks.then(Baton::default);
        let (description, mut params) = (ctx.description().clone(), ctx.params().clone());
        if let Some(inner) = inner.clone() {
            params.extensions.insert(inner);
        }
        let seen_by = ctx.params().clone();
        let records = service.index_stream(params).map(move |record| {
            if description.is_revealed() {
                record
            } else {
                reveal(Output::Record(record?), &description, &seen_by)?.into_record()
            }
        });
        if chain.after.is_empty() && chain.error.is_empty() && inner.is_none() {
            return Ok(records.boxed());
        }
        // Nobody waits for a piece to be full but after hooks.
        let pieces = if chain.after.is_empty() {
            records.map_ok(|record| vec![record]).boxed()
        } else {
            records.try_chunks(PIECE).map_err(|broken| broken.1).boxed()
        };
        let list = List { chain, ctx, inner, tell, passed_on: false };
        let pieces = stream::unfold(Some((list, pieces)), |list| async move {
            let (list, mut pieces) = list?;
            let (records, list) = list.next(pieces.next().await).await?;
            Some((records, list.map(|list| (list, pieces))))
        });
        Ok(pieces.map_ok(|records| stream::iter(records).map(Ok)).try_flatten().boxed())
    };
    let records = stream::once(opened).try_flatten().boxed();
    if counted { records } else { nested_stream(&path, records) }
}

/// A list that is read piece by piece.
struct List<S: Service + ?Sized, F> {
    chain: Arc<Chain<S>>,
    /// The call without a result.
    ctx: HookContext<S>,
    /// What the hooks of the service itself have to tell.
    inner: Option<Baton>,
    tell: F,
    /// Whether some records are on their way to the caller.
    passed_on: bool,
}

impl<'a, S, F> List<S, F>
where
    S: Service + ?Sized + 'static,
    F: Fn(Told) -> BoxFuture<'a, ()> + Send + Sync + 'a,
{
    /// Takes what was read through the hooks, and answers it with itself where the list may go on.
    async fn next(mut self, piece: Option<Result<Vec<S::Data>>>) -> Option<(Result<Vec<S::Data>>, Option<Self>)> {
        let records = match piece {
            Some(Ok(piece)) => self.behind(piece).await,
            Some(Err(error)) => {
                let mut ctx = self.ctx.copy();
                let home = Home::new();
                ctx.set_home(Some(home.clone()));
                drop(ctx);
                self.recovered(&home, error).await
            }
            None => {
                let told = self.inner.take()?.told();
                (self.tell)(told).await;
                return None;
            }
        };
        match records {
            Ok((records, true)) => {
                self.passed_on |= !records.is_empty();
                Some((Ok(records), Some(self)))
            }
            Ok((records, false)) => Some((Ok(records), None)),
            Err(error) => Some((Err(error), None)),
        }
    }

    /// Runs the after hooks for a piece; answers its records and whether the list goes on.
    async fn behind(&self, piece: Vec<S::Data>) -> Result<(Vec<S::Data>, bool)> {
        let mut told = self.inner.as_ref().map(Baton::told).unwrap_or_default();
        if self.chain.after.is_empty() {
            (self.tell)(told).await;
            return Ok((piece, true));
        }
        let mut ctx = self.ctx.copy();
        let home = Home::new();
        ctx.set_home(Some(home.clone()));
        ctx.set_result(Page::from(piece));
        match plain(&self.chain, HookKind::After, ctx, Wanted::Records).await {
            Ok(mut ctx) => {
                told.extend(taken(&mut ctx));
                let records = listed(ctx)?;
                (self.tell)(told).await;
                Ok((records, true))
            }
            Err(error) => self.recovered(&home, error).await,
        }
    }

    /// Lets error hooks have their say about a list that failed. What they answer is the list, unless a part of another is
    /// on its way already: one that was cut short must not look like a whole one.
    async fn recovered(&self, home: &Arc<Home<S>>, error: Error) -> Result<(Vec<S::Data>, bool)> {
        if self.chain.error.is_empty() {
            return Err(error);
        }
        let mut ctx = recover(&self.chain.error, home, error).await?;
        if self.passed_on {
            return Err(ctx.mistake("answered a list that had failed when a part of it was on its way"));
        }
        let told = taken(&mut ctx);
        let records = listed(ctx)?;
        (self.tell)(told).await;
        Ok((records, false))
    }
}

/// Takes what the hooks want to become of the call.
fn taken<S: Service + ?Sized>(ctx: &mut HookContext<S>) -> Told {
    ctx.state_mut().told.take().map_or_else(Told::default, |told| *told)
}

/// Takes the records out of the result of a list, as the caller gets to see them.
fn listed<S: Service + ?Sized>(ctx: HookContext<S>) -> Result<Vec<S::Data>>
where
    S::Data: 'static,
{
    let State { result, params, place, .. } = *ctx.into_state();
    let Some(result) = result else { return Ok(Vec::new()) };
    Ok(without_hidden(result, &place.description, &params)?.into_page()?.data)
}
