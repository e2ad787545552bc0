//! Bodies: which are read, and why others are not.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use remex_axum::{RestLimits, ServiceRoutes};
use remex_core::Options;

use crate::support::{Records, Reply, plain, request, send};

async fn send_as(router: &Router, verb: &str, path: &str, media_type: Option<&str>, body: &str) -> Reply {
    let mut request = Request::builder().method(verb).uri(path);
    if let Some(media_type) = media_type {
        request = request.header("content-type", media_type);
    }
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn json_is_read_by_whatever_name() {
    let router = plain();
    for media_type in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=\"UTF-8\"",
        "application/vnd.api+json",
        "application/json; profile=x",
    ] {
        assert_eq!(send_as(&router, "POST", "/todos", Some(media_type), "{}").await.status, 201, "{media_type}");
    }
}

#[tokio::test]
async fn other_forms_are_refused() {
    let router = plain();
    for media_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json; charset=latin1"),
        Some("application/merge-patch+json"),
        Some("application/jsonx"),
        Some("json"),
    ] {
        let reply = send_as(&router, "POST", "/todos", media_type, "{}").await;
        assert!(reply.problem(415).contains("`Content-Type: application/json`"), "{media_type:?}");
        assert_eq!(reply.header("accept-patch"), None);
    }
    let reply = send_as(&router, "PATCH", "/todos/1", Some("application/json-patch+json"), "[]").await;
    assert!(reply.problem(415).contains("`application/merge-patch+json`"));
    assert_eq!(reply.header("accept-patch"), Some("application/json, application/merge-patch+json"));
}

#[tokio::test]
async fn a_merge_patch_goes_deep() {
    let router = plain();
    send(&router, request("PUT", "/todos/1", r#"{"a":{"b":1,"c":2},"d":3}"#)).await;
    let merge = Some("application/merge-patch+json");
    let reply = send_as(&router, "PATCH", "/todos/1", merge, r#"{"a":{"b":9},"d":null}"#).await;
    assert_eq!(reply.body, r#"{"id":1,"a":{"b":9,"c":2}}"#);
    let reply = send(&router, request("PATCH", "/todos/1", r#"{"a":{"b":1},"d":null}"#)).await;
    assert_eq!(reply.body, r#"{"id":1,"a":{"b":1},"d":null}"#);
}

#[tokio::test]
async fn what_is_no_record_is_refused() {
    let router = plain();
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    for (body, expected) in [
        ("{", "malformed JSON"),
        ("{} x", "malformed JSON"),
        ("\u{feff}{}", "malformed JSON"),
        (r#"{"a":1,"a":2}"#, "`a` is there twice"),
        (r#"{"a":123456789012345678901}"#, "64-bit"),
        (&nested(64), "64 levels"),
        ("null", "this is null"),
        ("7", "this is an integer"),
        (r#""text""#, "this is a string"),
        ("[7]", "this is an integer"),
        (r#"[{}, null]"#, "this is null"),
        ("[[]]", "this is a list"),
    ] {
        let reply = send(&router, request("POST", "/todos", body)).await;
        let message = reply.problem(400);
        assert!(message.contains(expected), "{body}: {message}");
    }
    assert_eq!(send(&router, request("POST", "/todos", &nested(63))).await.status, 201);
    for (verb, path) in [("PUT", "/todos/1"), ("POST", "/todos/1"), ("PATCH", "/todos/1"), ("PATCH", "/todos?id=1")] {
        let reply = send(&router, request(verb, path, "[{}]")).await;
        assert!(reply.problem(400).contains("this is a list"), "{verb} {path}");
    }
    let invalid = Request::post("/todos").header("content-type", "application/json").body(Body::from(vec![b'"', 0xff]));
    send(&router, invalid.unwrap()).await.problem(400);
}

#[tokio::test]
async fn a_body_is_required_where_there_is_data() {
    let router = plain();
    for (verb, path) in [("POST", "/todos"), ("PUT", "/todos/1"), ("POST", "/todos/1"), ("PATCH", "/todos/1")] {
        for media_type in [None, Some("application/json"), Some("text/plain")] {
            let reply = send_as(&router, verb, path, media_type, "").await;
            assert_eq!(reply.problem(400), "a JSON body is required", "{verb} {path} {media_type:?}");
        }
    }
    let chunked = Body::from_stream(futures::stream::empty::<std::io::Result<bytes::Bytes>>());
    let request = Request::post("/todos").header("content-type", "application/json").body(chunked).unwrap();
    assert_eq!(send(&router, request).await.problem(400), "a JSON body is required");
}

#[tokio::test]
async fn other_bodies_are_not_looked_at() {
    let router = plain();
    assert_eq!(send_as(&router, "GET", "/todos/1", Some("text/plain"), "what?").await.status, 200);
    assert_eq!(send_as(&router, "DELETE", "/todos/1", Some("text/plain"), "what?").await.status, 200);
}

#[tokio::test]
async fn bodies_have_a_largest() {
    let body_of = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    let limits = RestLimits { body_bytes_max: 100, ..RestLimits::default() };
    let small = ServiceRoutes::new(Records::new(Options::new("todos"))).limits(limits).into_router();
    let usual = remex_axum::routes(Records::new(Options::new("todos")));
    for (router, max) in [(small, 100), (usual, 2 * 1024 * 1024)] {
        assert_eq!(send(&router, request("POST", "/", &body_of(max))).await.status, 201);
        let with_length = Request::post("/").header("content-length", max + 1);
        let without_length = Request::post("/");
        for request in [with_length, without_length] {
            let body = Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(body_of(max + 1))]));
            let request = request.header("content-type", "application/json").body(body).unwrap();
            let message = send(&router, request).await.problem(413);
            assert!(message.contains(&max.to_string()), "{message}");
        }
    }
}
