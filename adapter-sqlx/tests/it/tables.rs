//! Tables that were there before the service.

use remex_core::{Document, ErrorKind, FieldType, Fields, Filter, Id, IdKind, Method, Options, Params, Query, Service};
use remex_sqlx::{Dialect, MySql, Postgres, SqlCondition, SqlOptions, SqlPool, SqlService, Sqlite};
use sqlx::{AssertSqlSafe, Executor};

use crate::urls;

pub(crate) async fn with_table<DB: Dialect>(url: &str, statement: &str) -> (SqlPool<DB>, String)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let (pool, name) = (SqlPool::<DB>::connect(url).await.expect("the database is there"), urls::table_name());
    let mut connection = pool.pool().acquire().await.expect("a connection");
    let statement = AssertSqlSafe(statement.replace("TABLE_NAME", &name));
    (&mut *connection).execute(statement).await.expect("a table");
    drop(connection);
    (pool, name)
}

#[tokio::test]
async fn a_table_that_is_not_there_is_an_error_at_start() {
    let pool = SqlPool::<Sqlite>::connect("sqlite::memory:").await.expect("a database");
    let error = SqlService::<Sqlite>::new(pool, Options::new("nowhere")).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(format!("{error:?}").contains("create_table_if_missing"));
}

#[tokio::test]
async fn the_key_keeps_its_name_and_defaults_their_values() {
    let statement = "CREATE TABLE TABLE_NAME (number INTEGER PRIMARY KEY, title TEXT NOT NULL DEFAULT 'none', \
                     state TEXT, made DATETIME DEFAULT CURRENT_TIMESTAMP)";
    let (pool, name) = with_table::<Sqlite>("sqlite::memory:", statement).await;
    let service = SqlService::<Sqlite>::new(pool, Options::new(name)).await.expect("a service");
    let params = Params::new();
    let made = service.create(Document::new().with("state", "new"), &params).await.expect("made");
    assert_eq!((made["number"].as_i64(), made["title"].as_str()), (Some(1), Some("none")));
    assert!(made["made"].as_str().is_some_and(|made| made.ends_with(".000000Z")), "{made}");
    let id = Id::from(1);
    let named = service.modify(&id, Document::new().with("title", "some").into(), &params).await.expect("changed");
    assert_eq!(named.get()["title"].as_str(), Some("some"));
    let replaced = service.update(&id, Document::new(), &params).await.expect("replaced").into_inner();
    assert_eq!((replaced["title"].as_str(), replaced["state"].as_str()), (Some("none"), None));
}

#[tokio::test]
async fn a_view_can_be_read_and_not_changed() {
    let (pool, name) =
        with_table::<Sqlite>("sqlite::memory:", "CREATE VIEW TABLE_NAME AS SELECT 7 AS id, 'seven' AS name").await;
    let options = Options::new(name).id_kind(IdKind::Integer);
    let error = SqlService::<Sqlite>::new(pool.clone(), options.clone().id_field("other")).await;
    assert!(error.is_err());
    let service = SqlService::<Sqlite>::new(pool, options).await.expect("a service");
    assert_eq!(service.index(&Params::new()).await.expect("a list").data.len(), 1);
    assert!(!service.describe().methods().contains(Method::Create));
    let error = service.create(Document::new(), &Params::new()).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::MethodNotAllowed);
}

async fn a_condition_in_sql_holds_for_all_that_reads<DB: Dialect>(url: &str)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let fields = Fields::new().required("name", FieldType::Text).optional("age", FieldType::Integer);
    let options = SqlOptions::from(Options::new(urls::table_name()).fields(fields)).create_table_if_missing(true);
    let birds = SqlService::<DB>::connect(url, options).await.expect("a service");
    let params = Params::new();
    for (name, age) in [("Wren", 1), ("WREN", 2), ("Robin", 1)] {
        birds.create(Document::new().with("name", name).with("age", age), &params).await.expect("made");
    }
    let injected = "wren') OR ('1' = '1";
    for (name, expected) in [("wren", 2), (injected, 0)] {
        let condition = SqlCondition::new("lower(name) = lower(?) AND age > ?", [name.into(), 0.into()]);
        let alike = birds.filtered(condition.expect("a condition"));
        assert_eq!(alike.count(&params).await.expect("a count"), expected, "{name}");
        assert_eq!(alike.index(&params).await.expect("a list").data.len() as u64, expected);
        let old = Params::from(Query::new().filter(Filter::eq("age", 2)));
        assert_eq!(alike.index(&old).await.expect("a list").data.len() as u64, expected / 2);
        assert_eq!(alike.read(&Id::from(1), &params).await.is_ok(), expected > 0);
        let other = alike.read(&Id::from(3), &params).await.expect_err("a robin is no wren");
        assert_eq!(other.kind(), ErrorKind::NotFound);
        let refused = alike.remove_many(&params).await.expect_err("it is to be read");
        assert_eq!(refused.kind(), ErrorKind::MethodNotAllowed);
    }
    urls::drop_table(&birds).await;
}

#[tokio::test]
async fn conditions_in_sql_hold_in_every_database() {
    a_condition_in_sql_holds_for_all_that_reads::<Sqlite>("sqlite::memory:").await;
    if let Some(url) = urls::postgres() {
        a_condition_in_sql_holds_for_all_that_reads::<Postgres>(&url).await;
    }
    if let Some(url) = urls::mysql() {
        a_condition_in_sql_holds_for_all_that_reads::<MySql>(&url).await;
    }
}

async fn references_are_held<DB: Dialect>(url: &str, tells: bool)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let (pool, nests) = with_table::<DB>(url, "CREATE TABLE TABLE_NAME (id INTEGER NOT NULL PRIMARY KEY)").await;
    let birds = urls::table_name();
    let statement = format!(
        "CREATE TABLE {birds} (id INTEGER NOT NULL PRIMARY KEY, nest_id INTEGER, CONSTRAINT {birds}_nest \
         FOREIGN KEY (nest_id) REFERENCES {nests} (id))"
    );
    let mut connection = pool.pool().acquire().await.expect("a connection");
    (&mut *connection).execute(AssertSqlSafe(statement)).await.expect("a table");
    drop(connection);
    let nests = SqlService::<DB>::new(pool.clone(), Options::new(nests)).await.expect("a service");
    let birds = SqlService::<DB>::new(pool, Options::new(birds)).await.expect("a service");
    let params = Params::new();
    nests.create(Document::new().with("id", 1), &params).await.expect("made");
    birds.create(Document::new().with("id", 1).with("nest_id", 1), &params).await.expect("made");
    let nowhere = birds.create(Document::new().with("id", 2).with("nest_id", 9), &params).await.expect_err("refused");
    assert_eq!(nowhere.kind(), ErrorKind::Conflict, "{nowhere:?}");
    let named = nowhere.fields().first().map(|field| field.field.as_str());
    assert_eq!(named, tells.then_some("nest_id"), "{nowhere:?}");
    let held = nests.remove(&Id::from(1), &params).await.expect_err("refused");
    assert_eq!((held.kind(), held.fields().len()), (ErrorKind::Conflict, 0), "{held:?}");
    urls::drop_table(&birds).await;
    urls::drop_table(&nests).await;
}

#[tokio::test]
async fn references_are_held_and_named_where_the_database_tells() {
    references_are_held::<Sqlite>("sqlite::memory:", false).await;
    if let Some(url) = urls::postgres() {
        references_are_held::<Postgres>(&url, true).await;
    }
    if let Some(url) = urls::mysql() {
        references_are_held::<MySql>(&url, true).await;
    }
}

#[tokio::test]
async fn times_that_sqlite_writes_by_itself_are_paged_and_found() {
    let statement =
        "CREATE TABLE TABLE_NAME (id INTEGER PRIMARY KEY, made DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    let (pool, name) = with_table::<Sqlite>("sqlite::memory:", statement).await;
    let notes = SqlService::<Sqlite>::new(pool, Options::new(name)).await.expect("a service");
    for made in [None, Some("2024-02-29T04:34:02.123456Z"), None, Some("2030-01-01T00:00:00Z"), None] {
        let data = made.map_or_else(Document::new, |made| Document::new().with("made", made));
        notes.create(data, &Params::new()).await.expect("made");
    }
    for direction in [Query::new().sort("made"), Query::new().sort_descending("made")] {
        let (mut seen, mut after) = (Vec::new(), None);
        for _ in 0..5 {
            let query = Query { after: after.take(), limit: Some(1), ..direction.clone() };
            let page = notes.index(&Params::from(query)).await.expect("a page");
            seen.extend(page.data.iter().map(|note| note["id"].as_i64()));
            after = page.info.next;
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4, 5].map(Some), "every one once");
    }
    let first = notes.read(&Id::from(1), &Params::new()).await.expect("a note");
    let same = Params::from(Query::new().filter(Filter::eq("made", first["made"].clone())));
    assert!(notes.index(&same).await.expect("a list").data.iter().any(|note| note["id"] == first["id"]));
}

#[tokio::test]
async fn what_sql_has_decided_needs_no_column_that_nobody_selects() {
    let statement = "CREATE TABLE TABLE_NAME (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, tags JSON)";
    let (pool, name) = with_table::<Sqlite>("sqlite::memory:", statement).await;
    let shop = SqlService::<Sqlite>::new(pool, Options::new(name)).await.expect("a service");
    for (name, kind, tag) in [("a", "x", 2), ("b", "x", 1), ("c", "y", 0)] {
        let data = Document::new().with("name", name).with("kind", kind).with("tags", [tag]);
        shop.create(data, &Params::new()).await.expect("made");
    }
    let query = Query::new().filter(Filter::eq("kind", "x")).sort("tags").select(["name"]);
    for params in [
        Params::from(query.clone()),
        Params::from(Query { filter: Filter::All, ..query }).with_scope(Filter::eq("kind", "x")),
    ] {
        let found = shop.index(&params).await.expect("a list").data;
        let names: Vec<_> = found.iter().filter_map(|record| record["name"].as_str()).collect();
        assert_eq!(names, ["b", "a"]);
    }
}

#[tokio::test]
async fn a_key_that_sqlite_does_not_make_is_required() {
    let statement = "CREATE TABLE TABLE_NAME (id INT PRIMARY KEY, size REAL)";
    let (pool, name) = with_table::<Sqlite>("sqlite::memory:", statement).await;
    let codes = SqlService::<Sqlite>::new(pool, Options::new(name)).await.expect("a service");
    let lost = codes.create(Document::new(), &Params::new()).await.expect_err("refused");
    assert_eq!((lost.kind(), lost.fields()[0].field.as_str()), (ErrorKind::Unprocessable, "id"));
    codes.create(Document::new().with("id", 1).with("size", 1.5), &Params::new()).await.expect("made");
    let rounded = codes.create(Document::new().with("id", 2).with("size", (1_i64 << 53) + 1), &Params::new()).await;
    assert_eq!(rounded.expect_err("refused").kind(), ErrorKind::Unprocessable);
}

#[tokio::test]
async fn postgres_refuses_what_its_tables_do_with_the_field_that_it_names() {
    let Some(url) = urls::postgres() else { return };
    let statement = "CREATE TABLE TABLE_NAME (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, age int CHECK (age >= 0), \
                     bits bit(3), span int4range, small smallint)";
    let (pool, name) = with_table::<Postgres>(&url, statement).await;
    let people = SqlService::<Postgres>::new(pool, Options::new(name)).await.expect("a service");
    let params = Params::new();
    let given = people.create(Document::new().with("id", 77).with("bits", "101"), &params).await.expect("made");
    assert_eq!((given["id"].as_i64(), given["bits"].as_str()), (Some(77), Some("101")));
    assert!(people.update(&Id::from(78), Document::new().with("age", 1), &params).await.expect("made").is_created());
    let aged = people.create(Document::new().with("age", -1), &params).await.expect_err("refused");
    assert_eq!((aged.kind(), aged.fields()[0].field.as_str()), (ErrorKind::Unprocessable, "age"));
    for (field, value) in [("span", "[5,1)"), ("span", "none"), ("bits", "10101")] {
        let refused = people.create(Document::new().with(field, value), &params).await.expect_err("refused");
        assert_eq!(refused.kind(), ErrorKind::Unprocessable, "{field}: {refused:?}");
    }
    people.create(Document::new().with("id", i32::MAX), &params).await.expect("made");
    people.create(Document::new(), &params).await.expect("an id is left");
    urls::drop_table(&people).await;
}

#[tokio::test]
async fn mariadb_names_the_field_and_keeps_ids_to_make() {
    let Some(url) = urls::mysql() else { return };
    let statement = "CREATE TABLE TABLE_NAME (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20), ip INET6, \
                     age INT CHECK (age >= 0))";
    let (pool, name) = with_table::<MySql>(&url, statement).await;
    let people = SqlService::<MySql>::new(pool, Options::new(name)).await.expect("a service");
    let params = Params::new();
    for (field, value) in [("ip", remex_core::Value::from("name")), ("age", remex_core::Value::from(-1))] {
        let refused = people.create(Document::new().with(field, value), &params).await.expect_err("refused");
        let named = refused.fields().first().map(|error| error.field.as_str());
        assert_eq!((refused.kind(), named), (ErrorKind::Unprocessable, Some(field)), "{refused:?}");
    }
    let last = people.create(Document::new().with("id", i32::MAX), &params).await.expect_err("refused");
    assert_eq!((last.kind(), last.fields()[0].field.as_str()), (ErrorKind::Unprocessable, "id"));
    people.create(Document::new(), &params).await.expect("an id is left");
    urls::drop_table(&people).await;
}
