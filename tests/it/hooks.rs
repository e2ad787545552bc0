//! The order of hooks and what they may do, inside the program and over HTTP.

use std::sync::Arc;

use axum::Router;
use parking_lot::Mutex;
use remex::{
    App, AppContext, Document, DynService, Error, ErrorKind, FnService, HookContext, Hooked, Hooks, Id, MemoryService,
    Method, MethodSet, Next, Options, Output, Params, Provider, Received, Result, Service, ServiceExt, rest,
};

use super::send;

type Trace = Arc<Mutex<Vec<String>>>;

/// Adds a hook of every kind, for all methods and for one, that only says that it has run.
fn tell<S: Service + ?Sized + 'static>(hooks: &mut Hooks<S>, place: &'static str, trace: &Trace) {
    for (level, methods) in [("method", MethodSet::from(Method::Create)), ("all", MethodSet::ALL)] {
        let note = |kind: &'static str| {
            let trace = trace.clone();
            move || trace.lock().push(format!("{place} {kind} {level}"))
        };
        let (first, second) = (Arc::new(note("around in")), Arc::new(note("around out")));
        hooks.around(methods, move |ctx, next: Next<S>| {
            let (first, second) = (first.clone(), second.clone());
            async move {
                first();
                let ctx = next.run(ctx).await;
                second();
                ctx
            }
        });
        let (before, after, error) = (note("before"), note("after"), note("error"));
        hooks.before(methods, move |ctx| {
            before();
            async { Ok(ctx) }
        });
        hooks.after(methods, move |ctx| {
            after();
            async { Ok(ctx) }
        });
        hooks.error(methods, move |ctx| {
            error();
            async { Ok(ctx) }
        });
    }
}

/// An app whose service `todos` notes in the trace what runs.
fn traced(service: impl FnOnce(Hooked<FnService>) -> Hooked<FnService>) -> (App, Router, Trace) {
    let trace = Trace::default();
    let method = trace.clone();
    let todos = FnService::<Id>::new("todos").on_create(move |data: Document, _| {
        let method = method.clone();
        async move {
            if data.contains("fail") {
                method.lock().push("METHOD fails".to_owned());
                return Err(Error::conflict("no"));
            }
            method.lock().push("METHOD".to_owned());
            Ok(data.with("id", 1))
        }
    });
    let app = App::new();
    app.mount("todos", service(todos.hooked().apply(Tell("service", trace.clone())))).expect("mounted");
    app.hooks("*", |hooks| hooks.apply(Tell("app", trace.clone()))).expect("a pattern");
    let router = rest(&app);
    (app, router, trace)
}

struct Tell(&'static str, Trace);

impl<S: Service + ?Sized + 'static> remex::HookSet<S> for Tell {
    fn add_to(self, hooks: &mut Hooks<S>) {
        tell(hooks, self.0, &self.1);
    }
}

fn todo() -> Document {
    Document::new().with("text", "x")
}

const SUCCESS: [&str; 17] = [
    "app around in all",
    "app around in method",
    "app before all",
    "app before method",
    "service around in all",
    "service around in method",
    "service before all",
    "service before method",
    "METHOD",
    "service after method",
    "service after all",
    "service around out method",
    "service around out all",
    "app after method",
    "app after all",
    "app around out method",
    "app around out all",
];

const FAILURE: [&str; 17] = [
    "app around in all",
    "app around in method",
    "app before all",
    "app before method",
    "service around in all",
    "service around in method",
    "service before all",
    "service before method",
    "METHOD fails",
    "service error method",
    "service error all",
    "service around out method",
    "service around out all",
    "app error method",
    "app error all",
    "app around out method",
    "app around out all",
];

#[tokio::test]
async fn the_order_is_the_same_inside_the_program_and_over_http() {
    let (app, router, trace) = traced(|todos| todos);
    let mut events = app.subscribe("todos").expect("a pattern");
    let todos = app.documents("todos").expect("mounted");
    let taken = || std::mem::take(&mut *trace.lock());

    todos.create(todo(), &Params::new()).await.expect("created");
    assert_eq!(taken(), SUCCESS);
    assert_eq!(send(&router, "POST", "/todos", r#"{"text":"x"}"#).await.0, 201);
    assert_eq!(taken(), SUCCESS);
    for sequence in 1..=2 {
        let Some(Received::Event(event)) = events.next().await else { panic!("no event") };
        assert_eq!((event.name.as_str(), event.sequence), ("created", sequence));
    }

    let error = todos.create(todo().with("fail", true), &Params::new()).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(taken(), FAILURE);
    assert_eq!(send(&router, "POST", "/todos", r#"{"fail":true}"#).await.0, 409);
    assert_eq!(taken(), FAILURE);

    // A silent call passes over all of them.
    todos.silent().create(todo(), &Params::new()).await.expect("created");
    assert_eq!(taken(), ["METHOD"]);
    assert!(futures_pending(&mut events).await, "there are events for those two calls and for no others");
}

/// Returns whether there is no event waiting.
async fn futures_pending(events: &mut remex::Subscription) -> bool {
    tokio::time::timeout(std::time::Duration::from_millis(20), events.next()).await.is_err()
}
