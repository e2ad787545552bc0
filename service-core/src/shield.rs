//! [`Shield`]: work that goes on when nobody waits for it any more.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::Transaction;
use crate::transaction::belonging_to;

/// A future that runs to its end even if it is dropped before.
///
/// A server drops the future of a call as soon as the client hangs up. Drivers of databases do not bear that: a dropped
/// future can leave a connection in the middle of a transaction, for the next caller to write into. A shielded future is
/// polled in place, at the cost of one allocation, and handed over to a task of its own only when it is dropped
/// unfinished. Every call over HTTP is shielded, and so is the work of an adapter that needs it.
///
/// Dropped outside a tokio runtime, the future is dropped like any other: there is nobody to go on with it.
///
/// ```
/// use remex_core::Shield;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(Shield::new(async { 1 + 1 }).await, 2);
/// # }
/// ```
pub struct Shield<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    future: Option<Pin<Box<F>>>,
    tracker: TaskTracker,
    /// The transaction to which the work belongs, wherever it goes on.
    transaction: Option<Transaction>,
}

/// Where detached work is counted, unless a server brings its own tracker along.
static DETACHED: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Waits until all work has ended that lost its caller.
///
/// A server that counts the work of its own connections waits for that by itself.
pub async fn finish_detached() {
    DETACHED.close();
    DETACHED.wait().await;
}

/// Returns where detached work is counted, for a server that counts some of it elsewhere.
#[must_use]
pub fn detached() -> TaskTracker {
    DETACHED.clone()
}

impl<F> Shield<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    /// Shields a future.
    pub fn new(future: F) -> Self {
        Self::tracked(future, DETACHED.clone())
    }

    /// Shields a future whose task, should it need one, is counted here.
    pub fn tracked(future: F, tracker: TaskTracker) -> Self {
        Self { future: Some(Box::pin(future)), tracker, transaction: Transaction::current() }
    }
}

impl<F> Future for Shield<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out first, so that a future that panics is not polled again by `drop`.
        let Some(mut future) = self.future.take() else { return Poll::Pending };
        let poll = future.as_mut().poll(cx);
        if poll.is_pending() {
            self.future = Some(future);
        }
        poll
    }
}

impl<F> Drop for Shield<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn drop(&mut self) {
        if let (Some(future), Ok(runtime)) = (self.future.take(), Handle::try_current()) {
            self.tracker.spawn_on(belonging_to(self.transaction.take(), future), &runtime);
        }
    }
}

impl<F> std::fmt::Debug for Shield<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shield").field("finished", &self.future.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_dropped_future_runs_to_its_end() {
        let (start, started) = oneshot::channel::<()>();
        let (finish, finished) = oneshot::channel();
        let tracker = TaskTracker::new();
        let work = async move {
            started.await.expect("started");
            finish.send(7).expect("a receiver");
        };
        let mut shield = Shield::tracked(work, tracker.clone());
        assert!((&mut shield).now_or_never().is_none());
        assert!(tracker.is_empty(), "no task while somebody waits");
        drop(shield);
        assert_eq!(tracker.len(), 1);
        start.send(()).expect("still there");
        assert_eq!(finished.await, Ok(7));
        tracker.close();
        tracker.wait().await;
    }

    #[test]
    fn outside_a_runtime_it_is_dropped() {
        drop(Shield::new(std::future::pending::<()>()));
    }

    #[tokio::test]
    async fn a_finished_future_needs_no_task() {
        let tracker = TaskTracker::new();
        let mut shield = Shield::tracked(async { 1 }, tracker.clone());
        assert_eq!((&mut shield).await, 1);
        drop(shield);
        assert!(tracker.is_empty());
    }
}
