//! Counters and histograms of calls.

use std::collections::BTreeMap;

use futures::FutureExt;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use remex_core::{App, Document, Error, FnService, Id, MethodSet, Params, Provider, Service, ServiceExt};
use remex_hooks::{describe_metrics, metrics};

/// What was recorded, as `name{label=value,…}`.
fn recorded(snapshotter: &Snapshotter) -> BTreeMap<String, DebugValue> {
    let entries = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
        (format!("{}{{{}}}", key.key().name(), labels.collect::<Vec<_>>().join(",")), value)
    });
    entries.collect()
}

#[test]
fn calls_are_counted_and_measured() {
    let service = FnService::<Id, Document>::new("notes").on_read(|id: Id, _| async move {
        match id.as_str() {
            "missing" => Err(Error::no_record("notes", "missing")),
            "slow" => std::future::pending().await,
            id => Ok(Document::new().with("id", id)),
        }
    });
    let app = App::new();
    app.mount("users/{user_id}/notes", service.hooked().add_around(MethodSet::ALL, metrics())).expect("mounted");
    let notes = app.documents("users/{user_id}/notes").expect("mounted");
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let (program, client) = (Params::new(), Params::client(Provider::Rest));
    let of = |metric: &str, provider: &str, outcome: &str| {
        let outcome = if outcome.is_empty() { String::new() } else { format!(",outcome={outcome}") };
        format!("{metric}{{service=users/{{user_id}}/notes,method=read,provider={provider}{outcome}}}")
    };

    metrics::with_local_recorder(&recorder, || {
        let read = |id: &str, params: &Params| notes.read(&id.into(), params).now_or_never();
        assert!(read("1", &client).is_some() && read("2", &client).is_some() && read("3", &program).is_some());
        assert!(read("missing", &client).is_some_and(|outcome| outcome.is_err()));
        // One that is given up has been in flight until then.
        let id = Id::from("slow");
        let mut slow = notes.read(&id, &client);
        assert!((&mut slow).now_or_never().is_none());
        let in_flight = recorded(&snapshotter);
        assert_eq!(in_flight[&of("remex_calls_in_flight", "rest", "")], DebugValue::Gauge(1.0.into()));
        assert_eq!(in_flight[&of("remex_calls_total", "rest", "ok")], DebugValue::Counter(2));
        assert_eq!(in_flight[&of("remex_calls_total", "program", "ok")], DebugValue::Counter(1));
        assert_eq!(in_flight[&of("remex_calls_total", "rest", "not_found")], DebugValue::Counter(1));
        let seconds = &in_flight[&of("remex_call_seconds", "rest", "ok")];
        assert!(
            matches!(seconds, DebugValue::Histogram(values) if values.len() == 2 && values.iter().all(|value| value.0 < 10.0)),
            "{seconds:?}"
        );
        assert_eq!(in_flight[&of("remex_calls_in_flight", "program", "")], DebugValue::Gauge(0.0.into()));
        drop(slow);
        // A snapshot holds what has changed since the one before.
        let ended = recorded(&snapshotter);
        assert_eq!(ended[&of("remex_calls_in_flight", "rest", "")], DebugValue::Gauge((-1.0).into()));
        assert_eq!(ended[&of("remex_calls_total", "rest", "cancelled")], DebugValue::Counter(1));
        // No label holds an id, so that there is no more than this.
        assert_eq!(ended.len(), 2 + 2 * 4);
    });
}

#[test]
fn metrics_are_described() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        describe_metrics();
        metrics::counter!("remex_calls_total").increment(1);
        metrics::gauge!("remex_calls_in_flight").set(1.0);
        metrics::histogram!("remex_call_seconds").record(1.0);
    });
    let described = snapshotter.snapshot().into_vec();
    assert_eq!(described.len(), 3);
    assert!(described.iter().all(|(_, unit, description, _)| unit.is_some() && description.is_some()));
}
