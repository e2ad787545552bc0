//! Long lists: streamed with a bounded number of records, and never cut short in silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http_body_util::BodyExt;
use remex_axum::{RestLimits, ServiceRoutes};
use remex_core::{
    Description, Document, Error, Id, Intent, Options, Page, Paginate, Params, Result, Service, Value, async_trait,
};
use tower::ServiceExt;

use crate::support::{get, request, send};

/// A service of very many records, which fails at one of them.
#[derive(Clone)]
pub(crate) struct Long {
    pub(crate) description: Arc<Description>,
    pub(crate) records: usize,
    pub(crate) fails_at: Option<usize>,
    pub(crate) panics_at: Option<usize>,
    pub(crate) pulled: Arc<AtomicUsize>,
}

impl Long {
    pub(crate) fn new(options: Options, records: usize) -> Self {
        let description = Arc::new(Description::new(options).unwrap().with_streaming(true));
        Self { description, records, fails_at: None, panics_at: None, pulled: Arc::default() }
    }

    fn record(&self, number: usize) -> Result<Document> {
        self.pulled.fetch_add(1, Ordering::SeqCst);
        if self.fails_at == Some(number) {
            return Err(Error::unavailable("the store has gone"));
        }
        assert_ne!(self.panics_at, Some(number));
        let number = i64::try_from(number).unwrap();
        Ok(Document::new().with("id", number).with("text", "x".repeat(100)).with("secret", "s"))
    }
}

#[async_trait]
impl Service for Long {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        let plan = self.description.plan(Intent::Index, params)?;
        let limit = plan.limit.map_or(self.records, |limit| usize::try_from(limit).unwrap());
        let data = (0..self.records.min(limit)).map(|number| self.record(number)).collect::<Result<Vec<_>>>()?;
        let mut page = Page::from(data);
        (page.info.paginated, page.info.limit) = (plan.paginated, plan.limit);
        Ok(page)
    }

    async fn count(&self, _: &Params) -> Result<u64> {
        Ok(self.records as u64)
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        if let Err(error) = self.description.plan(Intent::Index, &params) {
            return stream::once(async { Err(error) }).boxed();
        }
        stream::iter(0..self.records).then(move |number| async move { self.record(number) }).boxed()
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }
}

fn router(service: Long) -> Router {
    ServiceRoutes::new(service).into_router()
}

#[tokio::test]
async fn a_long_list_arrives_whole() {
    let service = Long::new(Options::new("long").hidden_field("secret"), 10_000);
    let reply = get(&router(service.clone()), "/").await;
    assert_eq!((reply.status.as_u16(), reply.length), (200, None));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let list = reply.json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 10_000);
    assert!(list.iter().enumerate().all(|(number, record)| record["id"] == number && record.get("secret").is_none()));
    let reply = get(&router(service), "/?$select[]=id&$total=true").await;
    assert_eq!(reply.header("x-total-count"), Some("10000"));
    assert_eq!(reply.json()[9_999], serde_json::json!({"id": 9_999}));
}

#[tokio::test]
async fn a_short_list_has_its_length() {
    for (records, expected) in [(0, "[]"), (1, r#"[{"id":0}]"#), (2, r#"[{"id":0},{"id":1}]"#)] {
        let reply = get(&router(Long::new(Options::new("long"), records)), "/?$select[]=id").await;
        assert_eq!((reply.body.as_str(), reply.length), (expected, Some(expected.len() as u64)));
    }
}

#[tokio::test]
async fn what_is_bounded_is_not_streamed() {
    let service = Long::new(Options::new("long"), 1_000);
    let reply = get(&router(service), "/?$limit=1000").await;
    assert!(reply.length.is_some());
    let service = Long::new(Options::new("long").paginate(Paginate::new(10, 5_000)), 10_000);
    let reply = get(&router(service), "/?$limit=5000").await;
    assert_eq!(reply.json()["data"].as_array().unwrap().len(), 5_000);
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_little() {
    let service = Long::new(Options::new("long"), 1_000_000);
    let response = router(service.clone()).oneshot(request("GET", "/", "")).await.unwrap();
    let mut body = response.into_body();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let pulled = service.pulled.load(Ordering::SeqCst);
    // A record has some 130 bytes, a part 32 KiB, and some four parts are under way.
    assert!((250..2_000).contains(&pulled), "{pulled}");
    body.frame().await.unwrap().unwrap();
    drop(body);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let pulled = service.pulled.load(Ordering::SeqCst);
    assert!(pulled < 4_000, "nobody reads any more: {pulled}");
}

#[tokio::test]
async fn a_reader_that_stalls_is_cut_off() {
    let service = Long::new(Options::new("long"), 1_000_000);
    let limits = RestLimits { stall_time: Duration::from_millis(20), ..RestLimits::default() };
    let router = ServiceRoutes::new(service).limits(limits).into_router();
    let response = router.oneshot(request("GET", "/", "")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn an_error_at_the_start_is_an_answer() {
    let reply = get(&router(Long { fails_at: Some(0), ..Long::new(Options::new("long"), 10_000) }), "/").await;
    assert_eq!(reply.problem(503), "the store has gone");
    let reply = get(&router(Long { panics_at: Some(0), ..Long::new(Options::new("long"), 10_000) }), "/").await;
    assert_eq!(reply.problem(500), "an internal error occurred");
    let fields = remex_core::Fields::new().optional("text", remex_core::FieldType::Text);
    let service = Long::new(Options::new("long").fields(fields), 10_000);
    get(&router(service), "/?unknown=1").await.problem(400);
}

#[tokio::test]
async fn an_error_in_the_middle_ends_the_body_in_one() {
    let failing = Long { fails_at: Some(5_000), ..Long::new(Options::new("long"), 10_000) };
    let panicking = Long { panics_at: Some(5_000), ..Long::new(Options::new("long"), 10_000) };
    for service in [failing, panicking] {
        let response = router(service).oneshot(request("GET", "/", "")).await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.into_body().collect().await.is_err());
    }
}

#[tokio::test]
async fn head_reads_no_more_of_a_list_than_its_beginning() {
    let service = Long::new(Options::new("long"), 10_000);
    let reply = send(&router(service.clone()), request("HEAD", "/", "")).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str(), reply.header("content-length")), (200, "", None));
    assert_eq!(reply.length, None, "axum would make a header of it");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(service.pulled.load(Ordering::SeqCst) < 5_000, "as much as tells whether there is a list");
    // What refuses a list refuses its head.
    let service = Long { fails_at: Some(0), ..Long::new(Options::new("long"), 10_000) };
    let reply = send(&router(service), request("HEAD", "/", "")).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (503, ""));
}

#[tokio::test]
async fn a_service_that_does_not_stream_answers_by_index() {
    let service = remex_core::FnService::<Id, Value>::new("plain").on_index(|_| async {
        let mut page = Page::from(vec![Value::from("not an object")]);
        (page.info.paginated, page.info.total) = (true, Some(1));
        Ok(page)
    });
    let request = Request::get("/").body(Body::empty()).unwrap();
    let reply = send(&remex_axum::routes(service), request).await;
    assert_eq!(reply.body, r#"{"total":1,"skip":0,"data":["not an object"]}"#);
}
