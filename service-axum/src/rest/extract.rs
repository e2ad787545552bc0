//! Requests to calls: params, ids and data.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, OriginalUri, RawPathParams};
use bytes::Bytes;
use futures::FutureExt;
use http::request::Parts;
use http::{HeaderMap, Method as Verb, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use remex_core::{
    Call, ClientAddress, Description, Document, Error, Filter, ID_BYTES_MAX, Id, Method, Missing, Params, Patch,
    Provider, Query, Result, RouteValues, Value, read_json,
};

use super::action::Action;
use super::limits::RestLimits;
use super::place::Place;
use crate::edit::apply_edits;

/// The media type of a merge patch (RFC 7396).
const MERGE_PATCH: &str = "application/merge-patch+json";

/// What a `PATCH` may be sent as, for the `Accept-Patch` header (RFC 5789, 3.1).
pub(crate) const ACCEPT_PATCH: &str = "application/json, application/merge-patch+json";

/// In which form a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    MergePatch,
}

/// Returns the address that the client asked for; under a nested router the request's own lacks the prefix.
pub(crate) fn original_uri(parts: &Parts) -> Uri {
    parts.extensions.get::<OriginalUri>().map_or_else(|| parts.uri.clone(), |OriginalUri(uri)| uri.clone())
}

/// Makes the params of a call: the client's query, then what routers and layers know, then what layers want changed.
pub(crate) fn params(
    mut parts: Parts,
    action: Action,
    route: RouteValues,
    description: &Description,
) -> Result<Params> {
    let mut query = match parts.uri.query() {
        Some(text) if !text.is_empty() => Query::parse(text, description.syntax())?,
        _ => Query::default(),
    };
    // Whoever writes a question mark means to say which records, and not all of them.
    let many = matches!(action, Action::ModifyMany | Action::RemoveMany);
    if many && parts.uri.query().is_some() && query.filter.is_all() {
        query.filter = Filter::And(Vec::new());
    }
    let route = outer_route(&mut parts, route)?;
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if let Some(peer) = peer {
        // A layer that knows whom the connection is for has said so already.
        parts.extensions.get_or_insert_with(|| ClientAddress(peer));
    }
    let mut params = Params {
        query,
        provider: Some(Provider::Rest),
        route,
        headers: parts.headers.into(),
        extensions: parts.extensions,
        ..Params::default()
    };
    apply_edits(&mut params);
    Ok(params)
}

/// Adds the parameters of the paths under which the router is nested; the service's own go before them.
fn outer_route(parts: &mut Parts, own: RouteValues) -> Result<RouteValues> {
    use axum::extract::rejection::RawPathParamsRejection;

    // It looks into the extensions and has nothing to wait for.
    let outer = match RawPathParams::from_request_parts(parts, &()).now_or_never() {
        Some(Ok(outer)) => outer,
        Some(Err(RawPathParamsRejection::InvalidUtf8InPathParam(_))) => {
            return Err(Error::bad_request("the path is not UTF-8"));
        }
        // There is no router around this one.
        Some(Err(_)) | None => return Ok(own),
    };
    let mut route = RouteValues::default();
    outer.iter().chain(own.iter()).for_each(|(name, value)| route.insert(name, value));
    Ok(route)
}

/// Refuses an id that is longer than any: nothing is stored under it, and nothing may be.
pub(crate) fn check_id(id: &Id, action: Action, description: &Description, params: &Params) -> Result<()> {
    if id.as_str().len() <= ID_BYTES_MAX {
        return Ok(());
    }
    if action == Action::Update && description.missing(params) == Missing::Create {
        return Err(Error::bad_request(format!("an id may have {ID_BYTES_MAX} bytes at most")));
    }
    Err(Error::no_record(description.name(), id))
}

/// Makes the call; the body is that of a method that takes one.
pub(crate) fn call(action: Action, place: &Place, body: Option<(Form, Bytes)>) -> Result<Call<Id, Document>> {
    let id = || match place {
        Place::Record(id) => Ok(id.clone()),
        Place::Collection => Err(Error::internal("a call of one record came without an id")),
    };
    let data = || body.ok_or_else(|| Error::internal("a call with data came without a body"));
    Ok(match action {
        Action::Index => Call::Index,
        Action::Read => Call::Read(id()?),
        Action::Create => match read_json(&data()?.1)? {
            Value::Array(records) => {
                Call::CreateMany(Vec::from(records).into_iter().map(record).collect::<Result<_>>()?)
            }
            data => Call::Create(record(data)?),
        },
        Action::Modify => Call::Modify(id()?, patch(data()?)?),
        Action::ModifyMany => Call::ModifyMany(patch(data()?)?),
        Action::Update => Call::Update(id()?, record(read_json(&data()?.1)?)?),
        Action::Remove => Call::Remove(id()?),
        Action::RemoveMany => Call::RemoveMany,
        Action::Count | Action::Options | Action::NotAllowed => {
            return Err(Error::internal(format!("`{}` is no call", action.name())));
        }
    })
}

fn patch((form, text): (Form, Bytes)) -> Result<Patch> {
    let data = record(read_json(&text)?)?;
    Ok(match form {
        Form::Json => Patch::Merge(data),
        Form::MergePatch => Patch::MergeDeep(data),
    })
}

fn record(value: Value) -> Result<Document> {
    match value {
        Value::Document(document) => Ok(document),
        other => Err(Error::bad_request(format!("a record is a JSON object, and this is {}", other.type_name()))),
    }
}

/// Returns whether an action takes a body; those of other requests are not read.
const fn takes_body(action: Action) -> bool {
    matches!(action.method(), Some(Method::Create | Method::Modify | Method::Update))
}

/// Decides by the head of a request whether its body is to be read, and in which form it is.
pub(crate) fn expect_body(
    action: Action,
    verb: &Verb,
    headers: &HeaderMap,
    body: &Body,
    limits: &RestLimits,
) -> Result<Option<Form>> {
    if !takes_body(action) {
        return Ok(None);
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if http_body::Body::is_end_stream(body) || length == Some(0) {
        return Err(no_body());
    }
    if length.is_some_and(|length| length > limits.body_bytes_max as u64) {
        return Err(too_large(limits));
    }
    form(verb, headers).map(Some)
}

fn form(verb: &Verb, headers: &HeaderMap) -> Result<Form> {
    let patch = *verb == Verb::PATCH;
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let form = match media_type.strip_prefix("application/") {
        Some("merge-patch+json") if patch => Some(Form::MergePatch),
        // Other patches in JSON, such as RFC 6902's, would be taken for records.
        Some("merge-patch+json" | "json-patch+json") => None,
        Some("json") => Some(Form::Json),
        Some(other) if other.ends_with("+json") => Some(Form::Json),
        _ => None,
    };
    let utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    form.filter(|_| utf8).ok_or_else(|| {
        let or = if patch { format!(" or `{MERGE_PATCH}`") } else { String::new() };
        Error::unsupported_media_type(format!("send the body as `Content-Type: application/json`{or}, in UTF-8"))
    })
}

/// Reads a body within its limits.
pub(crate) async fn read_body(body: Body, limits: &RestLimits) -> Result<Bytes> {
    let read = Limited::new(body, limits.body_bytes_max).collect();
    let body = match tokio::time::timeout(limits.body_time, read).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large(limits)),
        Ok(Err(_)) => return Err(Error::bad_request("the body was not sent to its end")),
        Err(_) => return Err(Error::timeout("the body was not sent in time")),
    };
    if body.is_empty() { Err(no_body()) } else { Ok(body) }
}

fn no_body() -> Error {
    Error::bad_request("a JSON body is required")
}

fn too_large(limits: &RestLimits) -> Error {
    Error::too_large(format!("a body may have {} bytes at most", limits.body_bytes_max))
}
