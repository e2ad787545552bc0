//! Layers: what they add, and what they are around.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use remex_axum::{RestRoutes, ServiceRoutes, edit_params, rest, routes};
use remex_core::{App, ClientAddress, Document, Filter, FnService, Id, Method, Options, Params, Provider};

use crate::support::{Records, get, plain, request, send};

/// The example of Angel's own tests: a middleware sets what the service reads.
#[tokio::test]
async fn a_layer_adds_to_the_query() {
    async fn foo_is_bar(mut request: Request, next: Next) -> Response {
        edit_params(request.extensions_mut(), |params| {
            params.query = std::mem::take(&mut params.query).filter(Filter::eq("foo", "bar"));
        });
        next.run(request).await
    }
    let service = FnService::<Id, String>::new("foo").on_index(|params: Params| async move {
        let values = params.query.filter.equalities().into_iter().filter(|(path, _)| path.as_str() == "foo");
        let values: Vec<String> = values.map(|(_, value)| value.as_str().unwrap_or_default().to_owned()).collect();
        Ok(values.into())
    });
    let router = routes(service).layer(from_fn(foo_is_bar));
    let reply = get(&router, "/").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, r#"["bar"]"#));
    assert_eq!(get(&router, "/?foo=baz").await.body, r#"["baz","bar"]"#);
}

#[tokio::test]
async fn edits_are_applied_in_their_order_and_last() {
    async fn edit(mut request: Request, next: Next) -> Response {
        edit_params(request.extensions_mut(), |params| params.query.limit = Some(2));
        edit_params(request.extensions_mut(), |params| {
            assert_eq!(params.query.limit, Some(2));
            params.scope = Filter::eq("done", false);
        });
        next.run(request).await
    }
    async fn outer(mut request: Request, next: Next) -> Response {
        edit_params(request.extensions_mut(), |params| {
            assert_eq!((params.query.limit, params.provider.as_ref()), (Some(1), Some(&Provider::Rest)));
        });
        next.run(request).await
    }
    let router = plain().layer(from_fn(edit)).layer(from_fn(outer));
    assert_eq!(get(&router, "/todos?$limit=1").await.json().as_array().unwrap().len(), 2);
    get(&router, "/todos/2?$limit=1").await.problem(404);
}

#[tokio::test]
async fn what_layers_insert_arrives() {
    #[derive(Clone)]
    struct User(&'static str);
    let service = FnService::<Id, Document>::new("me").on_read(|_, params: Params| async move {
        let user = params.extensions.get::<User>().map(|user| user.0);
        let agent = params.headers.get("user-agent").and_then(|agent| agent.to_str().ok().map(str::to_owned));
        Ok(Document::new().with("user", user).with("agent", agent))
    });
    let router = routes(service).layer(axum::Extension(User("alice")));
    let mut request = request("GET", "/1", "");
    request.headers_mut().insert("user-agent", "test".parse().unwrap());
    assert_eq!(send(&router, request).await.body, r#"{"user":"alice","agent":"test"}"#);
}

#[tokio::test]
async fn services_know_the_client_by_its_address() {
    use std::net::{IpAddr, SocketAddr};

    let service = FnService::<Id, Document>::new("me").on_read(|_, params: Params| async move {
        let address = params.extensions.get::<ClientAddress>().map(|ClientAddress(address)| address.to_string());
        Ok(Document::new().with("from", address))
    });
    let router = routes(service);
    let ask = async |peer: Option<SocketAddr>, said: Option<IpAddr>| {
        let mut request = request("GET", "/1", "");
        peer.map(|peer| request.extensions_mut().insert(ConnectInfo(peer)));
        said.map(|address| request.extensions_mut().insert(ClientAddress(address)));
        send(&router, request).await.body
    };
    let peer = Some(SocketAddr::from(([192, 0, 2, 7], 1234)));
    assert_eq!(ask(None, None).await, r#"{"from":null}"#);
    assert_eq!(ask(peer, None).await, r#"{"from":"192.0.2.7"}"#);
    // A layer that knows of the proxy is believed.
    assert_eq!(ask(peer, Some([203, 0, 113, 9].into())).await, r#"{"from":"203.0.113.9"}"#);
}

/// A trace of the layers that requests went through.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<&'static str>>>);

/// Makes a layer that leaves its name in a trace.
macro_rules! leaving {
    ($trace:expr, $name:literal) => {{
        let trace = $trace.clone();
        from_fn(move |request: Request, next: Next| {
            let trace = trace.clone();
            async move {
                trace.0.lock().push($name);
                next.run(request).await
            }
        })
    }};
}

#[tokio::test]
async fn a_service_and_a_method_have_their_own_layers() {
    let trace = Trace::default();
    let app = App::new();
    app.mount("todos", Records::with_three(Options::new("todos"))).unwrap();
    app.mount("others", Records::with_three(Options::new("others"))).unwrap();
    let router = RestRoutes::new(&app)
        .layer_method("/todos/", Method::Create, leaving!(trace, "create"))
        .layer_service("todos", leaving!(trace, "inner"))
        .layer_service("todos", leaving!(trace, "outer"))
        .layer_method("others", Method::Index, leaving!(trace, "index"))
        .into_router()
        .unwrap();
    let check = async |verb: &str, path: &str, status: u16, expected: &[&str]| {
        let body = if verb == "POST" { "{}" } else { "" };
        assert_eq!(send(&router, request(verb, path, body)).await.status.as_u16(), status, "{verb} {path}");
        assert_eq!(std::mem::take(&mut *trace.0.lock()), expected, "{verb} {path}");
    };
    check("POST", "/todos", 201, &["outer", "inner", "create"]).await;
    check("GET", "/todos", 200, &["outer", "inner"]).await;
    check("GET", "/todos/1", 200, &["outer", "inner"]).await;
    check("OPTIONS", "/todos", 204, &["outer", "inner"]).await;
    check("PUT", "/todos", 405, &["outer", "inner"]).await;
    check("GET", "/others", 200, &["index"]).await;
    check("GET", "/others/_count", 200, &["index"]).await;
    check("POST", "/others", 201, &[]).await;
    check("GET", "/nowhere", 404, &[]).await;
}

#[tokio::test]
async fn a_layer_can_answer_in_place_of_the_service() {
    async fn refuse(_: Request) -> Response {
        remex_axum::error_response(&remex_core::Error::forbidden("no")).into_response()
    }
    let refusing = tower::layer::layer_fn(|_| {
        tower::service_fn(|request| async { Ok::<_, std::convert::Infallible>(refuse(request).await) })
    });
    let service = Records::with_three(Options::new("todos"));
    let router = ServiceRoutes::new(service).layer_method(Method::Remove, refusing).into_router();
    let router = Router::new().nest("/todos", router);
    assert_eq!(send(&router, request("DELETE", "/todos/1", "")).await.problem(403), "no");
    assert_eq!(send(&router, request("DELETE", "/todos?done=true", "")).await.problem(403), "no");
    assert_eq!(get(&router, "/todos/1").await.status, 200);
}

#[tokio::test]
async fn layers_edit_and_insert_where_they_are_for_one_method() {
    async fn only_done(mut request: Request, next: Next) -> Response {
        edit_params(request.extensions_mut(), |params| params.scope = Filter::eq("done", true));
        next.run(request).await
    }
    let app = App::new();
    app.mount("todos", Records::with_three(Options::new("todos"))).unwrap();
    let router = RestRoutes::new(&app).layer_method("todos", Method::Index, from_fn(only_done)).into_router().unwrap();
    let router = Router::new().nest("/api", router);
    assert_eq!(get(&router, "/api/todos").await.json().as_array().unwrap().len(), 1);
    assert_eq!(get(&router, "/api/todos/_count").await.body, r#"{"count":1}"#);
    assert_eq!(get(&router, "/api/todos/1").await.status, 200);
    let reply = get(&router, "/api/todos?$limit=0").await;
    assert_eq!(reply.body, "[]");
}

#[test]
fn a_layer_for_nobody_is_an_error() {
    let app = App::new();
    app.mount("todos/{id}/notes", Records::new(Options::new("notes"))).unwrap();
    let trace = Trace::default();
    let error = RestRoutes::new(&app).layer_service("todo", leaving!(trace, "x")).into_router().unwrap_err();
    assert_eq!(error.message(), "a layer is for `todo`, where no service is mounted");
    assert!(RestRoutes::new(&app).layer_service("todos/{id}/notes", leaving!(trace, "x")).into_router().is_ok());
    let _ = rest(&app);
}
