//! [`Transaction`]: calls that are kept together or not at all.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use crate::{Error, Result, Shield};

/// How often the work of a transaction is done at most, where the store asks to try again.
pub const TRANSACTION_ATTEMPTS: u32 = 16;

/// Calls of any number of services that are kept together or not at all.
///
/// It is begun by [`App::transaction`](crate::App::transaction) or [`Transaction::run`]. Whatever is called while the work
/// runs has part in it, by services in the program and by their hooks alike, without being told: a transaction belongs to
/// the code that is running. A task that the work spawns does not belong to it.
///
/// ```
/// use remex_core::{App, Document, Id, Params, Result, Service};
///
/// # async fn example(app: &App) -> Result<()> {
/// let (accounts, entries) = (app.documents("accounts")?, app.documents("entries")?);
/// let moved = app
///     .transaction(|| async {
///         let program = Params::new();
///         accounts.modify(&Id::from(1), Document::new().with("balance", 90).into(), &program).await?;
///         accounts.modify(&Id::from(2), Document::new().with("balance", 110).into(), &program).await?;
///         entries.create(Document::new().with("amount", 10), &program).await
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// # What holds
/// - If the work answers an error, panics or is dropped, nothing of it is kept; else all of it is, durably, when `run`
///   answers.
/// - The calls see what those before them did; nobody else does before the end.
/// - What the calls read holds until the end: a record that is read and then written was not written by somebody else in
///   between.
/// - A call that fails has changed nothing, as everywhere, and the work may go on from there.
/// - Events are sent and detached hooks begin when all is kept, in the order of the calls; where nothing is kept, there are
///   none.
/// - Where the store undoes a transaction because of somebody else's (a deadlock, a serialisation failure), the work is
///   done again from its start, up to [`TRANSACTION_ATTEMPTS`] times: it should do nothing but make calls.
/// - All its calls go to one store: two of them could not be kept together, and the first call to a second one is
///   refused. A store without transactions refuses to write in one. A service of your own that knows nothing of
///   transactions is called as always, and what it does is not undone.
/// - A transaction inside another is a part of it: if it fails, so does all.
///
/// # Writing an adapter
/// A store looks for [`Transaction::current`] wherever it would take a connection, and [joins](Self::join) it.
#[derive(Clone)]
pub struct Transaction(Arc<Inner>);

struct Inner {
    /// The store's part, once there is one.
    part: Mutex<Option<Joined>>,
    /// Held by the call that begins it.
    beginning: AsyncMutex<()>,
    /// What is to be done when all is kept, in this order.
    behind: Mutex<Vec<Behind>>,
    /// Whether it can only be undone.
    failed: AtomicBool,
    /// Whether the store said that the same work may succeed now.
    again: AtomicBool,
}

/// The part of a store, once as itself and once as what is done at the end.
#[derive(Clone)]
struct Joined {
    itself: Arc<dyn Any + Send + Sync>,
    part: Arc<dyn TransactionPart>,
}

/// What is done when a transaction has been kept.
type Behind = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// What a store holds for a transaction, such as a connection in one of the database's own.
#[async_trait]
pub trait TransactionPart: Send + Sync + 'static {
    /// Keeps what was done.
    ///
    /// # Errors
    /// Where it is not kept, or where that is not known. The store calls [`Transaction::try_again`] before, if it knows that
    /// nothing was kept and the same may succeed now.
    async fn commit(&self, transaction: &Transaction) -> Result<()>;

    /// Undoes what was done.
    async fn rollback(&self);
}

thread_local! {
    /// The transaction to which the future belongs that is being polled.
    static CURRENT: RefCell<Option<Transaction>> = const { RefCell::new(None) };
}

/// Sets the current transaction back when polling has ended, be it by a panic.
struct Reset(Option<Transaction>);

impl Drop for Reset {
    fn drop(&mut self) {
        CURRENT.replace(self.0.take());
    }
}

/// Undoes a transaction that is given up before its end.
struct Undone(Option<Transaction>);

impl Drop for Undone {
    fn drop(&mut self) {
        let (Some(transaction), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else { return };
        transaction.0.failed.store(true, Ordering::Release);
        // Counted, so that whoever waits for work that lost its caller waits for this as well.
        crate::detached().spawn_on(async move { transaction.rollback().await }, &runtime);
    }
}

impl Transaction {
    fn new() -> Self {
        Self(Arc::new(Inner {
            part: Mutex::new(None),
            beginning: AsyncMutex::new(()),
            behind: Mutex::new(Vec::new()),
            failed: AtomicBool::new(false),
            again: AtomicBool::new(false),
        }))
    }

    /// Returns the transaction to which the code belongs that is running, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Does work whose calls are kept together or not at all, and answers what it answers.
    ///
    /// # Errors
    /// What the work answers, then nothing is kept; and what the store answers that could not keep it.
    pub async fn run<T, W, F>(work: W) -> Result<T>
    where
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send,
        T: Send,
    {
        if let Some(outer) = Self::current() {
            let outcome = work().await;
            if outcome.is_err() {
                outer.0.failed.store(true, Ordering::Release);
            }
            return outcome;
        }
        let mut attempt = 1;
        loop {
            let transaction = Self::new();
            let mut undone = Undone(Some(transaction.clone()));
            let outcome = belonging_to(Some(transaction.clone()), work()).await;
            undone.0 = None;
            let error = match outcome {
                Ok(value) if !transaction.has_failed() => match transaction.commit().await {
                    Ok(()) => return Ok(value),
                    Err(error) => error,
                },
                Ok(_) => {
                    transaction.undo().await;
                    Error::internal("a part of a transaction failed and the work went on: nothing of it is kept")
                }
                Err(error) => {
                    transaction.undo().await;
                    error
                }
            };
            if attempt == TRANSACTION_ATTEMPTS || !transaction.0.again.load(Ordering::Acquire) {
                return Err(error);
            }
            back_off(attempt).await;
            attempt += 1;
        }
    }

    /// Returns the part that a store has in the transaction; `begin` makes it for the first call.
    ///
    /// `own` says whether a part that is there belongs to this store.
    ///
    /// # Errors
    /// - What `begin` answers.
    /// - [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where another store has part already.
    /// - [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) where the transaction can only be undone.
    pub async fn join<P, F>(&self, own: impl FnOnce(&P) -> bool + Send, begin: F) -> Result<Arc<P>>
    where
        P: TransactionPart,
        F: Future<Output = Result<P>> + Send,
    {
        self.check()?;
        let _beginning = self.0.beginning.lock().await;
        if self.0.part.lock().is_some() {
            return self.part().filter(|part| own(part)).ok_or_else(|| {
                Error::unsupported("a transaction has to do with one store, and this call goes to a second one")
            });
        }
        let part = Arc::new(begin.await?);
        *self.0.part.lock() = Some(Joined { itself: part.clone(), part: part.clone() });
        Ok(part)
    }

    /// Returns the part that a store has in the transaction, if it has one already.
    #[must_use]
    pub fn part<P: TransactionPart>(&self) -> Option<Arc<P>> {
        self.0.part.lock().as_ref()?.itself.clone().downcast().ok()
    }

    /// Makes sure that the transaction can still be kept.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) where it can only be undone.
    pub fn check(&self) -> Result<()> {
        match self.has_failed() {
            true => Err(Error::unavailable("the transaction has failed and can only be undone")),
            false => Ok(()),
        }
    }

    /// Returns whether the transaction can only be undone.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Acquire)
    }

    /// Says that the transaction can only be undone: the store has lost it.
    pub fn fail(&self) {
        self.0.failed.store(true, Ordering::Release);
    }

    /// Says that the transaction can only be undone, and that the same work may succeed now.
    pub fn try_again(&self) {
        self.0.again.store(true, Ordering::Release);
        self.fail();
    }

    /// Does something when the transaction has been kept, in the order of asking. Where it is undone, the closure is dropped.
    pub fn after_commit<F>(&self, work: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.behind.lock().push(Box::new(move || Box::pin(work())));
    }

    /// Keeps all, then does what was to be done behind it. Both go on if nobody waits for them any longer.
    async fn commit(&self) -> Result<()> {
        let transaction = self.clone();
        Shield::new(async move {
            if let Some(joined) = transaction.take_part().await {
                let committed = joined.part.commit(&transaction).await;
                if committed.is_err() {
                    transaction.0.behind.lock().clear();
                }
                committed?;
            }
            let behind = std::mem::take(&mut *transaction.0.behind.lock());
            for work in behind {
                work().await;
            }
            Ok(())
        })
        .await
    }

    /// Undoes all, even if nobody waits for it any longer.
    async fn undo(&self) {
        let transaction = self.clone();
        Shield::new(async move { transaction.rollback().await }).await;
    }

    async fn take_part(&self) -> Option<Joined> {
        // A call that nobody waits for any longer may be about to begin it.
        let _beginning = self.0.beginning.lock().await;
        self.0.part.lock().take()
    }

    async fn rollback(&self) {
        if let Some(joined) = self.take_part().await {
            joined.part.rollback().await;
        }
        // Taken out first: what is dropped may look at the transaction.
        let behind = std::mem::take(&mut *self.0.behind.lock());
        drop(behind);
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("failed", &self.has_failed()).finish_non_exhaustive()
    }
}

/// Runs a future as one that belongs to a transaction, or to none.
pub(crate) async fn belonging_to<T>(transaction: Option<Transaction>, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _reset = Reset(CURRENT.replace(transaction.clone()));
        future.as_mut().poll(cx)
    })
    .await
}

/// Waits before something is tried again: a little longer each time, and not as long as whoever else waits.
///
/// The first attempt that failed is the first. The longest wait is about a tenth of a second.
pub async fn back_off(attempt: u32) {
    let jitter = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
    tokio::time::sleep(Duration::from_millis((1 << attempt.min(6)) + jitter * u64::from(attempt.min(8)) / 64)).await;
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use parking_lot::Mutex;

    use super::*;
    use crate::ErrorKind;

    type Trace = Arc<Mutex<Vec<&'static str>>>;

    struct Part(Trace, u8);

    #[async_trait]
    impl TransactionPart for Part {
        async fn commit(&self, _: &Transaction) -> Result<()> {
            self.0.lock().push("commit");
            Ok(())
        }

        async fn rollback(&self) {
            self.0.lock().push("rollback");
        }
    }

    /// A call to a store.
    async fn call(trace: &Trace, store: u8) -> Result<()> {
        let transaction = Transaction::current().expect("a transaction");
        let begin = async {
            trace.lock().push("begin");
            Ok(Part(trace.clone(), store))
        };
        transaction.join(move |part: &Part| part.1 == store, begin).await?;
        let behind = trace.clone();
        transaction.after_commit(move || async move { behind.lock().push("behind") });
        Ok(())
    }

    #[tokio::test]
    async fn what_succeeds_is_kept_and_then_told() {
        let trace = Trace::default();
        let answer = Transaction::run(|| async {
            call(&trace, 1).await?;
            tokio::task::yield_now().await;
            call(&trace, 1).await?;
            Ok(7)
        });
        assert_eq!(answer.await.expect("kept"), 7);
        assert_eq!(*trace.lock(), ["begin", "commit", "behind", "behind"]);
        assert!(Transaction::current().is_none());
    }

    #[tokio::test]
    async fn what_fails_or_panics_or_is_dropped_is_undone() {
        let trace = Trace::default();
        let failing = Transaction::run(|| async {
            call(&trace, 1).await?;
            Err::<(), _>(Error::conflict("no"))
        });
        assert_eq!(failing.await.expect_err("undone").kind(), ErrorKind::Conflict);
        assert_eq!(std::mem::take(&mut *trace.lock()), ["begin", "rollback"]);

        let panicking = Transaction::run(|| async {
            call(&trace, 1).await?;
            if trace.lock().len() == 1 {
                panic!("on purpose");
            }
            Ok(())
        });
        assert!(std::panic::AssertUnwindSafe(panicking).catch_unwind().await.is_err());
        assert!(Transaction::current().is_none());
        crate::finish_detached().await;
        assert_eq!(std::mem::take(&mut *trace.lock()), ["begin", "rollback"]);

        let endless = Transaction::run(|| async {
            call(&trace, 1).await?;
            std::future::pending::<Result<()>>().await
        });
        assert!(endless.now_or_never().is_none());
        crate::finish_detached().await;
        assert_eq!(*trace.lock(), ["begin", "rollback"]);
    }

    #[tokio::test]
    async fn a_second_store_is_refused() {
        let trace = Trace::default();
        let both = Transaction::run(|| async {
            call(&trace, 1).await?;
            call(&trace, 2).await
        });
        assert_eq!(both.await.expect_err("two stores").kind(), ErrorKind::Unsupported);
        assert_eq!(*trace.lock(), ["begin", "rollback"]);
    }

    #[tokio::test]
    async fn the_work_is_done_again_where_the_store_asks_for_it() {
        let trace = Trace::default();
        let work = || async {
            call(&trace, 1).await?;
            if trace.lock().len() < 4 {
                Transaction::current().expect("a transaction").try_again();
                return Err(Error::unavailable("a deadlock"));
            }
            Ok(())
        };
        Transaction::run(work).await.expect("kept at last");
        assert_eq!(*trace.lock(), ["begin", "rollback", "begin", "rollback", "begin", "commit", "behind"]);
    }

    #[tokio::test]
    async fn a_transaction_inside_another_is_a_part_of_it() {
        let trace = Trace::default();
        let outer = Transaction::run(|| async {
            call(&trace, 1).await?;
            let inner = Transaction::run(|| async {
                call(&trace, 1).await?;
                Err::<(), _>(Error::conflict("no"))
            });
            assert!(inner.await.is_err());
            assert_eq!(call(&trace, 1).await.expect_err("failed").kind(), ErrorKind::Unavailable);
            Ok(())
        });
        assert_eq!(outer.await.expect_err("undone").kind(), ErrorKind::Internal);
        assert_eq!(*trace.lock(), ["begin", "rollback"]);
    }

    #[tokio::test]
    async fn a_task_of_its_own_does_not_belong_to_it() {
        let seen = Transaction::run(|| async {
            let task = tokio::spawn(async { Transaction::current().is_some() });
            task.await.map_err(|error| Error::internal("joined").with_source(error))
        });
        assert!(!seen.await.expect("an answer"));
    }
}
