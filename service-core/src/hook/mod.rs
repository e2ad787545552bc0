//! Hooks: code around, before and behind the methods of a service.
//!
//! The order, for one call that succeeds; app hooks are those of [`App::hooks`](crate::App::hooks):
//!
//! 1. around hooks of the app, up to where they run the rest
//! 2. before hooks of the app
//! 3. around hooks of the service, up to where they run the rest
//! 4. before hooks of the service
//! 5. the method
//! 6. after hooks of the service
//! 7. around hooks of the service, the rest of them, inside out
//! 8. after hooks of the app
//! 9. around hooks of the app, the rest of them, inside out
//! 10. the event; detached hooks begin
//!
//! On the way in, hooks for all six methods go before those for some; on the way out, behind them. Otherwise they run in
//! the order in which they were added. Where a before hook, the method or an after hook fails, the error hooks of the same
//! place run in the stead of 6, and those of the app in the stead of 8: for some methods first, then for all.

mod baton;
mod context;
mod detached;
mod hooked;
mod hooks;
mod layer;
mod nested;
mod run;

use std::fmt;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio_util::sync::ReusableBoxFuture;

use crate::{Result, Service};

pub(crate) use baton::{Baton, EventChoice, Told};
pub use context::{AppContext, HookContext};
pub use detached::{DETACHED_MAX, finish_detached_hooks};
pub(crate) use detached::{Detached, STOP_TIME};
pub use hooked::Hooked;
pub(crate) use hooks::Chains;
pub use hooks::{HookSet, Hooks};
pub(crate) use layer::Layer;
pub use nested::NESTING_MAX;
pub(crate) use nested::{Nested, counted, nested, nested_stream};
pub use run::Next;
pub(crate) use run::{Ran, run, stream};

/// What a hook answers: its context, sooner or later.
pub type HookFuture<S> = BoxFuture<'static, Result<HookContext<S>>>;

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HookKind {
    /// Around everything else, as an axum middleware is.
    Around,
    /// Before the method.
    Before,
    /// Behind the method, where it succeeded.
    After,
    /// Where a before hook, the method or an after hook failed.
    Error,
    /// Behind everything else, on its own: the answer does not wait for it.
    Detached,
}

impl HookKind {
    /// Returns the kind's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Around => "around",
            Self::Before => "before",
            Self::After => "after",
            Self::Error => "error",
            Self::Detached => "detached",
        }
    }

    /// Returns the article that goes before the name, for messages.
    const fn article(self) -> &'static str {
        match self {
            Self::Around | Self::After | Self::Error => "an",
            Self::Before | Self::Detached => "a",
        }
    }
}

impl fmt::Display for HookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A type that is a hook, for those that hold something; for others a closure or an `async fn` will do.
///
/// ```
/// use remex_core::{Hook, HookContext, HookFuture, HookKind, Hooks, Method, Service};
///
/// /// Bounds how many records a list has.
/// struct Bound(u64);
///
/// impl<S: Service + ?Sized + 'static> Hook<S> for Bound {
///     fn run(&self, mut ctx: HookContext<S>) -> HookFuture<S> {
///         let limit = &mut ctx.params_mut().query.limit;
///         *limit = Some(limit.map_or(self.0, |limit| limit.min(self.0)));
///         Box::pin(std::future::ready(Ok(ctx)))
///     }
/// }
///
/// fn bounded<S: Service + 'static>(hooks: &mut Hooks<S>) {
///     hooks.add(HookKind::Before, Method::Index, Bound(100));
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook",
    note = "a closure is added by `before`, `after` or `error`"
)]
pub trait Hook<S: Service + ?Sized + 'static>: Send + Sync + 'static {
    /// Takes the context and gives it back.
    ///
    /// # Errors
    /// An error ends the call, with error hooks still to come.
    fn run(&self, ctx: HookContext<S>) -> HookFuture<S>;

    /// Returns whether the hook looks at the records of the result. Where none does, stores write JSON without building
    /// records. Defaults to yes.
    fn sees_records(&self) -> bool {
        true
    }

    /// Returns whether an after hook looks at all records of a list at once. Where none does, long lists are read and
    /// answered little by little, and the hook gets them in parts. Defaults to whether it looks at records.
    fn sees_lists(&self) -> bool {
        self.sees_records()
    }

    /// Begins as [`run`](Self::run) does, with its future in the slot: closures need no allocation of their own for it.
    #[doc(hidden)]
    fn begin(&self, ctx: HookContext<S>, slot: &mut HookSlot<S>, cx: &mut Context<'_>) -> Poll<Result<HookContext<S>>> {
        slot.begin(self.run(ctx), cx)
    }
}

/// Room for the future of a hook, which the next hook uses again where its own fits.
#[doc(hidden)]
pub struct HookSlot<S: Service + ?Sized>(Option<ReusableBoxFuture<'static, Result<HookContext<S>>>>);

impl<S: Service + ?Sized + 'static> HookSlot<S> {
    const fn new() -> Self {
        Self(None)
    }

    /// Puts a future into the slot and begins with it.
    fn begin(
        &mut self,
        future: impl Future<Output = Result<HookContext<S>>> + Send + 'static,
        cx: &mut Context<'_>,
    ) -> Poll<Result<HookContext<S>>> {
        match &mut self.0 {
            Some(slot) => {
                slot.set(future);
                slot.poll(cx)
            }
            None => self.0.insert(ReusableBoxFuture::new(future)).poll(cx),
        }
    }

    /// Goes on with what is in the slot.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<HookContext<S>>> {
        match &mut self.0 {
            Some(slot) => slot.poll(cx),
            None => Poll::Ready(Err(crate::Error::internal("a hook did not begin"))),
        }
    }
}

impl<S: Service + ?Sized> fmt::Debug for HookSlot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookSlot").finish_non_exhaustive()
    }
}

/// A type that is a hook around a call; for those without state a closure or an `async fn` will do.
#[diagnostic::on_unimplemented(message = "`{Self}` is no around hook", note = "a closure is added by `around`")]
pub trait AroundHook<S: Service + ?Sized>: Send + Sync + 'static {
    /// Takes the context, runs the rest or answers in its place, and gives the context back.
    ///
    /// # Errors
    /// An error ends the call.
    fn run(&self, ctx: HookContext<S>, next: Next<S>) -> HookFuture<S>;

    /// As [`Hook::sees_records`].
    fn sees_records(&self) -> bool {
        true
    }
}

/// A closure as a hook.
struct Closure<F> {
    function: F,
    /// Whether an after hook looks at all records of a list at once.
    sees_lists: bool,
}

impl<F> Closure<F> {
    const fn new(function: F) -> Self {
        Self { function, sees_lists: true }
    }

    /// An after hook that takes lists in parts.
    const fn of_parts(function: F) -> Self {
        Self { function, sees_lists: false }
    }
}

impl<S, F, R> Hook<S> for Closure<F>
where
    S: Service + ?Sized + 'static,
    F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<HookContext<S>>> + Send + 'static,
{
    fn run(&self, ctx: HookContext<S>) -> HookFuture<S> {
        Box::pin((self.function)(ctx))
    }

    fn begin(&self, ctx: HookContext<S>, slot: &mut HookSlot<S>, cx: &mut Context<'_>) -> Poll<Result<HookContext<S>>> {
        slot.begin((self.function)(ctx), cx)
    }

    fn sees_lists(&self) -> bool {
        self.sees_lists
    }
}

impl<S, F, R> AroundHook<S> for Closure<F>
where
    S: Service + ?Sized,
    F: Fn(HookContext<S>, Next<S>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<HookContext<S>>> + Send + 'static,
{
    fn run(&self, ctx: HookContext<S>, next: Next<S>) -> HookFuture<S> {
        Box::pin((self.function)(ctx, next))
    }
}
