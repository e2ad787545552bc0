//! [`Detached`]: hooks that run on their own, behind the answer.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::nested::{depth, nested_in};
use crate::{Result, Site, Transaction};

/// How many detached hooks of an app run at once. A call past that waits for its own, so that nothing is lost and
/// nothing piles up.
pub const DETACHED_MAX: usize = 256;

/// For how long an app that stops waits for its detached hooks.
pub(crate) const STOP_TIME: Duration = Duration::from_secs(20);

/// The detached hooks that are running.
#[derive(Clone, Debug)]
pub(crate) struct Detached {
    tracker: TaskTracker,
    places: Arc<Semaphore>,
}

impl Default for Detached {
    fn default() -> Self {
        Self { tracker: TaskTracker::new(), places: Arc::new(Semaphore::new(DETACHED_MAX)) }
    }
}

/// A detached hook that is to begin.
pub(crate) struct DetachedHook {
    /// In a lock, since a context that may be looked at from several threads holds it.
    work: Mutex<BoxFuture<'static, Result<()>>>,
    path: String,
    method: &'static str,
    /// How deep the call is nested that it belongs to.
    depth: u32,
}

impl DetachedHook {
    pub(super) fn new(work: BoxFuture<'static, Result<()>>, path: &str, method: &'static str) -> Self {
        Self { work: Mutex::new(work), path: path.to_owned(), method, depth: depth() }
    }
}

/// Those of services that are mounted in no app.
static UNMOUNTED: LazyLock<Detached> = LazyLock::new(Detached::default);

/// Waits until all detached hooks have ended of services that are mounted in no app; [`App::stop`](crate::App::stop) waits
/// for those of an app.
pub async fn finish_detached_hooks() {
    UNMOUNTED.finish().await;
}

/// Begins detached hooks of a service: in a transaction, when it has been kept.
pub(super) async fn begin(hooks: Vec<DetachedHook>, site: Option<&Site>) {
    if hooks.is_empty() {
        return;
    }
    let app = site.and_then(Site::app);
    let pool = app.map_or_else(|| UNMOUNTED.clone(), |app| app.detached().clone());
    match Transaction::current() {
        Some(transaction) => transaction.after_commit(move || async move { pool.run_all(hooks).await }),
        None => pool.run_all(hooks).await,
    }
}

impl Detached {
    async fn run_all(&self, hooks: Vec<DetachedHook>) {
        for hook in hooks {
            self.run(hook).await;
        }
    }

    /// Runs a hook on its own, or here where too many do so already.
    async fn run(&self, hook: DetachedHook) {
        let DetachedHook { work, path, method, depth } = hook;
        let logged = async move {
            // One deeper, so that hooks that begin each other come to an end.
            let mut work = work.into_inner();
            let work = async { nested_in(depth, &path, method, work.as_mut())?.await };
            match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(service = path, method, ?error, "a detached hook failed"),
                Err(_) => tracing::error!(service = path, method, "a detached hook panicked"),
            }
        };
        let place = self.places.clone().try_acquire_owned();
        match (place, tokio::runtime::Handle::try_current()) {
            (Ok(place), Ok(runtime)) => {
                let held = async move {
                    logged.await;
                    drop(place);
                };
                self.tracker.spawn_on(held, &runtime);
            }
            _ => logged.await,
        }
    }

    /// Waits until all have ended.
    pub(crate) async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        self.tracker.reopen();
    }

    /// Returns how many are running.
    pub(crate) fn running(&self) -> usize {
        self.tracker.len()
    }
}
