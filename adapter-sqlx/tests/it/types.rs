//! The types of tables that were there before the service: both ways without loss, or refused with the field's name.

use remex_core::{
    Document, ErrorKind, FieldType, Fields, Filter, Id, Options, Params, Query, Service, Timestamps, Value,
};
use remex_sqlx::{Dialect, MySql, Postgres, SqlOptions, SqlPool, SqlService, Sqlite};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::tables::with_table;
use crate::urls;

fn document(json: Json) -> Document {
    match Value::from(json) {
        Value::Document(document) => document,
        other => panic!("no object: {other}"),
    }
}

/// Creates what is given, and checks that it is answered and read so.
async fn goes_both_ways<DB: Dialect>(service: &SqlService<DB>, data: Json) -> Document {
    let (data, params) = (document(data), Params::new());
    let made = service.create(data.clone(), &params).await.expect("made");
    let id = Id::from_value(&made[service.describe().id_field()]).expect("an id");
    let found = service.read(&id, &params).await.expect("the record");
    for (field, value) in data.iter() {
        assert_eq!(made[field].to_string(), value.to_string(), "{field}");
        assert_eq!(found[field].to_string(), value.to_string(), "{field}");
    }
    made
}

/// Checks that each value is refused, and its field named.
async fn refuses<DB: Dialect>(service: &SqlService<DB>, values: impl IntoIterator<Item = (&'static str, Json)>) {
    for (field, value) in values {
        let data = Document::new().with(field, Value::from(value.clone()));
        let error = service.create(data, &Params::new()).await.expect_err(field);
        assert_eq!(error.kind(), ErrorKind::Unprocessable, "{field} {value}: {error:?}");
        assert_eq!(error.fields().first().map(|fault| fault.field.as_str()), Some(field), "{value}: {error:?}");
    }
}

async fn counts<DB: Dialect>(service: &SqlService<DB>, filters: impl IntoIterator<Item = (Filter, u64)>) {
    for (filter, expected) in filters {
        let params = Params::from(Query::new().filter(filter.clone()));
        assert_eq!(service.count(&params).await.expect("a count"), expected, "{filter}");
    }
}

#[tokio::test]
async fn postgres_types_go_both_ways() {
    let Some(url) = urls::postgres() else { return };
    let statement = "CREATE TABLE TABLE_NAME (id serial PRIMARY KEY, small smallint, int integer, big bigint, \
                     price numeric(12,4), exact numeric, at timestamp, moment timestamptz, day date, time time, \
                     bytes bytea, real real, double double precision, short varchar(3), key uuid, net inet, \
                     data jsonb, doubled int GENERATED ALWAYS AS (small * 2) STORED)";
    let (pool, name) = with_table::<Postgres>(&url, statement).await;
    let service = SqlService::<Postgres>::new(pool, Options::new(name)).await.expect("a service");
    let made = goes_both_ways(
        &service,
        json!({
            "small": -32768, "int": 2147483647, "big": i64::MIN, "price": "12.3000", "exact": "0.10",
            "at": "2026-11-22T04:34:02.000000Z", "moment": "2026-11-22T04:34:02.123456Z", "day": "2024-02-29",
            "time": "04:34:02.500000", "bytes": "AAE=", "real": 0.1, "double": 0.1, "short": "äöü",
            "key": "f192f0c1-0000-4000-8000-000000000001", "net": "10.0.0.1/32", "data": {"a": [1, null]},
        }),
    )
    .await;
    assert_eq!(made["doubled"].as_i64(), Some(-65536));
    counts(
        &service,
        [
            (Filter::eq("price", "12.3"), 1),
            (Filter::gt("price", 9), 1),
            (Filter::eq("exact", 0.1), 1),
            (Filter::eq("at", "2026-11-22T05:34:02+01:00"), 1),
            (Filter::lt("time", "05:00"), 1),
            (Filter::gt("time", "04:34:02.5"), 0),
            (Filter::eq("bytes", "AAE="), 1),
            (Filter::eq("small", -32768.0), 1),
            (Filter::lt("small", 70_000), 1),
            (Filter::eq("int", i64::MAX), 0),
            (Filter::eq("real", 0.1), 1),
            (Filter::lt("real", 0.1), 0),
            (Filter::lt("real", 0.100_000_001), 1),
            (Filter::gte("real", 0.099_999_999), 1),
            (Filter::eq("net", "10.0.0.1"), 0),
            (Filter::starts_with("net", "10.0.0.1"), 1),
            (Filter::eq("data.a", 1), 1),
        ],
    )
    .await;
    refuses(
        &service,
        [
            ("small", json!(32768)),
            ("small", json!(-32769)),
            ("int", json!(2_147_483_648_i64)),
            ("big", json!(u64::MAX)),
            ("price", json!("100000000")),
            ("price", json!("0.00001")),
            ("price", json!("abc")),
            ("real", json!(0.123_456_789)),
            ("real", json!(1e300)),
            ("short", json!("abcd")),
            ("day", json!("2023-02-29")),
            ("time", json!("24:00")),
        ],
    )
    .await;
    // PostgreSQL alone knows what it reads as a network address, and does not tell which column it was.
    let error = service.create(document(json!({"net": "nowhere"})), &Params::new()).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unprocessable);
    urls::drop_table(&service).await;
}

#[tokio::test]
async fn an_id_past_its_column_is_refused_by_name() {
    let Some(url) = urls::postgres() else { return };
    let statement = "CREATE TABLE TABLE_NAME (number smallserial PRIMARY KEY, name text)";
    let (pool, name) = with_table::<Postgres>(&url, statement).await;
    let service = SqlService::<Postgres>::new(pool, Options::new(name)).await.expect("a service");
    refuses(&service, [("number", json!(70_000))]).await;
    let read = service.read(&Id::from(70_000), &Params::new()).await.expect_err("no such record");
    assert_eq!(read.kind(), ErrorKind::NotFound);
    let made = service.update(&Id::from(70_000), document(json!({"name": "x"})), &Params::new()).await;
    assert_eq!(made.expect_err("refused").kind(), ErrorKind::Unprocessable);
    urls::drop_table(&service).await;
}

#[tokio::test]
async fn postgres_arrays_are_lists() {
    let Some(url) = urls::postgres() else { return };
    let statement = "CREATE TABLE TABLE_NAME (id serial PRIMARY KEY, numbers smallint[], names text[], keys uuid[], \
                     prices numeric(6,2)[], moments timestamptz[], days date[], times time[], flags boolean[], \
                     reals real[], bins bytea[], data jsonb[], short varchar(3)[])";
    let (pool, name) = with_table::<Postgres>(&url, statement).await;
    let service = SqlService::<Postgres>::new(pool, Options::new(name)).await.expect("a service");
    let odd = ["a\"b\\c,{}", "", "NULL", " ä ", "😀"];
    goes_both_ways(
        &service,
        json!({
            "numbers": [1, null, -32768], "names": odd, "keys": ["f192f0c1-0000-4000-8000-000000000001"],
            "prices": ["1.50", "10.00"], "moments": ["2026-11-22T04:34:02.500000Z"], "days": ["2024-02-29"],
            "times": ["04:34:02.000000"], "flags": [true, false, null], "reals": [0.1, 1.5], "bins": ["AAE=", ""],
            "data": [{"a": [1]}, "x", 5], "short": ["abc"],
        }),
    )
    .await;
    goes_both_ways(&service, json!({"numbers": [], "names": null, "keys": []})).await;
    goes_both_ways(&service, json!({"numbers": [[1, 2], [3, 4]]})).await;
    counts(
        &service,
        [
            (Filter::eq("numbers", 1), 1),
            (Filter::eq("numbers", Vec::<Value>::new()), 1),
            (Filter::is_in("names", ["NULL", "other"]), 1),
            (Filter::ne("names", ""), 2),
            (Filter::gt("numbers", 0), 1),
            (Filter::eq("keys", "f192f0c1-0000-4000-8000-000000000001"), 1),
            (Filter::eq("prices", "1.50"), 1),
            (Filter::eq("data.a", 1), 1),
            (Filter::eq("names", Value::Null), 2),
        ],
    )
    .await;
    refuses(
        &service,
        [
            ("numbers", json!([1, 70_000])),
            ("numbers", json!(["1"])),
            ("numbers", json!(1)),
            ("names", json!({"a": 1})),
            ("names", json!([1])),
            ("keys", json!(["abc"])),
            ("prices", json!(["1.505"])),
            ("short", json!(["abcd"])),
        ],
    )
    .await;
    // Lists of different lengths are no array; PostgreSQL says so.
    let error = service.create(document(json!({"numbers": [[1], [2, 3]]})), &Params::new()).await;
    assert_eq!(error.expect_err("refused").kind(), ErrorKind::Unprocessable);
    urls::drop_table(&service).await;
}

#[tokio::test]
async fn postgres_enums_and_domains_are_what_they_are_made_of() {
    let Some(url) = urls::postgres() else { return };
    let mood = format!("mood_{}", urls::table_name());
    let statement = format!(
        "CREATE TYPE {mood} AS ENUM ('sad', 'Ok', 'it''s'); CREATE DOMAIN {mood}_amount AS numeric(5,2) CHECK \
         (VALUE >= 0); CREATE DOMAIN {mood}_more AS {mood}_amount; \
         CREATE TABLE TABLE_NAME (id serial PRIMARY KEY, mood {mood} NOT NULL DEFAULT 'Ok', moods {mood}[], \
         amount {mood}_amount, more {mood}_more)"
    );
    let (pool, name) = with_table::<Postgres>(&url, &statement).await;
    let service = SqlService::<Postgres>::new(pool.clone(), Options::new(name)).await.expect("a service");
    goes_both_ways(&service, json!({"mood": "it's", "moods": ["sad", "Ok"], "amount": "1.50", "more": "2.00"})).await;
    let made = service.create(Document::new(), &Params::new()).await.expect("made");
    assert_eq!(made["mood"].as_str(), Some("Ok"));
    counts(
        &service,
        [
            (Filter::eq("mood", "Ok"), 1),
            (Filter::eq("mood", "ok"), 0),
            (Filter::eq("mood", "unknown"), 0),
            (Filter::ne("mood", "unknown"), 2),
            (Filter::eq("moods", "sad"), 1),
            (Filter::eq("amount", 1.5), 1),
            (Filter::gt("more", "1.99"), 1),
        ],
    )
    .await;
    // In the order of texts, as everywhere, and not in that of the enum.
    let sorted = service.index(&Params::from(Query::new().sort("mood"))).await.expect("a list").data;
    assert_eq!(sorted.iter().filter_map(|one| one["mood"].as_str()).collect::<Vec<_>>(), ["Ok", "it's"]);
    refuses(
        &service,
        [
            ("mood", json!("ok")),
            ("mood", json!(5)),
            ("moods", json!(["sad", "glad"])),
            ("amount", json!("1.505")),
            ("more", json!("1000")),
        ],
    )
    .await;
    let error = service.create(document(json!({"amount": "-1"})), &Params::new()).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unprocessable);
    urls::drop_table(&service).await;
    let statement = format!("DROP DOMAIN {mood}_more; DROP DOMAIN {mood}_amount; DROP TYPE {mood}");
    pool.pool().execute(AssertSqlSafe(statement)).await.expect("the types go");
}

#[tokio::test]
async fn mariadb_types_go_both_ways() {
    let Some(url) = urls::mysql() else { return };
    let statement = "CREATE TABLE TABLE_NAME (id INT AUTO_INCREMENT PRIMARY KEY, tiny TINYINT, small SMALLINT, \
                     medium MEDIUMINT, plain INT UNSIGNED, big BIGINT UNSIGNED, flag BIT(1), bits BIT(8), year YEAR, \
                     price DECIMAL(12,4), at TIMESTAMP(6) NULL, moment DATETIME(6), day DATE, time TIME(6), bytes BLOB, \
                     key_ UUID, name VARCHAR(20) COLLATE utf8mb4_general_ci, kind ENUM('a','b','it''s, B'), \
                     kinds SET('x','y','Z'), data JSON, ratio FLOAT, number DOUBLE, secret INT INVISIBLE, \
                     doubled INT GENERATED ALWAYS AS (small * 2) VIRTUAL)";
    let (pool, name) = with_table::<MySql>(&url, statement).await;
    let service = SqlService::<MySql>::new(pool, Options::new(name)).await.expect("a service");
    let made = goes_both_ways(
        &service,
        json!({
            "tiny": -128, "small": 32767, "medium": -8388608, "plain": u32::MAX, "big": u64::MAX, "flag": true,
            "bits": 255, "year": 2026, "price": "12.3000", "at": "2026-11-22T04:34:02.000000Z",
            "moment": "2026-11-22T04:34:02.123456Z", "day": "2024-02-29", "time": "04:34:02.500000", "bytes": "AAE=",
            "key_": "f192f0c1-0000-4000-8000-000000000001", "name": "Alice", "kind": "it's, B", "kinds": ["x", "Z"],
            "data": {"a": 1}, "ratio": 0.1, "number": 0.1,
        }),
    )
    .await;
    assert_eq!(made["doubled"].as_i64(), Some(65534));
    assert!(!made.contains("secret"), "{made}");
    goes_both_ways(&service, json!({"flag": false, "bits": 0, "kinds": [], "name": null})).await;
    counts(
        &service,
        [
            (Filter::eq("price", "12.3"), 1),
            (Filter::gt("price", "9"), 1),
            (Filter::eq("big", u64::MAX), 1),
            (Filter::eq("flag", true), 1),
            (Filter::gt("bits", 254), 1),
            (Filter::eq("year", 2026), 1),
            (Filter::lt("year", 1), 0),
            (Filter::lt("time", "05:00"), 1),
            (Filter::eq("name", "Alice"), 1),
            (Filter::eq("name", "alice"), 0),
            (Filter::eq("name", "Alice "), 0),
            (Filter::eq("name", 0), 0),
            (Filter::eq("key_", "f192f0c1-0000-4000-8000-000000000001"), 1),
            (Filter::eq("kind", "it's, B"), 1),
            (Filter::eq("kind", "IT'S, B"), 0),
            (Filter::eq("kinds", "Z"), 1),
            (Filter::eq("kinds", Vec::<Value>::new()), 1),
            (Filter::eq("ratio", 0.1), 1),
            (Filter::lt("ratio", 0.1), 0),
            (Filter::lt("ratio", 0.100_000_001), 1),
        ],
    )
    .await;
    refuses(
        &service,
        [
            ("tiny", json!(128)),
            ("small", json!(-32769)),
            ("medium", json!(8_388_608)),
            ("plain", json!(-1)),
            ("plain", json!(4_294_967_296_i64)),
            ("big", json!(-1)),
            ("bits", json!(256)),
            ("flag", json!(2)),
            ("year", json!(26)),
            ("price", json!("1.23456")),
            ("price", json!("100000000")),
            ("name", json!("x".repeat(30))),
            ("kind", json!("c")),
            ("kind", json!("A")),
            ("kinds", json!(["x", "z"])),
            ("kinds", json!("x")),
            ("ratio", json!(0.123_456_789)),
        ],
    )
    .await;
    urls::drop_table(&service).await;
}

/// A record with types of its own, none of which the options describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: Key,
    title: String,
    #[serde(default)]
    paid: bool,
    count: u32,
    price: Price,
    day: Option<Day>,
    tags: Vec<String>,
    state: State,
    created_at: String,
    updated_at: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NewOrder {
    title: String,
    count: u32,
    price: Price,
    day: Option<Day>,
    tags: Vec<String>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Sent,
}

/// Reads only text that is of a field's type, as types of other crates do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Read<const KIND: usize>(String);

const KINDS: [FieldType; 3] = [FieldType::Uuid, FieldType::Decimal, FieldType::Date];

type Key = Read<0>;
type Price = Read<1>;
type Day = Read<2>;

impl<const KIND: usize> TryFrom<String> for Read<KIND> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let kept = KINDS[KIND].keep(Value::from(text.as_str()));
        if kept.is_some() { Ok(Self(text)) } else { Err("something else") }
    }
}

async fn a_type_makes_its_table<DB: Dialect>(url: &str)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let options = Options::new(urls::table_name()).timestamps(Timestamps::Snake).index("price");
    let options = SqlOptions::from(options).create_table_if_missing(true);
    let pool = SqlPool::<DB>::connect(url).await.expect("the database is there");
    let orders = SqlService::<DB, Order, NewOrder>::new(pool.clone(), options.clone()).await.expect("a service");
    let new = NewOrder {
        title: "Nuts".to_owned(),
        count: 3,
        price: Read("9.50".to_owned()),
        day: Some(Read("2026-11-22".to_owned())),
        tags: vec!["a".to_owned()],
        state: State::Sent,
    };
    let made = orders.create(new.clone(), &Params::new()).await.expect("made");
    assert_eq!((made.price.0.as_str(), made.paid, made.state), ("9.50", false, State::Sent));
    orders.create(NewOrder { price: Read("10".to_owned()), ..new }, &Params::new()).await.expect("made");
    let cheap = Params::from(Query::new().filter(Filter::lt("price", 10).and(Filter::eq("tags", "a"))));
    assert_eq!(orders.index(&cheap).await.expect("a list").data, [made]);
    let kinds =
        |service: &dyn Fn(&str) -> Option<FieldType>| ["id", "count", "price", "day", "tags", "state"].map(service);
    let fields = orders.describe().fields().cloned().expect("the fields of the table");
    let expected =
        [FieldType::Uuid, FieldType::Integer, FieldType::Decimal, FieldType::Date, FieldType::Json, FieldType::Text];
    assert_eq!(kinds(&|name| fields.find(name).map(|field| field.kind)), expected.map(Some));
    // The next start finds the table that this one made.
    let again = SqlService::<DB, Order, NewOrder>::new(pool.clone(), options.clone()).await.expect("a service");
    assert_eq!(again.describe().fields(), Some(&fields));
    let documents = SqlService::<DB>::new(pool, options).await.expect("a service");
    urls::drop_table(&documents).await;
}

#[tokio::test]
async fn a_type_makes_its_table_on_every_database() {
    a_type_makes_its_table::<Sqlite>("sqlite::memory:").await;
    if let Some(url) = urls::postgres() {
        a_type_makes_its_table::<Postgres>(&url).await;
    }
    if let Some(url) = urls::mysql() {
        a_type_makes_its_table::<MySql>(&url).await;
    }
}

#[tokio::test]
async fn sqlite_finds_decimals_by_their_index() {
    let fields = Fields::new().optional("price", FieldType::Decimal);
    let options = Options::new(urls::table_name()).fields(fields).index("price");
    let options = SqlOptions::from(options).create_table_if_missing(true);
    let service = SqlService::<Sqlite>::connect("sqlite::memory:", options).await.expect("a service");
    let pool = service.pool().pool();
    let (index,): (String,) = sqlx::query_as("SELECT sql FROM sqlite_schema WHERE name LIKE '%_price_index'")
        .fetch_one(pool)
        .await
        .expect("the index");
    // What it is over is what conditions are written with; the writer's own tests hold them together.
    let (_, order) = index.split_once("ON ").and_then(|(_, rest)| rest.split_once(" (")).expect("an expression");
    let name = service.describe().name().to_owned();
    let statement = format!("EXPLAIN QUERY PLAN SELECT * FROM \"{name}\" WHERE ({order} < '1019.5'");
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(statement)).fetch_all(pool).await.expect("a plan");
    assert!(plan.iter().any(|(_, _, _, detail)| detail.contains("USING INDEX")), "{plan:?}");
}

#[tokio::test]
async fn what_the_database_computes_is_looked_past_where_a_client_sends_it() {
    let statement = "CREATE TABLE TABLE_NAME (id INTEGER PRIMARY KEY AUTOINCREMENT, small INTEGER, \
                     doubled INTEGER GENERATED ALWAYS AS (small * 2) STORED)";
    let (pool, name) = with_table::<Sqlite>("sqlite::memory:", statement).await;
    let service = SqlService::<Sqlite>::new(pool, Options::new(name)).await.expect("a service");
    let params = Params::new();
    let made = service.create(document(json!({"small": 5, "doubled": 99})), &params).await.expect("made");
    assert_eq!(made["doubled"].as_i64(), Some(10));
    let id = Id::from(1);
    let modified = service.modify(&id, document(json!({"doubled": 99})).into(), &params).await.expect("changed");
    assert_eq!(modified.get()["doubled"].as_i64(), Some(10));
    let updated = service.update(&id, document(json!({"small": 7, "doubled": 99})), &params).await.expect("replaced");
    assert_eq!(updated.get()["doubled"].as_i64(), Some(14));
    counts(&service, [(Filter::eq("doubled", 14), 1)]).await;
}
