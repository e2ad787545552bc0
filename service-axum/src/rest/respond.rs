//! Answers and errors to responses.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method as Verb, StatusCode, Uri};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use remex_core::{Answer, Cursor, Error, ErrorKind, Id, PageInfo, Value};
use serde::Serialize;

/// How many records there are in all, where the answer is a plain list.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// The type of the body of every error (RFC 9457).
pub(crate) const PROBLEM: &str = "application/problem+json";

/// What a segment of a path holds as it is (RFC 3986, unreserved characters).
const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What must not stand between the angle brackets of a `Link` header.
const IN_LINK: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');

/// How long a cursor may be in a link.
const CURSOR_BYTES_MAX: usize = 2_048;

/// Turns what a service answered into a response.
pub(crate) fn answer(answer: Answer, collection: bool, uri: &Uri, skip_max: u64) -> Response {
    let Answer { json, id, created, page } = answer;
    if &*json == b"null" {
        return status_only(StatusCode::NO_CONTENT);
    }
    let page = page.unwrap_or_default();
    let json = if page.paginated { envelope(&page, &json) } else { json };
    let mut response = json_response(if created { StatusCode::CREATED } else { StatusCode::OK }, json);
    let headers = response.headers_mut();
    let location = id.filter(|_| created).and_then(|id| location(uri, collection.then_some(&id)));
    location.and_then(|location| headers.insert(header::LOCATION, location));
    if let Some(link) = page.next.as_ref().and_then(|cursor| next_link(uri, cursor, &page, skip_max)) {
        headers.insert(header::LINK, link);
    }
    if let (false, Some(total)) = (page.paginated, page.total) {
        insert_total(&mut response, total);
    }
    response
}

/// Says in a header how many records match.
pub(crate) fn insert_total(response: &mut Response, total: u64) {
    response.headers_mut().insert(TOTAL_COUNT, total.into());
}

/// Answers a count.
pub(crate) fn count(count: u64) -> Response {
    json_response(StatusCode::OK, format!("{{\"count\":{count}}}").into())
}

/// Answers which verbs there are.
pub(crate) fn options(allow: &str) -> Response {
    let mut response = status_only(StatusCode::NO_CONTENT);
    insert(&mut response, header::ALLOW, allow);
    response
}

pub(crate) fn json_response(status: StatusCode, json: Bytes) -> Response {
    with_type(status, "application/json", json.into())
}

/// Answers a list whose length is not known yet.
pub(crate) fn json_stream(body: Body) -> Response {
    with_type(StatusCode::OK, "application/json", body)
}

fn with_type(status: StatusCode, media_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn status_only(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Sets a header, unless the value cannot be one.
pub(crate) fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Writes a page around its records.
fn envelope(page: &PageInfo, json: &[u8]) -> Bytes {
    let mut text = Vec::with_capacity(json.len() + 80);
    text.push(b'{');
    for (name, number) in [("total", page.total), ("limit", page.limit), ("skip", Some(page.skip))] {
        if let Some(number) = number {
            text.extend_from_slice(format!("\"{name}\":{number},").as_bytes());
        }
    }
    text.extend_from_slice(b"\"data\":");
    text.extend_from_slice(json);
    text.push(b'}');
    text.into()
}

/// Writes where a new record is: behind the collection's path, or where the request put it.
fn location(uri: &Uri, id: Option<&Id>) -> Option<HeaderValue> {
    let path = uri.path().trim_end_matches('/');
    let location = match id {
        Some(id) => format!("{path}/{}", utf8_percent_encode(id.as_str(), IN_SEGMENT)),
        None => path.to_owned(),
    };
    HeaderValue::from_bytes(location.as_bytes()).ok()
}

/// Writes where the next page is (RFC 8288): the same request, going on behind this page.
///
/// A cursor holds the values that the records are sorted by, which may be long texts. Where it is too long to be part of
/// an address, the link leaves out the records of this page as well.
fn next_link(uri: &Uri, cursor: &Cursor, page: &PageInfo, skip_max: u64) -> Option<HeaderValue> {
    let cursor = cursor.encode();
    // A page that has a next one is full.
    let behind = page.limit.and_then(|limit| page.skip.checked_add(limit)).filter(|skip| *skip <= skip_max);
    let behind = behind.filter(|_| cursor.len() > CURSOR_BYTES_MAX);
    let pairs = || uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    // The form in which the query says things in JSON has names of its own.
    let json = pairs().filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        matches!(&*decoded(name), "query" | "sort") && decoded(value).trim_start().starts_with('{')
    });
    let [skip, after] = if json { ["skip", "after"] } else { ["$skip", "$after"] };
    let mut link = format!("<{}?", utf8_percent_encode(uri.path(), IN_LINK));
    for pair in pairs() {
        let name = decoded(pair.split('=').next().unwrap_or_default());
        if name != skip && (name != after || behind.is_some()) {
            link.extend(utf8_percent_encode(pair, IN_LINK));
            link.push('&');
        }
    }
    match behind {
        Some(behind) => link.push_str(&format!("{skip}={behind}")),
        None => link.push_str(&format!("{after}={}", utf8_percent_encode(&cursor, IN_SEGMENT))),
    }
    link.push_str(">; rel=\"next\"");
    HeaderValue::from_str(&link).ok()
}

/// An error as clients get it: RFC 9457, and the members that Feathers' clients know beside it.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    name: &'static str,
    message: &'a str,
    code: u16,
    #[serde(rename = "className")]
    class_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    data: &'a Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemField<'a>>,
}

#[derive(Serialize)]
struct ProblemField<'a> {
    field: &'a str,
    message: &'a str,
    code: &'a str,
}

/// A status, and the two names that Feathers has for it.
type KnownAs = (StatusCode, &'static str, &'static str);

/// Says what an error is in HTTP, and what Feathers calls it. This is the only place that knows.
const fn known_as(kind: ErrorKind) -> KnownAs {
    match kind {
        ErrorKind::BadRequest => (StatusCode::BAD_REQUEST, "BadRequest", "bad-request"),
        ErrorKind::Unauthenticated => (StatusCode::UNAUTHORIZED, "NotAuthenticated", "not-authenticated"),
        ErrorKind::PaymentRequired => (StatusCode::PAYMENT_REQUIRED, "PaymentError", "payment-error"),
        ErrorKind::Forbidden => (StatusCode::FORBIDDEN, "Forbidden", "forbidden"),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "NotFound", "not-found"),
        ErrorKind::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "method-not-allowed"),
        ErrorKind::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "NotAcceptable", "not-acceptable"),
        ErrorKind::Timeout => (StatusCode::REQUEST_TIMEOUT, "Timeout", "timeout"),
        ErrorKind::Conflict => (StatusCode::CONFLICT, "Conflict", "conflict"),
        ErrorKind::Gone => (StatusCode::GONE, "Gone", "gone"),
        ErrorKind::LengthRequired => (StatusCode::LENGTH_REQUIRED, "LengthRequired", "length-required"),
        // Feathers has none for 412.
        ErrorKind::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "PreconditionFailed", "precondition-failed"),
        ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", "payload-too-large"),
        ErrorKind::UnsupportedMediaType => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", "unsupported-media-type")
        }
        ErrorKind::Unprocessable => (StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable", "unprocessable"),
        ErrorKind::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "too-many-requests"),
        ErrorKind::Unsupported => (StatusCode::NOT_IMPLEMENTED, "NotImplemented", "not-implemented"),
        ErrorKind::BadGateway => (StatusCode::BAD_GATEWAY, "BadGateway", "bad-gateway"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Unavailable", "unavailable"),
        // `Internal`, and whatever kind is new: a test walks through all of them.
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "GeneralError", "general-error"),
    }
}

/// Turns an error into the response that the routes give for it: a problem of
/// [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), with the members that Feathers' clients know.
///
/// It is for layers and handlers beside the routes, so that a client meets one kind of error only. An
/// [internal](ErrorKind::Internal) error says nothing of its cause; logging that is for the caller to do.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use remex_axum::error_response;
/// use remex_core::Error;
///
/// async fn signed_in(request: Request, next: Next) -> Response {
///     match request.headers().get("authorization") {
///         Some(_) => next.run(request).await,
///         None => error_response(&Error::unauthenticated("who are you?")),
///     }
/// }
/// # let _ = signed_in;
/// ```
#[must_use]
pub fn error_response(error: &Error) -> Response {
    let known_as = known_as(error.kind());
    let (status, ..) = known_as;
    let mut response = with_type(status, PROBLEM, problem(known_as, error).into());
    if let Some(wait) = error.retry_after() {
        // Whole seconds, and never too few of them.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Writes the problem of a head that hyper refuses, before there is a request that could have an [`Error`].
pub(crate) fn head_problem(status: StatusCode, detail: String) -> Vec<u8> {
    let error = Error::bad_request(detail);
    let known_as = match status {
        // Feathers has neither, and no kind of error is answered so.
        StatusCode::URI_TOO_LONG => (status, "UriTooLong", "uri-too-long"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            (status, "RequestHeaderFieldsTooLarge", "request-header-fields-too-large")
        }
        _ => known_as(error.kind()),
    };
    problem(known_as, &error)
}

fn problem((status, name, class_name): KnownAs, error: &Error) -> Vec<u8> {
    let fields = error.fields().iter();
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: error.message(),
        name,
        message: error.message(),
        code: status.as_u16(),
        class_name,
        error_code: error.code(),
        data: error.data(),
        errors: fields.map(|at| ProblemField { field: &at.field, message: &at.message, code: &at.code }).collect(),
    };
    // Texts and finite numbers are all there is in it, so that writing does not fail.
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// Gives a 405 that says nothing the body of an error; everything else is left as it is.
///
/// That is what axum answers to a verb that a route does not have. A fallback in its place would have none of the layers
/// that are around the route, such as one that answers a preflight.
pub(crate) fn explain_not_allowed(response: Response, verb: &Verb) -> Response {
    let silent = response.status() == StatusCode::METHOD_NOT_ALLOWED
        && http_body::Body::size_hint(response.body()).exact() == Some(0)
        && !response.headers().contains_key(header::CONTENT_TYPE);
    if !silent {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let problem = error_response(&Error::method_not_allowed(format!("`{verb}` is not offered here")));
    let (said, body) = problem.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(said.headers);
    let response = Response::from_parts(parts, body);
    if *verb == Verb::HEAD { without_body(response) } else { response }
}

/// Takes the body away that `HEAD` is not to have, and leaves its length.
pub(crate) fn without_body(mut response: Response) -> Response {
    let body = std::mem::replace(response.body_mut(), Body::empty());
    let exact = http_body::Body::size_hint(&body).exact();
    match exact {
        Some(length) if response.status() != StatusCode::NO_CONTENT => {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        Some(_) => {}
        // Routers around this one would take the empty body's length for that of the list.
        None => *response.body_mut() = unknown_length(),
    }
    response
}

/// A body without content that does not say so in advance.
pub(crate) fn unknown_length() -> Body {
    Body::from_stream(futures::stream::empty::<Result<Bytes, std::convert::Infallible>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_has_its_status() {
        for kind in ErrorKind::ALL {
            let (status, name, class_name) = known_as(*kind);
            let internal = status == StatusCode::INTERNAL_SERVER_ERROR;
            assert_eq!(internal, *kind == ErrorKind::Internal, "{kind:?}");
            // Feathers makes the one of the other, but for words run together in neither.
            let kebab = name.chars().fold(String::new(), |mut text, letter| {
                if letter.is_ascii_uppercase() && !text.is_empty() {
                    text.push('-');
                }
                text.push(letter.to_ascii_lowercase());
                text
            });
            assert_eq!(kebab, class_name);
        }
    }
}
