//! Methods that are the program's own.

use std::future::{Ready, ready};

use remex_core::{Error, HookContext, Provider, Result, Service};

/// Refuses clients, through whatever provider they come in. To go before methods that are the program's own.
///
/// ```
/// use remex_core::{App, Method};
///
/// let app = App::new();
/// app.hooks("invoices", |hooks| hooks.before([Method::Update, Method::Remove], remex_hooks::disallow()))?;
/// # Ok::<(), remex_core::Error>(())
/// ```
///
/// # Errors of the hook
/// [`ErrorKind::MethodNotAllowed`](remex_core::ErrorKind::MethodNotAllowed), naming service and method.
pub fn disallow<S>() -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    S: Service + ?Sized + 'static,
{
    |ctx| ready(if ctx.is_client() { Err(refusal(&ctx)) } else { Ok(ctx) })
}

/// Refuses clients that come in through one of these providers, as [`disallow`] does all of them.
pub fn disallow_from<S, P>(
    providers: P,
) -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    S: Service + ?Sized + 'static,
    P: IntoIterator<Item = Provider>,
{
    let providers: Vec<Provider> = providers.into_iter().collect();
    move |ctx| {
        let refused = ctx.params().provider.as_ref().is_some_and(|provider| providers.contains(provider));
        ready(if refused { Err(refusal(&ctx)) } else { Ok(ctx) })
    }
}

fn refusal<S: Service + ?Sized>(ctx: &HookContext<S>) -> Error {
    Error::method_not_allowed(format!("`{}` does not offer `{}` to clients", ctx.path(), ctx.method()))
}
