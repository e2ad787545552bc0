//! Tables that were there before the service.

use remex_core::{Document, ErrorKind, Id, IdKind, Method, Options, Params, Service};
use remex_sqlx::{Dialect, SqlPool, SqlService, Sqlite};
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
