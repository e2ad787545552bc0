//! Errors: the members of their bodies, and what is kept from clients.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use parking_lot::Mutex;
use remex_axum::{error_response, routes};
use remex_core::{App, Document, Error, ErrorKind, FnService, Id};
use serde_json::json;

use crate::support::{Reply, get, plain, request, send};

/// Asks a service that answers with this error.
async fn asked(make: fn() -> Error) -> Reply {
    let failing = FnService::<Id, Document>::new("failing").on_read(move |_, _| async move { Err(make()) });
    get(&routes(failing), "/1").await
}

#[tokio::test]
async fn an_error_has_the_members_of_both_worlds() {
    let reply = asked(|| {
        Error::unprocessable("the data does not fit")
            .with_field("age", "type", "expected an integer")
            .with_field("name", "required", "is missing")
            .with_code("person_invalid")
            .with_data(Document::new().with("hint", 7))
            .with_context("table", "people")
            .with_source(std::io::Error::other("secret"))
    })
    .await;
    assert_eq!(
        reply.json(),
        json!({
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": "the data does not fit",
            "name": "Unprocessable",
            "message": "the data does not fit",
            "code": 422,
            "className": "unprocessable",
            "error_code": "person_invalid",
            "data": {"hint": 7},
            "errors": [
                {"field": "age", "message": "expected an integer", "code": "type"},
                {"field": "name", "message": "is missing", "code": "required"},
            ],
        })
    );
    let reply = asked(|| Error::not_found("none")).await;
    let members: Vec<_> = reply.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["className", "code", "detail", "message", "name", "status", "title", "type"]);
}

#[tokio::test]
async fn every_kind_is_what_it_says() {
    for (kind, status, name) in [
        (ErrorKind::BadRequest, 400, "BadRequest"),
        (ErrorKind::Unauthenticated, 401, "NotAuthenticated"),
        (ErrorKind::PaymentRequired, 402, "PaymentError"),
        (ErrorKind::Forbidden, 403, "Forbidden"),
        (ErrorKind::NotFound, 404, "NotFound"),
        (ErrorKind::MethodNotAllowed, 405, "MethodNotAllowed"),
        (ErrorKind::NotAcceptable, 406, "NotAcceptable"),
        (ErrorKind::Timeout, 408, "Timeout"),
        (ErrorKind::Conflict, 409, "Conflict"),
        (ErrorKind::Gone, 410, "Gone"),
        (ErrorKind::LengthRequired, 411, "LengthRequired"),
        (ErrorKind::PreconditionFailed, 412, "PreconditionFailed"),
        (ErrorKind::TooLarge, 413, "PayloadTooLarge"),
        (ErrorKind::UnsupportedMediaType, 415, "UnsupportedMediaType"),
        (ErrorKind::Unprocessable, 422, "Unprocessable"),
        (ErrorKind::TooManyRequests, 429, "TooManyRequests"),
        (ErrorKind::Internal, 500, "GeneralError"),
        (ErrorKind::Unsupported, 501, "NotImplemented"),
        (ErrorKind::BadGateway, 502, "BadGateway"),
        (ErrorKind::Unavailable, 503, "Unavailable"),
    ] {
        let response = error_response(&Error::new(kind, "why"));
        assert_eq!(response.status().as_u16(), status, "{name}");
        assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
        assert!(!response.headers().contains_key("retry-after"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["name"], &body["status"]), (&json!(name), &json!(status)));
    }
    assert_eq!(ErrorKind::ALL.len(), 20, "a new kind belongs into the list above");
}

#[tokio::test]
async fn nothing_of_the_inside_gets_out() {
    let reply = asked(|| {
        Error::internal("table `people` is gone")
            .with_context("sql", "SELECT 1")
            .with_source(std::io::Error::other("disk"))
    })
    .await;
    assert_eq!(reply.problem(500), "an internal error occurred");
    for secret in ["people", "SELECT", "disk"] {
        assert!(!reply.body.contains(secret));
    }
}

#[tokio::test]
async fn waiting_times_are_whole_seconds() {
    assert_eq!(asked(|| Error::unavailable("later")).await.header("retry-after"), None);
    let reply = asked(|| Error::too_many_requests("later").with_retry_after(Duration::from_millis(1500))).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, Some("2")));
    let reply = asked(|| Error::unauthenticated("who?")).await;
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_query_that_is_wrong_is_named() {
    let router = plain();
    let reply = get(&router, "/todos?name[$foo]=1").await;
    assert!(reply.problem(400).contains("$foo"));
    assert_eq!(reply.json()["name"], "BadRequest");
    for (verb, path) in [("PUT", "/todos/1?$foo=1"), ("POST", "/todos?$foo=1"), ("DELETE", "/todos/1?$limit=x")] {
        send(&router, request(verb, path, "{}")).await.problem(400);
    }
}

/// What is logged goes here.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_clients_are_not_told_is_logged_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let failing = FnService::<Id, Document>::new("failing")
        .on_read(|id: Id, _| async move {
            assert_ne!(id.as_str(), "13", "unlucky");
            Err(Error::internal("table `people` is gone")
                .with_context("sql", "SELECT 1")
                .with_source(Error::not_found("outer").with_source(std::io::Error::other("disk"))))
        })
        .on_index(|_| async { Err(Error::unavailable("later")) });
    let app = App::new();
    app.mount("a/{b}/c", failing).unwrap();
    let router = remex_axum::rest(&app);
    let take = || String::from_utf8(std::mem::take(&mut *log.0.lock())).unwrap();
    get(&router, "/a/tenant/c/personal").await.problem(500);
    let text = take();
    assert_eq!(text.matches("ERROR").count(), 1, "{text}");
    let wanted = ["a/{b}/c", "read", "table `people` is gone", "sql: SELECT 1", "outer: disk"];
    assert!(wanted.iter().all(|part| text.contains(part)), "{text}");
    assert!(!text.contains("personal") && !text.contains("tenant"), "{text}");
    get(&router, "/a/tenant/c/13").await.problem(500);
    let text = take();
    assert!(text.matches("ERROR").count() == 1 && text.contains("unlucky"), "{text}");
    get(&router, "/a/tenant/c").await.problem(503);
    assert_eq!(take(), "", "what the client is told needs no log");
}
