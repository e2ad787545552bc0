//! Layers for one service, or for one method of it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::future::ready;
use remex_core::Method;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::rest::{Responding, RestLimits, Routed, error_response, report, run};

/// What a layer of [`RestRoutes`](crate::RestRoutes) or [`ServiceRoutes`](crate::ServiceRoutes) is put around: the rest
/// of the way to the service.
#[derive(Clone)]
pub struct Endpoint(BoxCloneSyncService<Request, Response, Infallible>);

impl Endpoint {
    /// The way to the service itself.
    fn innermost(limits: RestLimits) -> Self {
        Self(BoxCloneSyncService::new(tower::service_fn(move |mut request: Request| {
            match request.extensions_mut().remove::<Arc<Routed>>() {
                Some(routed) => run(Arc::unwrap_or_clone(routed), request, limits),
                None => {
                    let error = remex_core::Error::internal("a layer took the extensions of a request away");
                    report(&error, "unknown", "unknown");
                    Box::pin(ready(Ok(error_response(&error))))
                }
            }
        })))
    }

    /// Sends a request on its way through the layers.
    pub(crate) fn run(self, routed: Routed, mut request: Request) -> Responding {
        request.extensions_mut().insert(Arc::new(routed));
        Box::pin(self.0.oneshot(request))
    }
}

impl tower::Service<Request> for Endpoint {
    type Response = Response;
    type Error = Infallible;
    type Future = Responding;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.call(request)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

/// A layer as it was given.
type Wrap = Arc<dyn Fn(Endpoint) -> Endpoint + Send + Sync>;

/// Turns a layer into what is kept until the routes are built.
pub(crate) fn wrap<L>(layer: L) -> Wrap
where
    L: tower::Layer<Endpoint> + Send + Sync + 'static,
    L::Service: tower::Service<Request> + Clone + Send + Sync + 'static,
    <L::Service as tower::Service<Request>>::Response: IntoResponse + 'static,
    <L::Service as tower::Service<Request>>::Error: Into<Infallible> + 'static,
    <L::Service as tower::Service<Request>>::Future: Send + 'static,
{
    Arc::new(move |inner| {
        let layered = layer.layer(inner).map_response(IntoResponse::into_response).map_err(Into::into);
        Endpoint(BoxCloneSyncService::new(layered))
    })
}

/// The layers that were given, by service, in the order of giving.
#[derive(Clone, Default)]
pub(crate) struct Layers(Vec<(String, Option<Method>, Wrap)>);

impl Layers {
    /// Adds a layer for a service, or for one of its methods.
    pub(crate) fn push(&mut self, path: String, method: Option<Method>, wrap: Wrap) {
        self.0.push((path, method, wrap));
    }

    /// Lists the services that have layers.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, ..)| path.as_str())
    }

    /// Puts the layers around the ways to the services.
    pub(crate) fn build(&self, limits: RestLimits) -> Endpoints {
        let by_path = self.paths().map(|path| {
            let methods = Method::ALL.map(|method| self.endpoint(path, Some(method), limits));
            (path.to_owned(), PathEndpoints { methods, other: self.endpoint(path, None, limits) })
        });
        Endpoints(by_path.collect())
    }

    /// Puts the method's layers around the way to it, and the service's around those; a later layer around an earlier.
    fn endpoint(&self, path: &str, method: Option<Method>, limits: RestLimits) -> Option<Endpoint> {
        let of = |wanted: Option<Method>| {
            self.0.iter().filter(move |(other, method, _)| other == path && *method == wanted).map(|(.., wrap)| wrap)
        };
        let inner = method.into_iter().flat_map(|method| of(Some(method)));
        let mut layers = inner.chain(of(None)).peekable();
        layers.peek()?;
        Some(layers.fold(Endpoint::innermost(limits), |endpoint, wrap| wrap(endpoint)))
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(path, method, _)| (path, method))).finish()
    }
}

/// The ways through layers, for the services that have some.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints(HashMap<String, PathEndpoints>);

#[derive(Clone, Debug)]
struct PathEndpoints {
    methods: [Option<Endpoint>; 6],
    /// For what is none of the six methods: `OPTIONS`, and verbs that are refused.
    other: Option<Endpoint>,
}

impl Endpoints {
    /// Returns the way through the layers for a method, if it has any.
    pub(crate) fn find(&self, path: &str, method: Option<Method>) -> Option<Endpoint> {
        if self.0.is_empty() {
            return None;
        }
        let endpoints = self.0.get(path)?;
        match method {
            Some(method) => endpoints.methods[method as usize].clone(),
            None => endpoints.other.clone(),
        }
    }
}
