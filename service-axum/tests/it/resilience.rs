//! What goes wrong stays with the call that it goes wrong in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use futures::FutureExt;
use remex_axum::{RestLimits, ServiceRoutes, edit_params, routes};
use remex_core::{Document, FnService, Id, Options};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::support::{Records, get, plain, request, send};

#[tokio::test]
async fn a_panic_is_an_answer() {
    let service = FnService::<Id, Document>::new("panics").on_read(|id: Id, _| async move {
        assert_ne!(id.as_str(), "13", "unlucky");
        Ok(Document::new().with("id", id.as_str()))
    });
    let router = routes(service);
    let reply = get(&router, "/13").await;
    assert_eq!(reply.problem(500), "an internal error occurred");
    assert!(!reply.body.contains("unlucky"));
    assert_eq!(get(&router, "/12").await.status, 200);
}

#[tokio::test]
async fn a_panic_in_an_edit_is_an_answer() {
    async fn edit(mut request: Request, next: Next) -> Response {
        edit_params(request.extensions_mut(), |_| panic!("by intent"));
        next.run(request).await
    }
    get(&plain().layer(from_fn(edit)), "/todos").await.problem(500);
}

/// A service whose `read` waits until it is let go, and counts how often it came to its end.
fn waiting() -> (FnService<Id, Document>, Arc<Notify>, Arc<AtomicUsize>) {
    let (go, done) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (let_go, count) = (go.clone(), done.clone());
    let service = FnService::<Id, Document>::new("waiting").on_read(move |_, _| {
        let (go, done) = (let_go.clone(), count.clone());
        async move {
            go.notified().await;
            done.fetch_add(1, Ordering::SeqCst);
            Ok(Document::new())
        }
    });
    (service, go, done)
}

async fn until(done: &AtomicUsize, count: usize) {
    let waited = async {
        while done.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waited).await.expect("the work comes to its end");
}

#[tokio::test]
async fn a_call_goes_on_when_its_client_is_gone() {
    let (service, go, done) = waiting();
    let mut call = Box::pin(routes(service).oneshot(request("GET", "/1", "")));
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    assert_eq!(done.load(Ordering::SeqCst), 0);
    go.notify_one();
    until(&done, 1).await;
}

#[tokio::test]
async fn a_call_that_takes_too_long_goes_on_alone() {
    let (service, go, done) = waiting();
    let limits = RestLimits { call_time: Duration::from_millis(20), ..RestLimits::default() };
    let router = ServiceRoutes::new(service).limits(limits).into_router();
    assert!(get(&router, "/1").await.problem(503).contains("took too long"));
    go.notify_one();
    until(&done, 1).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let limits = RestLimits { body_time: Duration::from_millis(20), ..RestLimits::default() };
    let router = ServiceRoutes::new(Records::new(Options::new("todos"))).limits(limits).into_router();
    let body = Body::from_stream(futures::stream::pending::<std::io::Result<bytes::Bytes>>());
    let request = Request::post("/").header("content-type", "application/json").body(body).unwrap();
    let reply = send(&router, request).await;
    reply.problem(408);
    assert_eq!(reply.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_call() {
    let router = plain();
    let parts = [Ok("{\"title\":"), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures::stream::iter(parts));
    let request = Request::post("/todos").header("content-type", "application/json").body(body).unwrap();
    send(&router, request).await.problem(400);
    assert_eq!(get(&router, "/todos/_count").await.body, r#"{"count":3}"#);
}
