//! [`serve`]: a server that bounds what clients can take, and stops without cutting anybody off.

mod explain;
mod options;
mod patience;

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use futures::FutureExt;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use remex_core::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use explain::{Calls, Explain, HeadBounds, Hearing};
pub use options::ServeOptions;
use patience::Patience;

use crate::context::CallContext;
use crate::rest::{error_response, explain_not_allowed, from_panic, report};

/// Serves a router until the program is told to stop.
///
/// `axum::serve` waits for a slow client for ever and takes on any number of them; this server has bounds, see
/// [`ServeOptions`]. On Ctrl-C or, on Unix, SIGTERM it stops: no new connection is taken, calls in flight are answered,
/// work that lost its client comes to its end, and then this function returns. Told so once more, it waits no longer.
///
/// What holds for the routes of this crate holds for all others of the router, too: one that panics, or is in a layer that
/// does, is answered with 500, and a 405 without a body, such as axum's own, is given that of
/// [`error_response`](crate::error_response()). So are the refusals of heads of HTTP/1 that are malformed or too large, of
/// which no route hears. A client that closes its side of the connection behind a request still gets its answer.
///
/// A handler finds the client's address by axum's `ConnectInfo<SocketAddr>`, hooks and services find it as
/// [`ClientAddress`](remex_core::ClientAddress) in the extensions of the params.
///
/// ```no_run
/// use remex_axum::{ServeOptions, rest, serve};
/// use remex_core::App;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let app = App::new();
/// serve(rest(&app), ServeOptions::new("127.0.0.1:3030".parse()?)).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Where the address cannot be bound, or the [app](ServeOptions::app) fails to start or to stop. Nothing that happens
/// in between ends the server.
pub async fn serve(router: Router, options: ServeOptions) -> io::Result<()> {
    Server::bind(options).await?.run(router).await
}

/// A server that listens and does not answer yet: [`serve`] in two steps, for those who need the address between them.
///
/// ```
/// use remex_axum::{ServeOptions, Server, rest};
/// use remex_core::App;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = ServeOptions::new("127.0.0.1:0".parse()?).shutdown_on(async { /* at once */ });
/// let server = Server::bind(options).await?;
/// assert_ne!(server.local_addr()?.port(), 0);
/// server.run(rest(&App::new())).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: ServeOptions,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// Where it cannot be bound.
    pub async fn bind(mut options: ServeOptions) -> io::Result<Self> {
        let listener = options.listen().await?;
        Ok(Self { listener, options })
    }

    /// Returns the address that the server listens on.
    ///
    /// # Errors
    /// Where the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves a router until the program is told to stop, as [`serve`] does.
    ///
    /// # Errors
    /// Where the operating system does not know the listener any more, or the [app](ServeOptions::app) fails to start or
    /// to stop.
    pub async fn run(self, router: Router) -> io::Result<()> {
        let Self { listener, mut options } = self;
        let address = listener.local_addr()?;
        if let Some(app) = &options.app {
            app.start().await.map_err(io::Error::other)?;
        }
        tracing::info!(%address, "listening");
        let (mut stop, again) = options.stop();
        let connections = Arc::new(Semaphore::new(options.connections_max));
        let shared = Arc::new(Shared {
            builder: options.connection_builder(),
            router,
            calls: Arc::new(Semaphore::new(options.calls_max)),
            tracker: TaskTracker::new(),
            stopping: CancellationToken::new(),
            cut: CancellationToken::new(),
            head_bounds: options.head_bounds(),
            header_time: options.header_time,
            write_time: options.write_time,
        });
        loop {
            let next = async {
                // The semaphore is never closed, so that there is always a permit in the end.
                let permit = connections.clone().acquire_owned().await.ok()?;
                Some((permit, accept(&listener).await))
            };
            let (permit, (stream, peer)) = tokio::select! {
                biased;
                () = &mut stop => break,
                next = next => match next {
                    Some(next) => next,
                    None => break,
                },
            };
            shared.tracker.spawn(connection(shared.clone(), stream, peer, permit));
        }
        drop(listener);
        shared.finish(options.stop_time, again).await;
        if let Some(app) = &options.app {
            app.stop().await.map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// Takes the next connection. That one failed, or that there are no file descriptors left, is no reason to stop.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    /// For how long a lack of resources is given to pass.
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if of_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Returns whether it is the connection that failed and not the listener.
fn of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What all connections of a server have in common.
struct Shared {
    builder: auto::Builder<TokioExecutor>,
    router: Router,
    calls: Arc<Semaphore>,
    /// Connections, and work that lost its client.
    tracker: TaskTracker,
    /// Finish what was begun.
    stopping: CancellationToken,
    /// Finish at once.
    cut: CancellationToken,
    head_bounds: HeadBounds,
    header_time: Duration,
    write_time: Duration,
}

impl Shared {
    /// Waits until everything has ended, for as long as may be and nobody tells the program to stop once more.
    async fn finish(&self, time: Duration, again: impl Future<Output = ()>) {
        self.stopping.cancel();
        self.tracker.close();
        let why = tokio::select! {
            biased;
            () = self.tracker.wait() => return,
            () = again => "told to stop again",
            () = tokio::time::sleep(time) => "it took too long",
        };
        tracing::warn!(unfinished = self.tracker.len(), why, "stopped before everything was finished");
        self.cut.cancel();
    }

    async fn respond(&self, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let Ok(permit) = self.calls.clone().try_acquire_owned() else {
            let error = Error::unavailable("the server has too many calls in flight");
            return error_response(&error.with_retry_after(Duration::from_secs(1)));
        };
        // Kept here for handlers that do not know of it.
        let permit = Arc::new(permit);
        let mut request = request.map(Body::new);
        let context = CallContext { tracker: self.tracker.clone(), permit: Some(permit.clone()) };
        request.extensions_mut().insert(context);
        request.extensions_mut().insert(ConnectInfo(peer));
        let (verb, uri, router) = (request.method().clone(), request.uri().clone(), self.router.clone());
        // Services' panics are answered by the routes; those of layers, and of handlers beside the routes, come here.
        let response = AssertUnwindSafe(async move { router.oneshot(request).await }).catch_unwind().await;
        drop(permit);
        let error = match response {
            // hyper would put a 500 without a body in its place.
            Ok(Ok(response)) if is_interim(response.status()) => {
                Error::internal(format!("answered with {}, which is no answer yet", response.status()))
            }
            Ok(Ok(response)) => return explain_not_allowed(response, &verb),
            Ok(Err(never)) => match never {},
            Err(panic) => from_panic(&*panic),
        };
        report(&error, uri.path(), verb.as_str());
        error_response(&error)
    }
}

/// Returns whether a status says that the answer is still to come.
fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

/// Serves a connection until one of the two sides ends it.
async fn connection(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
    // Answers are written whole, so that waiting for more to send is of no use.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let calls = Arc::new(Calls::default());
    let service = {
        let (shared, hearing) = (shared.clone(), Hearing::new(calls.clone()));
        service_fn(move |request| {
            let answering = hearing.begin(&request);
            let shared = shared.clone();
            async move {
                let response = shared.respond(request, peer).await;
                Ok::<_, std::convert::Infallible>(response.map(|body| answering.last_through(body)))
            }
        })
    };
    let stream = Patience::new(stream, shared.write_time);
    let stream = TokioIo::new(Explain::new(stream, calls.clone(), shared.head_bounds));
    let mut served = pin!(shared.builder.serve_connection_with_upgrades(stream, service));
    // hyper's own time begins once it knows the version of HTTP, and it waits for that without an end.
    let mut silence = pin!(tokio::time::sleep(shared.header_time));
    let (mut listened, mut stopping) = (false, false);
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection failed");
                }
                break;
            }
            () = &mut silence, if !listened => {
                if !calls.any() {
                    break;
                }
                listened = true;
            }
            () = shared.stopping.cancelled(), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
            () = shared.cut.cancelled() => break,
        }
    }
    drop(permit);
}
