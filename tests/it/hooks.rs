//! The order of hooks and what they may do, inside the program and over HTTP.

use std::sync::Arc;

use axum::Router;
use parking_lot::Mutex;
use remex::{
    App, AppContext, DETACHED_MAX, Document, Error, ErrorKind, Event, FnService, Hooked, Hooks, Id, MemoryService,
    Method, MethodSet, Next, Options, Params, Provider, Received, Service, ServiceExt, Subscription, rest,
};
use serde::{Deserialize, Serialize};

use super::send;

pub(crate) type Trace = Arc<Mutex<Vec<String>>>;

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

pub(crate) fn todo() -> Document {
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
pub(crate) async fn futures_pending(events: &mut Subscription) -> bool {
    tokio::time::timeout(std::time::Duration::from_millis(20), events.next()).await.is_err()
}

pub(crate) async fn next_event(events: &mut Subscription) -> Arc<Event> {
    let next = tokio::time::timeout(std::time::Duration::from_secs(5), events.next());
    match next.await.expect("in time") {
        Some(Received::Event(event)) => event,
        other => panic!("no event but {other:?}"),
    }
}

fn without<'a>(steps: &[&'a str], left_out: &[&str]) -> Vec<&'a str> {
    steps.iter().copied().filter(|step| !left_out.contains(step)).collect()
}

/// What a call comes to, through the program and over HTTP: the answer, and the trace.
async fn both_ways(app: &App, router: &Router, trace: &Trace) -> (String, Vec<String>) {
    let taken = || std::mem::take(&mut *trace.lock());
    let inside = app.documents("todos").expect("mounted").create(todo(), &Params::new()).await.expect("created");
    let by_program = taken();
    let (status, over_http) = send(router, "POST", "/todos", r#"{"text":"x"}"#).await;
    assert_eq!((status, over_http), (201, inside.to_string()));
    assert_eq!(taken(), by_program);
    (inside.to_string(), by_program)
}

#[tokio::test]
async fn a_result_in_the_place_of_the_method_leaves_the_other_hooks_to_run() {
    let preset = || Document::new().with("id", 7);
    // Of the service: `set_result` lets the hooks behind it run, `finish` does not.
    let (app, router, trace) = traced(|todos| {
        todos.before(Method::Create, move |mut ctx| async move {
            ctx.set_result(preset());
            Ok(ctx)
        })
    });
    assert_eq!(
        both_ways(&app, &router, &trace).await,
        (r#"{"id":7}"#.into(), strings(&without(&SUCCESS, &["METHOD"])))
    );

    let (app, router, trace) = traced(|todos| {
        todos.before(MethodSet::ALL, move |mut ctx| async move {
            ctx.finish(preset());
            Ok(ctx)
        })
    });
    // It was added behind the other one for all methods.
    let expected = without(&SUCCESS, &["METHOD", "service before method"]);
    assert_eq!(both_ways(&app, &router, &trace).await, (r#"{"id":7}"#.into(), strings(&expected)));

    // Of the app: the hooks of the service still run, but for those of the phase that was finished.
    for finish in [false, true] {
        let (app, router, trace) = traced(|todos| todos);
        app.hooks("todos", |hooks| {
            hooks.before(Method::Create, move |mut ctx| async move {
                if finish {
                    ctx.finish(preset())
                } else {
                    ctx.set_result(preset())
                }
                Ok(ctx)
            })
        })
        .expect("a pattern");
        let passed_over = ["METHOD", "service before all", "service before method"];
        let expected = without(&SUCCESS, if finish { &passed_over } else { &passed_over[..1] });
        assert_eq!(both_ways(&app, &router, &trace).await, (r#"{"id":7}"#.into(), strings(&expected)));
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn finish_in_an_after_hook_passes_over_the_rest_of_them() {
    let (app, router, trace) = traced(|todos| {
        todos.after(Method::Create, |mut ctx| async move {
            ctx.finish(Document::new().with("id", 8));
            Ok(ctx)
        })
    });
    // It was added behind the other one for this method.
    let expected = without(&SUCCESS, &["service after all"]);
    assert_eq!(both_ways(&app, &router, &trace).await, (r#"{"id":8}"#.into(), strings(&expected)));
}

#[tokio::test]
async fn what_is_done_in_the_place_of_the_method_is_done_behind_all_before_hooks() {
    let app = App::new();
    let trace = Trace::default();
    let (instead, behind) = (trace.clone(), trace.clone());
    let todos = memory("todos")
        .hooked()
        .before(Method::Remove, move |mut ctx| {
            let instead = instead.clone();
            ctx.instead(move |mut ctx| async move {
                instead.lock().push("instead".to_owned());
                ctx.set_result(Document::new().with("id", 1).with("kept", true));
                Ok(ctx)
            });
            async { Ok(ctx) }
        })
        .before(Method::Remove, move |ctx| {
            behind.lock().push("behind".to_owned());
            let refuse = ctx.params().query.limit.is_some();
            async move { if refuse { Err(Error::forbidden("no")) } else { Ok(ctx) } }
        });
    app.mount("todos", todos).expect("mounted");
    let router = rest(&app);
    send(&router, "POST", "/todos", "{}").await;
    assert_eq!(send(&router, "DELETE", "/todos/1?$limit=1", "").await.0, 403);
    assert_eq!(std::mem::take(&mut *trace.lock()), ["behind"]);
    assert_eq!(send(&router, "DELETE", "/todos/1", "").await, (200, r#"{"id":1,"kept":true}"#.into()));
    assert_eq!(*trace.lock(), ["behind", "instead"]);
    assert_eq!(send(&router, "GET", "/todos/1", "").await.0, 200);
}

#[tokio::test]
async fn an_around_hook_may_answer_without_the_rest() {
    let app = App::new();
    let asked = Arc::new(Mutex::new(0));
    let counted = asked.clone();
    let todos = FnService::<Id>::new("todos")
        .on_read(move |id: Id, _| {
            *counted.lock() += 1;
            async move { Ok(Document::new().with("id", id.as_str())) }
        })
        .hooked()
        .around(Method::Read, |mut ctx, next: Next<_>| async move {
            if ctx.id().is_some_and(|id| id.as_str() == "1") {
                ctx.set_result(Document::new().with("id", "from the hook"));
                return Ok(ctx);
            }
            next.run(ctx).await
        });
    app.mount("todos", todos).expect("mounted");
    let router = rest(&app);
    assert_eq!(send(&router, "GET", "/todos/1", "").await, (200, r#"{"id":"from the hook"}"#.into()));
    assert_eq!(send(&router, "GET", "/todos/2", "").await, (200, r#"{"id":"2"}"#.into()));
    assert_eq!(*asked.lock(), 1);
}

pub(crate) fn memory(name: &str) -> MemoryService<Document> {
    MemoryService::new(Options::new(name).multi([Method::Create, Method::Modify, Method::Remove])).expect("options")
}

#[tokio::test]
async fn what_hooks_read_and_write_is_what_the_method_gets() {
    let todos = memory("todos")
        .hooked()
        .before(Method::Create, |mut ctx| async move {
            assert_eq!((ctx.operation(), ctx.path(), ctx.is_client()), (remex::Operation::Create, "todos", true));
            let text = ctx.data_mut()?["text"].as_str().unwrap_or_default().to_uppercase();
            ctx.data_mut()?.insert("text", text);
            Ok(ctx)
        })
        .before(Method::Read, |mut ctx| async move {
            if ctx.id().is_some_and(|id| id.as_str() == "last") {
                ctx.set_id(1.into());
            }
            Ok(ctx)
        })
        .before(Method::Index, |mut ctx| async move {
            ctx.params_mut().query.limit = Some(1);
            Ok(ctx)
        })
        .before(Method::Modify, |mut ctx| async move {
            ctx.data_mut()?.insert("modified", true);
            Ok(ctx)
        })
        .after([Method::Index, Method::Read], |mut ctx| async move {
            for record in ctx.records_mut() {
                record.insert("seen", true);
            }
            Ok(ctx)
        });
    let app = App::new();
    app.mount("todos", todos).expect("mounted");
    let router = rest(&app);
    assert_eq!(send(&router, "POST", "/todos", r#"{"text":"a"}"#).await.1, r#"{"id":1,"text":"A"}"#);
    assert_eq!(send(&router, "POST", "/todos", r#"{"text":"b"}"#).await.1, r#"{"id":2,"text":"B"}"#);
    assert_eq!(send(&router, "GET", "/todos/last", "").await.1, r#"{"id":1,"text":"A","seen":true}"#);
    assert_eq!(send(&router, "GET", "/todos", "").await.1, r#"[{"id":1,"text":"A","seen":true}]"#);
    // What a hook adds stays, whatever was selected of the record.
    assert_eq!(send(&router, "GET", "/todos?$select[]=id", "").await.1, r#"[{"id":1,"seen":true}]"#);
    assert_eq!(send(&router, "PATCH", "/todos/2", "{}").await.1, r#"{"id":2,"text":"B","modified":true}"#);
}

#[tokio::test]
async fn error_hooks_see_all_that_was_there_and_may_recover() {
    #[derive(Clone)]
    struct User(&'static str);
    let app = App::new();
    let todos = memory("todos")
        .hooked()
        .before(Method::Create, |mut ctx| async move {
            ctx.params_mut().extensions.insert(User("ann"));
            ctx.data_mut()?.insert("by", "ann");
            match ctx.data_mut()?.contains("bad") {
                true => Err(Error::forbidden("no")),
                false => Ok(ctx),
            }
        })
        .error(Method::Create, |mut ctx| async move {
            let user = ctx.params().extensions.get::<User>().map(|user| user.0);
            let by = ctx.inputs()[0]["by"].clone();
            assert_eq!((user, by.as_str()), (Some("ann"), Some("ann")), "what the failing hook did is there");
            let error = ctx.take_error().expect("an error hook has an error");
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            ctx.set_error(error.with_code("told"));
            Ok(ctx)
        })
        .error(Method::Read, |mut ctx| async move {
            ctx.set_result(Document::new().with("id", 0).with("text", "nothing"));
            Ok(ctx)
        })
        .error(Method::Remove, |_| async { Err(Error::conflict("another")) })
        .error(MethodSet::ALL, |ctx| async move {
            assert_ne!(ctx.method(), Method::Read, "a call that has recovered has no error");
            if ctx.method() == Method::Remove {
                assert_eq!(ctx.error().map(Error::kind), Some(ErrorKind::Conflict));
            }
            Ok(ctx)
        });
    app.mount("todos", todos).expect("mounted");
    let router = rest(&app);
    let (status, body) = send(&router, "POST", "/todos", r#"{"bad":1}"#).await;
    assert_eq!((status, body.contains(r#""code":"told""#) || body.contains("told")), (403, true), "{body}");
    assert_eq!(send(&router, "GET", "/todos/7", "").await, (200, r#"{"id":0,"text":"nothing"}"#.into()));
    assert_eq!(send(&router, "DELETE", "/todos/7", "").await.0, 409);
}

#[tokio::test]
async fn a_hook_that_is_wrong_is_named() {
    let app = App::new();
    let todos = memory("todos")
        .hooked()
        .before(Method::Create, |mut ctx| async move {
            drop(ctx.take_data()?);
            Ok(ctx)
        })
        .after(Method::Read, |mut ctx| async move {
            ctx.set_result(vec![Document::new()]);
            Ok(ctx)
        })
        .around(Method::Remove, |ctx, _: Next<_>| async move { Ok(ctx) })
        .before(Method::Index, |mut ctx| async move {
            ctx.data_mut()?.insert("a", 1);
            Ok(ctx)
        });
    app.mount("todos", todos).expect("mounted");
    let todos = app.documents("todos").expect("mounted");
    let params = Params::new();
    todos.silent().create(todo(), &params).await.expect("created");
    let told = |error: Error| {
        assert_eq!((error.kind(), error.message()), (ErrorKind::Internal, "an internal error occurred"));
        error.context()[0].1.clone()
    };
    let error = todos.create(todo(), &params).await.expect_err("no data");
    assert_eq!(told(error), "a before hook of `todos` for `create` took the data and gave none back");
    let error = todos.read(&1.into(), &params).await.expect_err("of the wrong kind");
    assert_eq!(told(error), "an after hook of `todos` for `read` gave records as the result");
    let error = todos.remove(&1.into(), &params).await.expect_err("no result");
    assert_eq!(told(error), "an around hook of `todos` for `remove` left the call without a result");
    let error = todos.index(&params).await.expect_err("no data to change");
    assert_eq!(told(error), "a before hook of `todos` for `index` wanted the data of one record, but there is no data");
    assert_eq!(todos.silent().count(&params).await.expect("counted"), 1);
    assert_eq!(send(&rest(&app), "POST", "/todos", "{}").await.0, 500);
}

#[tokio::test]
async fn hooks_see_an_upsert_as_what_it_is() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let app = App::new();
    let todos = memory("todos").hooked().after([Method::Modify, Method::Update], move |ctx| {
        noted.lock().push((ctx.method(), ctx.is_created()));
        async { Ok(ctx) }
    });
    app.mount("todos", todos).expect("mounted");
    let mut events = app.subscribe("todos").expect("a pattern");
    let router = rest(&app);
    for (verb, id, status, event) in [
        ("PATCH", 5, 201, "created"),
        ("PATCH", 5, 200, "modified"),
        ("PUT", 6, 201, "created"),
        ("PUT", 6, 200, "updated"),
        ("DELETE", 6, 200, "removed"),
    ] {
        assert_eq!(send(&router, verb, &format!("/todos/{id}"), r#"{"a":1}"#).await.0, status, "{verb} {id}");
        let sent = next_event(&mut events).await;
        assert_eq!((sent.name.as_str(), sent.id.clone()), (event, Some(Id::from(id))));
    }
    let (modify, update) = (Method::Modify, Method::Update);
    assert_eq!(*seen.lock(), [(modify, true), (modify, false), (update, true), (update, false)]);
}

#[tokio::test]
async fn services_that_call_each_other_without_an_end_are_stopped() {
    let app = App::new();
    for (name, other) in [("a", "b"), ("b", "a")] {
        let service = FnService::<Id>::new(name).on_read(|_, _| async { Ok(Document::new()) }).hooked();
        let service = service.before(Method::Read, move |ctx| async move {
            ctx.app()?.documents(other)?.read(&"1".into(), &Params::new()).await?;
            Ok(ctx)
        });
        app.mount(name, service).expect("mounted");
    }
    let error = app.documents("a").expect("mounted").read(&"1".into(), &Params::new()).await.expect_err("no end");
    assert!(error.context()[0].1.contains("more than 16 deep"), "{error:?}");
    assert_eq!(send(&rest(&app), "GET", "/a/1", "").await.0, 500);

    // Sixteen deep is deep enough, also for services whose methods call on.
    let app = App::new();
    for depth in 1..=17 {
        let next = app.clone();
        let service = FnService::<Id>::new("x").on_read(move |id: Id, _| {
            let next = next.clone();
            async move {
                match next.documents(&format!("s{}", depth - 1)) {
                    Ok(service) => service.read(&id, &Params::new()).await,
                    Err(_) => Ok(Document::new().with("depth", depth)),
                }
            }
        });
        app.mount(&format!("s{depth}"), service).expect("mounted");
    }
    let read = |name: &str| {
        let service = app.documents(name).expect("mounted");
        async move { service.read(&"1".into(), &Params::new()).await }
    };
    assert!(read("s16").await.is_ok());
    assert!(read("s17").await.is_err());
    assert!(read("s16").await.is_ok(), "the depth is that of one call");
}

#[tokio::test]
async fn detached_hooks_run_behind_the_answer_and_are_waited_for_at_the_stop() {
    let app = App::new();
    let (release, released) = tokio::sync::watch::channel(false);
    let done = Arc::new(Mutex::new(Vec::new()));
    let noted = done.clone();
    let todos = memory("todos").hooked().detached(Method::Create, move |ctx| {
        let (noted, mut released) = (noted.clone(), released.clone());
        async move {
            released.wait_for(|released| *released).await.expect("a sender");
            noted.lock().push(ctx.records()[0]["id"].clone());
            Err(Error::conflict("is only logged"))
        }
    });
    app.mount("todos", todos).expect("mounted");
    let todos = app.documents("todos").expect("mounted");
    for _ in 0..3 {
        todos.create(todo(), &Params::new()).await.expect("the answer does not wait");
    }
    assert!(done.lock().is_empty());
    let stopping = tokio::spawn({
        let app = app.clone();
        async move { app.stop().await }
    });
    tokio::task::yield_now().await;
    assert!(!stopping.is_finished());
    release.send(true).expect("receivers");
    stopping.await.expect("no panic").expect("stopped");
    assert_eq!(done.lock().len(), 3);
}

#[tokio::test]
async fn detached_hooks_are_bounded_in_number() {
    let app = App::new();
    let (release, released) = tokio::sync::watch::channel(false);
    let running = Arc::new(Mutex::new(0_usize));
    let counted = running.clone();
    app.hooks("*", |hooks| {
        hooks.detached(Method::Create, move |ctx| {
            let (counted, mut released) = (counted.clone(), released.clone());
            async move {
                *counted.lock() += 1;
                released.wait_for(|released| *released).await.expect("a sender");
                Ok(ctx)
            }
        })
    })
    .expect("a pattern");
    app.mount("todos", memory("todos")).expect("mounted");
    let todos = app.documents("todos").expect("mounted");
    for _ in 0..DETACHED_MAX {
        todos.create(todo(), &Params::new()).await.expect("created");
    }
    // The next call waits for its hook, since too many are running.
    let params = Params::new();
    let mut one_more = Box::pin(todos.create(todo(), &params));
    let waits = tokio::time::timeout(std::time::Duration::from_millis(50), &mut one_more).await;
    assert!(waits.is_err());
    assert_eq!(*running.lock(), DETACHED_MAX + 1);
    release.send(true).expect("receivers");
    one_more.await.expect("created");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Todo {
    id: i64,
    text: String,
    done: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NewTodo {
    text: String,
    #[serde(default)]
    done: bool,
}

#[tokio::test]
async fn hooks_of_a_typed_service_are_typed_and_so_is_every_look_up() {
    let app = App::new();
    let todos = MemoryService::<Todo, NewTodo>::new(Options::new("todos")).expect("options");
    let todos = todos
        .hooked()
        .before(Method::Create, |mut ctx| async move {
            ctx.data_mut()?.text.push('!');
            Ok(ctx)
        })
        .after(MethodSet::ALL, |mut ctx| async move {
            for todo in ctx.records_mut() {
                todo.done |= todo.text == "done!";
            }
            Ok(ctx)
        });
    app.mount("todos", todos).expect("mounted");
    app.mount("notes", memory("notes")).expect("mounted");
    for path in ["todos", "notes"] {
        let typed = app.service::<i64, Todo>(path).expect("mounted").taking::<NewTodo>();
        let new = NewTodo { text: "done".into(), done: false };
        let todo = typed.create(new, &Params::new()).await.expect("created");
        let (text, done) = if path == "todos" { ("done!", true) } else { ("done", false) };
        assert_eq!(todo, Todo { id: 1, text: text.into(), done });
        assert_eq!(typed.read(&1, &Params::new()).await.expect("read"), todo);
        assert_eq!(typed.index(&Params::new()).await.expect("listed").data, [todo]);
        let patch = Document::new().with("text", 5);
        let error = typed.modify(&1, patch.into(), &Params::new()).await.expect_err("no text");
        assert_eq!((error.kind(), error.fields()[0].field.as_str()), (ErrorKind::Unprocessable, "text"), "{path}");
    }
    assert_eq!(send(&rest(&app), "POST", "/todos", r#"{"text":"a"}"#).await.1, r#"{"id":2,"text":"a!","done":false}"#);
}

#[tokio::test]
async fn hooks_of_the_app_are_for_the_paths_that_they_name() {
    let app = App::new();
    app.mount("users", memory("users")).expect("mounted");
    for pattern in ["users", "admin/*", "*"] {
        app.hooks(pattern, |hooks| {
            hooks.after(Method::Create, move |mut ctx: AppContext| async move {
                for record in ctx.records_mut() {
                    record.insert(pattern, true);
                }
                Ok(ctx)
            })
        })
        .expect("a pattern");
    }
    // What is mounted later has them as well.
    app.mount("admin/users", memory("admin_users")).expect("mounted");
    app.mount("notes", memory("notes")).expect("mounted");
    assert!(app.hooks("a b", |hooks| hooks).is_err());
    let router = rest(&app);
    for (path, names) in
        [("users", r#""users":true,"*":true"#), ("admin/users", r#""admin/*":true,"*":true"#), ("notes", r#""*":true"#)]
    {
        assert_eq!(send(&router, "POST", &format!("/{path}"), "{}").await.1, format!(r#"{{"id":1,{names}}}"#));
    }
}

#[tokio::test]
async fn long_lists_go_in_parts_through_hooks_that_take_them_so() {
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let noted = pieces.clone();
    let app = App::new();
    let todos = memory("todos").hooked().after_parts(Method::Index, move |mut ctx| {
        noted.lock().push(ctx.records().len());
        ctx.records_mut().iter_mut().for_each(|record| drop(record.insert("seen", true)));
        async { Ok(ctx) }
    });
    app.mount("todos", todos).expect("mounted");
    let data = (0..2_000).map(|number| Document::new().with("number", number)).collect();
    app.documents("todos").expect("mounted").create_many(data, &Params::new()).await.expect("created");
    let (status, body) = send(&rest(&app), "GET", "/todos?$select[]=id", "").await;
    assert_eq!(status, 200);
    let list: Vec<serde_json::Value> = serde_json::from_str(&body).expect("a list");
    assert_eq!((list.len(), &list[1_999]), (2_000, &serde_json::json!({"id": 2000, "seen": true})));
    let pieces = std::mem::take(&mut *pieces.lock());
    assert!(pieces.len() > 1 && pieces.iter().all(|records| *records <= 256), "{pieces:?}");
}

/// An around hook that says that it looks at no records.
pub(crate) struct Blind(pub(crate) Trace);

impl<S: Service + ?Sized + 'static> remex::AroundHook<S> for Blind {
    fn run(&self, ctx: remex::HookContext<S>, next: Next<S>) -> remex::HookFuture<S> {
        let trace = self.0.clone();
        Box::pin(async move {
            let ctx = next.run(ctx).await?;
            trace.lock().push(format!("{} {}", ctx.operation(), ctx.records().len()));
            Ok(ctx)
        })
    }

    fn sees_records(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn lists_stay_streams_under_hooks_that_look_at_no_records() {
    let trace = Trace::default();
    let app = App::new();
    let todos = FnService::<Id>::new("todos").on_index(|_| async { Err(Error::internal("must not be gathered")) });
    // A service that can only be streamed, as far as lists go.
    struct Streamed(FnService);
    #[remex::async_trait]
    impl Service for Streamed {
        type Id = Id;
        type Data = Document;
        type Input = Document;

        async fn index(&self, params: &Params) -> remex::Result<remex::Page<Document>> {
            self.0.index(params).await
        }

        fn index_stream(&self, _: Params) -> futures::stream::BoxStream<'_, remex::Result<Document>> {
            Box::pin(futures::stream::iter((1..=3).map(|id| Ok(Document::new().with("id", id)))))
        }

        fn describe(&self) -> Arc<remex::Description> {
            Arc::new(self.0.describe().as_ref().clone().with_streaming(true))
        }
    }
    let todos = Streamed(todos).hooked().add_around(MethodSet::ALL, Blind(trace.clone()));
    let todos = todos.before(Method::Index, |ctx| async { Ok(ctx) }).error(Method::Index, |ctx| async { Ok(ctx) });
    app.mount("todos", todos).expect("mounted");
    app.hooks("*", |hooks| hooks.add_around(MethodSet::ALL, Blind(trace.clone()))).expect("a pattern");
    assert_eq!(send(&rest(&app), "GET", "/todos", "").await, (200, r#"[{"id":1},{"id":2},{"id":3}]"#.into()));
    assert_eq!(*trace.lock(), ["index 0", "index 0"], "once at the beginning, each");
}

#[tokio::test]
async fn events_are_one_a_record_whole_and_without_what_is_hidden() {
    let app = App::new();
    let options =
        Options::new("users").hidden_field("password").multi([Method::Create, Method::Modify, Method::Remove]);
    app.mount("users", MemoryService::<Document>::new(options).expect("options")).expect("mounted");
    let mut events = app.subscribe("users").expect("a pattern");
    let mut others = app.subscribe("notes").expect("a pattern");
    let users = app.documents("users").expect("mounted");
    let user = |name: &str| Document::new().with("name", name).with("password", "x");
    users.create_many(vec![user("ann"), user("bob")], &Params::new()).await.expect("created");
    for name in ["ann", "bob"] {
        let event = next_event(&mut events).await;
        assert_eq!(
            (event.name.as_str(), event.record["name"].as_str(), event.method),
            ("created", Some(name), Some(Method::Create))
        );
        assert!(!event.record.contains("password") && event.provider.is_none());
    }
    // What a client selects is what it is answered, and no more of its business.
    let router = rest(&app);
    let answer = send(&router, "PATCH", "/users?name=ann&$select[]=age", r#"{"age":5}"#).await;
    assert_eq!(answer, (200, r#"[{"id":1,"age":5}]"#.into()));
    let event = next_event(&mut events).await;
    assert_eq!(
        (event.name.as_str(), event.record.to_string()),
        ("modified", r#"{"id":1,"name":"ann","age":5}"#.into())
    );
    assert_eq!(event.provider, Some(Provider::Rest));
    assert_eq!(event.sequence, 3);
    // None for what fails, what reads, what is silent.
    assert_eq!(send(&router, "DELETE", "/users/9", "").await.0, 404);
    assert_eq!(send(&router, "GET", "/users", "").await.0, 200);
    users.silent().remove(&1.into(), &Params::new()).await.expect("removed");
    assert!(futures_pending(&mut events).await);
    assert_eq!(send(&router, "DELETE", "/users?name=bob", "").await.1, r#"[{"id":2,"name":"bob"}]"#);
    assert_eq!(next_event(&mut events).await.name, "removed");
    assert!(futures_pending(&mut others).await);
}

#[tokio::test]
async fn events_can_be_renamed_suppressed_and_added() {
    let app = App::new();
    let todos = memory("todos").hooked().after(Method::Create, |mut ctx| async move {
        let kind = ctx.inputs()[0]["kind"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "renamed" => ctx.set_event("begun"),
            "suppressed" => ctx.suppress_event(),
            "added" => ctx.emit("counted", Document::new().with("count", 1)),
            _ => {}
        }
        Ok(ctx)
    });
    app.mount("todos", todos).expect("mounted");
    let mut events = app.subscribe("*").expect("a pattern");
    let router = rest(&app);
    for kind in ["renamed", "suppressed", "added"] {
        assert_eq!(send(&router, "POST", "/todos", &format!(r#"{{"kind":"{kind}"}}"#)).await.0, 201);
    }
    app.emit("todos", "archived", Document::new().with("id", 9)).expect("mounted");
    assert!(app.emit("nobody", "archived", Document::new()).is_err());
    for (sequence, name) in [(1, "begun"), (2, "created"), (3, "counted"), (4, "archived")] {
        let event = next_event(&mut events).await;
        assert_eq!((event.sequence, event.name.as_str()), (sequence, name));
    }
}

#[tokio::test]
async fn a_slow_subscriber_is_told_what_it_missed_and_holds_up_nobody() {
    let app = App::new();
    app.mount("todos", memory("todos")).expect("mounted");
    let mut slow = app.subscribe_with("todos", 4).expect("a pattern");
    let todos = app.documents("todos").expect("mounted");
    for _ in 0..10 {
        todos.create(todo(), &Params::new()).await.expect("created");
    }
    assert_eq!(slow.next().await, Some(Received::Lagged(6)));
    for sequence in 7..=10 {
        assert_eq!(next_event(&mut slow).await.sequence, sequence);
    }
    drop((app, todos));
    assert_eq!(slow.next().await, None, "there are no events without an app");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_subscribers_have_the_events_of_a_service_in_one_order() {
    let app = App::new();
    app.mount("todos", memory("todos")).expect("mounted");
    let mut subscribers: Vec<_> = (0..2).map(|_| app.subscribe_with("todos", 1_000).expect("a pattern")).collect();
    let writers = (0..8).map(|_| {
        let todos = app.documents("todos").expect("mounted");
        tokio::spawn(async move {
            for _ in 0..50 {
                todos.create(todo(), &Params::new()).await.expect("created");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
    let mut seen = Vec::new();
    for subscriber in &mut subscribers {
        let mut ids = Vec::new();
        for sequence in 1..=400 {
            let event = next_event(subscriber).await;
            assert_eq!(event.sequence, sequence);
            ids.push(event.id.clone());
        }
        seen.push(ids);
    }
    assert_eq!(seen[0], seen[1]);
}

#[derive(Clone, Serialize, Deserialize)]
struct User {
    id: i64,
    name: String,
    #[serde(default)]
    token: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct NewUser {
    name: String,
    #[serde(default)]
    token: Option<String>,
}

#[tokio::test]
async fn hooks_may_set_what_clients_may_not() {
    let app = App::new();
    let options = |name: &str| Options::new(name).hidden_field("token").multi([Method::Create, Method::Modify]);
    let documents = MemoryService::<Document>::new(options("documents")).expect("options").hooked();
    let documents = documents.before([Method::Create, Method::Modify, Method::Update], |mut ctx| async move {
        let token = ctx.operation().name();
        for data in ctx.documents_mut() {
            data.insert("token", token);
        }
        Ok(ctx)
    });
    let typed = MemoryService::<User, NewUser>::new(options("typed")).expect("options").hooked();
    let typed = typed
        .before([Method::Create, Method::Update], |mut ctx| async move {
            let token = ctx.operation().name();
            for data in ctx.inputs_mut() {
                data.token = Some(token.to_owned());
            }
            Ok(ctx)
        })
        .before(Method::Modify, |mut ctx| async move {
            let token = ctx.operation().name();
            let patch = ctx.patch_mut().expect("a patch");
            patch.data_mut().insert("token", token);
            Ok(ctx)
        });
    app.mount("documents", documents).expect("mounted");
    app.mount("typed", typed).expect("mounted");
    // Hooks of the app, around a service without any of its own.
    app.mount("plain", MemoryService::<Document>::new(options("plain")).expect("options")).expect("mounted");
    app.hooks("plain", |hooks| {
        hooks.before([Method::Create, Method::Modify, Method::Update], |mut ctx| async move {
            let token = ctx.operation().name();
            for data in ctx.documents_mut() {
                data.insert("token", token);
            }
            Ok(ctx)
        })
    })
    .expect("a pattern");
    let router = rest(&app);
    for path in ["documents", "typed", "plain"] {
        let stored = || async {
            let record = app.documents(path).expect("mounted").read(&1.into(), &Params::new()).await.expect("read");
            record["token"].as_str().map(str::to_owned)
        };
        let calls = [
            ("POST", "", r#"{"name":"a"}"#, "create"),
            ("PATCH", "/1", r#"{"name":"b"}"#, "modify"),
            ("PUT", "/1", r#"{"name":"c"}"#, "update"),
            ("POST", "", r#"[{"name":"d"}]"#, "update"),
            ("PATCH", "?name=c", r#"{"name":"e"}"#, "modify_many"),
        ];
        for (verb, end, body, token) in calls {
            let (status, answer) = send(&router, verb, &format!("/{path}{end}"), body).await;
            assert!(status < 300 && !answer.contains("token"), "{verb} {path}{end}: {status} {answer}");
            assert_eq!(stored().await.as_deref(), Some(token), "{verb} {path}{end}");
            let with_token = body.replace("\"}", "\",\"token\":\"mine\"}");
            let (status, answer) = send(&router, verb, &format!("/{path}{end}"), &with_token).await;
            assert_eq!((status, answer.contains("is not a field of")), (422, true), "{verb} {path}{end}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_is_no_object_goes_past_hooks_and_events_as_it_is() {
    let app = App::new();
    let said = FnService::<Id, String, Document>::new("said").on_create(|_, _| async { Ok("done".to_owned()) });
    app.mount("said", said.on_read(|id: Id, _| async move { Ok(id.as_str().to_owned()) })).expect("mounted");
    app.hooks("*", |hooks| hooks.after(MethodSet::ALL, |ctx| async { Ok(ctx) })).expect("a pattern");
    let mut events = app.subscribe("*").expect("a pattern");
    let router = rest(&app);
    assert_eq!(send(&router, "POST", "/said", "{}").await, (201, r#""done""#.into()));
    assert_eq!(send(&router, "GET", "/said/x", "").await, (200, r#""x""#.into()));
    assert!(futures_pending(&mut events).await);
}
