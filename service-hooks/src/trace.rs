//! [`trace`]: a span for each call.

use std::time::Instant;

use remex_core::{AroundHook, ErrorKind, HookContext, HookFuture, Next, Params, Result, Service};
use tracing::field::Empty;
use tracing::{Instrument, Span};

/// Opens a span around each call, and says at its end what came of it.
///
/// The span is named `call`, at level info, so that whatever is logged inside says which call it is about. Its fields:
///
/// | field | |
/// | --- | --- |
/// | `service` | the path of the mount, with its parameters as they are declared: `users/{user_id}/notes` |
/// | `method` | `index`, `create_many`, … |
/// | `provider` | `rest`, …; `program` for a call from inside it |
/// | `outcome` | `ok`, or the kind of the error: `not_found`; `cancelled` or `panicked` for a call without an end |
/// | `duration_ms` | how long it took |
///
/// Ids, queries and paths of requests are no fields: they are somebody's data, and there is no end to them.
///
/// At the end there is an event: at level debug, unless it is a fault that somebody should look at. A store or another
/// server that cannot be reached is a warning. A fault inside is an error where the program called; that of a client's
/// call is logged by the transport. `remex_hooks::trace=off` in a filter turns off both span and events.
///
/// It is around the beginning of a list that is streamed, and not around the rest of it.
///
/// ```
/// use remex_core::{Document, MethodSet, Options, ServiceExt};
/// use remex_hooks::trace;
/// use remex_memory::MemoryService;
///
/// let notes = MemoryService::<Document>::new(Options::new("notes"))?.hooked().add_around(MethodSet::ALL, trace());
/// # Ok::<(), remex_core::Error>(())
/// ```
#[must_use]
pub const fn trace() -> Trace {
    Trace(())
}

/// The hook that [`trace`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Trace(());

impl<S: Service + ?Sized + 'static> AroundHook<S> for Trace {
    fn run(&self, ctx: HookContext<S>, next: Next<S>) -> HookFuture<S> {
        let span = tracing::info_span!(
            "call",
            service = ctx.path(),
            method = ctx.operation().name(),
            provider = provider(ctx.params()),
            outcome = Empty,
            duration_ms = Empty,
        );
        let of_client = ctx.is_client();
        let open = Open { span: span.clone(), begun: Instant::now(), outcome: None };
        let call = async move {
            let result = next.run(ctx).await;
            open.end(outcome(&result));
            tell_end(&result, of_client);
            result
        };
        Box::pin(call.instrument(span))
    }

    fn sees_records(&self) -> bool {
        false
    }
}

/// A span whose call has not ended.
struct Open {
    span: Span,
    begun: Instant,
    outcome: Option<&'static str>,
}

impl Open {
    fn end(mut self, outcome: &'static str) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome.unwrap_or_else(without_end));
        self.span.record("duration_ms", self.begun.elapsed().as_secs_f64() * 1000.0);
    }
}

fn tell_end<T>(result: &Result<T>, of_client: bool) {
    let Err(error) = result else {
        tracing::debug!("a call has ended");
        return;
    };
    match error.kind() {
        ErrorKind::Internal if !of_client => tracing::error!(?error, "a call failed inside"),
        ErrorKind::Unavailable | ErrorKind::BadGateway => tracing::warn!(?error, "a call could not be made"),
        // What is wrong with a call is for whoever made it to know: the message may repeat what they sent.
        _ => tracing::debug!("a call has ended"),
    }
}

/// Names through what a call came in.
pub(crate) fn provider(params: &Params) -> &str {
    params.provider.as_ref().map_or("program", |provider| provider.via())
}

/// Names what came of a call.
pub(crate) fn outcome<T>(result: &Result<T>) -> &'static str {
    result.as_ref().map_or_else(|error| error.kind().name(), |_| "ok")
}

/// Names what became of a call that is dropped without having come to anything.
pub(crate) fn without_end() -> &'static str {
    if std::thread::panicking() { "panicked" } else { "cancelled" }
}
