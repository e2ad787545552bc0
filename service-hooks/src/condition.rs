//! Hooks that run for some calls only.

use std::future::{Ready, ready};

use futures::future::Either;
use remex_core::{HookContext, Result, Service};

/// Runs a hook for calls of clients only, through whatever provider they came in.
///
/// ```
/// use remex_core::{App, MethodSet};
/// use remex_hooks::{for_clients, strip_result};
///
/// let app = App::new();
/// app.hooks("users", |hooks| hooks.after(MethodSet::ALL, for_clients(strip_result(["password"]))))?;
/// # Ok::<(), remex_core::Error>(())
/// ```
pub fn for_clients<S, F, R>(
    hook: F,
) -> impl Fn(HookContext<S>) -> Either<R, Ready<Result<HookContext<S>>>> + Send + Sync + 'static
where
    S: Service + ?Sized + 'static,
    F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<HookContext<S>>> + Send + 'static,
{
    when(HookContext::is_client, hook)
}

/// Runs a hook for the calls for which the condition holds.
///
/// ```
/// use remex_core::{App, AppContext, Method, Provider};
/// use remex_hooks::{keep_result, when};
///
/// let over_websocket = |ctx: &AppContext| ctx.params().provider == Some(Provider::WebSocket);
/// let app = App::new();
/// app.hooks("users", |hooks| hooks.after(Method::Index, when(over_websocket, keep_result(["name"]))))?;
/// # Ok::<(), remex_core::Error>(())
/// ```
pub fn when<S, C, F, R>(
    condition: C,
    hook: F,
) -> impl Fn(HookContext<S>) -> Either<R, Ready<Result<HookContext<S>>>> + Send + Sync + 'static
where
    S: Service + ?Sized + 'static,
    C: Fn(&HookContext<S>) -> bool + Send + Sync + 'static,
    F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<HookContext<S>>> + Send + 'static,
{
    move |ctx| if condition(&ctx) { Either::Left(hook(ctx)) } else { Either::Right(ready(Ok(ctx))) }
}
