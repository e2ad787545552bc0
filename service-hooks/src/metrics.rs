//! [`metrics()`]: counters and histograms of calls.

use std::time::Instant;

use metrics::{Gauge, Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use remex_core::{AroundHook, HookContext, HookFuture, Next, Service};

use crate::trace::{outcome, provider, without_end};

const CALLS: &str = "remex_calls_total";
const SECONDS: &str = "remex_call_seconds";
const IN_FLIGHT: &str = "remex_calls_in_flight";

/// Counts calls, and measures how long they take, for whatever recorder of the crate `metrics` the program has.
///
/// | metric | | labels |
/// | --- | --- | --- |
/// | `remex_calls_total` | counter | `service`, `method`, `provider`, `outcome` |
/// | `remex_call_seconds` | histogram | the same |
/// | `remex_calls_in_flight` | gauge | `service`, `method`, `provider` |
///
/// The labels hold what the fields of [`trace`](crate::trace()) hold: never an id, a query or the path of a request, so
/// that there are no more time series than the program has services and methods. Without a recorder it costs little.
///
/// It is around the beginning of a list that is streamed, and not around the rest of it.
///
/// ```
/// use remex_core::{Document, MethodSet, Options, ServiceExt};
/// use remex_hooks::{describe_metrics, metrics};
/// use remex_memory::MemoryService;
///
/// describe_metrics();
/// let notes = MemoryService::<Document>::new(Options::new("notes"))?.hooked().add_around(MethodSet::ALL, metrics());
/// # Ok::<(), remex_core::Error>(())
/// ```
#[must_use]
pub const fn metrics() -> Metrics {
    Metrics(())
}

/// Tells the program's recorder what the metrics mean; to be called once, when there is a recorder.
pub fn describe_metrics() {
    describe_counter!(CALLS, Unit::Count, "Calls of services, by what came of them");
    describe_histogram!(SECONDS, Unit::Seconds, "How long calls of services took");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Calls of services that have not ended");
}

/// The hook that [`metrics()`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Metrics(());

impl<S: Service + ?Sized + 'static> AroundHook<S> for Metrics {
    fn run(&self, ctx: HookContext<S>, next: Next<S>) -> HookFuture<S> {
        let flight = Flight::new(vec![
            Label::new("service", ctx.path().to_owned()),
            Label::new("method", ctx.operation().name()),
            Label::new("provider", provider(ctx.params()).to_owned()),
        ]);
        Box::pin(async move {
            let result = next.run(ctx).await;
            flight.end(outcome(&result));
            result
        })
    }

    fn sees_records(&self) -> bool {
        false
    }
}

/// A call that has not ended. Dropped it has, in whatever way.
struct Flight {
    labels: Vec<Label>,
    in_flight: Gauge,
    begun: Instant,
    outcome: Option<&'static str>,
}

impl Flight {
    fn new(labels: Vec<Label>) -> Self {
        let in_flight = gauge!(IN_FLIGHT, labels.clone());
        in_flight.increment(1.0);
        Self { labels, in_flight, begun: Instant::now(), outcome: None }
    }

    fn end(mut self, outcome: &'static str) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.in_flight.decrement(1.0);
        let mut labels = std::mem::take(&mut self.labels);
        labels.push(Label::new("outcome", self.outcome.unwrap_or_else(without_end)));
        counter!(CALLS, labels.clone()).increment(1);
        histogram!(SECONDS, labels).record(self.begun.elapsed().as_secs_f64());
    }
}
