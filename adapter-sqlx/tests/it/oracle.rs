//! The writer against the core's evaluator: the same records in the same order, whatever the filter.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use remex_core::{
    Condition, Decimal, Document, FieldType, Fields, Filter, Intent, Options, Params, Path, Query, Service, Value,
    compare_by,
};
use remex_sqlx::{Dialect, MySql, Postgres, SqlOptions, SqlPool, SqlService, Sqlite};

use crate::urls;

fn fields() -> Fields {
    Fields::new()
        .optional("name", FieldType::Text)
        .optional("age", FieldType::Integer)
        .optional("admin", FieldType::Boolean)
        .optional("score", FieldType::Number)
        .optional("seen", FieldType::DateTime)
        .optional("born", FieldType::Date)
        .optional("key", FieldType::Uuid)
        .optional("bytes", FieldType::Binary)
        .optional("tags", FieldType::Json)
        .optional("price", FieldType::Decimal)
        .optional("wakes", FieldType::Time)
}

const TEXTS: [&str; 22] = [
    "", " ", "a", "A", "b", "a ", "ab", "a%", "a_", "a\\", "a|b", "a*", "[a]", "?", "ä", "Ä", "e\u{301}", "é", "日本",
    "\u{ffee}", "😀", "5",
];
const NUMBERS: [i64; 9] =
    [i64::MIN, -9_007_199_254_740_993, -1, 0, 1, 2, 9_007_199_254_740_993, i64::MAX - 1, i64::MAX];
const FLOATS: [f64; 9] = [-2.5, -0.0, 0.1, 1.0, 1.5, 9_007_199_254_740_992.0, 1e19, -1e300, f64::MAX];
const MOMENTS: [&str; 3] =
    ["2026-11-22T04:34:02.000000Z", "1969-12-31T23:59:59.500000Z", "2026-11-22T04:34:02.000001Z"];
const DAYS: [&str; 3] = ["2024-02-29", "1969-12-31", "2026-11-22"];
const KEYS: [&str; 2] = ["0192f0c1-0000-7000-8000-00000000000a", "f192f0c1-0000-4000-8000-000000000001"];
const PRICES: [&str; 12] = [
    "-10",
    "-9.55",
    "-9.5",
    "-9.50",
    "-0.05",
    "0.00",
    "0.5",
    "9.5",
    "9.50",
    "10",
    "99999999999999999999999999999999999",
    "0.000000000000000000000000000001",
];
const TIMES: [&str; 3] = ["00:00:00.000000", "04:34:02.500000", "23:59:59.999999"];
const BYTES: [&str; 3] = ["", "AAE=", "//8="];

fn records() -> Vec<Document> {
    let floats = [-2.5, 0.1, 1.0, 1.5, -1e300];
    let json: Vec<Value> = vec![5.into(), "a".into(), ["a", "b"].into(), true.into(), Value::Null];
    let all = |at: usize| {
        let mut record = Document::new();
        // A record in four leaves a field out.
        let mut set = |name: &str, every: usize, value: Value| {
            if !at.is_multiple_of(every) {
                record.insert(name, value);
            }
        };
        set("name", 7, TEXTS[at % TEXTS.len()].into());
        set("age", 5, NUMBERS[at % NUMBERS.len()].into());
        set("admin", 3, at.is_multiple_of(2).into());
        set("score", 4, floats[at % floats.len()].into());
        set("seen", 6, MOMENTS[at % MOMENTS.len()].into());
        set("born", 5, DAYS[at % DAYS.len()].into());
        set("key", 4, KEYS[at % KEYS.len()].into());
        set("bytes", 8, BYTES[at % BYTES.len()].into());
        set("price", 9, Decimal::new(PRICES[at % PRICES.len()]).into());
        set("wakes", 6, TIMES[at % TIMES.len()].into());
        set("tags", 3, json[at % json.len()].clone());
        record
    };
    (0..60).map(all).collect()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        4 => prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        4 => prop::sample::select(&NUMBERS[..]).prop_map(Value::from),
        3 => prop::sample::select(&FLOATS[..]).prop_map(Value::from),
        1 => Just(Value::UInt(u64::MAX)),
        1 => any::<bool>().prop_map(Value::from),
        2 => prop::sample::select(&MOMENTS[..]).prop_map(Value::from),
        2 => prop::sample::select(&DAYS[..]).prop_map(Value::from),
        1 => prop::sample::select(&KEYS[..]).prop_map(Value::from),
        1 => prop::sample::select(&BYTES[..]).prop_map(Value::from),
        3 => prop::sample::select(&PRICES[..]).prop_map(|digits| Decimal::new(digits).into()),
        1 => prop::sample::select(&TIMES[..]).prop_map(Value::from),
        1 => Just(Value::from("a\0")),
        1 => Just(Value::from(["a", "b"])),
        1 => Just(Value::from(Document::new().with("a", 1))),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["a", "A", "%", "_", "\\", "|", "*", "?", "[", "ä", "😀", "b"]),
        0..5,
    )
    .prop_map(|pieces| pieces.concat())
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

fn path() -> impl Strategy<Value = Path> {
    let names = ["name", "age", "admin", "score", "seen", "born", "key", "bytes", "tags", "tags.a", "price", "wakes"];
    prop::sample::select(names.to_vec()).prop_map(|name| Path::new(name).expect("a path"))
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        20 => (path(), condition()).prop_map(|(path, condition)| Filter::Field(path, condition)),
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

fn query() -> impl Strategy<Value = Query> {
    (filter(), prop::collection::vec((path(), any::<bool>()), 0..3), 0..5_u64, prop::option::of(1..20_u64)).prop_map(
        |(filter, sort, skip, limit)| {
            let query = sort.into_iter().fold(Query::new().filter(filter), |query, (path, ascending)| {
                if ascending { query.sort(path) } else { query.sort_descending(path) }
            });
            let query = query.skip(skip);
            limit.map_or(query.clone(), |limit| query.limit(limit))
        },
    )
}

/// Fails unless the service answers what the evaluator says, page by page as well.
async fn agrees<DB: Dialect>(service: &SqlService<DB>, all: &[Document], query: &Query) -> Result<(), TestCaseError> {
    let (params, description) = (Params::from(query.clone()), service.describe());
    // In it values have the form in which their fields are kept.
    let plan = description.plan(Intent::Index, &params).expect("a plan");
    let mut expected: Vec<&Document> = all.iter().filter(|record| plan.filter.matches(record)).collect();
    expected.sort_by(|one, other| compare_by(&query.sort, one, other).then_with(|| one["id"].compare(&other["id"])));
    let count = service.count(&Params::from(query.clone())).await.expect("a count");
    prop_assert_eq!(count, expected.len() as u64);
    let window = |list: &[&Document]| -> Vec<String> {
        let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).expect("small"));
        let skip = usize::try_from(query.skip.unwrap_or(0)).expect("small");
        list.iter().skip(skip).take(limit).map(|record| record["id"].to_string()).collect()
    };
    let found = service.index(&Params::from(query.clone())).await.expect("a page").data;
    let found: Vec<String> = found.iter().map(|record| record["id"].to_string()).collect();
    prop_assert_eq!(&found, &window(&expected));
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let mut page = Query { skip: None, ..query.clone() }.limit(7);
        page.after = after;
        let page = service.index(&Params::from(page)).await.expect("a page");
        walked.extend(page.data.iter().map(|record| record["id"].to_string()));
        after = page.info.next;
        if after.is_none() {
            break;
        }
    }
    let ids: Vec<String> = expected.iter().map(|record| record["id"].to_string()).collect();
    prop_assert_eq!(walked, ids);
    Ok(())
}

fn runs<DB: Dialect>(url: &str, cases: u32)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let service = runtime.block_on(async {
        let pool = SqlPool::<DB>::connect(url).await.expect("the database is there");
        let options = SqlOptions::from(Options::new(urls::table_name()).fields(fields())).create_table_if_missing(true);
        let service = SqlService::<DB>::new(pool, options).await.expect("a service");
        service.create_many(records(), &Params::new()).await.expect("records");
        service
    });
    let all = runtime.block_on(service.index(&Params::new())).expect("all").data;
    assert_eq!(all.len(), 60);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&query(), |query| runtime.block_on(agrees(&service, &all, &query)));
    runtime.block_on(urls::drop_table(&service));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn sqlite_answers_what_the_evaluator_says() {
    runs::<Sqlite>("sqlite::memory:", 2_000);
}

#[test]
fn postgres_answers_what_the_evaluator_says() {
    if let Some(url) = urls::postgres() {
        runs::<Postgres>(&url, 500);
    }
}

#[test]
fn mysql_answers_what_the_evaluator_says() {
    if let Some(url) = urls::mysql() {
        runs::<MySql>(&url, 500);
    }
}
