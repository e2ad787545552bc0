//! [`Detached`]: hooks that run on their own, behind the answer.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::Result;

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

/// Those of services that are mounted in no app.
static UNMOUNTED: LazyLock<Detached> = LazyLock::new(Detached::default);

/// Waits until all detached hooks have ended of services that are mounted in no app; [`App::stop`](crate::App::stop) waits
/// for those of an app.
pub async fn finish_detached_hooks() {
    UNMOUNTED.finish().await;
}

impl Detached {
    pub(crate) fn unmounted() -> Self {
        UNMOUNTED.clone()
    }

    /// Runs a hook on its own, or here where too many do so already.
    pub(crate) async fn run(
        &self,
        work: impl Future<Output = Result<()>> + Send + 'static,
        path: String,
        method: &'static str,
    ) {
        let logged = async move {
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
