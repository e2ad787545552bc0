//! What several crates have to do together: an app of services in memory, behind its routes.

mod hook_edges;
mod hooks;
#[cfg(all(feature = "cache", feature = "hooks"))]
mod transactions;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use remex::{
    App, Document, Filter, FnService, Id, MemoryService, Method, Options, Params, RestRoutes, Result, Service,
    edit_params, rest,
};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;

/// Sends a request and returns status and body.
async fn send(router: &Router, method: &str, path: &str, body: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

/// Lets each user see and make their own notes only.
async fn own_notes(mut request: Request, next: Next) -> Response {
    edit_params(request.extensions_mut(), |params: &mut Params| {
        let user = params.route.get("user_id").unwrap_or_default().to_owned();
        params.scope = std::mem::take(&mut params.scope).and(Filter::eq("user", user));
    });
    next.run(request).await
}

fn notes() -> Result<Router> {
    let app = App::new();
    let options = Options::new("notes").allow_remove_all(true).multi([Method::Modify]);
    app.mount("users/{user_id}/notes", MemoryService::<Document>::new(options)?)?;
    RestRoutes::new(&app).layer_service("users/{user_id}/notes", from_fn(own_notes)).into_router()
}

#[tokio::test]
async fn a_scope_from_the_path_holds_on_every_route() {
    let router = notes().expect("a router");
    let made = send(&router, "POST", "/users/ann/notes", r#"{"text":"a"}"#).await;
    assert_eq!(made, (201, r#"{"id":1,"text":"a","user":"ann"}"#.to_owned()));
    send(&router, "POST", "/users/bob/notes", r#"{"text":"b"}"#).await;

    // Bob's note does not exist for Ann, whatever she asks for.
    for (method, body) in [("GET", ""), ("PATCH", r#"{"text":"x"}"#), ("PUT", r#"{"text":"x"}"#), ("DELETE", "")] {
        assert_eq!(send(&router, method, "/users/ann/notes/2", body).await.0, 404, "{method}");
    }
    let all = r#"[{"id":1,"text":"a","user":"ann"}]"#;
    assert_eq!(send(&router, "GET", "/users/ann/notes", "").await.1, all);
    assert_eq!(send(&router, "GET", "/users/ann/notes?$or[0][user]=bob&$or[1][user]=ann", "").await.1, all);
    assert_eq!(send(&router, "GET", "/users/ann/notes/_count?user=bob", "").await.1, r#"{"count":0}"#);
    assert_eq!(send(&router, "POST", "/users/ann/notes", r#"{"user":"bob"}"#).await.0, 403);
    assert_eq!(send(&router, "PATCH", "/users/ann/notes/1", r#"{"user":"bob"}"#).await.0, 403);
    assert_eq!(send(&router, "PATCH", "/users/ann/notes?text[$exists]=true", r#"{"seen":true}"#).await.0, 200);
    assert_eq!(send(&router, "DELETE", "/users/ann/notes", "").await.0, 200);
    assert_eq!(send(&router, "GET", "/users/bob/notes", "").await.1, r#"[{"id":2,"text":"b","user":"bob"}]"#);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bird {
    id: i64,
    name: String,
    #[serde(default)]
    wings: Option<u8>,
}

#[derive(Clone, Serialize, Deserialize)]
struct NewBird {
    name: String,
    wings: Option<u8>,
}

#[tokio::test]
async fn a_typed_service_names_every_bad_field_and_stays_as_it_was() {
    let app = App::new();
    app.mount("birds", MemoryService::<Bird, NewBird>::new(Options::new("birds")).expect("options")).expect("mounted");
    let router = rest(&app);
    let (status, body) = send(&router, "POST", "/birds", r#"{"name":7,"wings":"two"}"#).await;
    assert_eq!(status, 422);
    assert!(body.contains(r#""field":"name""#) && body.contains(r#""field":"wings""#), "{body}");
    assert_eq!(send(&router, "GET", "/birds", "").await, (200, "[]".to_owned()));

    // The program meets the same service by its own type, and as documents.
    let birds = app.service_as::<MemoryService<Bird, NewBird>>("birds").expect("the type it was mounted with");
    let program = Params::new();
    let wren = birds.create(NewBird { name: "Wren".into(), wings: Some(2) }, &program).await.expect("created");
    assert_eq!(send(&router, "GET", "/birds/1", "").await.1, r#"{"id":1,"name":"Wren","wings":2}"#);
    let document = app.documents("birds").expect("mounted").read(&Id::from(1), &program).await.expect("read");
    assert_eq!(document.to_typed::<Bird>().expect("a bird"), wren);
}

#[tokio::test]
async fn services_tell_clients_from_the_program() {
    let app = App::new();
    let who = |params: &Params| params.provider.as_ref().map_or("program", |provider| provider.via()).to_owned();
    let service = FnService::<Id, String>::new("who").on_index(move |params: Params| {
        let who = who(&params);
        async move { Ok(vec![who].into()) }
    });
    app.mount("who", service).expect("mounted");
    assert_eq!(send(&rest(&app), "GET", "/who", "").await.1, r#"["rest"]"#);
    let inside = app.service_as::<FnService<Id, String>>("who").expect("mounted");
    assert_eq!(inside.index(&Params::new()).await.expect("a page").data, ["program"]);
}
