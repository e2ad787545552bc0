//! [`Http`]: the way in over HTTP, through the routes that clients meet.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use remex::{
    Cursor, Description, Document, DynService, Error, ErrorKind, Id, Page, PageInfo, Params, Patch, Provider, Query,
    Result, Service, Stored, Value, edit_params, error_response, read_json, routes,
};
use remex_conformance::{Case, Entrance, Hooked, Need};
use tower::ServiceExt as _;

use axum::http::{HeaderMap, Request, StatusCode, header};

/// The way in over HTTP.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Http;

#[async_trait]
impl Entrance for Http {
    fn name(&self) -> &str {
        "http"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        Arc::new(OverHttp { router: routes(service.clone()), description: service.describe() })
    }

    async fn index_text(&self, service: &DynService, query: &str) -> Result<Page<Document>> {
        service.index(&asked(query)).await
    }

    async fn remove_text(&self, service: &DynService, query: &str) -> Result<Vec<Document>> {
        service.remove_many(&asked(query)).await
    }

    fn not_applicable(&self, case: &Case) -> Option<&'static str> {
        case.has_need(Need::InProgram).then(|| Need::InProgram.reason())
    }
}

/// The way in over HTTP, to a service that has hooks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HttpHooked;

#[async_trait]
impl Entrance for HttpHooked {
    fn name(&self) -> &str {
        "http, hooked"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        Http.enter(Hooked.enter(service))
    }

    async fn index_text(&self, service: &DynService, query: &str) -> Result<Page<Document>> {
        Http.index_text(service, query).await
    }

    async fn remove_text(&self, service: &DynService, query: &str) -> Result<Vec<Document>> {
        Http.remove_text(service, query).await
    }

    fn not_applicable(&self, case: &Case) -> Option<&'static str> {
        Http.not_applicable(case)
    }
}

/// A query string that is to be sent as it is.
#[derive(Clone)]
struct Text(String);

fn asked(query: &str) -> Params {
    let mut params = Params::client(Provider::Rest);
    params.extensions.insert(Text(query.trim_start_matches('?').to_owned()));
    params
}

/// A service that reaches another through its routes, as a client does.
struct OverHttp {
    router: Router,
    description: Arc<Description>,
}

/// What came back.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    value: Value,
}

/// The media type of a merge patch (RFC 7396).
const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON: &str = "application/json";

impl OverHttp {
    async fn send(&self, verb: &str, path: &str, params: &Params, body: Option<(&str, Vec<u8>)>) -> Result<Reply> {
        let text = match params.extensions.get::<Text>() {
            Some(Text(text)) => text.clone(),
            None => query_string(&params.query),
        };
        let uri = if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") };
        let mut request = Request::builder().method(verb).uri(uri);
        if let Some((media_type, _)) = &body {
            request = request.header(header::CONTENT_TYPE, *media_type);
        }
        let body = body.map_or_else(Body::empty, |(_, body)| Body::from(body));
        let mut request = request.body(body).map_err(|error| Error::internal(format!("no request: {error}")))?;
        say_for_the_server(&mut request, params);

        let response = self.router.clone().oneshot(request).await.map_err(|error| match error {})?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| Error::internal(format!("no body: {error}")))?.to_bytes();
        let media_type =
            parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let expected = if parts.status.is_success() { JSON } else { "application/problem+json" };
        if media_type != expected {
            return Err(Error::internal(format!("{} with the content type `{media_type}`", parts.status)));
        }
        let value = read_json(&body)?;
        if parts.status.is_success() {
            Ok(Reply { status: parts.status, headers: parts.headers, value })
        } else {
            Err(read_problem(parts.status, value))
        }
    }
}

/// Sets what no client can say, as a layer of the server would.
fn say_for_the_server(request: &mut Request<Body>, params: &Params) {
    let Params { provider, scope, paginate, missing, skip_missing, whole, .. } = params.clone();
    let usual = scope.is_all() && paginate.is_none() && missing.is_none() && !skip_missing && !whole;
    if usual && provider == Some(Provider::Rest) {
        return;
    }
    edit_params(request.extensions_mut(), move |params| {
        params.provider = provider.clone();
        params.scope = scope.clone();
        params.paginate = paginate;
        params.missing = missing;
        params.skip_missing = skip_missing;
        params.whole = whole;
    });
}

/// Writes a query as clients write JSON: `query={…}&sort={…}&limit=5`.
fn query_string(query: &Query) -> String {
    let mut filter = Document::new();
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let written = query.to_json();
    for (name, value) in written.iter() {
        let parameter = match name {
            "$sort" => "sort",
            "$limit" => "limit",
            "$skip" => "skip",
            "$total" => "total",
            "$after" => {
                pairs.push(("after", value.as_str().unwrap_or_default().to_owned()));
                continue;
            }
            "$select" => {
                let names = value.as_array().unwrap_or_default().iter().filter_map(Value::as_str);
                pairs.push(("fields", names.collect::<Vec<_>>().join(",")));
                continue;
            }
            _ => {
                filter.insert(name, value.clone());
                continue;
            }
        };
        pairs.push((parameter, value.to_string()));
    }
    if !filter.is_empty() || !pairs.is_empty() {
        pairs.insert(0, ("query", filter.to_string()));
    }
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Makes the error again that the routes wrote down.
fn read_problem(status: StatusCode, problem: Value) -> Error {
    // The routes are asked which kind has the status, so that it is written down in one place only.
    let kind = ErrorKind::ALL.iter().find(|kind| error_response(&Error::new(**kind, "")).status() == status);
    let Value::Document(problem) = problem else { return Error::internal(format!("{status} without a problem")) };
    let (Some(kind), Some(message)) = (kind, problem["detail"].as_str()) else {
        return Error::internal(format!("{status} with the problem {problem}"));
    };
    for (name, expected) in [("status", &problem["code"]), ("detail", &problem["message"])] {
        if problem[name] != *expected {
            return Error::internal(format!("a problem that says two things: {problem}"));
        }
    }
    let mut error = Error::new(*kind, message);
    for fault in problem["errors"].as_array().unwrap_or_default() {
        let Value::Document(fault) = fault else { continue };
        let text = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        error = error.with_field(&text("field"), &text("code"), text("message"));
    }
    error
}

fn path_of(id: &Id) -> String {
    format!("/{}", utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC))
}

fn json(value: &impl ToString) -> Option<(&'static str, Vec<u8>)> {
    Some((JSON, value.to_string().into_bytes()))
}

fn json_list(records: Vec<Document>) -> Option<(&'static str, Vec<u8>)> {
    json(&Value::from(records))
}

fn patch_body(patch: &Patch) -> Option<(&'static str, Vec<u8>)> {
    let media_type = if matches!(patch, Patch::MergeDeep(_)) { MERGE_PATCH } else { JSON };
    Some((media_type, patch.data().to_string().into_bytes()))
}

impl Reply {
    fn record(self) -> Result<Document> {
        match self.value {
            Value::Document(document) => Ok(document),
            other => Err(Error::internal(format!("a record was expected, not {other}"))),
        }
    }

    fn records(self) -> Result<Vec<Document>> {
        let Value::Array(values) = self.value else {
            return Err(Error::internal(format!("a list was expected, not {}", self.value)));
        };
        Vec::from(values).into_iter().map(|value| Self { value, ..Self::empty() }.record()).collect()
    }

    fn empty() -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), value: Value::Null }
    }

    fn with_status(self, expected: StatusCode) -> Result<Self> {
        if self.status == expected {
            Ok(self)
        } else {
            Err(Error::internal(format!("{expected} was expected, not {}", self.status)))
        }
    }

    /// Checks that `Location` leads to what was made.
    fn located(self, id_field: &str) -> Result<Self> {
        let location = self.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let segment = location.rsplit('/').next().unwrap_or_default();
        let id = percent_decode_str(segment).decode_utf8_lossy();
        let Value::Document(record) = &self.value else { return Err(Error::internal("a record was expected")) };
        match Id::from_value(&record[id_field]) {
            Some(made) if made.as_str() == id => Ok(self),
            _ => Err(Error::internal(format!("`Location: {location}` does not lead to {record}"))),
        }
    }

    fn stored(self, id_field: &str) -> Result<Stored<Document>> {
        match self.status {
            StatusCode::CREATED => Ok(Stored::Created(self.located(id_field)?.record()?)),
            _ => Ok(Stored::Changed(self.with_status(StatusCode::OK)?.record()?)),
        }
    }

    /// Reads the place of the next page out of the header `Link`.
    fn next(&self) -> Result<Option<Cursor>> {
        let Some(link) = self.headers.get(header::LINK).and_then(|value| value.to_str().ok()) else { return Ok(None) };
        let after = link.split_once("after=").and_then(|(_, rest)| rest.split(['>', '&']).next()).unwrap_or_default();
        Cursor::decode(&percent_decode_str(after).decode_utf8_lossy()).map(Some)
    }

    fn page(mut self) -> Result<Page<Document>> {
        let next = self.next()?;
        let number = |value: &Value| value.as_i64().and_then(|number| u64::try_from(number).ok());
        let total = self.headers.get("x-total-count").and_then(|total| total.to_str().ok()?.parse().ok());
        let mut info = PageInfo { total, next, ..PageInfo::default() };
        if let Value::Document(page) = &self.value {
            info.paginated = true;
            info.total = number(&page["total"]);
            info.limit = number(&page["limit"]);
            info.skip = number(&page["skip"]).unwrap_or_default();
            self.value = page["data"].clone();
        }
        Ok(Page { data: self.records()?, info })
    }
}

#[async_trait]
impl Service for OverHttp {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        self.send("GET", "/", params, None).await?.with_status(StatusCode::OK)?.page()
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<Document> {
        self.send("GET", &path_of(id), params, None).await?.with_status(StatusCode::OK)?.record()
    }

    async fn create(&self, data: Document, params: &Params) -> Result<Document> {
        let reply = self.send("POST", "/", params, json(&data)).await?.with_status(StatusCode::CREATED)?;
        reply.located(self.description.id_field())?.record()
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<Stored<Document>> {
        self.send("PATCH", &path_of(id), params, patch_body(&patch)).await?.stored(self.description.id_field())
    }

    async fn update(&self, id: &Id, data: Document, params: &Params) -> Result<Stored<Document>> {
        self.send("PUT", &path_of(id), params, json(&data)).await?.stored(self.description.id_field())
    }

    async fn remove(&self, id: &Id, params: &Params) -> Result<Document> {
        self.send("DELETE", &path_of(id), params, None).await?.with_status(StatusCode::OK)?.record()
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        let record = self.send("GET", "/_count", params, None).await?.with_status(StatusCode::OK)?.record()?;
        let count = record["count"].as_i64().and_then(|count| u64::try_from(count).ok());
        count.ok_or_else(|| Error::internal(format!("a count was expected, not {record}")))
    }

    async fn create_many(&self, data: Vec<Document>, params: &Params) -> Result<Vec<Document>> {
        self.send("POST", "/", params, json_list(data)).await?.with_status(StatusCode::CREATED)?.records()
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<Document>> {
        self.send("PATCH", "/", params, patch_body(&patch)).await?.with_status(StatusCode::OK)?.records()
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<Document>> {
        self.send("DELETE", "/", params, None).await?.with_status(StatusCode::OK)?.records()
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }
}
