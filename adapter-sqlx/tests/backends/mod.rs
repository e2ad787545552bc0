//! The tables that the suite is run on: those of `people_fields`, and documents in a column of JSON.
//!
//! The servers are those of `REMEX_TEST_POSTGRES_URL` and `REMEX_TEST_MYSQL_URL`. One that is not there makes every case
//! fail; one of which no address is given is left out, which is printed, and said at the end of `./test` as well.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use remex_conformance::{Backend, NewPerson, Person, RecordKind};
use remex_core::{DynService, IdKind, Options, Result, ServiceExt, async_trait};
use remex_sqlx::{Dialect, SqlOptions, SqlPool, SqlService};
use tokio::sync::OnceCell;

/// Returns them all: records of every kind, ids of every kind.
pub(crate) fn backends() -> Vec<Arc<dyn Backend>> {
    let mut backends: Vec<Arc<dyn Backend>> = Vec::new();
    #[cfg(feature = "sqlite")]
    backends.extend(of_every_kind::<remex_sqlx::Sqlite>("sqlite"));
    #[cfg(feature = "postgres")]
    if is_given("REMEX_TEST_POSTGRES_URL") {
        backends.extend(of_every_kind::<remex_sqlx::Postgres>("postgres"));
    }
    #[cfg(feature = "mysql")]
    if is_given("REMEX_TEST_MYSQL_URL") {
        backends.extend(of_every_kind::<remex_sqlx::MySql>("mysql"));
    }
    backends
}

fn of_every_kind<DB: Dialect>(database: &'static str) -> Vec<Arc<dyn Backend>> {
    let all = [
        (IdKind::Integer, RecordKind::Columns, "columns, integer ids"),
        (IdKind::Uuid, RecordKind::Columns, "columns, uuid ids"),
        (IdKind::ObjectId, RecordKind::Columns, "columns, object ids"),
        (IdKind::Text, RecordKind::Columns, "columns, text ids"),
        (IdKind::Integer, RecordKind::Documents, "documents, integer ids"),
        (IdKind::Text, RecordKind::Documents, "documents, text ids"),
        (IdKind::Integer, RecordKind::Typed, "typed, integer ids"),
    ];
    let backend = |(kind, record, name)| -> Arc<dyn Backend> {
        let name = format!("{database}, {name}");
        Arc::new(Tables::<DB> { name, kind, record, pool: OnceCell::new(), database, dialect: PhantomData })
    };
    all.into_iter().map(backend).collect()
}

struct Tables<DB: Dialect> {
    name: String,
    kind: IdKind,
    record: RecordKind,
    pool: OnceCell<SqlPool<DB>>,
    database: &'static str,
    dialect: PhantomData<fn() -> DB>,
}

/// The folder of the SQLite files, one for every service: what is in one file is read again whenever a table is made.
fn folder() -> PathBuf {
    // In memory, where there is such a folder: thousands of databases are made, and none has to outlive the run.
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    parent.join(format!("remex-sqlx-{}", std::process::id()))
}

/// The name that tells tables of this run from others.
fn run_name() -> String {
    format!("remex_{}", std::process::id())
}

#[allow(clippy::print_stdout, reason = "what is left out is not left out in silence")]
fn is_given(variable: &str) -> bool {
    let given = std::env::var_os(variable).is_some();
    if !given {
        println!("not tried: {variable} is not set");
    }
    given
}

fn url(variable: &str) -> String {
    std::env::var(variable).expect("asked for only where it is given")
}

/// Opens a place of this run's own on a server.
async fn open<DB: Dialect>(database: &str) -> Result<SqlPool<DB>> {
    let run = run_name();
    #[allow(unreachable_code, reason = "a build may be for databases without a server alone")]
    let url: String = match database {
        #[cfg(feature = "postgres")]
        "postgres" => {
            let url = url("REMEX_TEST_POSTGRES_URL");
            let server = SqlPool::<remex_sqlx::Postgres>::connect(&url).await?;
            execute(server.pool(), format!("CREATE SCHEMA IF NOT EXISTS {run}")).await;
            let mark = if url.contains('?') { '&' } else { '?' };
            format!("{url}{mark}options=-csearch_path%3D{run}%20-csynchronous_commit%3Doff")
        }
        #[cfg(feature = "mysql")]
        "mysql" => {
            let url = url("REMEX_TEST_MYSQL_URL");
            let server = SqlPool::<remex_sqlx::MySql>::connect(&url).await?;
            execute(server.pool(), format!("CREATE DATABASE IF NOT EXISTS {run}")).await;
            let (address, settings) = url.split_once('?').unwrap_or((&url, ""));
            let (server, _) = address.rsplit_once('/').expect("the URL names a database");
            format!("{server}/{run}?{settings}")
        }
        _ => unreachable!("{database} has no server"),
    };
    SqlPool::connect(&url).await
}

async fn execute<DB>(pool: &sqlx::Pool<DB>, statement: String)
where
    DB: sqlx::Database,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    use sqlx::Executor;
    let mut connection = pool.acquire().await.expect("a connection");
    (&mut *connection).execute(sqlx::AssertSqlSafe(statement)).await.expect("the server does as it is told");
}

impl<DB: Dialect> Tables<DB> {
    async fn pool(&self) -> Result<SqlPool<DB>> {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        match self.database {
            "sqlite" => {
                let folder = folder();
                std::fs::create_dir_all(&folder).expect("a folder for temporary files");
                if self.kind != IdKind::Integer {
                    return SqlPool::connect("sqlite::memory:").await;
                }
                let number = FILES.fetch_add(1, Ordering::Relaxed);
                SqlPool::connect(&format!("sqlite://{}/{number}.db", folder.display())).await
            }
            _ => self.pool.get_or_try_init(|| open(self.database)).await.cloned(),
        }
    }
}

#[async_trait]
impl<DB: Dialect> Backend for Tables<DB> {
    fn name(&self) -> &str {
        &self.name
    }

    fn id_kind(&self) -> IdKind {
        self.kind
    }

    fn record(&self) -> RecordKind {
        // A table has columns whatever type its records are turned into.
        if self.record == RecordKind::Typed { RecordKind::Columns } else { self.record }
    }

    async fn service(&self, options: Options) -> Result<Arc<DynService>> {
        let options = SqlOptions::from(options).create_table_if_missing(true);
        let pool = self.pool().await?;
        Ok(match self.record {
            RecordKind::Typed => Arc::new(SqlService::<DB, Person, NewPerson>::new(pool, options).await?.untyped()),
            RecordKind::Documents => {
                Arc::new(SqlService::<DB>::new(pool, options.document_column("remex_document")).await?)
            }
            RecordKind::Columns => Arc::new(SqlService::<DB>::new(pool, options).await?),
        })
    }
}

/// Takes away what was made.
pub(crate) fn clean_up() {
    // What cannot be removed does no harm.
    let _ = std::fs::remove_dir_all(folder());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        #[cfg(feature = "postgres")]
        if is_given("REMEX_TEST_POSTGRES_URL") {
            drop_schema().await;
        }
        #[cfg(feature = "mysql")]
        if is_given("REMEX_TEST_MYSQL_URL") {
            let url = url("REMEX_TEST_MYSQL_URL");
            if let Ok(server) = SqlPool::<remex_sqlx::MySql>::connect(&url).await {
                execute(server.pool(), format!("DROP DATABASE IF EXISTS {}", run_name())).await;
            }
        }
    });
}

/// Drops the tables of this run a few at a time: each one that goes takes a lock, and a server has so many.
#[cfg(feature = "postgres")]
async fn drop_schema() {
    let url = url("REMEX_TEST_POSTGRES_URL");
    let Ok(server) = SqlPool::<remex_sqlx::Postgres>::connect(&url).await else { return };
    let run = run_name();
    let tables: Vec<(String,)> = sqlx::query_as("SELECT tablename::text FROM pg_tables WHERE schemaname = $1")
        .bind(&run)
        .fetch_all(server.pool())
        .await
        .expect("a list of tables");
    for tables in tables.chunks(20) {
        let names: Vec<String> = tables.iter().map(|(table,)| format!("{run}.{table}")).collect();
        execute(server.pool(), format!("DROP TABLE {}", names.join(", "))).await;
    }
    execute(server.pool(), format!("DROP SCHEMA IF EXISTS {run}")).await;
}
