//! Paths: what they lead to, and what is in them.

use axum::Router;
use axum::routing;
use remex_axum::{rest, routes};
use remex_core::{App, Document, FnService, Id, IdKind, Options, Page};

use crate::support::{Records, get, request, send, todos};

/// A service that answers the id, and the values of the path's parameters.
fn echo() -> FnService {
    let shown = |id: Option<&Id>, params: &remex_core::Params| {
        let route: Document = params.route.iter().collect();
        let document = Document::new().with("route", route);
        match id {
            Some(id) => document.with("id", id.as_str()),
            None => document,
        }
    };
    FnService::new("echo")
        .on_index(move |params| async move { Ok(vec![shown(None, &params)].into()) })
        .on_read(move |id, params| async move { Ok(shown(Some(&id), &params)) })
        .on_create(move |_, params| async move { Ok(shown(Some(&Id::from("a/b")), &params)) })
}

async fn id_at(router: &Router, path: &str) -> serde_json::Value {
    get(router, path).await.json()["id"].clone()
}

#[tokio::test]
async fn ids_are_decoded_once() {
    let app = App::new();
    app.mount("echo", echo()).unwrap();
    let router = rest(&app);
    for (path, id) in [
        ("/echo/7", "7"),
        ("/echo/a%2Fb", "a/b"),
        ("/echo/a%252Fb", "a%2Fb"),
        ("/echo/Zo%C3%AB%20%F0%9F%90%A6", "Zoë 🐦"),
        ("/echo/a+b", "a+b"),
        ("/echo/..", ".."),
        ("/echo/%2E%2E%2Fecho", "../echo"),
        ("/echo/null", "null"),
        ("/echo/a;b=c,d", "a;b=c,d"),
        ("/echo/_x", "_x"),
        ("/echo/%5Fcounts", "_counts"),
        ("/%65cho/1", "1"),
    ] {
        assert_eq!(id_at(&router, path).await, id, "{path}");
    }
    for path in ["/echo/%", "/echo/%F", "/echo/%zz", "/echo/%FF", "/echo/%C3%28", "/echo//", "/%"] {
        get(&router, path).await.problem(400);
    }
    for path in ["/", "//", "/echo/1/2", "//echo", "/x/1", "/ECHO"] {
        assert_eq!(get(&router, path).await.problem(404), "there is nothing under this path", "{path}");
    }
    assert_eq!(get(&router, "/echo/%5Fcount").await.body, r#"{"count":1}"#);
}

#[tokio::test]
async fn ids_have_a_longest() {
    let router = todos(Options::new("todos").id_kind(IdKind::Text));
    let (longest, longer) = ("x".repeat(255), "x".repeat(256));
    assert_eq!(send(&router, request("PUT", &format!("/todos/{longest}"), "{}")).await.status, 201);
    assert_eq!(get(&router, &format!("/todos/{longest}")).await.status, 200);
    send(&router, request("PUT", &format!("/todos/{longer}"), "{}")).await.problem(400);
    send(&router, request("PATCH", &format!("/todos/{longer}"), "{}")).await.problem(404);
    get(&router, &format!("/todos/{longer}")).await.problem(404);
}

#[tokio::test]
async fn mounts_may_have_parameters_and_go_before_ids() {
    let app = App::new();
    app.mount("users", echo()).unwrap();
    app.mount("users/admins", echo()).unwrap();
    app.mount("users/{user_id}/notes", echo()).unwrap();
    let router = rest(&app);
    assert_eq!(id_at(&router, "/users/7").await, "7");
    assert_eq!(get(&router, "/users/admins").await.body, r#"[{"route":{}}]"#);
    assert_eq!(get(&router, "/users/a%2Fb/notes/").await.body, r#"[{"route":{"user_id":"a/b"}}]"#);
    assert_eq!(get(&router, "/users/5/notes/7").await.body, r#"{"route":{"user_id":"5"},"id":"7"}"#);
    let created = send(&router, request("POST", "/users/a%2Fb/notes", "{}")).await;
    assert_eq!(created.header("location"), Some("/users/a%2Fb/notes/a%2Fb"));
}

#[tokio::test]
async fn an_app_nests_and_merges() {
    let app = App::new();
    app.mount("users/{user_id}/notes", echo()).unwrap();
    let nested = Router::new().nest("/api/{version}", rest(&app));
    let reply = get(&nested, "/api/v1/users/5/notes").await;
    assert_eq!(reply.body, r#"[{"route":{"version":"v1","user_id":"5"}}]"#);
    let created = send(&nested, request("POST", "/api/v1/users/5/notes?$select=id", "{}")).await;
    assert_eq!(created.header("location"), Some("/api/v1/users/5/notes/a%2Fb"));
    get(&nested, "/api/v1/nowhere").await.problem(404);
    get(&nested, "/api/%FF/users/5/notes").await.problem(400);

    let merged = Router::new().route("/health", routing::get(async || "fine")).merge(rest(&app));
    assert_eq!(get(&merged, "/health").await.body, "fine");
    assert_eq!(get(&merged, "/users/5/notes").await.status, 200);
    get(&merged, "/nowhere").await.problem(404);

    let behind = Router::new().route("/health", routing::get(async || "fine")).fallback_service(rest(&app));
    assert_eq!(get(&behind, "/health").await.body, "fine");
    assert_eq!(get(&behind, "/users/5/notes/7").await.status, 200);
}

#[tokio::test]
async fn a_service_nests_under_any_path() {
    let nested = Router::new().nest("/users/{user_id}/notes", routes(echo()));
    let served = Router::new().nest_service("/users/{user_id}/notes", routes(echo()));
    for router in [nested, served.clone()] {
        assert_eq!(get(&router, "/users/5/notes").await.body, r#"[{"route":{"user_id":"5"}}]"#);
        assert_eq!(get(&router, "/users/5/notes/a%2Fb").await.body, r#"{"route":{"user_id":"5"},"id":"a/b"}"#);
        let created = send(&router, request("POST", "/users/a%20b/notes", "{}")).await;
        assert_eq!(created.header("location"), Some("/users/a%20b/notes/a%2Fb"));
        get(&router, "/users/5/notes/1/2").await.problem(404);
    }
    // axum's `nest` does not match this one.
    assert_eq!(get(&served, "/users/5/notes/").await.status, 200);
    assert_eq!(send(&served, request("DELETE", "/users/5/notes//", "")).await.status, 400);

    let alone = routes(Records::with_three(Options::new("todos")));
    assert_eq!(get(&alone, "/").await.json().as_array().unwrap().len(), 3);
    assert_eq!(get(&alone, "/3").await.json()["id"], 3);
    assert_eq!(send(&alone, request("POST", "/", "{}")).await.header("location"), Some("/4"));
    get(&alone, "//").await.problem(400);
    get(&alone, "/1/2").await.problem(404);
}

#[tokio::test]
async fn a_link_has_the_whole_path() {
    let app = App::new();
    app.mount("todos", Records::with_three(Options::new("todos"))).unwrap();
    let router = Router::new().nest("/api", rest(&app));
    let reply = get(&router, "/api/todos?$limit=1").await;
    assert!(reply.header("link").unwrap().starts_with("</api/todos?$limit=1&$after="));
}

#[tokio::test]
async fn a_typed_service_reads_its_ids() {
    let numbers = FnService::<u32, u32, ()>::new("numbers")
        .on_index(|_| async { Ok(Page::from(vec![1, 2])) })
        .on_read(|id, _| async move { Ok(id) });
    let router = routes(numbers);
    assert_eq!(get(&router, "/").await.body, "[1,2]");
    assert_eq!(get(&router, "/7").await.body, "7");
    get(&router, "/seven").await.problem(404);
}
