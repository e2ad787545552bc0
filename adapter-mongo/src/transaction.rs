//! [`Part`]: a session in a transaction of MongoDB's, for calls of several services that are kept together.

use std::ops::DerefMut;
use std::sync::Arc;

use mongodb::ClientSession;
use remex_core::{Error, Result, Transaction, TransactionPart, async_trait, back_off};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::driver::Session;
use crate::error::{Failure, is_unknown_commit};
use crate::store::Store;

/// How often it is asked whether a transaction was committed.
const COMMITS: u32 = 3;

/// What a deployment holds for a transaction across services.
///
/// A session belongs to one client; the driver itself refuses a call of another one.
struct Part {
    store: Arc<Store>,
    session: Arc<Mutex<ClientSession>>,
}

/// The session of a call that belongs to a transaction, for which other calls of it wait meanwhile; or none.
pub(crate) struct Held(Option<(OwnedMutexGuard<ClientSession>, Transaction)>);

impl Held {
    /// Takes the session of the transaction to which the running code belongs, if it belongs to one.
    pub(crate) async fn take(store: &Arc<Store>) -> Result<Self> {
        let Some(transaction) = Transaction::current() else { return Ok(Self(None)) };
        let part = transaction.join(|_: &Part| true, Part::begin(store)).await?;
        let session = part.session.clone().lock_owned().await;
        // The call before may have come to know that all is lost.
        transaction.check()?;
        Ok(Self(Some((session, transaction))))
    }

    pub(crate) fn session(&mut self) -> Session<'_> {
        self.0.as_mut().map(|(session, _)| session.deref_mut())
    }

    /// Notes what a failed call means for the transaction: the server ends one with the first command that it refuses.
    pub(crate) fn noted<T>(&self, outcome: Result<T, Failure>) -> Result<T> {
        if let (Err(failure), Some((_, transaction))) = (&outcome, &self.0) {
            match failure {
                Failure::Again(_) => transaction.try_again(),
                // What never came to the server has a reason of our own.
                Failure::Final(error) if std::error::Error::source(error).is_some() => transaction.fail(),
                Failure::Final(_) => {}
            }
        }
        outcome.map_err(Failure::into_error)
    }
}

impl Part {
    async fn begin(store: &Arc<Store>) -> Result<Self> {
        if !store.driver.has_transactions {
            return Err(Error::unsupported("this deployment of MongoDB has no transactions: they need a replica set"));
        }
        let session = store.driver.begin().await.map_err(|error| store.failure(error).into_error())?;
        Ok(Self { store: store.clone(), session: Arc::new(Mutex::new(session)) })
    }
}

#[async_trait]
impl TransactionPart for Part {
    async fn commit(&self, transaction: &Transaction) -> Result<()> {
        let mut session = self.session.lock().await;
        commit(&self.store, &mut session).await.map_err(|failure| {
            if matches!(failure, Failure::Again(_)) {
                transaction.try_again();
            }
            failure.into_error()
        })
    }

    async fn rollback(&self) {
        // A transaction that cannot be ended ends by itself, after a minute without a call.
        let _ = self.session.lock().await.abort_transaction().await;
    }
}

/// Commits, and asks again where it is not known what came of it.
pub(crate) async fn commit(store: &Store, session: &mut ClientSession) -> Result<(), Failure> {
    let mut attempt = 0;
    loop {
        match session.commit_transaction().await {
            Ok(()) => return Ok(()),
            Err(error) if is_unknown_commit(&error) && attempt < COMMITS => {
                attempt += 1;
                back_off(attempt).await;
            }
            Err(error) => return Err(store.failure(error)),
        }
    }
}
