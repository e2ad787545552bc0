//! Databases that go away and come back: what callers are told meanwhile, and that nobody has to start anything again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use remex_core::{Document, ErrorKind, FieldType, Fields, Id, Options, Params, Service};
use remex_sqlx::{Dialect, MySql, Postgres, SqlOptions, SqlPool, SqlService};
use sqlx::Executor;
use tokio::time::timeout;

use crate::proxy::{Mood, Proxy};
use crate::urls;

/// How long a call takes at most that the database never answers: waiting for a connection, then for an answer.
const BOUND: Duration = Duration::from_secs(6);

async fn service<DB: Dialect>(pool: SqlPool<DB>) -> Arc<SqlService<DB>> {
    let fields = Fields::new().optional("number", FieldType::Integer);
    let options = SqlOptions::from(Options::new(urls::table_name()).fields(fields)).create_table_if_missing(true);
    Arc::new(SqlService::new(pool, options).await.expect("a service"))
}

fn number(number: i64) -> Document {
    Document::new().with("number", number)
}

/// Makes calls of every kind at once, and answers how each ended.
async fn calls<DB: Dialect>(service: &Arc<SqlService<DB>>, id: &Id) -> Vec<Result<(), remex_core::Error>> {
    let calls = (0..12).map(|round| {
        let (service, id) = (service.clone(), id.clone());
        let call = async move {
            let params = Params::new();
            match round % 4 {
                0 => service.read(&id, &params).await.map(drop),
                1 => service.modify(&id, number(round).into(), &params).await.map(drop),
                2 => service.create(number(round), &params).await.map(drop),
                _ => service.count(&params).await.map(drop),
            }
        };
        async move { timeout(BOUND, call).await.expect("a call ends within its bound") }
    });
    join_all(calls).await
}

async fn an_outage_is_told_and_ends_by_itself<DB: Dialect>(url: &str)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let proxy = Proxy::before(url).await;
    let pool = SqlPool::<DB>::connect(proxy.url()).await.expect("the database is there");
    let service = service(pool.silence_max(Duration::from_secs(2))).await;
    let made = service.create(number(1), &Params::new()).await.expect("made");
    let id = Id::from(made["id"].as_i64().expect("an id"));
    assert!(calls(&service, &id).await.iter().all(Result::is_ok));
    for mood in [Mood::Cut, Mood::Silent] {
        proxy.set(mood);
        for outcome in calls(&service, &id).await {
            let error = outcome.expect_err("there is no database");
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{mood:?}: {error:?}");
            assert!(error.retry_after().is_some(), "{mood:?}: {error:?}");
        }
        proxy.set(Mood::Well);
        let back = Instant::now();
        while !calls(&service, &id).await.iter().all(Result::is_ok) {
            assert!(back.elapsed() < Duration::from_secs(10), "{mood:?}: it does not come back");
        }
    }
    urls::drop_table(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_go_away() {
    let Some(url) = urls::postgres() else { return };
    an_outage_is_told_and_ends_by_itself::<Postgres>(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_may_go_away() {
    let Some(url) = urls::mysql() else { return };
    an_outage_is_told_and_ends_by_itself::<MySql>(&url).await;
}

/// A server that is restarted ends every connection; those that it has ended are not handed out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_end_connections() {
    let Some(url) = urls::postgres() else { return };
    let name = urls::table_name();
    let named = format!("{url}{}application_name={name}", if url.contains('?') { '&' } else { '?' });
    let service = service(SqlPool::<Postgres>::connect(&named).await.expect("the database is there")).await;
    let made = service.create(number(1), &Params::new()).await.expect("made");
    let id = Id::from(made["id"].as_i64().expect("an id"));
    calls(&service, &id).await;
    let ended: Vec<bool> =
        sqlx::query_scalar("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1")
            .bind(&name)
            .fetch_all(SqlPool::<Postgres>::connect(&url).await.expect("the database is there").pool())
            .await
            .expect("ended");
    assert!(!ended.is_empty());
    assert!(calls(&service, &id).await.iter().all(Result::is_ok));
    urls::drop_table(&service).await;
}

/// Whoever finds no connection free is told so in time, and nothing is lost by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_may_be_used_up() {
    let Some(url) = urls::postgres() else { return };
    let options = sqlx::pool::PoolOptions::<Postgres>::new().max_connections(2);
    let own = options.acquire_timeout(Duration::from_millis(300)).connect(&url).await.expect("the database is there");
    let service = service(SqlPool::from(own.clone())).await;
    let made = service.create(number(1), &Params::new()).await.expect("made");
    let id = Id::from(made["id"].as_i64().expect("an id"));
    let taken = [own.acquire().await.expect("a connection"), own.acquire().await.expect("a connection")];
    for outcome in calls(&service, &id).await {
        let error = outcome.expect_err("there is no connection");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.retry_after().is_some(), "{error:?}");
    }
    drop(taken);
    assert!(calls(&service, &id).await.iter().all(Result::is_ok));
    urls::drop_table(&service).await;
}

/// A database that takes too long is not waited for, and the connection on which it still works is not used again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_is_not_waited_for_without_end() {
    let Some(url) = urls::postgres() else { return };
    let pool = SqlPool::<Postgres>::connect(&url).await.expect("the database is there");
    let service = service(pool.clone().silence_max(Duration::from_millis(500))).await;
    let made = service.create(number(1), &Params::new()).await.expect("made");
    let id = Id::from(made["id"].as_i64().expect("an id"));
    let mut other = pool.pool().acquire().await.expect("a connection");
    let table = service.describe().name().to_owned();
    other.execute("BEGIN").await.expect("begun");
    other.execute(sqlx::AssertSqlSafe(format!("SELECT * FROM {table} FOR UPDATE"))).await.expect("locked");
    let params = Params::new();
    let waiting = service.modify(&id, number(2).into(), &params);
    let error = timeout(BOUND, waiting).await.expect("it ends").expect_err("somebody else has the record");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    other.execute("ROLLBACK").await.expect("ended");
    drop(other);
    assert!(calls(&service, &id).await.iter().all(Result::is_ok));
    urls::drop_table(&service).await;
}
