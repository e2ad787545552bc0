//! What holds at the edges of hooks: where those of an app and of a service meet, where lists are streamed, where types
//! and documents meet, and where hooks are wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use futures::StreamExt;
use remex::{
    Answer, App, AppContext, Description, Document, Error, ErrorKind, Filter, FnService, Hooked, Id, MemoryService,
    Method, MethodSet, Next, Operation, Options, Output, Page, Paginate, Params, Patch, Provider, Query, Result,
    Service, ServiceExt, Site, async_trait, finish_detached_hooks, rest,
};
use serde::{Deserialize, Serialize};

use super::hooks::{Blind, Trace, futures_pending, memory, next_event};
use super::send;

fn document(json: &str) -> Document {
    Document::from_json(json.as_bytes()).expect("JSON")
}

fn client() -> Params {
    Params::client(Provider::Rest)
}

fn text(records: &[Document]) -> String {
    records.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn taken(trace: &Trace) -> Vec<String> {
    std::mem::take(&mut *trace.lock())
}

/// Mounts a service as `x`.
fn mounted<S: Service + 'static>(service: S) -> (App, Router) {
    let app = App::new();
    app.mount("x", service).expect("mounted");
    let router = rest(&app);
    (app, router)
}

fn told(error: &Error) -> String {
    assert_eq!((error.kind(), error.message()), (ErrorKind::Internal, "an internal error occurred"), "{error:?}");
    error.context()[0].1.to_string()
}

#[tokio::test]
async fn a_list_puts_no_record_within_two_scopes() {
    let (app, _) = mounted(memory("x"));
    let x = app.documents("x").expect("mounted");
    let of = |user: i64| client().with_scope(Filter::eq("user", user));
    let refused = |outcome: Result<()>| assert_eq!(outcome.expect_err("outside").kind(), ErrorKind::Forbidden);
    let both = || document(r#"{"user":[2,1]}"#);
    refused(x.create(both(), &of(2)).await.map(drop));
    refused(x.create_many(vec![Document::new(), both()], &of(2)).await.map(drop));
    refused(x.update(&9.into(), both(), &of(2)).await.map(drop));
    refused(x.modify(&9.into(), both().into(), &of(2)).await.map(drop));
    let mine = x.create(Document::new(), &of(2)).await.expect("created");
    let id = Id::from_value(&mine["id"]).expect("an id");
    refused(x.update(&id, both(), &of(2)).await.map(drop));
    refused(x.modify(&id, both().into(), &of(2)).await.map(drop));
    refused(x.modify(&id, Patch::MergeDeep(both()), &of(2)).await.map(drop));
    let mut of_mine = of(2);
    of_mine.query.filter = Filter::eq("user", 2);
    refused(x.modify_many(both().into(), &of_mine).await.map(drop));
    assert_eq!(x.count(&of(1)).await.expect("counted"), 0);
    assert_eq!(x.read(&id, &Params::new()).await.expect("read"), mine);

    // What others put there stays open to both of them.
    let shared = x.create(both(), &Params::new()).await.expect("created");
    let id = Id::from_value(&shared["id"]).expect("an id");
    for user in [1, 2] {
        let modified = x.modify(&id, document(r#"{"text":"a"}"#).into(), &of(user)).await.expect("modified");
        assert_eq!(modified.into_inner()["user"].to_string(), "[2,1]");
    }
}

#[tokio::test]
async fn a_list_that_a_hook_of_the_app_answers_goes_through_the_after_hooks_of_the_service() {
    let (app, router) = mounted(memory("x").hooked().after(MethodSet::ALL, |mut ctx| async move {
        ctx.records_mut().iter_mut().for_each(|record| drop(record.remove("secret")));
        Ok(ctx)
    }));
    app.hooks("*", |hooks| {
        hooks.before(Method::Index, |mut ctx| async move {
            ctx.set_result(vec![document(r#"{"id":1,"secret":"x"}"#)]);
            Ok(ctx)
        })
    })
    .expect("a pattern");
    let page = app.documents("x").expect("mounted").index(&Params::new()).await.expect("listed");
    assert_eq!(text(&page.data), r#"{"id":1}"#);
    for path in ["/x", "/x?$limit=10", "/x?$limit=5000"] {
        assert_eq!(send(&router, "GET", path, "").await, (200, r#"[{"id":1}]"#.into()), "{path}");
    }
}

#[tokio::test]
async fn head_runs_the_hooks_that_get_runs() {
    let (app, router) = mounted(memory("x"));
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    app.hooks("*", |hooks| {
        hooks.before(MethodSet::ALL, move |_: AppContext| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Err(Error::unauthenticated("who")) }
        })
    })
    .expect("a pattern");
    for path in ["/x", "/x?$limit=5", "/x/1", "/x/_count"] {
        assert_eq!(send(&router, "GET", path, "").await.0, 401, "{path}");
        assert_eq!(send(&router, "HEAD", path, "").await, (401, String::new()), "{path}");
        assert_eq!(runs.swap(0, Ordering::SeqCst), 2, "{path}");
    }
}

/// A service of a user's own around one with hooks, which has the default bodies for calls of many.
struct Wrapped(Hooked<MemoryService<Document>>);

#[async_trait]
impl Service for Wrapped {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        self.0.index(params).await
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<Document> {
        self.0.read(id, params).await
    }

    async fn create(&self, data: Document, params: &Params) -> Result<Document> {
        self.0.create(data, params).await
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<remex::Stored<Document>> {
        self.0.modify(id, patch, params).await
    }

    async fn update(&self, id: &Id, data: Document, params: &Params) -> Result<remex::Stored<Document>> {
        self.0.update(id, data, params).await
    }

    async fn remove(&self, id: &Id, params: &Params) -> Result<Document> {
        self.0.remove(id, params).await
    }

    fn describe(&self) -> Arc<Description> {
        self.0.describe()
    }

    fn mounted(&self, site: &Site) {
        self.0.mounted(site);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Todo {
    id: i64,
    text: String,
    #[serde(default)]
    done: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NewTodo {
    text: String,
    #[serde(default)]
    done: bool,
}

#[tokio::test]
async fn what_a_hook_of_the_app_answers_is_never_done_by_the_method_below_a_view() {
    let hooked = || memory("x").hooked().before(MethodSet::ALL, |ctx| async { Ok(ctx) });
    for (name, (app, router)) in [
        ("bare", mounted(hooked())),
        ("typed", mounted(hooked().typed::<Todo, NewTodo>())),
        ("wrapped", mounted(Wrapped(hooked()))),
    ] {
        let x = app.documents("x").expect("mounted");
        for number in 0..3 {
            x.create(Document::new().with("text", number.to_string()), &Params::new()).await.expect("created");
        }
        app.hooks("*", |hooks| {
            hooks.before(MethodSet::ALL, |mut ctx| async move {
                let records = || vec![document(r#"{"id":9,"text":"preset"}"#)];
                match ctx.operation() {
                    _ if !ctx.is_client() => {}
                    Operation::Count => ctx.set_result(Output::Count(42)),
                    Operation::CreateMany | Operation::ModifyMany | Operation::RemoveMany => ctx.set_result(records()),
                    _ => ctx.set_result(records().remove(0)),
                }
                Ok(ctx)
            })
        })
        .expect("a pattern");
        let before = x.index(&Params::new()).await.expect("listed").data;
        for (verb, path, body) in [
            ("PATCH", "/x/1", r#"{"text":"d"}"#),
            ("PUT", "/x/1", r#"{"text":"d"}"#),
            ("PATCH", "/x?id[$gt]=0", r#"{"text":"d"}"#),
            ("POST", "/x", r#"[{"text":"d"}]"#),
            ("DELETE", "/x/1", ""),
            ("DELETE", "/x?id[$gt]=0", ""),
        ] {
            let (status, answer) = send(&router, verb, path, body).await;
            assert!(status < 300 && answer.contains("preset"), "{name} {verb} {path}: {status} {answer}");
        }
        assert_eq!(send(&router, "GET", "/x/_count", "").await.1, r#"{"count":42}"#, "{name}");
        assert_eq!(x.remove_many(&client()).await.expect("answered").len(), 1, "{name}");
        assert_eq!(x.index(&Params::new()).await.expect("listed").data, before, "{name}");
    }
}

#[tokio::test]
async fn hooks_below_a_typed_view_are_heard_above_it() {
    let trace = Trace::default();
    let seen = trace.clone();
    let (app, router) = mounted(
        memory("x")
            .hooked()
            .after(MethodSet::ALL, move |mut ctx| {
                seen.lock().push(format!("{} {}", ctx.operation(), selected(ctx.params())));
                ctx.set_event("told");
                ctx.emit("added", Document::new());
                async { Ok(ctx) }
            })
            .typed::<Todo, NewTodo>(),
    );
    let mut events = app.subscribe("*").expect("a pattern");
    for (verb, path, body, answer, call) in [
        ("POST", "/x", r#"{"text":"a"}"#, r#"{"id":1,"text":"a","done":false}"#, "create "),
        ("PATCH", "/x/1?$select[]=done", r#"{"text":"b"}"#, r#"{"id":1,"done":false}"#, "modify done"),
        ("PUT", "/x/1?$select[]=text", r#"{"text":"c"}"#, r#"{"id":1,"text":"c"}"#, "update text"),
        ("DELETE", "/x/1?$select[]=text", "", r#"{"id":1,"text":"c"}"#, "remove text"),
    ] {
        assert_eq!(send(&router, verb, path, body).await.1, answer, "{verb}");
        assert_eq!(taken(&trace), [call], "{verb}");
        let event = next_event(&mut events).await;
        assert_eq!(event.name, "told", "{verb}");
        assert!(event.record.contains("text") && event.record.contains("done"), "{verb}: {}", event.record);
        assert_eq!(next_event(&mut events).await.name, "added", "{verb}");
    }
    // A result that a hook of the app sets goes through them, whether there is such a record or not.
    app.hooks("*", |hooks| {
        hooks.before(MethodSet::WRITES, |mut ctx| async move {
            ctx.set_result(document(r#"{"id":9,"text":"preset","done":true}"#));
            Ok(ctx)
        })
    })
    .expect("a pattern");
    for (verb, path, body, call) in [
        ("POST", "/x", r#"{"text":"a"}"#, "create "),
        ("PATCH", "/x/7", r#"{"done":true}"#, "modify "),
        ("PUT", "/x/7", r#"{"text":"c"}"#, "update "),
        ("DELETE", "/x/7", "", "remove "),
    ] {
        assert_eq!(send(&router, verb, path, body).await.1, r#"{"id":9,"text":"preset","done":true}"#, "{verb}");
        assert_eq!(taken(&trace), [call], "{verb}");
    }
    assert_eq!(app.documents("x").expect("mounted").silent().count(&Params::new()).await.expect("counted"), 0);
}

#[tokio::test]
async fn detached_hooks_of_a_service_begin_when_the_whole_call_has_succeeded() {
    let trace = Trace::default();
    let (of_service, of_app) = (trace.clone(), trace.clone());
    let (app, router) = mounted(memory("x").hooked().detached(Method::Create, move |ctx| {
        of_service.lock().push("detached".into());
        async { Ok(ctx) }
    }));
    app.hooks("*", |hooks| {
        hooks.after(Method::Create, move |ctx| {
            let of_app = of_app.clone();
            async move {
                tokio::task::yield_now().await;
                of_app.lock().push("after".into());
                if ctx.records()[0].contains("bad") { Err(Error::conflict("no")) } else { Ok(ctx) }
            }
        })
    })
    .expect("a pattern");
    let mut events = app.subscribe("*").expect("a pattern");
    assert_eq!(send(&router, "POST", "/x", "{}").await.0, 201);
    next_event(&mut events).await;
    app.stop().await.expect("stopped");
    assert_eq!(taken(&trace), ["after", "detached"]);
    assert_eq!(send(&router, "POST", "/x", r#"{"bad":1}"#).await.0, 409);
    app.stop().await.expect("stopped");
    assert_eq!(taken(&trace), ["after"]);
    assert!(futures_pending(&mut events).await);
}

/// How deep a hook of `x` comes that makes the same call again.
async fn depth_of<F, R>(again: F) -> usize
where
    F: Fn(App) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<()>> + Send + 'static,
{
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let (app, _) = mounted(memory("x").hooked().before(Method::Index, move |ctx| {
        let deep = counted.fetch_add(1, Ordering::SeqCst) >= 100;
        let again = again.clone();
        async move {
            if !deep {
                again(ctx.app()?).await?;
            }
            Ok(ctx)
        }
    }));
    let error = app.documents("x").expect("mounted").index(&Params::new()).await.expect_err("no end");
    assert!(told(&error).contains("more than 16 deep"), "{error:?}");
    runs.load(Ordering::SeqCst)
}

#[tokio::test]
async fn calls_that_cause_themselves_end_by_whichever_way() {
    let streamed = depth_of(|app| async move {
        let x = app.documents("x")?;
        x.index_stream(Params::new()).next().await.transpose().map(drop)
    });
    assert_eq!(streamed.await, 16);
    let as_it_is = depth_of(|app| async move {
        app.service_as::<Hooked<MemoryService<Document>>>("x")?.index(&Params::new()).await.map(drop)
    });
    assert_eq!(as_it_is.await, 16);
    let joined = depth_of(|app| async move {
        let (x, params) = (app.documents("x")?, Params::new());
        let other = async {
            tokio::task::yield_now().await;
            Ok(())
        };
        futures::future::try_join(x.index(&params), other).await.map(drop)
    });
    assert_eq!(joined.await, 16);
}

#[tokio::test]
async fn many_calls_beside_each_other_are_not_deep() {
    let (app, _) = mounted(memory("x"));
    app.mount(
        "y",
        memory("y").hooked().before(Method::Index, |ctx| async move {
            let (x, params) = (ctx.app()?.documents("x")?, Params::new());
            for outcome in futures::future::join_all((0..100).map(|_| x.count(&params))).await {
                outcome?;
            }
            Ok(ctx)
        }),
    )
    .expect("mounted");
    app.documents("y").expect("mounted").index(&Params::new()).await.expect("listed");
}

#[tokio::test]
async fn streams_with_hooks_of_the_app_and_of_the_service_are_as_deep_as_calls() {
    for (app_hooks, streams) in [(false, false), (false, true), (true, false), (true, true)] {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let (app, _) = mounted(memory("x").hooked().before(Method::Index, move |ctx| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                let x = ctx.app()?.documents("x")?;
                if streams {
                    x.index_stream(Params::new()).next().await.transpose()?;
                } else {
                    x.index(&Params::new()).await?;
                }
                Ok(ctx)
            }
        }));
        if app_hooks {
            app.hooks("*", |hooks| hooks.before(Method::Index, |ctx| async { Ok(ctx) })).expect("a pattern");
        }
        let x = app.documents("x").expect("mounted");
        assert!(x.index_stream(Params::new()).next().await.is_some_and(|first| first.is_err()));
        assert_eq!(runs.load(Ordering::SeqCst), 16, "hooks of the app: {app_hooks}, streams: {streams}");
    }
}

#[tokio::test]
async fn detached_hooks_that_cause_themselves_end() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let (app, _) = mounted(memory("x"));
    app.hooks("*", |hooks| {
        hooks.detached(Method::Create, move |ctx| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                ctx.app()?.documents("x")?.create(Document::new(), &Params::new()).await?;
                Ok(ctx)
            }
        })
    })
    .expect("a pattern");
    let x = app.documents("x").expect("mounted");
    x.create(Document::new(), &Params::new()).await.expect("created");
    app.stop().await.expect("stopped");
    let made = x.silent().count(&Params::new()).await.expect("counted");
    assert!(runs.load(Ordering::SeqCst) <= 16 && made <= 16, "{made}");
}

async fn filled(app: &App, count: i64) {
    let data = (1..=count).map(|number| Document::new().with("number", number)).collect();
    app.documents("x").expect("mounted").silent().create_many(data, &Params::new()).await.expect("created");
}

#[tokio::test]
async fn an_after_hook_sees_the_whole_list_by_every_way() {
    let (app, router) = mounted(memory("x").hooked().after(Method::Index, |mut ctx| async move {
        let records = ctx.records().len();
        ctx.set_result(vec![Document::new().with("records", records as i64)]);
        Ok(ctx)
    }));
    let x = app.documents("x").expect("mounted");
    for count in [0, 600] {
        filled(&app, count).await;
        let expected = format!(r#"{{"records":{count}}}"#);
        assert_eq!(text(&x.index(&Params::new()).await.expect("listed").data), expected);
        let streamed: Vec<_> = x.index_stream(Params::new()).map(|record| record.expect("a record")).collect().await;
        assert_eq!(text(&streamed), expected);
        for path in ["/x", "/x?$limit=5000"] {
            assert_eq!(send(&router, "GET", path, "").await, (200, format!("[{expected}]")), "{path}");
        }
    }
}

#[tokio::test]
async fn an_after_hook_that_fails_late_is_an_error_response() {
    for of_app in [false, true] {
        let service = memory("x").hooked();
        let late = |ctx: &[Document]| ctx.iter().any(|record| record["number"].as_i64() == Some(5_000));
        let (app, router) = if of_app {
            let (app, router) = mounted(service);
            app.hooks("*", |hooks| {
                hooks.after(Method::Index, move |ctx| async move {
                    if late(ctx.records()) { Err(Error::conflict("late")) } else { Ok(ctx) }
                })
            })
            .expect("a pattern");
            (app, router)
        } else {
            mounted(service.after(Method::Index, move |ctx| async move {
                if late(ctx.records()) { Err(Error::conflict("late")) } else { Ok(ctx) }
            }))
        };
        filled(&app, 6_000).await;
        assert_eq!(send(&router, "GET", "/x", "").await.0, 409);
        assert_eq!(send(&router, "GET", "/x?$limit=6000", "").await.0, 409);
    }
}

#[tokio::test]
async fn events_that_hooks_of_index_add_come_by_every_way() {
    for of_app in [false, true] {
        for kind in ["before", "after", "parts"] {
            let service = memory("x").hooked();
            let (app, router) = if of_app {
                let (app, router) = mounted(service);
                let emit = |mut ctx: AppContext| async move {
                    ctx.emit("listed", Document::new());
                    Ok(ctx)
                };
                app.hooks("*", |hooks| match kind {
                    "before" => hooks.before(Method::Index, emit),
                    "after" => hooks.after(Method::Index, emit),
                    _ => hooks.after_parts(Method::Index, emit),
                })
                .expect("a pattern");
                (app, router)
            } else {
                let emit = |mut ctx: remex::HookContext<MemoryService<Document>>| async move {
                    ctx.emit("listed", Document::new());
                    Ok(ctx)
                };
                mounted(match kind {
                    "before" => service.before(Method::Index, emit),
                    "after" => service.after(Method::Index, emit),
                    _ => service.after_parts(Method::Index, emit),
                })
            };
            filled(&app, 3).await;
            let mut events = app.subscribe("*").expect("a pattern");
            app.documents("x").expect("mounted").index(&Params::new()).await.expect("listed");
            assert_eq!(next_event(&mut events).await.name, "listed", "{kind} {of_app}");
            for path in ["/x", "/x?$limit=10"] {
                assert_eq!(send(&router, "GET", path, "").await.0, 200);
                assert_eq!(next_event(&mut events).await.name, "listed", "{kind} {of_app} {path}");
            }
            // Who stops reading has had the events of what was read.
            let first = app.documents("x").expect("mounted");
            drop(first.index_stream(Params::new()).next().await);
            assert_eq!(next_event(&mut events).await.name, "listed", "{kind} {of_app} stream");
            assert!(futures_pending(&mut events).await, "{kind} {of_app}");
        }
    }
}

/// The names of what a query selects.
fn selected(params: &Params) -> String {
    params.query.select.iter().flatten().map(|path| path.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn hooks_see_what_a_write_selects_whoever_listens() {
    for (of_app, subscribed) in [(false, false), (false, true), (true, false), (true, true)] {
        let trace = Trace::default();
        let (before, after) = (trace.clone(), trace.clone());
        let service = memory("x").hooked();
        let (app, router) = if of_app {
            let (app, router) = mounted(service);
            app.hooks("*", |hooks| {
                hooks
                    .before(Method::Modify, move |ctx| {
                        before.lock().push(selected(ctx.params()));
                        async { Ok(ctx) }
                    })
                    .after(Method::Modify, move |ctx| {
                        after.lock().push(format!("{} {}", selected(ctx.params()), text(ctx.records())));
                        async { Ok(ctx) }
                    })
            })
            .expect("a pattern");
            (app, router)
        } else {
            mounted(
                service
                    .before(Method::Modify, move |ctx| {
                        before.lock().push(selected(ctx.params()));
                        async { Ok(ctx) }
                    })
                    .after(Method::Modify, move |ctx| {
                        after.lock().push(format!("{} {}", selected(ctx.params()), text(ctx.records())));
                        async { Ok(ctx) }
                    }),
            )
        };
        let x = app.documents("x").expect("mounted");
        x.create(document(r#"{"name":"a","pay":5}"#), &Params::new()).await.expect("created");
        let mut events = subscribed.then(|| app.subscribe("*").expect("a pattern"));
        let case = format!("of the app: {of_app}, subscribed: {subscribed}");
        let answer = send(&router, "PATCH", "/x/1?$select[]=pay", r#"{"name":"b"}"#).await;
        assert_eq!(answer, (200, r#"{"id":1,"pay":5}"#.into()), "{case}");
        let params = client().with_query(Query::new().select(["pay"]));
        let inside = x.modify(&1.into(), document(r#"{"name":"b"}"#).into(), &params).await.expect("modified");
        assert_eq!(inside.into_inner().to_string(), r#"{"id":1,"pay":5}"#, "{case}");
        let whole = r#"pay {"id":1,"name":"b","pay":5}"#;
        assert_eq!(taken(&trace), ["pay", whole, "pay", whole], "{case}");
        for _ in 0..2 {
            if let Some(events) = &mut events {
                assert_eq!(next_event(events).await.record.to_string(), whole[4..], "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_hook_may_change_what_a_call_selects() {
    for (of_app, subscribed) in [(false, false), (false, true), (true, false), (true, true)] {
        let service = memory("x").hooked();
        let (app, router) = if of_app {
            let (app, router) = mounted(service);
            app.hooks("*", |hooks| {
                hooks.before(MethodSet::ALL, |mut ctx| async move {
                    let query = &mut ctx.params_mut().query;
                    *query = std::mem::take(query).select(["name"]);
                    Ok(ctx)
                })
            })
            .expect("a pattern");
            (app, router)
        } else {
            mounted(service.before(MethodSet::ALL, |mut ctx| async move {
                let query = &mut ctx.params_mut().query;
                *query = std::mem::take(query).select(["name"]);
                Ok(ctx)
            }))
        };
        let mut events = subscribed.then(|| app.subscribe("*").expect("a pattern"));
        let case = format!("of the app: {of_app}, subscribed: {subscribed}");
        for path in ["/x", "/x?$select[]=pay"] {
            let (status, answer) = send(&router, "POST", path, r#"{"name":"a","pay":5}"#).await;
            assert!(status == 201 && answer.contains(r#","name":"a"}"#), "{case} {path}: {answer}");
            if let Some(events) = &mut events {
                assert!(next_event(events).await.record.contains("pay"), "{case} {path}");
            }
        }
        let x = app.documents("x").expect("mounted");
        let made = x.create(document(r#"{"name":"a","pay":5}"#), &Params::new()).await.expect("created");
        assert_eq!(made.to_string(), r#"{"id":3,"name":"a"}"#, "{case}");
        assert_eq!(send(&router, "GET", "/x/1?$select[]=pay", "").await.1, r#"{"id":1,"name":"a"}"#, "{case}");
        let all = r#"[{"id":1,"name":"a"},{"id":2,"name":"a"},{"id":3,"name":"a"}]"#;
        assert_eq!(send(&router, "GET", "/x?$select[]=pay", "").await.1, all, "{case}");
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Person {
    id: i64,
    name: String,
    pay: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NewPerson {
    name: String,
    pay: i64,
}

#[tokio::test]
async fn hooks_of_a_typed_service_see_and_change_what_a_write_selects() {
    for subscribed in [false, true] {
        let trace = Trace::default();
        let seen = trace.clone();
        let people = MemoryService::<Person, NewPerson>::new(Options::new("x")).expect("options").hooked();
        let (app, router) = mounted(people.before(MethodSet::ALL, move |mut ctx| {
            seen.lock().push(selected(ctx.params()));
            let query = &mut ctx.params_mut().query;
            *query = std::mem::take(query).select(["name"]);
            async { Ok(ctx) }
        }));
        let mut events = subscribed.then(|| app.subscribe("*").expect("a pattern"));
        let answer = send(&router, "POST", "/x?$select[]=pay", r#"{"name":"a","pay":5}"#).await;
        assert_eq!(answer, (201, r#"{"id":1,"name":"a"}"#.into()), "subscribed: {subscribed}");
        if let Some(events) = &mut events {
            assert_eq!(next_event(events).await.record.to_string(), r#"{"id":1,"name":"a","pay":5}"#);
        }
        assert_eq!(taken(&trace), ["pay"], "subscribed: {subscribed}");
    }
}

#[tokio::test]
async fn what_is_done_in_the_place_of_a_write_has_whole_records() {
    let (app, router) = mounted(memory("x"));
    app.hooks("*", |hooks| {
        hooks.before(Method::Remove, |mut ctx| async move {
            ctx.instead(|mut ctx| async move {
                let Some(id) = ctx.id().cloned() else { return Ok(ctx) };
                let patch = document(r#"{"removed":true}"#).into();
                let marked = ctx.service().clone().modify(&id, patch, ctx.params()).await?;
                ctx.set_result(marked.into_inner());
                Ok(ctx)
            });
            Ok(ctx)
        })
    })
    .expect("a pattern");
    let mut events = app.subscribe("*").expect("a pattern");
    send(&router, "POST", "/x", r#"{"name":"a"}"#).await;
    assert_eq!(send(&router, "DELETE", "/x/1?$select[]=removed", "").await.1, r#"{"id":1,"removed":true}"#);
    next_event(&mut events).await;
    assert_eq!(next_event(&mut events).await.record.to_string(), r#"{"id":1,"name":"a","removed":true}"#);
}

#[tokio::test]
async fn a_record_in_the_place_of_one_that_was_made_was_made_as_well() {
    for of_app in [false, true] {
        for method in ["PUT", "PATCH"] {
            let (app, router) = mounted(memory("x").hooked().after(MethodSet::ALL, move |mut ctx| async move {
                if !of_app {
                    ctx.set_record(ctx.records()[0].clone().with("seen", true));
                }
                Ok(ctx)
            }));
            app.hooks("*", |hooks| {
                hooks.after(MethodSet::ALL, move |mut ctx| async move {
                    if of_app {
                        ctx.set_result(ctx.records()[0].clone().with("seen", true));
                    }
                    Ok(ctx)
                })
            })
            .expect("a pattern");
            let mut events = app.subscribe("*").expect("a pattern");
            for (status, event) in [(201, "created"), (200, if method == "PUT" { "updated" } else { "modified" })] {
                assert_eq!(send(&router, method, "/x/5", "{}").await, (status, r#"{"id":5,"seen":true}"#.into()));
                assert_eq!(next_event(&mut events).await.name, event);
            }
        }
    }
}

#[tokio::test]
async fn records_in_the_place_of_those_of_a_page_leave_its_envelope_and_the_count() {
    let options = Options::new("x").paginate(Paginate::new(2, 5));
    let service = MemoryService::<Document>::new(options).expect("options").hooked();
    let (app, router) = mounted(service.after(Method::Index, |mut ctx| async move {
        let records: Vec<_> = ctx.records().iter().map(|record| record.clone().with("seen", true)).collect();
        ctx.set_result(records);
        Ok(ctx)
    }));
    filled(&app, 3).await;
    let page: serde_json::Value = serde_json::from_str(&send(&router, "GET", "/x", "").await.1).expect("JSON");
    assert_eq!((page["total"].as_u64(), page["limit"].as_u64()), (Some(3), Some(2)), "{page}");
    assert_eq!(page["data"][1]["seen"], true, "{page}");
    assert_eq!(app.documents("x").expect("mounted").count(&Params::new()).await.expect("counted"), 3);
    assert_eq!(send(&router, "GET", "/x/_count", "").await.1, r#"{"count":3}"#);
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    id: i64,
    name: String,
    #[serde(default)]
    password: String,
}

/// Answers with records as the program sees them, before the method or behind it.
fn careless<S>(behind: bool, hooks: Hooked<S>) -> Hooked<S>
where
    S: Service + 'static,
{
    let own = |mut ctx: remex::HookContext<S>| async move {
        let service = ctx.service().clone();
        match (ctx.operation(), ctx.id()) {
            (Operation::Index, _) => ctx.set_result(service.index(&Params::new()).await?.data),
            (Operation::Read | Operation::Modify, Some(id)) => {
                let record = service.read(id, &Params::new()).await?;
                ctx.set_record(record);
            }
            _ => {}
        }
        Ok(ctx)
    };
    let methods = [Method::Index, Method::Read, Method::Modify];
    if behind { hooks.after_parts(methods, own) } else { hooks.before(methods, own) }
}

#[tokio::test]
async fn what_is_hidden_reaches_no_client_whichever_hook_read_it() {
    let options = || Options::new("x").hidden_field("password");
    let documents = || MemoryService::<Document>::new(options()).expect("options");
    let users = || MemoryService::<User>::new(options()).expect("options");
    for behind in [false, true] {
        let of_app = |(app, router): (App, Router)| {
            app.hooks("*", |hooks| {
                let own = |mut ctx: AppContext| async move {
                    let x = ctx.app()?.documents("x")?;
                    let all = x.silent();
                    match (ctx.operation(), ctx.id()) {
                        (Operation::Index, _) => ctx.set_result(all.index(&Params::new()).await?.data),
                        (Operation::Read | Operation::Modify, Some(id)) => {
                            let record = all.read(id, &Params::new()).await?;
                            ctx.set_record(record);
                        }
                        _ => {}
                    }
                    Ok(ctx)
                };
                let methods = [Method::Index, Method::Read, Method::Modify];
                if behind { hooks.after_parts(methods, own) } else { hooks.before(methods, own) }
            })
            .expect("a pattern");
            (app, router)
        };
        for (name, (app, router)) in [
            ("documents", mounted(careless(behind, documents().hooked()))),
            ("types", mounted(careless(behind, users().hooked()))),
            ("documents, by the app", of_app(mounted(documents()))),
            ("types, by the app", of_app(mounted(users()))),
            ("hooked documents, by the app", of_app(mounted(documents().hooked()))),
            (
                "hooked types, by the app",
                of_app(mounted(users().hooked().before(MethodSet::ALL, |ctx| async { Ok(ctx) }))),
            ),
        ] {
            let case = format!("{name}, behind the method: {behind}");
            let x = app.documents("x").expect("mounted");
            let ann = document(r#"{"id":1,"name":"ann","password":"p"}"#);
            x.silent().create(ann.clone(), &Params::new()).await.expect("created");
            let shown = r#"{"id":1,"name":"ann"}"#;
            for subscribed in [false, true] {
                let _events = subscribed.then(|| app.subscribe("*").expect("a pattern"));
                for (verb, path) in [("GET", "/x/1"), ("GET", "/x"), ("GET", "/x?$limit=5"), ("PATCH", "/x/1")] {
                    let (status, answer) = send(&router, verb, path, "{}").await;
                    assert_eq!((status, answer.trim_matches(['[', ']'])), (200, shown), "{case}: {verb} {path}");
                }
                assert_eq!(x.read(&1.into(), &client()).await.expect("read").to_string(), shown, "{case}");
                let page = x.index(&client()).await.expect("listed");
                assert_eq!(text(&page.data), shown, "{case}");
                let streamed: Vec<_> = x.index_stream(client()).map(|record| record.expect("read")).collect().await;
                assert_eq!(text(&streamed), shown, "{case}");
                assert_eq!(x.read(&1.into(), &Params::new()).await.expect("read"), ann, "{case}");
                let streamed: Vec<_> =
                    x.index_stream(Params::new()).map(|record| record.expect("read")).collect().await;
                assert_eq!(streamed, std::slice::from_ref(&ann), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_hook_is_named_whichever_runs_behind_it() {
    let make = |add: fn(Hooked<MemoryService<Document>>) -> Hooked<MemoryService<Document>>| {
        let x = mounted(add(memory("x").hooked())).0.documents("x").expect("mounted");
        async move {
            x.silent().create(Document::new(), &Params::new()).await.expect("created");
            let create = x.create(Document::new(), &Params::new()).await.err();
            let read = x.read(&7.into(), &Params::new()).await.err();
            told(&create.or(read.filter(|error| !error.is_not_found())).expect("an error"))
        }
    };
    let taken = "an around hook of `x` for `create` took the data and gave none back";
    let takes = make(|x| {
        x.around(Method::Create, |mut ctx, next: Next<_>| async move {
            drop(ctx.take_data()?);
            next.run(ctx).await
        })
    });
    assert_eq!(takes.await, taken);
    let takes = make(|x| {
        x.around(Method::Create, |mut ctx, next: Next<_>| async move {
            drop(ctx.take_data()?);
            next.run(ctx).await
        })
        .around(Method::Create, |ctx, next: Next<_>| async move { next.run(ctx).await })
        .before(Method::Create, |ctx| async { Ok(ctx) })
        .after(Method::Create, |ctx| async { Ok(ctx) })
    });
    assert_eq!(takes.await, taken);
    let wrong = make(|x| {
        x.around(Method::Create, |mut ctx, next: Next<_>| async move {
            ctx.set_result(vec![Document::new()]);
            next.run(ctx).await
        })
        .before(Method::Create, |ctx| async { Ok(ctx) })
    });
    assert_eq!(wrong.await, "an around hook of `x` for `create` gave records as the result");
    let made_up = make(|x| {
        x.before(Method::Create, |mut ctx| async move {
            ctx.set_result(Output::Answer(Answer::default()));
            Ok(ctx)
        })
    });
    assert_eq!(made_up.await, "a before hook of `x` for `create` gave JSON text as the result");
    let takes_error = make(|x| {
        x.error(Method::Read, |mut ctx| async move {
            drop(ctx.take_error());
            Ok(ctx)
        })
    });
    assert_eq!(takes_error.await, "an error hook of `x` for `read` left neither an error nor a result");
    let wrong = make(|x| {
        x.error(Method::Read, |mut ctx| async move {
            ctx.set_result(vec![Document::new()]);
            Ok(ctx)
        })
        .error(MethodSet::ALL, |ctx| async { Ok(ctx) })
    });
    assert_eq!(wrong.await, "an error hook of `x` for `read` gave records as the result");
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Inner {
    x: i64,
    y: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Deep {
    id: i64,
    a: Inner,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NewDeep {
    a: Inner,
}

#[tokio::test]
async fn an_object_without_a_field_that_its_type_needs_is_stored_for_none_of_many() {
    let (app, _) = mounted(memory("x"));
    let x = app.service::<i64, Deep>("x").expect("mounted").taking::<NewDeep>();
    for _ in 0..2 {
        x.create(NewDeep { a: Inner { x: 1, y: 2 } }, &Params::new()).await.expect("created");
    }
    let part = || document(r#"{"a":{"x":3}}"#);
    let error = x.modify_many(part().into(), &Params::new()).await.expect_err("no `y`");
    assert_eq!((error.kind(), error.fields()[0].field.as_str()), (ErrorKind::Unprocessable, "a.y"));
    let gone = Patch::MergeDeep(document(r#"{"a":{"x":null}}"#));
    assert_eq!(x.modify_many(gone, &Params::new()).await.expect_err("no `x`").kind(), ErrorKind::Unprocessable);
    for record in x.index(&Params::new()).await.expect("all fit still").data {
        assert_eq!((record.a.x, record.a.y), (1, 2));
    }
    let merged = x.modify_many(Patch::MergeDeep(part()), &Params::new()).await.expect("modified");
    assert_eq!((merged[0].a.x, merged[1].a.y), (3, 2));
}

#[tokio::test]
async fn a_typed_modify_runs_the_hooks_of_modify_once_and_no_others() {
    let trace = Trace::default();
    let seen = trace.clone();
    let hooked = memory("x").hooked().after(MethodSet::ALL, move |mut ctx| {
        seen.lock().push(ctx.operation().to_string());
        if ctx.method() == Method::Read {
            ctx.records_mut().iter_mut().for_each(|record| drop(record.remove("text")));
        }
        async { Ok(ctx) }
    });
    for (app, router, view) in [
        {
            let (app, router) = mounted(hooked.typed::<Todo, NewTodo>());
            (app, router, true)
        },
        {
            let seen = trace.clone();
            let (app, router) = mounted(memory("x").hooked().after(MethodSet::ALL, move |mut ctx| {
                seen.lock().push(ctx.operation().to_string());
                if ctx.method() == Method::Read {
                    ctx.records_mut().iter_mut().for_each(|record| drop(record.remove("text")));
                }
                async { Ok(ctx) }
            }));
            (app, router, false)
        },
    ] {
        let x = app.documents("x").expect("mounted");
        x.create(document(r#"{"text":"a","done":false}"#), &Params::new()).await.expect("created");
        taken(&trace);
        let typed = app.service::<i64, Todo>("x").expect("mounted");
        for params in [Params::new(), client()] {
            let modified = typed.modify(&1, document(r#"{"done":true}"#).into(), &params).await.expect("modified");
            assert_eq!(modified.into_inner(), Todo { id: 1, text: "a".into(), done: true });
            assert_eq!(taken(&trace), ["modify"], "a view: {view}");
        }
        assert_eq!(send(&router, "PATCH", "/x/1", r#"{"text":"b"}"#).await.0, 200);
        assert_eq!(taken(&trace), ["modify"], "a view: {view}");
    }
}

#[tokio::test]
async fn detached_hooks_begun_by_what_is_done_at_the_stop_are_waited_for() {
    let done = Arc::new(AtomicUsize::new(0));
    let counted = done.clone();
    let (app, _) = mounted(memory("x").hooked().detached(Method::Create, move |ctx| {
        let counted = counted.clone();
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(ctx)
        }
    }));
    app.on_stop(|app| async move { app.documents("x")?.create(Document::new(), &Params::new()).await.map(drop) });
    app.stop().await.expect("stopped");
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn detached_hooks_of_streams_begin_and_are_bounded_as_those_of_calls() {
    /// A detached hook that looks at no records, so that lists are streamed.
    struct Slow(Arc<AtomicUsize>, tokio::sync::watch::Receiver<bool>);

    impl<S: Service + ?Sized + 'static> remex::Hook<S> for Slow {
        fn run(&self, ctx: remex::HookContext<S>) -> remex::HookFuture<S> {
            let (running, mut released) = (self.0.clone(), self.1.clone());
            Box::pin(async move {
                running.fetch_add(1, Ordering::SeqCst);
                released.wait_for(|released| *released).await.expect("a sender");
                Ok(ctx)
            })
        }

        fn sees_records(&self) -> bool {
            false
        }
    }

    let running = Arc::new(AtomicUsize::new(0));
    let (release, released) = tokio::sync::watch::channel(false);
    let slow = Slow(running.clone(), released);
    let (app, _) = mounted(memory("x").hooked().add(remex::HookKind::Detached, Method::Index, slow));
    let x = app.documents("x").expect("mounted");
    let lists = (0..remex::DETACHED_MAX + 20).map(|_| {
        let x = x.clone();
        tokio::spawn(async move { x.index_stream(Params::new()).count().await })
    });
    let lists: Vec<_> = lists.collect();
    let finished = || lists.iter().filter(|list| list.is_finished()).count();
    for _ in 0..500 {
        if finished() >= remex::DETACHED_MAX {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // Those past the bound hold up their own list and are no more than these.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(finished(), remex::DETACHED_MAX);
    release.send(true).expect("receivers");
    for list in lists {
        list.await.expect("no panic");
    }
    app.stop().await.expect("stopped");
    assert_eq!(running.load(Ordering::SeqCst), remex::DETACHED_MAX + 20);
}

#[tokio::test]
async fn a_service_without_an_app_waits_for_its_detached_hooks_too() {
    let done = Arc::new(AtomicUsize::new(0));
    let counted = done.clone();
    let x = memory("x").hooked().detached(Method::Create, move |ctx| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(ctx) }
    });
    x.create(Document::new(), &Params::new()).await.expect("created");
    finish_detached_hooks().await;
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_result_that_is_of_another_type_is_the_fault_of_the_hook() {
    for hooked in [false, true] {
        let todos = MemoryService::<Todo, NewTodo>::new(Options::new("x")).expect("options").hooked();
        let todos = if hooked { todos.before(MethodSet::ALL, |ctx| async { Ok(ctx) }) } else { todos };
        let (app, router) = mounted(todos);
        app.hooks("*", |hooks| {
            hooks.before(Method::Create, |mut ctx| async move {
                ctx.set_result(document(r#"{"id":1,"text":5}"#));
                Ok(ctx)
            })
        })
        .expect("a pattern");
        assert_eq!(send(&router, "POST", "/x", r#"{"text":"b"}"#).await.0, 500, "{hooked}");
        let x = app.documents("x").expect("mounted");
        let error = x.create(document(r#"{"text":"b"}"#), &Params::new()).await.expect_err("no todo");
        let detail = told(&error);
        assert!(detail.starts_with("a hook around `x` for `create` gave a result that is no `"), "{detail}");
    }
}

#[tokio::test]
async fn what_a_service_does_not_offer_is_not_offered_by_its_hooks() {
    for of_app in [false, true] {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let service = FnService::<Id>::new("x").on_read(|_, _| async { Ok(Document::new()) }).hooked();
        let (app, router) = if of_app {
            let (app, router) = mounted(service);
            app.hooks("*", |hooks| {
                hooks.before(MethodSet::ALL, move |mut ctx| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    ctx.finish(Document::new());
                    async { Ok(ctx) }
                })
            })
            .expect("a pattern");
            (app, router)
        } else {
            mounted(service.before(MethodSet::ALL, move |mut ctx| {
                counted.fetch_add(1, Ordering::SeqCst);
                ctx.finish(Document::new());
                async { Ok(ctx) }
            }))
        };
        for (verb, path) in [
            ("POST", "/x"),
            ("PATCH", "/x/1"),
            ("PUT", "/x/1"),
            ("DELETE", "/x/1"),
            ("GET", "/x"),
            ("GET", "/x/_count"),
        ] {
            assert_eq!(send(&router, verb, path, "{}").await.0, 405, "{verb} {path}");
        }
        let (x, params) = (app.documents("x").expect("mounted"), Params::new());
        let kinds = [
            x.create(Document::new(), &params).await.err(),
            x.create_many(vec![Document::new()], &params).await.err(),
            x.modify(&1.into(), Document::new().into(), &params).await.err(),
            x.modify_many(Document::new().into(), &params).await.err(),
            x.update(&1.into(), Document::new(), &params).await.err(),
            x.remove(&1.into(), &params).await.err(),
            x.remove_many(&params).await.err(),
            x.index(&params).await.err(),
            x.count(&params).await.err(),
            x.find_one(&params).await.err(),
            x.index_stream(params.clone()).next().await.and_then(Result::err),
        ];
        for (call, error) in kinds.iter().enumerate() {
            let kind = error.as_ref().map(Error::kind);
            assert_eq!(kind, Some(ErrorKind::MethodNotAllowed), "{call} of the app: {of_app}");
        }
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_parameter_in_a_pattern_means_one_of_any_name() {
    let app = App::new();
    app.mount("users/{user_id}/notes", memory("notes")).expect("mounted");
    app.hooks("users/{id}/notes", |hooks| {
        hooks.before(MethodSet::ALL, |_: AppContext| async { Err(Error::forbidden("no")) })
    })
    .expect("a pattern");
    let router = rest(&app);
    for path in ["/users/5/notes", "/users/5/notes?$limit=1", "/users/5/notes/1"] {
        assert_eq!(send(&router, "GET", path, "").await.0, 403, "{path}");
    }
}

#[tokio::test]
async fn an_error_hook_sees_what_fails_in_the_middle_of_a_streamed_list() {
    let fails = |ctx: &[Document]| ctx.iter().any(|record| record["number"].as_i64() == Some(10));
    let (app, router) = mounted(
        memory("x")
            .hooked()
            .after_parts(Method::Index, move |ctx| async move {
                if fails(ctx.records()) { Err(Error::conflict("no")) } else { Ok(ctx) }
            })
            .error(Method::Index, |mut ctx| async move {
                ctx.set_error(Error::forbidden("told by the error hook"));
                Ok(ctx)
            }),
    );
    filled(&app, 20).await;
    for path in ["/x", "/x?$limit=20"] {
        let (status, answer) = send(&router, "GET", path, "").await;
        assert!(status == 403 && answer.contains("told by the error hook"), "{path}: {status} {answer}");
    }
    let x = app.documents("x").expect("mounted");
    let first = x.index_stream(Params::new()).next().await.expect("an item");
    assert_eq!(first.expect_err("refused").kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn an_error_hook_answers_in_the_place_of_a_list_of_which_nothing_is_on_its_way() {
    for (bad, records, ends_well) in [(10, 1, true), (300, 256, false)] {
        let (app, router) = mounted(
            memory("x")
                .hooked()
                .after_parts(Method::Index, move |ctx| async move {
                    let fails = ctx.records().iter().any(|record| record["number"].as_i64() == Some(bad));
                    if fails { Err(Error::conflict("no")) } else { Ok(ctx) }
                })
                .error(Method::Index, |mut ctx| async move {
                    ctx.set_result(vec![document(r#"{"id":0}"#)]);
                    Ok(ctx)
                }),
        );
        filled(&app, 400).await;
        let x = app.documents("x").expect("mounted");
        assert_eq!(text(&x.index(&Params::new()).await.expect("listed").data), r#"{"id":0}"#);
        let list: Vec<_> = x.index_stream(Params::new()).collect().await;
        assert_eq!(list.iter().filter(|record| record.is_ok()).count(), records);
        assert_eq!(list.last().is_some_and(Result::is_ok), ends_well);
        // The first part that is sent is larger than what has come by then.
        assert_eq!(send(&router, "GET", "/x", "").await.0, if ends_well { 200 } else { 500 });
    }
}

#[tokio::test]
async fn records_come_as_they_are_read_where_no_hook_is_behind_the_method() {
    struct Endless;

    #[async_trait]
    impl Service for Endless {
        type Id = Id;
        type Data = Document;
        type Input = Document;

        async fn index(&self, _: &Params) -> Result<Page<Document>> {
            Err(Error::internal("must not be gathered"))
        }

        fn index_stream(&self, _: Params) -> futures::stream::BoxStream<'_, Result<Document>> {
            let first = futures::stream::once(async { Ok(Document::new().with("id", 1)) });
            first.chain(futures::stream::pending()).boxed()
        }
    }

    let trace = Trace::default();
    let service = Endless.hooked().before(Method::Index, |ctx| async { Ok(ctx) });
    let (app, _) = mounted(service.add_around(Method::Index, Blind(trace)));
    app.hooks("*", |hooks| hooks.before(Method::Index, |ctx| async { Ok(ctx) })).expect("a pattern");
    let x = app.documents("x").expect("mounted");
    let mut records = x.index_stream(Params::new());
    let first = tokio::time::timeout(std::time::Duration::from_secs(5), records.next()).await;
    assert_eq!(first.expect("at once").expect("a record").expect("read").to_string(), r#"{"id":1}"#);
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Renamed {
    id: i64,
    #[serde(rename = "txt")]
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opt: Option<f32>,
    #[serde(default, skip_deserializing)]
    computed: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NewRenamed {
    #[serde(rename = "txt")]
    text: String,
    opt: Option<f32>,
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, serde_json::Value>,
}

/// Adds a hook that does nothing, of the kind named.
fn idle<S: Service + 'static>(service: Hooked<S>, kind: &str) -> Hooked<S> {
    match kind {
        "before" => service.before(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "after" => service.after(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "parts" => service.after_parts(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "around" => service.around(MethodSet::ALL, |ctx, next: Next<_>| async { next.run(ctx).await }),
        "error" => service.error(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "detached" => service.detached(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        _ => service,
    }
}

fn idle_in(app: &App, kind: &str) {
    app.hooks("*", |hooks| match kind {
        "before" => hooks.before(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "after" => hooks.after(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "parts" => hooks.after_parts(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "around" => hooks.around(MethodSet::ALL, |ctx, next: Next<_>| async { next.run(ctx).await }),
        "error" => hooks.error(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        "detached" => hooks.detached(MethodSet::ALL, |ctx| async { Ok(ctx) }),
        _ => hooks,
    })
    .expect("a pattern");
}

const REQUESTS: [(&str, &str, &str); 32] = [
    ("POST", "/x", r#"{"txt":"b","more":5}"#),
    ("POST", "/x?$select[]=txt", r#"{"txt":"b","more":5}"#),
    ("GET", "/x", ""),
    ("GET", "/x?$limit=10", ""),
    ("GET", "/x/1", ""),
    ("GET", "/x/1?$select[]=more", ""),
    ("GET", "/x?$select[]=txt", ""),
    ("GET", "/x?$select[]=txt&$limit=2&$total=true", ""),
    ("GET", "/x?$total=true", ""),
    ("HEAD", "/x/1", ""),
    ("PATCH", "/x/1", r#"{"txt":"z","x":3}"#),
    ("PATCH", "/x/1?$select[]=txt", r#"{"txt":"z","x":3}"#),
    ("PATCH", "/x/1", r#"{"txt":null}"#),
    ("PATCH", "/x/77", r#"{"txt":"new"}"#),
    ("PATCH", "/x/1?txt=nope", r#"{"txt":"q"}"#),
    ("PATCH", "/x/xx", r#"{"txt":"q"}"#),
    ("PUT", "/x/1?$select[]=txt", r#"{"txt":"q"}"#),
    ("PUT", "/x/xx", r#"{"txt":"q"}"#),
    ("PUT", "/x/1", r#"{"opt":1,"txt":"a"}"#),
    ("PUT", "/x/1", r#"{"txt":1}"#),
    ("POST", "/x", r#"[{"txt":"b"},{"txt":"c"}]"#),
    ("POST", "/x", r#"[{"txt":1},{"txt":"c"}]"#),
    ("PATCH", "/x?txt=b&$select[]=txt", r#"{"more":7}"#),
    ("GET", "/x/_count", ""),
    ("DELETE", "/x/2?$select[]=txt", ""),
    ("DELETE", "/x", ""),
    ("DELETE", "/x?txt=c", ""),
    ("DELETE", "/x/99", ""),
    ("POST", "/x?$select[]=opt", r#"{"txt":"b","more":5}"#),
    ("GET", "/x?opt=1", ""),
    ("GET", "/x?$sort[opt]=1", ""),
    ("GET", "/x/1?$select[]=opt", ""),
];

async fn answers(app: &App, router: &Router) -> Vec<String> {
    let first = document(r#"{"txt":"a","opt":0.1,"more":5}"#);
    app.documents("x").expect("mounted").silent().create(first, &Params::new()).await.expect("created");
    let mut answers = Vec::new();
    for (verb, path, body) in REQUESTS {
        let (status, answer) = send(router, verb, path, body).await;
        answers.push(format!("{verb} {path} {body}: {status} {answer}"));
    }
    answers
}

#[tokio::test]
async fn idle_hooks_and_subscribers_change_no_byte_of_any_answer() {
    let options = || {
        let multi = [Method::Create, Method::Modify, Method::Remove];
        Options::new("x").hidden_field("opt").multi(multi)
    };
    let typed = || MemoryService::<Renamed, NewRenamed>::new(options()).expect("options").hooked();
    let documents = || MemoryService::<Document>::new(options()).expect("options").hooked();
    for of_types in [false, true] {
        let mut plain = None;
        for kind in ["none", "before", "after", "parts", "around", "error", "detached"] {
            for (of_app, subscribed) in [(false, false), (false, true), (true, false), (true, true)] {
                let own = if of_app { "none" } else { kind };
                let (app, router) =
                    if of_types { mounted(idle(typed(), own)) } else { mounted(idle(documents(), own)) };
                if of_app {
                    idle_in(&app, kind);
                }
                let _events = subscribed.then(|| app.subscribe("*").expect("a pattern"));
                let given = answers(&app, &router).await;
                let plain = plain.get_or_insert_with(|| given.clone());
                assert_eq!(given, *plain, "{kind}, of the app: {of_app}, subscribed: {subscribed}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_looked_through_for_one_service_is_not_for_another() {
    let app = App::new();
    let a = MemoryService::<Document>::new(Options::new("a").hidden_field("secret")).expect("options").hooked();
    let a = a.before(Method::Create, |ctx| async move {
        let data = ctx.inputs()[0].clone();
        ctx.app()?.documents("b")?.create(data, ctx.params()).await?;
        Ok(ctx)
    });
    app.mount("a", a).expect("mounted");
    let b = MemoryService::<Document>::new(Options::new("b").hidden_field("admin")).expect("options");
    app.mount("b", b.hooked().before(Method::Create, |ctx| async { Ok(ctx) })).expect("mounted");
    let router = rest(&app);
    assert_eq!(send(&router, "POST", "/a", r#"{"admin":true}"#).await.0, 422);
    assert_eq!(send(&router, "POST", "/a", r#"{"secret":true}"#).await.0, 422);
    assert_eq!(send(&router, "POST", "/a", r#"{"name":"x"}"#).await.0, 201);
    let made = app.documents("b").expect("mounted").count(&Params::new()).await.expect("counted");
    assert_eq!(made, 1);
}
