//! The native dialect: services as resources of HTTP.

mod action;
mod call;
mod extract;
mod limits;
mod place;
mod respond;
mod stream;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use futures::future::ready;
use http::Method as Verb;
use remex_core::{App, Error, Method, Result, Service, Untyped};

pub(crate) use call::{Responding, Routed, from_panic, report, run};
pub use limits::RestLimits;
pub use respond::error_response;
pub(crate) use respond::{PROBLEM, explain_not_allowed, head_problem};

use crate::layers::{Endpoint, Endpoints, Layers, wrap};
use place::{Place, Single, Source, empty_id};

/// Exposes all services of an app over HTTP, those that are mounted later among them.
///
/// | route | method | answer |
/// | --- | --- | --- |
/// | `GET /todos` | `index` | 200, the records |
/// | `GET /todos/_count` | `count` | 200, `{"count": n}` |
/// | `GET /todos/{id}` | `read` | 200, the record |
/// | `POST /todos` | `create`, or `create_many` for a list | 201, what was made, with `Location` for one |
/// | `PATCH /todos/{id}` | `modify` | 200, the record; 201 where it was made |
/// | `PATCH /todos?…` | `modify_many` | 200, the changed records |
/// | `PUT /todos/{id}`, `POST /todos/{id}` | `update` | 200, the record; 201 where it was made |
/// | `DELETE /todos/{id}` | `remove` | 200, the record as it was |
/// | `DELETE /todos?…` | `remove_many` | 200, the records as they were |
/// | `DELETE /todos` | `remove_many`, of all | 200, the records as they were |
///
/// All records are removed only where the address has no question mark at all: behind one, a query without a filter is
/// refused, and so are one that is empty and one of nothing but ignored parameters.
///
/// `HEAD` is `GET` without its body, `OPTIONS` lists the verbs, and others are answered with 405. A slash at the end makes
/// no difference. Where there is a next page, `Link` says where: behind a cursor or, where that would be very long, by
/// `$skip`. Errors are problems of RFC 9457, see [`error_response`].
///
/// The result is a router like any other: it nests, it merges into one that has no fallback of its own, and it takes
/// layers. What layers put into the extensions of a request is in [`Params::extensions`](remex_core::Params::extensions).
/// [`RestRoutes`] has more to choose from.
///
/// ```
/// use axum::Router;
/// use remex_axum::rest;
/// use remex_core::{App, Document, FnService, Id};
///
/// let app = App::new();
/// app.mount("birds", FnService::<Id>::new("birds").on_read(|id, _| async move {
///     Ok(Document::new().with("id", id.as_str()).with("name", "Wren"))
/// }))?;
/// let router: Router = Router::new().nest("/api", rest(&app));
/// # Ok::<(), remex_core::Error>(())
/// ```
pub fn rest(app: &App) -> Router {
    router(Source::App(app.clone()), Endpoints::default(), RestLimits::default())
}

/// Exposes one service over HTTP, by the routes of [`rest`] under whatever path the router is nested.
///
/// Parameters of that path are in [`Params::route`](remex_core::Params::route). `Router::nest` does not match its path
/// with a slash behind it; `Router::nest_service` does.
///
/// ```
/// use axum::Router;
/// use remex_axum::routes;
/// use remex_core::{Document, FnService, Id, Page};
///
/// let notes = FnService::<Id>::new("notes").on_index(|params| async move {
///     let user = params.route.get("user_id").unwrap_or_default();
///     Ok(vec![Document::new().with("of", user)].into())
/// });
/// let router: Router = Router::new().nest_service("/users/{user_id}/notes", routes(notes));
/// # let _ = router;
/// ```
pub fn routes<S: Service + 'static>(service: S) -> Router {
    ServiceRoutes::new(service).into_router()
}

/// Builds the routes of an app with limits, and with layers for single services and methods.
///
/// A layer for all of them is added to the router that comes out of it, as to any.
///
/// ```
/// use axum::middleware::{Next, from_fn};
/// use axum::extract::Request;
/// use remex_axum::{RestLimits, RestRoutes};
/// use remex_core::{App, FnService, Method};
///
/// async fn slowly(request: Request, next: Next) -> axum::response::Response {
///     tokio::task::yield_now().await;
///     next.run(request).await
/// }
///
/// let app = App::new();
/// app.mount("todos", FnService::<remex_core::Id>::new("todos"))?;
/// let router = RestRoutes::new(&app)
///     .layer_service("todos", from_fn(slowly))
///     .layer_method("todos", Method::Create, from_fn(slowly))
///     .limits(RestLimits { body_bytes_max: 64 * 1024, ..RestLimits::default() })
///     .into_router()?;
/// # let _ = router;
/// # Ok::<(), remex_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RestRoutes {
    app: App,
    layers: Layers,
    limits: RestLimits,
}

impl RestRoutes {
    /// Begins with the routes that [`rest`] makes.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), layers: Layers::default(), limits: RestLimits::default() }
    }

    /// Puts a layer around all that is asked of the service that is mounted under `path`, `OPTIONS` and what is refused
    /// among it. A later layer is around an earlier one.
    pub fn layer_service<L>(mut self, path: &str, layer: L) -> Self
    where
        L: tower::Layer<Endpoint> + Send + Sync + 'static,
        L::Service: tower::Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as tower::Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(trimmed(path), None, wrap(layer));
        self
    }

    /// Puts a layer around one method of the service that is mounted under `path`, inside the layers of the service.
    ///
    /// A method has the layer in all its forms: `create_many` goes with [`Method::Create`], counting with
    /// [`Method::Index`], and so on.
    pub fn layer_method<L>(mut self, path: &str, method: Method, layer: L) -> Self
    where
        L: tower::Layer<Endpoint> + Send + Sync + 'static,
        L::Service: tower::Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as tower::Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(trimmed(path), Some(method), wrap(layer));
        self
    }

    /// Sets how much a request may take. Defaults to [`RestLimits::default`].
    pub const fn limits(mut self, limits: RestLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Returns the router.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](remex_core::ErrorKind::NotFound) for a layer of a service that is not mounted yet: a layer
    /// that checks who may do what must not be left out over a slip of the pen.
    pub fn into_router(self) -> Result<Router> {
        let mounts = self.app.mounts();
        if let Some(path) = self.layers.paths().find(|path| !mounts.iter().any(|mount| mount.path() == *path)) {
            return Err(Error::not_found(format!("a layer is for `{path}`, where no service is mounted")));
        }
        Ok(router(Source::App(self.app), self.layers.build(self.limits), self.limits))
    }
}

fn trimmed(path: &str) -> String {
    path.trim_matches('/').to_owned()
}

/// Builds the routes of one service with limits, and with layers for single methods.
///
/// A layer for the whole service is added to the router that comes out of it, as to any.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServiceRoutes {
    single: Arc<Single>,
    layers: Layers,
    limits: RestLimits,
}

impl ServiceRoutes {
    /// Begins with the routes that [`routes`] makes.
    pub fn new<S: Service + 'static>(service: S) -> Self {
        let single = Single { description: service.describe(), service: Arc::new(Untyped::new(service)) };
        Self { single: Arc::new(single), layers: Layers::default(), limits: RestLimits::default() }
    }

    /// Puts a layer around one method, in all its forms. A later layer is around an earlier one.
    pub fn layer_method<L>(mut self, method: Method, layer: L) -> Self
    where
        L: tower::Layer<Endpoint> + Send + Sync + 'static,
        L::Service: tower::Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as tower::Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(self.single.description.name().to_owned(), Some(method), wrap(layer));
        self
    }

    /// Sets how much a request may take. Defaults to [`RestLimits::default`].
    pub const fn limits(mut self, limits: RestLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Returns the router.
    pub fn into_router(self) -> Router {
        router(Source::Single(self.single), self.layers.build(self.limits), self.limits)
    }
}

/// Makes a router that hands everything over. It is a fallback, so that paths are looked up when they are asked for.
fn router(source: Source, endpoints: Endpoints, limits: RestLimits) -> Router {
    Router::new().fallback_service(Dispatch(Arc::new(Inner { source, endpoints, limits })))
}

/// Finds the service and the method of each request.
#[derive(Clone)]
struct Dispatch(Arc<Inner>);

struct Inner {
    source: Source,
    endpoints: Endpoints,
    limits: RestLimits,
}

impl Dispatch {
    fn route(&self, request: &Request) -> Result<Routed> {
        let location = self.0.source.locate(request.uri().path())?;
        // Taking the prefix of a nested router away can take a slash too many, and with it an id that is empty.
        let original = request.extensions().get::<OriginalUri>();
        if location.place == Place::Collection && original.is_some_and(|OriginalUri(uri)| uri.path().ends_with("//")) {
            return Err(empty_id());
        }
        let description = location.host.description();
        let action = action::Action::of(request.method(), &location.place, description);
        Ok(Routed { location, action })
    }
}

impl tower::Service<Request> for Dispatch {
    type Response = Response;
    type Error = Infallible;
    type Future = Responding;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let routed = match self.route(&request) {
            Ok(routed) => routed,
            Err(error) => {
                let response = error_response(&error);
                let head = request.method() == Verb::HEAD;
                return Box::pin(ready(Ok(if head { respond::without_body(response) } else { response })));
            }
        };
        match self.0.endpoints.find(routed.location.host.label(), routed.action.method()) {
            Some(endpoint) => endpoint.run(routed, request),
            None => run(routed, request, self.0.limits),
        }
    }
}
