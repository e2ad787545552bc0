//! [`SqlPool`]: connections to one database, for any number of services.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use remex_core::Result;
use sqlx::Pool;
use sqlx::pool::PoolOptions;

use crate::dialect::Dialect;
use crate::error::away;

/// Connections to one database, to be shared by the services over its tables.
///
/// [`SqlPool::connect`] opens them as this crate likes them; a pool of your own, with whatever settings and TLS, becomes
/// one by `From`.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> remex_core::Result<()> {
/// use remex_core::{FieldType, Fields, Options};
/// use remex_sqlx::{SqlOptions, SqlPool, SqlService, Sqlite};
///
/// let pool = SqlPool::<Sqlite>::connect("sqlite::memory:").await?;
/// let fields = Fields::new().optional("name", FieldType::Text);
/// let table = |name| SqlOptions::from(Options::new(name).fields(fields.clone())).create_table_if_missing(true);
/// let birds = SqlService::<Sqlite>::new(pool.clone(), table("birds")).await?;
/// let nests = SqlService::<Sqlite>::new(pool, table("nests")).await?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct SqlPool<DB: Dialect> {
    pub(crate) readers: Pool<DB>,
    /// Of one connection for a SQLite file, which has one writer at a time; the same as the other elsewhere.
    pub(crate) writers: Pool<DB>,
    pub(crate) silence_max: Duration,
}

/// How long a call waits for a connection.
const ACQUIRE_TIME: Duration = Duration::from_secs(3);

/// For how long the database may say nothing.
const SILENCE_MAX: Duration = Duration::from_secs(10);

impl<DB: Dialect> SqlPool<DB> {
    /// Opens connections to the database of a URL: `sqlite://todos.db`, `postgres://…`, `mysql://…`.
    ///
    /// A SQLite file is made if it is not there, and is written through one connection in WAL mode; a database in memory
    /// has one connection for all.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](remex_core::ErrorKind::Unavailable) where the database cannot be reached.
    pub async fn connect(url: &str) -> Result<Self> {
        let options = PoolOptions::new().acquire_timeout(ACQUIRE_TIME);
        let (readers, writers) = DB::connect(url, options).await.map_err(away)?;
        Ok(Self { readers, writers, silence_max: SILENCE_MAX })
    }

    /// Sets for how long the database may say nothing while a statement runs: from its start to its first row or its end,
    /// and from row to row. Past that, the call answers 503 and the connection is closed. Defaults to 10 seconds.
    ///
    /// The database may still be at work. Limits of its own end that as well: `statement_timeout` of PostgreSQL,
    /// `max_statement_time` of MariaDB.
    #[must_use]
    pub fn silence_max(mut self, silence_max: Duration) -> Self {
        self.silence_max = silence_max;
        self
    }

    /// Returns whether another one opens its connections to the same database: a clone, or made of the same pool.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.writers.connect_options(), &other.writers.connect_options())
    }

    /// Returns the pool for statements of your own.
    #[must_use]
    pub const fn pool(&self) -> &Pool<DB> {
        &self.writers
    }
}

impl<DB: Dialect> From<Pool<DB>> for SqlPool<DB> {
    fn from(pool: Pool<DB>) -> Self {
        Self { readers: pool.clone(), writers: pool, silence_max: SILENCE_MAX }
    }
}

impl<DB: Dialect> Clone for SqlPool<DB> {
    fn clone(&self) -> Self {
        Self { readers: self.readers.clone(), writers: self.writers.clone(), silence_max: self.silence_max }
    }
}

impl<DB: Dialect> fmt::Debug for SqlPool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlPool").field("size", &self.writers.size()).finish_non_exhaustive()
    }
}
