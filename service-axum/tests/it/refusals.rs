//! What hyper refuses before there is a request, over real connections.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing;
use futures::StreamExt;
use http::{StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{LONG, Running, get, rest_of};
use crate::support::Reply;

/// What hyper itself would answer.
const BARE: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// No request.
const MALFORMED: &str = "GET /?\"quoted\" HTTP/1.1\r\nhost: x\r\n\r\n";

const KEPT: &str = "GET /fine HTTP/1.1\r\nhost: x\r\n\r\n";

fn router() -> Router {
    let large = "x".repeat(8 * 1024 * 1024);
    Router::new()
        .route("/fine", routing::any(async || "fine"))
        .route("/empty", routing::any(async || StatusCode::BAD_REQUEST))
        .route("/bare", routing::any(async || BARE))
        .route("/large", routing::any(async move || large))
        .route("/parts", routing::any(parts))
        .route("/early", routing::any(async || StatusCode::EARLY_HINTS))
        .route("/tunnel", routing::any(tunnel))
}

/// Sends refusals as parts of a body, each of which is written and flushed alone.
async fn parts() -> Response {
    let parts = futures::stream::iter(0..3).then(async |_| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok::<_, std::convert::Infallible>(Bytes::from(BARE))
    });
    let length = 3 * BARE.len();
    Response::builder().header(header::CONTENT_LENGTH, length).body(Body::from_stream(parts)).unwrap()
}

/// Goes on in another protocol, in which a refusal is the first thing that is said.
async fn tunnel(request: Request) -> Response {
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        stream.write_all(BARE.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    response.header(header::CONNECTION, "upgrade").header(header::UPGRADE, "x").body(Body::empty()).unwrap()
}

async fn start() -> Running {
    Running::start(router(), |options| options).await
}

/// Takes the first answer from what a connection said.
#[track_caller]
fn first(said: &mut &str) -> Reply {
    let (head, rest) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {said}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pairs = lines.map(|line| line.split_once(": ").unwrap());
    let headers: http::HeaderMap = pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let length = headers["content-length"].to_str().unwrap().parse().unwrap();
    let (body, rest) = rest.split_at(length);
    *said = rest;
    Reply { status, headers, length: Some(length as u64), body: body.to_owned() }
}

/// Checks that the next answer refuses a head, that nothing comes behind it, and returns the sentence in it.
#[track_caller]
fn refusal(said: &mut &str, status: u16) -> String {
    let refusal = first(said);
    assert!(refusal.header("date").is_some());
    assert_eq!(*said, "");
    refusal.problem(status)
}

#[tokio::test]
async fn malformed_heads_are_told_so() {
    let server = start().await;
    for text in [
        MALFORMED,
        "nonsense\r\n\r\n",
        "G\"T / HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET / HTTP/3.0\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nho st: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\0\r\n\r\n",
        "POST /fine HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
        "POST /fine HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "POST /fine HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        "POST /fine HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
        "HEAD /?\"quoted\" HTTP/1.1\r\nhost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nno\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        let said = server.ask(text).await;
        assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}: {said}");
        assert!(said.contains("\r\nconnection: close\r\n"), "{text}: {said}");
        assert!(refusal(&mut &*said, 400).contains("percent-encoded"), "{text}");
    }
}

#[tokio::test]
async fn bounds_of_heads_are_told() {
    let server = Running::start(router(), |options| options.head_bytes_max(100_000).headers_max(20)).await;
    let said = server.ask(&get(&format!("/fine?{}", "x".repeat(65_534)))).await;
    assert!(said.starts_with("HTTP/1.1 414 URI Too Long\r\nconnection: close\r\n"), "{said}");
    assert!(refusal(&mut &*said, 414).contains("65534 bytes"));
    let large = format!("GET /fine HTTP/1.1\r\nhost: x\r\nx: {}", "x".repeat(100_000));
    let many = format!("GET /fine HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(20));
    for text in [large, many] {
        let said = server.ask(&text).await;
        assert!(said.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"), "{said}");
        assert!(refusal(&mut &*said, 431).contains("100000 bytes and 20 headers"));
    }
}

#[tokio::test]
async fn a_refusal_follows_the_answers_before_it() {
    let server = start().await;
    let post = "POST /fine HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";
    for before in [KEPT, post, &KEPT.replace("GET", "HEAD"), &KEPT.replace("fine", "parts"), &KEPT.repeat(40)] {
        // In one write, and each on its own.
        let mut together = server.begin(&format!("{before}{MALFORMED}")).await;
        let mut apart = server.begin(before).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        apart.write_all(MALFORMED.as_bytes()).await.unwrap();
        for said in [rest_of(&mut together).await, rest_of(&mut apart).await] {
            let (answers, problem) = said.rsplit_once("HTTP/1.1 400 ").unwrap();
            let problem = format!("HTTP/1.1 400 {problem}");
            refusal(&mut &*problem, 400);
            assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), before.matches("host").count(), "{said}");
            assert!(!answers.contains("problem"), "{said}");
        }
    }
}

#[tokio::test]
async fn answers_of_handlers_are_left_alone() {
    let server = start().await;
    let bare = "HTTP/1.1 400 Bad Request\r\n";
    // Alone, as the first and as a later answer of a connection, and before a refusal.
    let said = server.ask(&get("/empty")).await;
    assert!(said.starts_with(bare) && said.contains("content-length: 0\r\n") && said.ends_with("\r\n\r\n"), "{said}");
    let empty = KEPT.replace("fine", "empty");
    let said = server.ask(&format!("{empty}{KEPT}{empty}{MALFORMED}")).await;
    let mut said = &*said;
    assert_eq!((first(&mut said).length, first(&mut said).body.as_str()), (Some(0), "fine"));
    assert_eq!(first(&mut said).length, Some(0));
    refusal(&mut said, 400);
    // So are bodies that look like refusals, whole and in parts.
    for (path, body) in [("bare", BARE.to_owned()), ("parts", BARE.repeat(3))] {
        let said = server.ask(&format!("{}{MALFORMED}", KEPT.replace("fine", path))).await;
        let mut said = &*said;
        assert_eq!(first(&mut said).body, body);
        refusal(&mut said, 400);
    }
}

#[tokio::test]
async fn what_another_protocol_says_is_left_alone() {
    let server = start().await;
    let said = server.ask("GET /tunnel HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 101 ") && said.ends_with(BARE), "{said}");
    assert_eq!(said.matches("HTTP/1.1 ").count(), 2, "{said}");
}

#[tokio::test]
async fn a_client_of_http_1_0_is_answered_in_it() {
    let server = start().await;
    let kept = "GET /fine HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let said = server.ask(&format!("{kept}{MALFORMED}")).await;
    let mut said = &*said;
    assert_eq!(first(&mut said).body, "fine");
    assert!(said.starts_with("HTTP/1.0 400 Bad Request\r\n"), "{said}");
    refusal(&mut said, 400);
}

#[tokio::test]
async fn a_refusal_waits_for_a_slow_reader() {
    let server = start().await;
    let mut stream = server.begin(&format!("{}{MALFORMED}", KEPT.replace("fine", "large"))).await;
    let (mut said, mut buffer) = (Vec::new(), vec![0; 512 * 1024]);
    loop {
        let read = tokio::time::timeout(LONG, stream.read(&mut buffer)).await.expect("written in time");
        match read.unwrap() {
            0 => break,
            bytes => said.extend_from_slice(&buffer[..bytes]),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let said = String::from_utf8(said).unwrap();
    let mut said = &*said;
    assert_eq!(first(&mut said).length, Some(8 * 1024 * 1024));
    refusal(&mut said, 400);
}

#[tokio::test]
async fn a_stop_does_not_cut_a_refusal() {
    let mut server = start().await;
    let mut stream = server.begin(KEPT).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(MALFORMED.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.tell_to_stop();
    server.stopped().await;
    let said = rest_of(&mut stream).await;
    let mut said = &*said;
    assert_eq!(first(&mut said).body, "fine");
    refusal(&mut said, 400);
}

/// hyper refuses such an answer, with a 500 that has no body.
#[tokio::test]
async fn an_interim_answer_of_a_handler_is_an_error() {
    let server = start().await;
    let said = server.ask(&get("/early")).await;
    assert!(!first(&mut &*said).problem(500).contains("103"));
}
