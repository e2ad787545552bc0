//! Filters and sorts against the core's evaluator: the same records in the same order, whatever the query.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use remex_core::{
    Condition, Document, FieldType, Fields, Filter, IdKind, Options, Params, Path, Query, Service, Value, compare_by,
};
use remex_mongo::MongoService;
use serde_json::json;

use crate::server;

const TEXTS: [&str; 20] = [
    "", " ", "a", "A", "b", "a ", "ab", "a%", "a_", "a\\", "a|b", "a*", "[a]", "?", "ä", "e\u{301}", "a\nb",
    "\u{ffee}", "😀", "5",
];
const NUMBERS: [i64; 9] =
    [i64::MIN, -9_007_199_254_740_993, -1, 0, 1, 2, 9_007_199_254_740_993, i64::MAX - 1, i64::MAX];
const FLOATS: [f64; 9] = [-2.5, -0.0, 0.1, 1.0, 1.5, 9_007_199_254_740_992.0, 1e19, -1e300, f64::MAX];
const MOMENTS: [&str; 3] =
    ["2026-11-22T04:34:02.000000Z", "1969-12-31T23:59:59.500000Z", "2026-11-22T04:34:02.000001Z"];

/// Values of every kind, lists and objects of all sorts among them.
fn nested() -> Vec<Value> {
    let values = [
        json!(null),
        json!([]),
        json!({}),
        json!([null]),
        json!([1]),
        json!([1, 2]),
        json!([2, "a"]),
        json!([[1]]),
        json!([[1, 2], 3]),
        json!([[]]),
        json!([[[1]]]),
        json!({"a": 1}),
        json!({"a": 1, "b": 2}),
        json!({"b": 2, "a": 1}),
        json!({"a": {"a": 1}}),
        json!({"a": [1, 2]}),
        json!({"a": [{"a": 1}]}),
        json!({"a": null}),
        json!({"b": "a"}),
        json!([{"a": 1}, {"a": 2}]),
        json!([{"a": 1}, {}]),
        json!([{"a": null}, {"a": 1}]),
        json!([1, {"a": 2}]),
        json!([{"b": 1, "a": 2}, 5]),
        json!([{"a": 2, "b": 1}, 5]),
        json!([{"a": [1, 2]}, {"a": "b"}]),
        json!([[{"a": 1}]]),
        json!([{"0": 1}]),
        json!({"0": 2}),
        json!([true, "b", 1.5]),
        json!(["ab", "b"]),
    ];
    values.into_iter().map(Value::from).collect()
}

fn plain() -> Vec<Value> {
    let mut values: Vec<Value> = TEXTS.iter().map(|text| Value::from(*text)).collect();
    values.extend(NUMBERS.map(Value::from));
    values.extend(FLOATS.map(Value::from));
    values.extend(MOMENTS.map(Value::from));
    values.extend([true.into(), false.into(), Value::UInt(u64::MAX), Value::UInt(1 << 63)]);
    values
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        6 => prop::sample::select(plain()),
        4 => prop::sample::select(nested()),
        1 => Just(Value::from("a\0")),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let pieces = vec!["a", "A", "%", "_", "\\", "|", "*", "?", "[", "ä", "😀", "b", "\n", ".", "^", "$", "\\E"];
    prop::collection::vec(prop::sample::select(pieces), 0..5).prop_map(|pieces| pieces.concat())
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        value().prop_map(Condition::Eq),
        value().prop_map(Condition::Ne),
        value().prop_map(Condition::Gt),
        value().prop_map(Condition::Gte),
        value().prop_map(Condition::Lt),
        value().prop_map(Condition::Lte),
        prop::collection::vec(value(), 0..4).prop_map(Condition::In),
        prop::collection::vec(value(), 0..4).prop_map(Condition::Nin),
        any::<bool>().prop_map(Condition::Exists),
        pattern().prop_map(|pattern| Condition::Like(pattern.into())),
        pattern().prop_map(|pattern| Condition::StartsWith(pattern.into())),
        pattern().prop_map(|pattern| Condition::Contains(pattern.into())),
    ]
}

fn path(names: &'static [&'static str]) -> impl Strategy<Value = Path> {
    prop::sample::select(names).prop_map(|name| Path::new(name).expect("a path"))
}

fn filter(names: &'static [&'static str], ids: Vec<Value>) -> impl Strategy<Value = Filter> {
    let id = prop_oneof![
        prop::sample::select(ids.clone()).prop_map(Condition::Eq),
        prop::sample::select(ids.clone()).prop_map(Condition::Ne),
        prop::sample::select(ids.clone()).prop_map(Condition::Gt),
        prop::sample::select(ids.clone()).prop_map(Condition::Lte),
        prop::collection::vec(prop::sample::select(ids), 0..4).prop_map(Condition::In),
        condition(),
    ];
    let leaf = prop_oneof![
        20 => (path(names), condition()).prop_map(|(path, condition)| Filter::Field(path, condition)),
        2 => id.prop_map(|condition| Filter::field("id", condition)),
        1 => Just(Filter::All),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Nor),
            inner.prop_map(|filter| !filter),
        ]
    })
}

fn query(names: &'static [&'static str], ids: Vec<Value>) -> impl Strategy<Value = Query> {
    let sort = prop::collection::vec((path(names), any::<bool>()), 0..3);
    // Half of the queries have no filter, so that pages are long.
    let filter = prop_oneof![Just(Filter::All), filter(names, ids)];
    (filter, sort, 0..5_u64, prop::option::of(1..20_u64)).prop_map(|(filter, sort, skip, limit)| {
        let query = sort.into_iter().fold(Query::new().filter(filter), |query, (path, ascending)| {
            if ascending { query.sort(path) } else { query.sort_descending(path) }
        });
        let query = query.skip(skip);
        limit.map_or(query.clone(), |limit| query.limit(limit))
    })
}

fn ids(records: &[Document]) -> Vec<String> {
    records.iter().map(|record| record["id"].to_string()).collect()
}

/// Fails unless the service answers what the evaluator says, page by page and as a stream as well.
async fn agrees(service: &MongoService, all: &[Document], query: &Query) -> Result<(), TestCaseError> {
    use futures::StreamExt;
    let mut expected: Vec<Document> = all.iter().filter(|record| query.filter.matches(record)).cloned().collect();
    expected.sort_by(|one, other| compare_by(&query.sort, one, other).then_with(|| one["id"].compare(&other["id"])));
    let count = service.count(&Params::from(query.clone())).await.expect("a count");
    prop_assert_eq!(count, expected.len() as u64);
    let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).expect("small"));
    let skip = usize::try_from(query.skip.unwrap_or(0)).expect("small").min(expected.len());
    let window: Vec<Document> = expected[skip..].iter().take(limit).cloned().collect();
    let found = service.index(&Params::from(query.clone())).await.expect("a page").data;
    prop_assert_eq!(ids(&found), ids(&window));
    let streamed: Vec<_> = service.index_stream(Params::from(query.clone())).collect().await;
    let streamed: Vec<Document> = streamed.into_iter().map(|record| record.expect("a record")).collect();
    prop_assert_eq!(ids(&streamed), ids(&window));
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let mut page = Query { skip: None, ..query.clone() }.limit(7);
        page.after = after;
        let page = service.index(&Params::from(page)).await.expect("a page");
        walked.extend(page.data);
        after = page.info.next;
        if after.is_none() {
            break;
        }
    }
    prop_assert_eq!(ids(&walked), ids(&expected));
    Ok(())
}

fn holds(options: Options, records: Vec<Document>, names: &'static [&'static str], cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let service = runtime.block_on(async {
        let database = server::database().await?;
        let service = MongoService::<Document>::new(database, options).await.expect("a service");
        service.create_many(records, &Params::new()).await.expect("records");
        Some(service)
    });
    let Some(service) = service else { return };
    let all = runtime.block_on(service.index(&Params::new())).expect("all").data;
    let ids = all.iter().map(|record| record["id"].clone()).take(20).collect();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&query(names, ids), |query| runtime.block_on(agrees(&service, &all, &query)));
    runtime.block_on(async { service.collection().drop().await.expect("dropped") });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Records whose one field may hold anything.
fn any_records() -> Vec<Document> {
    let mut values = nested();
    values.extend(plain());
    let name = |value: Value| Document::new().with("x", value);
    values.into_iter().map(name).chain([Document::new(), Document::new().with("y", 1)]).collect()
}

const ANY_PATHS: [&str; 8] = ["x", "x.a", "x.a.a", "x.0", "x.b", "y", "x.0.a", "_id"];

#[test]
fn fields_of_any_type_are_found_and_sorted() {
    for kind in [IdKind::Integer, IdKind::ObjectId] {
        holds(Options::new(server::collection_name()).id_kind(kind), any_records(), &ANY_PATHS, 400);
    }
}

#[test]
fn declared_fields_are_found_and_sorted() {
    let fields = Fields::new()
        .optional("name", FieldType::Text)
        .optional("age", FieldType::Integer)
        .optional("admin", FieldType::Boolean)
        .optional("score", FieldType::Number)
        .optional("seen", FieldType::DateTime)
        .optional("tags", FieldType::Json);
    let (texts, tags) = (TEXTS.to_vec(), nested());
    let records = (0..60_usize).map(|at| {
        let mut record = Document::new();
        // A record in so many leaves a field out.
        let mut set = |name: &str, every: usize, value: Value| {
            if !at.is_multiple_of(every) {
                record.insert(name, value);
            }
        };
        set("name", 7, texts[at % texts.len()].into());
        set("age", 5, NUMBERS[at % NUMBERS.len()].into());
        set("admin", 3, at.is_multiple_of(2).into());
        set("score", 4, FLOATS[at % FLOATS.len()].into());
        set("seen", 6, MOMENTS[at % MOMENTS.len()].into());
        set("tags", 3, tags[at % tags.len()].clone());
        record
    });
    let options = Options::new(server::collection_name()).id_kind(IdKind::Uuid).fields(fields).index("name");
    holds(options, records.collect(), &["name", "age", "admin", "score", "seen", "tags", "tags.a"], 400);
}
