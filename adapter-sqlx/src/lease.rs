//! [`Lease`]: the connection of a call: one of a pool, or the one of the transaction to which the call belongs.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use remex_core::{Error, Result, Transaction, TransactionPart, async_trait};
use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use crate::dialect::Dialect;
use crate::error::{Failure, away, refused};
use crate::pool::SqlPool;
use crate::sql::Sql;
use crate::store::execute;

/// A connection for the time of a call.
///
/// One whose call came to no end, by a panic or a runtime that stops, is closed: nobody knows what it is in the middle of.
pub(crate) struct Lease<DB: Dialect> {
    connection: Connection<DB>,
    settled: bool,
}

pub(crate) enum Connection<DB: Dialect> {
    /// One of a pool, which nobody else has.
    Own(PoolConnection<DB>),
    /// That of a transaction, for which other calls of it wait meanwhile.
    Shared(OwnedMappedMutexGuard<Held<DB>, PoolConnection<DB>>),
}

impl<DB: Dialect> Lease<DB> {
    /// Takes the connection of the transaction to which the running code belongs, or one of the pool.
    pub(crate) async fn take(pool: &SqlPool<DB>, outside: &Pool<DB>) -> Result<Self> {
        let Some(transaction) = Transaction::current() else {
            let connection = Connection::Own(outside.acquire().await.map_err(away)?);
            return Ok(Self { connection, settled: false });
        };
        let begin = Part::begin(pool, &transaction);
        let part = transaction.join(|part: &Part<DB>| part.pool.is_same(pool), begin).await?;
        let held = part.held.clone().lock_owned().await;
        match OwnedMutexGuard::try_map(held, |held| held.0.as_mut()) {
            Ok(connection) => Ok(Self { connection: Connection::Shared(connection), settled: false }),
            Err(_) => Err(Error::internal("a call belongs to a transaction that has ended")),
        }
    }

    pub(crate) const fn connection(&mut self) -> &mut Connection<DB> {
        &mut self.connection
    }

    /// Says that the call came to its end, and how it failed, if it did.
    pub(crate) fn settle(&mut self, failure: Option<&Failure>) {
        // What was prepared on it is of no use any more, or nobody knows what it still has to say.
        let lost = failure.is_some_and(|failure| matches!(failure, Failure::Stale(_)) || failure.is_away());
        self.settled = !lost;
    }

    /// Notes how a call that reads came out, and what that means for the transaction to which it belongs: some databases
    /// end one with its first fault.
    pub(crate) fn noted<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        self.settle(outcome.as_ref().err());
        if let (Err(failure), Connection::Shared(_), Some(transaction)) =
            (&outcome, &self.connection, Transaction::current())
        {
            match failure {
                Failure::Undone(_) | Failure::Stale(_) => transaction.try_again(),
                Failure::Again(_) | Failure::Final(_) => transaction.fail(),
            }
        }
        outcome
    }
}

impl<DB: Dialect> Drop for Lease<DB> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        self.close_on_drop();
        if let (Connection::Shared(_), Some(transaction)) = (&self.connection, Transaction::current()) {
            transaction.fail();
        }
    }
}

impl<DB: Dialect> Deref for Lease<DB> {
    type Target = PoolConnection<DB>;

    fn deref(&self) -> &Self::Target {
        match &self.connection {
            Connection::Own(connection) => connection,
            Connection::Shared(connection) => connection,
        }
    }
}

impl<DB: Dialect> DerefMut for Lease<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.connection {
            Connection::Own(connection) => connection,
            Connection::Shared(connection) => connection,
        }
    }
}

/// The connection of a transaction until its end. One that is left in the middle of it is closed.
pub(crate) struct Held<DB: Dialect>(Option<PoolConnection<DB>>);

impl<DB: Dialect> Drop for Held<DB> {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

/// What a database holds for a transaction across services: a connection in one of its own.
struct Part<DB: Dialect> {
    pool: SqlPool<DB>,
    held: Arc<Mutex<Held<DB>>>,
}

impl<DB: Dialect> Part<DB> {
    fn begin<'a>(pool: &'a SqlPool<DB>, transaction: &'a Transaction) -> BoxFuture<'a, Result<Self>> {
        // Seldom, and large.
        Box::pin(async move {
            let mut held = Held(Some(pool.writers.acquire().await.map_err(away)?));
            if let Some(connection) = &mut held.0 {
                for statement in DB::BEGIN_ISOLATED {
                    if let Err(error) = execute::<DB>(connection, Sql::new(*statement), pool.silence_max).await {
                        return Err(end_failed::<DB>(error, transaction));
                    }
                }
            }
            Ok(Self { pool: pool.clone(), held: Arc::new(Mutex::new(held)) })
        })
    }
}

#[async_trait]
impl<DB: Dialect> TransactionPart for Part<DB> {
    async fn commit(&self, transaction: &Transaction) -> Result<()> {
        let mut held = self.held.lock().await;
        let Some(connection) = &mut held.0 else { return Ok(()) };
        match execute::<DB>(connection, Sql::new("COMMIT"), self.pool.silence_max).await {
            Ok(_) => {
                held.0 = None;
                Ok(())
            }
            Err(error) => {
                let error = end_failed::<DB>(error, transaction);
                roll_back(&mut held, self.pool.silence_max).await;
                Err(error)
            }
        }
    }

    async fn rollback(&self) {
        roll_back(&mut *self.held.lock().await, self.pool.silence_max).await;
    }
}

/// Ends a transaction without keeping anything. A connection that cannot even do that is closed, which does it as well.
async fn roll_back<DB: Dialect>(held: &mut Held<DB>, silence_max: Duration) {
    if let Some(connection) = &mut held.0
        && execute::<DB>(connection, Sql::new("ROLLBACK"), silence_max).await.is_err()
    {
        connection.close_on_drop();
    }
    held.0 = None;
}

/// Tells what it means that a transaction could not begin, or not be kept.
fn end_failed<DB: Dialect>(error: sqlx::Error, transaction: &Transaction) -> Error {
    let failure = refused::<DB>(error);
    if matches!(failure, Failure::Undone(_)) {
        transaction.try_again();
    }
    failure.into_error()
}
