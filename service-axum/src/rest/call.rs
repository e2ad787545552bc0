//! One request, from its head to its response.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error as _;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use http::request::Parts;
use http::{HeaderValue, Method as Verb, Uri, Version, header};
use remex_core::{Answer, Call, Document, Error, ErrorKind, Id, Params, Result, RouteValues, Shield};

use super::action::{Action, allow};
use super::extract::Form;
use super::limits::RestLimits;
use super::place::{Host, Location, Place};
use super::{extract, respond, stream};
use crate::context::CallContext;

/// A request whose service and method are decided.
#[derive(Clone, Debug)]
pub(crate) struct Routed {
    pub(crate) location: Location,
    pub(crate) action: Action,
}

/// A response on its way.
pub(crate) type Responding = BoxFuture<'static, Result<Response, Infallible>>;

/// What is known of a request all the way to its response.
struct Exchange {
    host: Host,
    place: Place,
    action: Action,
    verb: Verb,
    version: Version,
    uri: Uri,
    context: CallContext,
    limits: RestLimits,
    /// Whether the body is a list of records.
    many: bool,
}

/// Runs a request and answers whatever comes of it.
///
/// What needs no waiting is done at once, and each way to an answer is a future of its own: one for all of them would be
/// as large as the largest, and moving it took longer than reading a record.
pub(crate) fn run(routed: Routed, request: Request, limits: RestLimits) -> Responding {
    let Routed { location: Location { host, place, route }, action } = routed;
    let (mut parts, body) = request.into_parts();
    let mut exchange = Exchange {
        host,
        place,
        action,
        verb: parts.method.clone(),
        version: parts.version,
        uri: extract::original_uri(&parts),
        context: parts.extensions.remove().unwrap_or_default(),
        limits,
        many: false,
    };
    // Layers' edits are run here, which may panic like any code of the program.
    let prepared = catch_unwind(AssertUnwindSafe(|| exchange.prepare(parts, route, &body)));
    let prepared = prepared.unwrap_or_else(|panic| Err(exchange.reported(from_panic(&*panic))));
    match prepared {
        Ok(Prepared::Response(response)) => exchange.at_once(Ok(response)),
        Ok(Prepared::Count(params)) => Box::pin(exchange.count(params)),
        Ok(Prepared::Long(params, long)) => Box::pin(exchange.list(params, long.total)),
        Ok(Prepared::Call(params, None)) => match exchange.call(None) {
            Ok(call) => Box::pin(exchange.answer(call, params)),
            Err(error) => exchange.at_once(Err(error)),
        },
        Ok(Prepared::Call(params, Some(form))) => Box::pin(async move {
            let data = extract::read_body(body, &limits).await;
            match data.and_then(|data| exchange.call(Some((form, data)))) {
                Ok(call) => exchange.answer(call, params).await,
                Err(error) => Ok(exchange.respond(Err(error))),
            }
        }),
        Err(error) => exchange.at_once(Err(error)),
    }
}

/// What the head of a request comes to.
enum Prepared {
    /// There is nothing to ask a service.
    Response(Response),
    Count(Params),
    Long(Params, stream::Long),
    /// A call, whose data is still to be read where it has a form.
    Call(Params, Option<Form>),
}

impl Exchange {
    /// Does all that can be done before the body has come.
    fn prepare(&self, parts: Parts, route: RouteValues, body: &Body) -> Result<Prepared> {
        let (description, action) = (self.host.description(), self.action);
        match action {
            Action::Options => {
                return Ok(Prepared::Response(respond::options(&allow(
                    &self.place,
                    description.methods(),
                    description.multi(),
                ))));
            }
            Action::NotAllowed => {
                let (name, verb) = (description.name(), &self.verb);
                return Err(Error::method_not_allowed(format!("`{name}` does not offer `{verb}` here")));
            }
            _ => {}
        }
        let form = extract::expect_body(action, &self.verb, &parts.headers, body, &self.limits)?;
        let params = extract::params(parts, action, route, description)?;
        if let Place::Record(id) = &self.place {
            extract::check_id(id, action, description, &params)?;
        }
        if action == Action::Count {
            return Ok(Prepared::Count(params));
        }
        // Whether the service streams may change with its hooks.
        let long = match action {
            Action::Index => stream::long(&self.host.service().describe(), &params),
            _ => None,
        };
        match long {
            Some(long) => Ok(Prepared::Long(params, long)),
            None => Ok(Prepared::Call(params, form)),
        }
    }

    /// Makes the call.
    fn call(&mut self, data: Option<(Form, bytes::Bytes)>) -> Result<Call<Id, Document>> {
        let call = extract::call(self.action, &self.place, data).map_err(|error| self.reported(error))?;
        self.many = matches!(call, Call::CreateMany(_));
        Ok(call)
    }

    /// Makes the call and answers what the service does.
    fn answer(
        self,
        call: Call<Id, Document>,
        params: Params,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send {
        let service = self.host.service().clone();
        self.shielded(async move { service.answer(call, &params).await }).map(move |answer: Result<Answer>| {
            let collection = self.place == Place::Collection;
            let skip_max = self.host.description().syntax().bounds.skip_max;
            let response = answer.map(|answer| respond::answer(answer, collection, &self.uri, skip_max));
            Ok(self.respond(response))
        })
    }

    async fn count(self, params: Params) -> Result<Response, Infallible> {
        let service = self.host.service().clone();
        let count = self.shielded(async move { service.count(&params).await }).await;
        Ok(self.respond(count.map(respond::count)))
    }

    /// Answers a long list part by part, with the total in a header where it is asked for.
    async fn list(self, params: Params, total: bool) -> Result<Response, Infallible> {
        let (service, counted) = (self.host.service().clone(), params.clone());
        let total = async move { if total { service.count(&counted).await.map(Some) } else { Ok(None) } };
        let response = match self.shielded(total).await {
            Ok(total) => stream::respond(&self.host, params, &self.context, self.limits).await.map(|mut response| {
                total.into_iter().for_each(|total| respond::insert_total(&mut response, total));
                response
            }),
            Err(error) => Err(error),
        };
        Ok(self.respond(response))
    }

    /// Runs the work of a service to its end, whoever waits for it, and waits for as long as a call may take.
    fn shielded<T, W>(&self, work: W) -> impl Future<Output = Result<T>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        let (host, action, permit) = (self.host.clone(), self.action, self.context.permit.clone());
        let work = AssertUnwindSafe(work).catch_unwind().map(move |result| {
            let result = result.unwrap_or_else(|panic| Err(from_panic(&*panic)));
            if let Err(error) = &result {
                report(error, host.label(), action.name());
            }
            // Held until here, since work that lost its caller is in flight as well.
            drop(permit);
            result
        });
        let work = Shield::tracked(work, self.context.tracker.clone());
        tokio::time::timeout(self.limits.call_time, work).map(|result| result.unwrap_or_else(|_| Err(too_long())))
    }

    fn at_once(self, response: Result<Response>) -> Responding {
        Box::pin(ready(Ok(self.respond(response))))
    }

    /// Logs an error that no service has answered.
    fn reported(&self, error: Error) -> Error {
        report(&error, self.host.label(), self.action.name());
        error
    }

    /// Makes the response that the client gets.
    fn respond(&self, response: Result<Response>) -> Response {
        let response = response.unwrap_or_else(|error| self.refusal(&error));
        if self.verb == Verb::HEAD { respond::without_body(response) } else { response }
    }

    /// Makes the response to an error, with what HTTP wants to be said beside it.
    fn refusal(&self, error: &Error) -> Response {
        let mut response = respond::error_response(error);
        match error.kind() {
            ErrorKind::MethodNotAllowed => {
                let description = self.host.description();
                let mut methods = description.methods();
                // A service that takes one record at a time still takes that one by the same verb.
                if let Some(method) = self.action.method().filter(|_| !self.many) {
                    methods = methods.without(method);
                }
                respond::insert(&mut response, header::ALLOW, &allow(&self.place, methods, description.multi()));
            }
            ErrorKind::UnsupportedMediaType if self.verb == Verb::PATCH => {
                let name = header::HeaderName::from_static("accept-patch");
                respond::insert(&mut response, name, extract::ACCEPT_PATCH);
            }
            // The rest of the body may be on its way still. HTTP/2 has streams for that, and no such header.
            ErrorKind::Timeout if self.version <= Version::HTTP_11 => {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

/// The error of a service that took too long.
pub(crate) fn too_long() -> Error {
    Error::unavailable("the call took too long; it may still come to its end")
}

/// Makes an error of a panic.
pub(crate) fn from_panic(panic: &(dyn Any + Send)) -> Error {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(format!("panicked: {}", message.unwrap_or("without a message")))
}

/// Logs an error that is nobody's fault but the program's, which clients are told nothing about.
pub(crate) fn report(error: &Error, service: &str, method: &str) {
    if error.kind() != ErrorKind::Internal {
        return;
    }
    let mut context = String::new();
    for (name, value) in error.context() {
        let separator = if context.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(context, "{separator}{name}: {value}");
    }
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let separator = if causes.is_empty() { "" } else { ": " };
        let _ = write!(causes, "{separator}{error}");
        cause = error.source();
    }
    tracing::error!(service, method, context, causes, "a call failed inside");
}
