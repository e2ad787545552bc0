//! [`ServeOptions`]: where a server listens, and how much it takes on.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use remex_core::App;
use tokio::net::TcpListener;

use super::explain::HeadBounds;

/// Where a server listens, how much it takes on, and when it stops.
///
/// What belongs to a request and not to its connection is in [`RestLimits`](crate::RestLimits): how large a body may be,
/// how long it and the service may take.
///
/// ```
/// use std::time::Duration;
/// use remex_axum::ServeOptions;
///
/// let options = ServeOptions::new("127.0.0.1:3030".parse()?)
///     .connections_max(10_000)
///     .calls_max(1_000)
///     .stop_time(Duration::from_secs(5));
/// # let _ = options;
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub struct ServeOptions {
    address: Address,
    pub(super) connections_max: usize,
    pub(super) calls_max: usize,
    pub(super) header_time: Duration,
    pub(super) write_time: Duration,
    head_bytes_max: usize,
    headers_max: usize,
    pub(super) stop_time: Duration,
    stop: Option<Stop>,
    pub(super) app: Option<App>,
}

type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Debug)]
enum Address {
    Unbound(SocketAddr),
    Bound(TcpListener),
    Taken,
}

/// The headers that hyper has room for without further allocation.
const HEADERS_MAX: usize = 100;

/// The smallest buffer that hyper works with.
const HEAD_BYTES_MIN: usize = 8 * 1024;

/// How often, and then for how long, a client of HTTP/2 is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

impl ServeOptions {
    /// Listens on an address.
    pub const fn new(address: SocketAddr) -> Self {
        Self::at(Address::Unbound(address))
    }

    /// Listens on what is bound already.
    pub const fn from_listener(listener: TcpListener) -> Self {
        Self::at(Address::Bound(listener))
    }

    const fn at(address: Address) -> Self {
        Self {
            address,
            connections_max: 1_024,
            calls_max: 512,
            header_time: Duration::from_secs(10),
            write_time: Duration::from_secs(30),
            head_bytes_max: 128 * 1024,
            headers_max: HEADERS_MAX,
            stop_time: Duration::from_secs(20),
            stop: None,
            app: None,
        }
    }

    /// Sets how many connections are open at most; further ones wait until one ends. Defaults to 1,024.
    pub const fn connections_max(mut self, connections: usize) -> Self {
        self.connections_max = connections;
        self
    }

    /// Sets how many calls are in flight at most; further ones are answered with 503 at once. Work that goes on without
    /// its client is in flight as well. Defaults to 512.
    pub const fn calls_max(mut self, calls: usize) -> Self {
        self.calls_max = calls;
        self
    }

    /// Sets for how long a client may be silent before its first request, and how long the head of any request, and the
    /// time before it, may take; past it the connection is closed. Defaults to 10 seconds.
    pub const fn header_time(mut self, time: Duration) -> Self {
        self.header_time = time;
        self
    }

    /// Sets for how long a client may take nothing of what is written to it; past it the connection is closed. Defaults to
    /// 30 seconds.
    pub const fn write_time(mut self, time: Duration) -> Self {
        self.write_time = time;
        self
    }

    /// Sets how large the head of a request may be; a larger one is answered with 431. Defaults to 128 KiB, and is 8 KiB
    /// at least.
    ///
    /// Much of it may be the query: a path with its query may have 65,534 bytes, past which the answer is 414. What is
    /// refused so, or with 400 because the head is malformed, is refused before any route is reached, and has the body of
    /// every other error. Over HTTP/2, the 431 has no body, and a malformed head or such a long path resets its stream.
    pub const fn head_bytes_max(mut self, bytes: usize) -> Self {
        self.head_bytes_max = bytes;
        self
    }

    /// Sets how many headers a request of HTTP/1 may have; more are answered with 431. Defaults to 100.
    ///
    /// HTTP/2 has no bound on their number, only the one on all of them together, see
    /// [`head_bytes_max`](Self::head_bytes_max).
    pub const fn headers_max(mut self, headers: usize) -> Self {
        self.headers_max = headers;
        self
    }

    /// Sets for how long the server waits, once told to stop, until everything in flight has ended. Defaults to 20
    /// seconds.
    pub const fn stop_time(mut self, time: Duration) -> Self {
        self.stop_time = time;
        self
    }

    /// Stops when a future ends. Defaults to Ctrl-C and, on Unix, SIGTERM; with these, a second one while calls in flight
    /// are waited for ends the waiting, as [`stop_time`](Self::stop_time) does.
    pub fn shutdown_on(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Some(Box::pin(stop));
        self
    }

    /// Starts an app before the first request is taken, and stops it after the last one is answered: see
    /// [`App::on_start`] and [`App::on_stop`]. Defaults to none.
    pub fn app(mut self, app: &App) -> Self {
        self.app = Some(app.clone());
        self
    }

    pub(super) async fn listen(&mut self) -> io::Result<TcpListener> {
        match std::mem::replace(&mut self.address, Address::Taken) {
            Address::Unbound(address) => TcpListener::bind(address).await,
            Address::Bound(listener) => Ok(listener),
            Address::Taken => Err(io::Error::other("the listener is taken")),
        }
    }

    /// Returns what ends when the server is to stop, and what ends when it is to wait for nothing more.
    pub(super) fn stop(&mut self) -> (Stop, Stop) {
        match self.stop.take() {
            Some(stop) => (stop, Box::pin(std::future::pending())),
            None => (Box::pin(told_to_stop()), Box::pin(told_to_stop())),
        }
    }

    pub(super) fn head_bounds(&self) -> HeadBounds {
        HeadBounds { bytes_max: self.head_bytes_max.max(HEAD_BYTES_MIN), headers_max: self.headers_max }
    }

    pub(super) fn connection_builder(&self) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        let HeadBounds { bytes_max: head_bytes_max, headers_max } = self.head_bounds();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.header_time).max_buf_size(head_bytes_max);
        // Some clients close their side once they have asked; they are still there to be answered.
        builder.http1().half_close(true);
        if headers_max != HEADERS_MAX {
            // Said only where it differs, since hyper then allocates for each head.
            builder.http1().max_headers(headers_max);
        }
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX));
        builder
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("address", &self.address)
            .field("connections_max", &self.connections_max)
            .field("calls_max", &self.calls_max)
            .field("header_time", &self.header_time)
            .field("write_time", &self.write_time)
            .field("head_bytes_max", &self.head_bytes_max)
            .field("headers_max", &self.headers_max)
            .field("stop_time", &self.stop_time)
            .finish_non_exhaustive()
    }
}

/// Ends when the program is told to stop by Ctrl-C or SIGTERM.
async fn told_to_stop() {
    let interrupted = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C will not stop the server");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminated = async {
            match signal(SignalKind::terminate()) {
                Ok(mut terminated) => {
                    terminated.recv().await;
                }
                Err(error) => {
                    tracing::warn!(%error, "SIGTERM will not stop the server");
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            () = interrupted => {}
            () = terminated => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
