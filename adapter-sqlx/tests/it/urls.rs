//! Where the servers are.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Returns where PostgreSQL is, if the run has it. `./test` says so at its end where it has not.
pub(crate) fn postgres() -> Option<String> {
    std::env::var("REMEX_TEST_POSTGRES_URL").ok()
}

/// Returns where MariaDB is, if the run has it.
pub(crate) fn mysql() -> Option<String> {
    std::env::var("REMEX_TEST_MYSQL_URL").ok()
}

/// Returns a name that no other table has.
pub(crate) fn table_name() -> String {
    static TABLES: AtomicUsize = AtomicUsize::new(1);
    format!("it_{}_{}", std::process::id(), TABLES.fetch_add(1, Ordering::Relaxed))
}

/// Drops the table of a service from a server.
pub(crate) async fn drop_table<DB: remex_sqlx::Dialect>(service: &remex_sqlx::SqlService<DB>)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    use remex_core::Service;
    use sqlx::Executor;
    let mut connection = service.pool().pool().acquire().await.expect("a connection");
    let statement = format!("DROP TABLE {}", service.describe().name());
    (&mut *connection).execute(sqlx::AssertSqlSafe(statement)).await.expect("the table is there");
}
