//! Callers that go away, writers that meet, and ids that are made past those given.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use remex_core::{Document, FieldType, Fields, Id, Options, Params, Service};
use remex_sqlx::{Dialect, MySql, Postgres, SqlOptions, SqlPool, SqlService, Sqlite};

use crate::urls;

async fn counters<DB: Dialect>(url: &str) -> SqlService<DB> {
    counters_of(url, remex_core::IdKind::Integer).await
}

async fn counters_of<DB: Dialect>(url: &str, kind: remex_core::IdKind) -> SqlService<DB> {
    let pool = SqlPool::<DB>::connect(url).await.expect("the database is there");
    let fields = Fields::new().optional("name", FieldType::Text).optional("count", FieldType::Integer);
    let options = Options::new(urls::table_name()).id_kind(kind).fields(fields);
    SqlService::new(pool, SqlOptions::from(options).create_table_if_missing(true)).await.expect("a service")
}

/// Gives calls up at every point where they wait, and then looks whether the connections are as good as new.
async fn abandoned_calls_leave_nothing_behind<DB: Dialect>(url: &str)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let service = Arc::new(counters::<DB>(url).await);
    let params = Params::new();
    let id = Id::from(
        service.create(Document::new().with("count", 0), &params).await.expect("made")["id"].as_i64().expect("an id"),
    );
    for waits in 0..40_u64 {
        let patch = Document::new().with("count", i64::try_from(waits).expect("small"));
        let scoped = Params::new().with_scope(remex_core::Filter::gte("count", 0));
        let mut call = Box::pin(service.modify(&id, patch.into(), &scoped));
        for _ in 0..waits % 8 {
            if call.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(100 * waits)).await;
        }
        drop(call);
    }
    remex_core::finish_detached().await;
    // Every connection of the pool writes something that another one sees.
    let made: Vec<_> = futures::future::join_all((0..30).map(|number| {
        let service = service.clone();
        async move { service.create(Document::new().with("count", number), &Params::new()).await }
    }))
    .await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(service.count(&params).await.expect("a count"), 31);
    let found = service.read(&id, &params).await.expect("the record");
    assert!(found["count"].as_i64().is_some_and(|count| (0..40).contains(&count)), "{found}");
    urls::drop_table(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_calls_can_be_given_up() {
    abandoned_calls_leave_nothing_behind::<Sqlite>("sqlite::memory:").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_calls_can_be_given_up() {
    if let Some(url) = urls::postgres() {
        abandoned_calls_leave_nothing_behind::<Postgres>(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_calls_can_be_given_up() {
    if let Some(url) = urls::mysql() {
        abandoned_calls_leave_nothing_behind::<MySql>(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_clients_share_a_file() {
    let folder = std::env::temp_dir().join(urls::table_name());
    std::fs::create_dir_all(&folder).expect("a folder");
    let service = Arc::new(counters::<Sqlite>(&format!("sqlite://{}/shared.db", folder.display())).await);
    let clients = (0..32).map(|client| {
        let service = service.clone();
        tokio::spawn(async move {
            for round in 0..10 {
                let data = Document::new().with("name", format!("{client}")).with("count", round);
                let made = service.create(data, &Params::new()).await?;
                let id = Id::from_value(&made["id"]).expect("an id");
                service.modify(&id, Document::new().with("count", -round).into(), &Params::new()).await?;
                service.index(&Params::new()).await?;
            }
            Ok::<_, remex_core::Error>(())
        })
    });
    for outcome in futures::future::join_all(clients).await {
        outcome.expect("no panic").expect("no error");
    }
    assert_eq!(service.count(&Params::new()).await.expect("a count"), 320);
    std::fs::remove_dir_all(folder).expect("removed");
}

async fn a_large_given_id_leaves_room<DB: Dialect>(url: &str)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let service = counters::<DB>(url).await;
    let params = Params::new();
    service.create(Document::new().with("id", (1_i64 << 53) - 1), &params).await.expect("made");
    service.create(Document::new().with("id", 10), &params).await.expect("made");
    let next = service.create(Document::new(), &params).await.expect("made");
    assert!(next["id"].as_i64().is_some_and(|id| id > 10), "{next}");
    urls::drop_table(&service).await;
}

#[tokio::test]
async fn ids_go_on_behind_those_given() {
    a_large_given_id_leaves_room::<Sqlite>("sqlite::memory:").await;
    if let Some(url) = urls::postgres() {
        a_large_given_id_leaves_room::<Postgres>(&url).await;
    }
    if let Some(url) = urls::mysql() {
        a_large_given_id_leaves_room::<MySql>(&url).await;
    }
}

#[tokio::test]
async fn a_table_may_be_altered_while_the_service_runs() {
    let Some(url) = urls::postgres() else { return };
    let service = counters::<Postgres>(&url).await;
    let (params, name) = (Params::new(), service.describe().name().to_owned());
    let made = service.create(Document::new().with("count", 5), &params).await.expect("made");
    let id = Id::from_value(&made["id"]).expect("an id");
    service.read(&id, &params).await.expect("read");
    let alter = format!("ALTER TABLE {name} ALTER COLUMN name TYPE varchar(50)");
    sqlx::query(sqlx::AssertSqlSafe(alter)).execute(service.pool().pool()).await.expect("altered");
    assert_eq!(service.read(&id, &params).await.expect("read")["count"].as_i64(), Some(5));
    service.modify(&id, Document::new().with("count", 6).into(), &params).await.expect("changed");
    urls::drop_table(&service).await;
}

#[tokio::test]
async fn a_call_does_not_wait_long_for_a_connection() {
    let service = counters::<Sqlite>("sqlite::memory:").await;
    let held = service.pool().pool().acquire().await.expect("the only connection");
    let error = service.count(&Params::new()).await.expect_err("nothing to count with");
    assert_eq!(error.kind(), remex_core::ErrorKind::Unavailable);
    assert!(error.retry_after().is_some());
    drop(held);
    assert_eq!(service.count(&Params::new()).await.expect("a count"), 0);
}

async fn many_are_answered_in_their_order<DB: Dialect>(url: &str)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    for kind in [remex_core::IdKind::Integer, remex_core::IdKind::Uuid] {
        let service = counters_of::<DB>(url, kind).await;
        let data: Vec<_> = (0..2_500).map(|count| Document::new().with("count", count)).collect();
        let made = service.create_many(data, &Params::new()).await.expect("made");
        let counts: Vec<_> = made.iter().filter_map(|record| record["count"].as_i64()).collect();
        assert_eq!(counts, (0..2_500).collect::<Vec<_>>());
        let streamed: Vec<_> = service.index_stream(Params::new()).collect().await;
        assert!(streamed.into_iter().zip(&made).all(|(found, made)| found.expect("a record") == *made));
        // More lists are left halfway than there are connections, and each of these is as good as new.
        for _ in 0..12 {
            let some: Vec<_> = service.index_stream(Params::new()).take(3).collect().await;
            assert!(some.iter().all(Result::is_ok));
            assert_eq!(service.count(&Params::new()).await.expect("a count"), 2_500);
        }
        assert_eq!(service.remove_many(&Params::new()).await.expect("removed").len(), 2_500);
        urls::drop_table(&service).await;
    }
}

#[tokio::test]
async fn batches_keep_the_order_of_the_data() {
    many_are_answered_in_their_order::<Sqlite>("sqlite::memory:").await;
    if let Some(url) = urls::postgres() {
        many_are_answered_in_their_order::<Postgres>(&url).await;
    }
    if let Some(url) = urls::mysql() {
        many_are_answered_in_their_order::<MySql>(&url).await;
    }
}
