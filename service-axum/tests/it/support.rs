//! A small store, and ways to ask for what it holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use remex_core::{
    App, Cursor, Description, Document, Error, Intent, Missing, Options, Page, PageInfo, Params, Patch, Result,
    Service, Stored, async_trait,
};
use tower::ServiceExt;

/// Records by their ids, which are text in the store and of whatever kind the options say to clients.
pub(crate) struct Records {
    description: Arc<Description>,
    records: Mutex<BTreeMap<String, Document>>,
}

impl Records {
    pub(crate) fn new(options: Options) -> Self {
        Self { description: Arc::new(Description::new(options).unwrap()), records: Mutex::default() }
    }

    /// A store with the records 1, 2 and 3.
    pub(crate) fn with_three(options: Options) -> Self {
        let records = Self::new(options);
        for id in 1..=3_i64 {
            let record = Document::new().with("id", id).with("title", format!("todo {id}")).with("done", id == 2);
            records.records.lock().insert(id.to_string(), record);
        }
        records
    }

    fn matching(&self, intent: Intent, params: &Params) -> Result<Vec<Document>> {
        let plan = self.description.plan(intent, params)?;
        Ok(self.records.lock().values().filter(|record| plan.filter.matches(record)).cloned().collect())
    }

    fn find(&self, id: &str, intent: Intent, params: &Params) -> Result<Option<Document>> {
        let plan = self.description.plan(intent, params)?;
        let found = self.records.lock().get(id).cloned();
        match found {
            Some(record) if plan.filter.matches(&record) => Ok(Some(record)),
            Some(_) => Err(Error::no_record(self.description.name(), id)),
            None if plan.missing == Missing::Create && matches!(intent, Intent::Modify | Intent::Update) => Ok(None),
            None => Err(Error::no_record(self.description.name(), id)),
        }
    }

    fn store(&self, id: &str, record: Document) -> Document {
        let id_value = id.parse::<i64>().map_or_else(|_| remex_core::Value::from(id), remex_core::Value::from);
        let record: Document = [("id".to_owned(), id_value)].into_iter().chain(record.into_iter().map(pair)).collect();
        self.records.lock().insert(id.to_owned(), record.clone());
        record
    }
}

fn pair((name, value): (remex_core::Text, remex_core::Value)) -> (String, remex_core::Value) {
    (name.into(), value)
}

#[async_trait]
impl Service for Records {
    type Id = String;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        let plan = self.description.plan(Intent::Index, params)?;
        let mut records = self.matching(Intent::Index, params)?;
        if let Some(cursor) = plan.after {
            let last = cursor.id().to_string();
            records.retain(|record| record["id"].to_string() > last);
        }
        let total = plan.total.then_some(records.len() as u64);
        let skip = usize::try_from(plan.skip).unwrap();
        let limit = plan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        let more = records.len() > skip.saturating_add(limit);
        let data: Vec<_> = records.into_iter().skip(skip).take(limit).collect();
        let next = data.last().filter(|_| more).map(|last| Cursor::behind(last, plan.sort, "id"));
        Ok(Page { data, info: PageInfo { paginated: plan.paginated, total, limit: plan.limit, skip: plan.skip, next } })
    }

    async fn read(&self, id: &String, params: &Params) -> Result<Document> {
        self.find(id, Intent::Read, params)?.ok_or_else(|| Error::no_record(self.description.name(), id))
    }

    async fn create(&self, data: Document, params: &Params) -> Result<Document> {
        self.description.plan(Intent::Create, params)?;
        let id = match data.get("id") {
            Some(id) => id.as_str().map_or_else(|| id.to_string(), str::to_owned),
            None => (self.records.lock().len() + 1).to_string(),
        };
        if self.records.lock().contains_key(&id) {
            return Err(Error::duplicate(self.description.name(), "id"));
        }
        Ok(self.store(&id, data))
    }

    async fn modify(&self, id: &String, patch: Patch, params: &Params) -> Result<Stored<Document>> {
        let found = self.find(id, Intent::Modify, params)?;
        let created = found.is_none();
        let mut record = found.unwrap_or_default();
        patch.apply(&mut record);
        let record = self.store(id, record);
        Ok(if created { Stored::Created(record) } else { Stored::Changed(record) })
    }

    async fn update(&self, id: &String, data: Document, params: &Params) -> Result<Stored<Document>> {
        let created = self.find(id, Intent::Update, params)?.is_none();
        let record = self.store(id, data);
        Ok(if created { Stored::Created(record) } else { Stored::Changed(record) })
    }

    async fn remove(&self, id: &String, params: &Params) -> Result<Document> {
        self.find(id, Intent::Remove, params)?;
        self.records.lock().remove(id).ok_or_else(|| Error::no_record(self.description.name(), id))
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How long the body said it would be.
    pub(crate) length: Option<u64>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Checks that it is the body of an error, and returns the sentence in it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let json = self.json();
        assert_eq!(json["status"], status);
        assert_eq!(json["code"], status);
        assert_eq!(json["detail"], json["message"]);
        json["detail"].as_str().unwrap().to_owned()
    }
}

/// Makes a request; a body is sent as JSON.
pub(crate) fn request(verb: &str, uri: &str, body: &str) -> Request {
    let mut request = Request::builder().method(verb).uri(uri);
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

pub(crate) async fn send(router: &Router, request: Request) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let length = http_body::Body::size_hint(&body).exact();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status, headers: parts.headers, length, body: String::from_utf8(body.to_vec()).unwrap() }
}

pub(crate) async fn get(router: &Router, uri: &str) -> Reply {
    send(router, request("GET", uri, "")).await
}

/// The routes of an app whose one service has three records under `todos`.
pub(crate) fn todos(options: Options) -> Router {
    let app = App::new();
    app.mount("todos", Records::with_three(options)).unwrap();
    remex_axum::rest(&app)
}

pub(crate) fn plain() -> Router {
    todos(Options::new("todos"))
}
