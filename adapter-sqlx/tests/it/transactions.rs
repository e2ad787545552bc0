//! Transactions across the tables of one database.

use remex_core::{Document, Error, ErrorKind, FieldType, Fields, Options, Params, Result, Service, Transaction};
use remex_sqlx::{Dialect, MySql, Postgres, SqlOptions, SqlPool, SqlService, Sqlite};

use crate::urls;

async fn table<DB: Dialect>(pool: &SqlPool<DB>) -> SqlService<DB> {
    let fields = Fields::new().optional("name", FieldType::Text);
    let options = SqlOptions::from(Options::new(urls::table_name()).fields(fields)).create_table_if_missing(true);
    SqlService::new(pool.clone(), options).await.expect("a service")
}

fn named(name: &str) -> Document {
    Document::new().with("name", name)
}

async fn two_tables_are_changed_together<DB: Dialect>(url: &str)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let pool = SqlPool::<DB>::connect(url).await.expect("the database is there");
    let (one, other) = (table(&pool).await, table(&pool).await);
    let both = async |fails: bool| -> Result<()> {
        Transaction::run(|| async {
            one.create(named("a"), &Params::new()).await?;
            other.create(named("b"), &Params::new()).await?;
            if fails { Err(Error::conflict("on purpose")) } else { Ok(()) }
        })
        .await
    };
    let counts = async || {
        let (one, other) = (one.count(&Params::new()).await, other.count(&Params::new()).await);
        (one.expect("a count"), other.expect("a count"))
    };
    assert_eq!(both(true).await.expect_err("undone").kind(), ErrorKind::Conflict);
    assert_eq!(counts().await, (0, 0));
    both(false).await.expect("kept");
    assert_eq!(counts().await, (1, 1));

    // A pool of its own is a store of its own, whatever is behind it.
    let elsewhere = table(&SqlPool::<DB>::connect(url).await.expect("the database is there")).await;
    let far = Transaction::run(|| async {
        one.create(named("c"), &Params::new()).await?;
        elsewhere.create(named("d"), &Params::new()).await
    });
    assert_eq!(far.await.expect_err("two stores").kind(), ErrorKind::Unsupported);
    assert_eq!(counts().await, (1, 1));

    // Many that begin and end leave every connection as good as new.
    for number in 0..40 {
        assert_eq!(both(number % 2 == 0).await.is_err(), number % 2 == 0);
    }
    assert_eq!(counts().await, (21, 21));
    for service in [one, other, elsewhere] {
        urls::drop_table(&service).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_tables_are_changed_together() {
    let folder = std::env::temp_dir().join(urls::table_name());
    std::fs::create_dir_all(&folder).expect("a folder");
    two_tables_are_changed_together::<Sqlite>(&format!("sqlite://{}/a.db", folder.display())).await;
    std::fs::remove_dir_all(folder).expect("a folder that goes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_tables_are_changed_together() {
    let Some(url) = urls::postgres() else { return };
    two_tables_are_changed_together::<Postgres>(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_tables_are_changed_together() {
    let Some(url) = urls::mysql() else { return };
    two_tables_are_changed_together::<MySql>(&url).await;
}
