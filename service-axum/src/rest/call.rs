//! One request, from its head to its response.

use std::any::Any;
use std::error::Error as _;
use std::fmt::Write;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt;
use http::{HeaderValue, Method as Verb, Version, header};
use remex_core::{Call, Error, ErrorKind, Params, Result};

use super::action::{Action, allow};
use super::limits::RestLimits;
use super::place::{Host, Location, Place};
use super::{extract, respond, stream};
use crate::shield::{CallContext, Shield};

/// A request whose service and method are decided.
#[derive(Clone, Debug)]
pub(crate) struct Routed {
    pub(crate) location: Location,
    pub(crate) action: Action,
}

/// Runs a request and answers whatever comes of it.
pub(crate) async fn run(routed: Routed, request: Request, limits: RestLimits) -> Response {
    let Routed { location, action } = routed;
    let (host, place) = (location.host.clone(), location.place.clone());
    let (verb, version) = (request.method().clone(), request.version());
    let mut many = false;
    let response = AssertUnwindSafe(perform(location, action, request, limits, &mut many)).catch_unwind().await;
    let response = response.unwrap_or_else(|panic| {
        let error = from_panic(&*panic);
        report(&error, host.label(), action.name());
        Err(error)
    });
    let response = response.unwrap_or_else(|error| {
        let mut response = respond::error_response(&error);
        match error.kind() {
            ErrorKind::MethodNotAllowed => {
                let mut methods = host.description().methods();
                // A service that takes one record at a time still takes that one by the same verb.
                if let Some(method) = action.method().filter(|_| !many) {
                    methods = methods.without(method);
                }
                respond::insert(&mut response, header::ALLOW, &allow(&place, methods));
            }
            ErrorKind::UnsupportedMediaType if verb == Verb::PATCH => {
                let name = header::HeaderName::from_static("accept-patch");
                respond::insert(&mut response, name, extract::ACCEPT_PATCH);
            }
            // The rest of the body may be on its way still. HTTP/2 has streams for that, and no such header.
            ErrorKind::Timeout if version <= Version::HTTP_11 => {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    });
    if verb == Verb::HEAD { respond::without_body(response) } else { response }
}

async fn perform(
    location: Location,
    action: Action,
    request: Request,
    limits: RestLimits,
    many: &mut bool,
) -> Result<Response> {
    let Location { host, place, route } = location;
    let description = host.description();
    match action {
        Action::Options => return Ok(respond::options(&allow(&place, description.methods()))),
        Action::NotAllowed => {
            let name = description.name();
            return Err(Error::method_not_allowed(format!("`{name}` does not offer `{}` here", request.method())));
        }
        _ => {}
    }
    let (mut parts, body) = request.into_parts();
    let context = parts.extensions.remove::<CallContext>().unwrap_or_default();
    let uri = extract::original_uri(&parts);
    let head = parts.method == Verb::HEAD;
    let form = extract::expect_body(action, &parts.method, &parts.headers, &body, &limits)?;
    let params = extract::params(parts, route, description).await?;
    if let Place::Record(id) = &place {
        extract::check_id(id, action, description, &params)?;
    }
    if action == Action::Count {
        return Ok(respond::count(count(&host, params, action, &context, limits.call_time).await?));
    }
    if action == Action::Index
        && let Some(long) = stream::long(description, &params)
    {
        if head {
            return Ok(respond::json_stream(respond::unknown_length()));
        }
        let total = if long.total {
            Some(count(&host, params.clone(), action, &context, limits.call_time).await?)
        } else {
            None
        };
        let mut response = stream::respond(host, params, context, limits).await?;
        if let Some(total) = total {
            respond::insert_total(&mut response, total);
        }
        return Ok(response);
    }
    let data = match form {
        Some(form) => Some((form, extract::read_body(body, &limits).await?)),
        None => None,
    };
    let collection = matches!(place, Place::Collection);
    let call = extract::call(action, place, data).inspect_err(|error| report(error, host.label(), action.name()))?;
    *many = matches!(call, Call::CreateMany(_));
    let service = host.service().clone();
    let work = async move { service.answer(call, &params).await };
    let answer = shielded(work, &host, action, &context, limits.call_time).await?;
    Ok(respond::answer(answer, collection, &uri))
}

/// Counts the records that a list would have.
async fn count(host: &Host, params: Params, action: Action, context: &CallContext, time: Duration) -> Result<u64> {
    let service = host.service().clone();
    shielded(async move { service.count(&params).await }, host, action, context, time).await
}

/// Runs the work of a service to its end, whoever waits for it, and waits for as long as a call may take.
async fn shielded<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
    host: &Host,
    action: Action,
    context: &CallContext,
    time: Duration,
) -> Result<T> {
    let (host, permit) = (host.clone(), context.permit.clone());
    let work = async move {
        let result = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(from_panic(&*panic)));
        if let Err(error) = &result {
            report(error, host.label(), action.name());
        }
        // Held until here, since work that lost its caller is in flight as well.
        drop(permit);
        result
    };
    let work = Shield::tracked(work, context.tracker.clone());
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Err(too_long()))
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
