//! The server, over real connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing;
use remex_axum::{RestLimits, ServeOptions, Server, ServiceRoutes, routes};
use remex_core::{App, Document, Error, FnService, Id, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::lists::Long;
use crate::support::Records;

/// Longer than anything here takes, and short enough to wait for.
pub(crate) const LONG: Duration = Duration::from_secs(10);

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn start(router: Router, set: impl FnOnce(ServeOptions) -> ServeOptions) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let options = ServeOptions::new("127.0.0.1:0".parse().unwrap()).shutdown_on(async { drop(stopped.await) });
        let server = Server::bind(set(options)).await.unwrap();
        let address = server.local_addr().unwrap();
        Self { address, stop: Some(stop), task: tokio::spawn(server.run(router)) }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn begin(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Sends a request and reads until the server closes the connection.
    pub(crate) async fn ask(&self, text: &str) -> String {
        rest_of(&mut self.begin(text).await).await
    }

    pub(crate) fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(self) {
        tokio::time::timeout(LONG, self.task).await.expect("stops in time").unwrap().unwrap();
    }
}

pub(crate) async fn rest_of(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is reset has said what it had to say.
    drop(tokio::time::timeout(LONG, stream.read_to_end(&mut text)).await.expect("closed in time"));
    String::from_utf8_lossy(&text).into_owned()
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

/// A service that waits until it is let go.
#[derive(Clone, Default)]
struct Gate {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    go: Arc<Notify>,
}

impl Gate {
    fn router(&self, limits: RestLimits) -> Router {
        let gate = self.clone();
        let service = FnService::<Id, Document>::new("gate").on_read(move |id: Id, _| {
            let gate = gate.clone();
            async move {
                gate.begun.fetch_add(1, Ordering::SeqCst);
                if id.as_str() == "now" {
                    return Ok(Document::new().with("id", "now"));
                }
                gate.go.notified().await;
                gate.ended.fetch_add(1, Ordering::SeqCst);
                Ok(Document::new().with("id", id.as_str()))
            }
        });
        ServiceRoutes::new(service).limits(limits).into_router()
    }

    async fn until(counter: &AtomicUsize, count: usize) {
        let waited = async {
            while counter.load(Ordering::SeqCst) < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(LONG, waited).await.expect("it happens in time");
    }
}

#[tokio::test]
async fn it_serves_and_knows_the_client() {
    let router = Router::new()
        .route("/me", routing::get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()))
        .nest("/todos", routes(Records::with_three(Options::new("todos"))));
    let server = Running::start(router, |options| options).await;
    assert!(server.ask(&get("/me")).await.ends_with("127.0.0.1"));
    let reply = server.ask(&get("/todos/1")).await;
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with(r#""done":false}"#), "{reply}");
    let reply = server.ask("HEAD /todos/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(reply.contains("content-length: 38") && reply.ends_with("\r\n\r\n"), "{reply}");
}

#[tokio::test]
async fn it_takes_a_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::bind(ServeOptions::from_listener(listener)).await.unwrap();
    assert_eq!(server.local_addr().unwrap(), address);
    assert!(Server::bind(ServeOptions::new(address)).await.is_err(), "the address is taken");
}

#[tokio::test]
async fn slow_heads_are_cut_off() {
    let gate = Gate::default();
    let time = Duration::from_millis(100);
    let server = Running::start(gate.router(RestLimits::default()), |options| options.header_time(time)).await;
    // Also those of which it is not even known what they will be: `PRI` is how HTTP/2 begins.
    for text in ["", "P", "PRI * HT", "GET / HTTP/1.1\r\nhost:", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let begun = Instant::now();
        server.ask(text).await;
        assert!(begun.elapsed() >= Duration::from_millis(50), "{text}");
    }
    // So is a connection that is kept open for nothing.
    let mut kept = server.begin("GET /now HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest_of(&mut kept).await.ends_with(r#"{"id":"now"}"#));
    // A slow service is no slow head.
    let mut stream = server.begin(&get("/1")).await;
    tokio::time::sleep(time * 3).await;
    gate.go.notify_one();
    assert!(rest_of(&mut stream).await.ends_with(r#"{"id":"1"}"#));
}

#[tokio::test]
async fn slow_bodies_are_told_so() {
    let limits = RestLimits { body_time: Duration::from_millis(50), ..RestLimits::default() };
    let router = ServiceRoutes::new(Records::new(Options::new("todos"))).limits(limits).into_router();
    let server = Running::start(router, |options| options).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"a\":";
    let reply = server.ask(head).await;
    assert!(reply.starts_with("HTTP/1.1 408 ") && reply.contains("connection: close"), "{reply}");
    assert!(reply.contains("application/problem+json"), "{reply}");
}

#[tokio::test]
async fn large_bodies_are_refused_by_their_heads() {
    let server = Running::start(routes(Records::new(Options::new("todos"))), |options| options).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2097153\r\n\r\n";
    assert!(server.ask(head).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn long_queries_pass_and_longer_heads_do_not() {
    let server = Running::start(Gate::default().router(RestLimits::default()), |options| options).await;
    let path = |bytes: usize| format!("/now?a={}", "x".repeat(bytes - 2));
    let start = |reply: String| reply[..reply.len().min(500)].to_owned();
    let reply = start(server.ask(&get(&path(64_000))).await);
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    let reply = start(server.ask(&get(&path(64_001))).await);
    assert!(reply.starts_with("HTTP/1.1 400 ") && reply.contains("application/problem+json"), "{reply}");
    // These are refused before any route is reached.
    let longest = 65_534 - "/now?".len();
    let reply = start(server.ask(&get(&path(longest))).await);
    assert!(reply.starts_with("HTTP/1.1 400 ") && reply.contains("application/problem+json"), "{reply}");
    let reply = server.ask(&get(&path(longest + 1))).await;
    assert!(reply.starts_with("HTTP/1.1 414 "), "{reply}");
    let header = format!("GET /now HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(130 * 1024));
    assert!(server.ask(&header).await.starts_with("HTTP/1.1 431 "));
    let headers = |count: usize| {
        let more: String = (0..count - 2).map(|n| format!("x{n}: y\r\n")).collect();
        format!("GET /now HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{more}\r\n")
    };
    assert!(server.ask(&headers(100)).await.starts_with("HTTP/1.1 200 "));
    assert!(server.ask(&headers(101)).await.starts_with("HTTP/1.1 431 "));
    assert!(server.ask("nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn calls_in_flight_are_bounded() {
    let gate = Gate::default();
    let limits = RestLimits { call_time: Duration::from_millis(200), ..RestLimits::default() };
    let server = Running::start(gate.router(limits), |options| options.calls_max(2)).await;
    let mut first = server.begin(&get("/1")).await;
    let second = server.begin(&get("/2")).await;
    Gate::until(&gate.begun, 2).await;
    let reply = server.ask(&get("/now")).await;
    assert!(reply.starts_with("HTTP/1.1 503 ") && reply.contains("retry-after: 1\r\n"), "{reply}");
    assert!(reply.contains("application/problem+json"), "{reply}");
    // Neither a client that goes nor one that was told to wait no longer makes room: their work is not done.
    drop(second);
    assert!(rest_of(&mut first).await.contains("took too long"));
    assert!(server.ask(&get("/now")).await.starts_with("HTTP/1.1 503 "));
    gate.go.notify_waiters();
    Gate::until(&gate.ended, 2).await;
    let waited = async {
        while !server.ask(&get("/now")).await.starts_with("HTTP/1.1 200 ") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LONG, waited).await.expect("there is room again");
}

#[tokio::test]
async fn a_list_is_in_flight_until_it_is_read() {
    let long = routes(Long::new(Options::new("long"), 1_000_000));
    let server = Running::start(long, |options| options.calls_max(1)).await;
    let mut stalled = server.begin(&get("/")).await;
    let mut start = [0; 12];
    stalled.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let reply = server.ask(&get("/?$limit=1")).await;
    assert!(reply.starts_with("HTTP/1.1 503 ") && reply.contains("retry-after: 1\r\n"), "{reply}");
    drop(stalled);
    let waited = async {
        while !server.ask(&get("/?$limit=1")).await.starts_with("HTTP/1.1 200 ") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LONG, waited).await.expect("there is room again");
}

#[tokio::test]
async fn routes_beside_refuse_verbs_as_services_do() {
    async fn mark(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-layered", http::HeaderValue::from_static("yes"));
        response
    }
    let own = async || (http::StatusCode::METHOD_NOT_ALLOWED, "my own");
    let router = Router::new()
        .route("/health", routing::get(async || "fine").put(async || "put"))
        .route("/own", routing::get(async || "fine").fallback(own))
        .layer(axum::middleware::from_fn(mark))
        .merge(routes(Records::with_three(Options::new("todos"))));
    let server = Running::start(router, |options| options).await;
    let ask = async |line: &str| server.ask(&format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    for verb in ["DELETE", "OPTIONS", "BREW"] {
        let reply = ask(&format!("{verb} /health")).await;
        assert!(reply.starts_with("HTTP/1.1 405 ") && reply.contains("allow: GET,HEAD,PUT\r\n"), "{reply}");
        assert!(reply.contains("application/problem+json") && reply.contains("x-layered: yes"), "{reply}");
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{reply}");
        assert_eq!(head.matches("content-").count(), 2, "{reply}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["code"], 405);
    }
    let reply = ask("DELETE /own").await;
    assert!(reply.starts_with("HTTP/1.1 405 ") && reply.ends_with("\r\n\r\nmy own"), "{reply}");
    assert!(!reply.contains("problem"), "{reply}");
    let reply = ask("HEAD /own").await;
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.ends_with("\r\n\r\n"), "{reply}");
}

#[tokio::test]
async fn a_panic_beside_the_services_is_an_answer() {
    async fn layer(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
        assert_ne!(request.uri().path(), "/2", "unlucky");
        next.run(request).await
    }
    async fn handler() -> &'static str {
        panic!("unlucky")
    }
    let router = Router::new()
        .route("/handler", routing::get(handler))
        .merge(routes(Records::with_three(Options::new("todos"))))
        .layer(axum::middleware::from_fn(layer));
    let server = Running::start(router, |options| options.calls_max(1)).await;
    for path in ["/handler", "/2", "/2"] {
        let reply = server.ask(&get(path)).await;
        assert!(reply.starts_with("HTTP/1.1 500 ") && reply.contains("application/problem+json"), "{reply}");
        assert!(!reply.contains("unlucky"), "{reply}");
    }
    // The connection is as good as before.
    let mut stream = server.begin(&format!("GET /handler HTTP/1.1\r\nhost: x\r\n\r\n{}", get("/1"))).await;
    let reply = rest_of(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.1 500 ") && reply.contains("HTTP/1.1 200 OK"), "{reply}");
}

#[tokio::test]
async fn a_client_that_has_said_all_is_answered() {
    let gate = Gate::default();
    let server = Running::start(gate.router(RestLimits::default()), |options| options).await;
    let mut stream = server.begin("GET /1 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    stream.shutdown().await.unwrap();
    Gate::until(&gate.begun, 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.go.notify_one();
    let reply = rest_of(&mut stream).await;
    assert!(reply.ends_with(r#"{"id":"1"}"#), "{reply}");
    // What was not said to its end is no request.
    let server = Running::start(routes(Records::with_three(Options::new("todos"))), |options| options).await;
    let head = "PUT /1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    for text in [head.to_owned() + "{}", head[..20].to_owned()] {
        let mut stream = server.begin(&text).await;
        stream.shutdown().await.unwrap();
        let reply = rest_of(&mut stream).await;
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 400 "), "{reply}");
    }
    assert!(server.ask(&get("/1")).await.contains("todo 1"));
}

/// It is the only one here that stops by signals, which all servers of the program get.
#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_stops_at_once() {
    fn signal(name: &str) {
        let process = std::process::id().to_string();
        assert!(
            std::process::Command::new("sh")
                .args(["-c", &format!("kill -{name} {process}")])
                .status()
                .unwrap()
                .success()
        );
    }
    let gate = Gate::default();
    let server = Server::bind(ServeOptions::new("127.0.0.1:0".parse().unwrap())).await.unwrap();
    let address = server.local_addr().unwrap();
    let task = tokio::spawn(server.run(gate.router(RestLimits::default())));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/1").as_bytes()).await.unwrap();
    Gate::until(&gate.begun, 1).await;
    signal("TERM");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!task.is_finished(), "the call is waited for");
    signal("INT");
    tokio::time::timeout(LONG, task).await.expect("stops at once").unwrap().unwrap();
    assert_eq!(rest_of(&mut stream).await, "");
    gate.go.notify_one();
}

#[tokio::test]
async fn connections_are_bounded() {
    let gate = Gate::default();
    let server = Running::start(gate.router(RestLimits::default()), |options| options.connections_max(1)).await;
    let mut first = server.begin(&get("/1")).await;
    Gate::until(&gate.begun, 1).await;
    let mut second = server.begin(&get("/now")).await;
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(100), second.read(&mut byte)).await;
    assert!(early.is_err(), "the second waits for the first");
    gate.go.notify_one();
    assert!(rest_of(&mut first).await.starts_with("HTTP/1.1 200 "));
    assert!(rest_of(&mut second).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_call_whose_client_hangs_up_comes_to_its_end() {
    let gate = Gate::default();
    let mut server = Running::start(gate.router(RestLimits::default()), |options| options).await;
    let stream = server.begin(&get("/1")).await;
    Gate::until(&gate.begun, 1).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(50)).await;
    // The server waits for it too.
    server.tell_to_stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!server.task.is_finished());
    gate.go.notify_one();
    server.stopped().await;
    assert_eq!(gate.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stop_lets_calls_finish() {
    let gate = Gate::default();
    let mut server = Running::start(gate.router(RestLimits::default()), |options| options).await;
    let mut stream = server.begin("GET /1 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut idle = server.connect().await;
    let mut kept = server.begin("GET /now HTTP/1.1\r\nhost: x\r\n\r\n").await;
    Gate::until(&gate.begun, 2).await;
    server.tell_to_stop();
    assert_eq!(rest_of(&mut idle).await, "", "who has asked nothing is let go");
    assert!(rest_of(&mut kept).await.ends_with(r#"{"id":"now"}"#));
    assert!(!server.task.is_finished());
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody else comes in");
    gate.go.notify_one();
    assert!(rest_of(&mut stream).await.ends_with(r#"{"id":"1"}"#));
    server.stopped().await;
}

#[tokio::test]
async fn a_stop_has_an_end() {
    let gate = Gate::default();
    let time = Duration::from_millis(50);
    let mut server = Running::start(gate.router(RestLimits::default()), |options| options.stop_time(time)).await;
    let mut stream = server.begin(&get("/1")).await;
    Gate::until(&gate.begun, 1).await;
    server.tell_to_stop();
    server.stopped().await;
    assert_eq!(rest_of(&mut stream).await, "");
    gate.go.notify_one();
    Gate::until(&gate.ended, 1).await;
}

#[tokio::test]
async fn http2_is_served_as_well() {
    let server = Running::start(Gate::default().router(RestLimits::default()), |options| options).await;
    let stream = hyper_util::rt::TokioIo::new(server.connect().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, stream).await.unwrap();
    tokio::spawn(connection);
    let uri = format!("http://{}/now?a={}", server.address, "x".repeat(60_000));
    let request = http::Request::get(uri).body(axum::body::Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!((response.status(), response.version()), (http::StatusCode::OK, http::Version::HTTP_2));
    // The headers are bounded by their size, not by their number.
    let with_headers = |count: usize, bytes: usize| {
        let mut request = http::Request::get(format!("http://{}/now", server.address));
        for number in 0..count {
            request = request.header(format!("x{number}"), "x".repeat(bytes));
        }
        request.body(axum::body::Body::empty()).unwrap()
    };
    let response = sender.send_request(with_headers(500, 1)).await.unwrap();
    assert_eq!(response.status(), http::StatusCode::OK);
    let response = sender.send_request(with_headers(14, 10_000)).await.unwrap();
    assert_eq!(response.status(), http::StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let time = Duration::from_millis(100);
    let large = Router::new().route("/", routing::get(async || "x".repeat(64 * 1024 * 1024)));
    let mut server = Running::start(large, |options| options.write_time(time)).await;
    let stream = server.begin(&get("/")).await;
    // Long enough for the answer to be on its way.
    tokio::time::sleep(time).await;
    server.tell_to_stop();
    server.stopped().await;
    drop(stream);
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_not() {
    let large = Router::new().route("/", routing::get(async || "x".repeat(16 * 1024 * 1024)));
    let server = Running::start(large, |options| options.write_time(Duration::from_millis(500))).await;
    let mut stream = server.begin(&get("/")).await;
    let (mut buffer, mut read) = (vec![0; 1024 * 1024], 0);
    let begun = Instant::now();
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => break,
            bytes => read += bytes,
        }
        if begun.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(read > 16 * 1024 * 1024);
}

#[tokio::test]
async fn long_lists_end_as_they_should() {
    let server = Running::start(routes(Long::new(Options::new("long"), 10_000)), |options| options).await;
    let reply = server.ask(&get("/")).await;
    assert!(reply.contains("transfer-encoding: chunked") && reply.ends_with("]\r\n0\r\n\r\n"));
    let head = server.ask(&get("/").replace("GET", "HEAD")).await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && !head.contains("content-length") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    // Cut short, it has no last chunk.
    let server =
        Running::start(routes(Long { fails_at: Some(5_000), ..Long::new(Options::new("long"), 10_000) }), |options| {
            options
        })
        .await;
    let reply = server.ask(&get("/")).await;
    assert!(reply.starts_with("HTTP/1.1 200 ") && !reply.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn unusual_targets_are_answered() {
    let app = remex_core::App::new();
    app.mount("todos", Records::with_three(Options::new("todos"))).unwrap();
    let nothing = FnService::<Id, Option<Document>>::new("nothing").on_read(|_, _| async { Ok(None) });
    app.mount("nothing", nothing).unwrap();
    let server = Running::start(remex_axum::rest(&app), |options| options).await;
    let ask = async |line: &str| server.ask(&format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    assert!(ask("OPTIONS *").await.starts_with("HTTP/1.1 404 "));
    assert!(ask("CONNECT x:1").await.starts_with("HTTP/1.1 404 "));
    assert!(ask("GET http://x/todos/1").await.starts_with("HTTP/1.1 200 "));
    let reply = ask("GET /nothing/1").await;
    assert!(reply.starts_with("HTTP/1.1 204 ") && !reply.contains("content-"), "{reply}");
    let reply = ask("OPTIONS /todos").await;
    assert!(reply.starts_with("HTTP/1.1 204 ") && !reply.contains("content-"), "{reply}");
}

/// The routes do without the server of this crate.
#[tokio::test]
async fn axum_serves_the_routes_too() {
    let gate = Gate::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = gate.router(RestLimits::default());
    let task = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/now").as_bytes()).await.unwrap();
    assert!(rest_of(&mut stream).await.ends_with(r#"{"id":"now"}"#));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/1").as_bytes()).await.unwrap();
    Gate::until(&gate.begun, 2).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.go.notify_one();
    tokio::time::timeout(LONG, remex_axum::finish_detached()).await.expect("it ends");
    assert_eq!(gate.ended.load(Ordering::SeqCst), 1);
    task.abort();
}

#[tokio::test]
async fn the_app_starts_before_the_first_request_and_stops_after_the_last() {
    let trace = Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let trace = trace.clone();
        move |_: App| {
            trace.lock().unwrap().push(name);
            async { Ok(()) }
        }
    };
    let app = App::new();
    app.on_start(note("start")).on_stop(note("stop"));
    let noted = trace.clone();
    let router = Router::new().route("/", routing::get(move || async move { noted.lock().unwrap().push("request") }));
    let mut running = Running::start(router, |options| options.app(&app)).await;
    running.ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    running.tell_to_stop();
    running.stopped().await;
    assert_eq!(*trace.lock().unwrap(), ["start", "request", "stop"]);
}

#[tokio::test]
async fn an_app_that_cannot_start_is_an_error() {
    let app = App::new();
    app.on_start(|_| async { Err(Error::unavailable("the store is down")) });
    let server = Server::bind(ServeOptions::new("127.0.0.1:0".parse().unwrap()).app(&app)).await.unwrap();
    let error = server.run(Router::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "the store is down");
}
