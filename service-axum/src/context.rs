//! [`CallContext`]: what a server gives a request along.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;

/// What a server gives a request along: where its work is counted once it is detached, and its place among the calls in
/// flight, which is free again when the work has ended and not when the client has gone.
#[derive(Clone)]
pub(crate) struct CallContext {
    pub(crate) tracker: TaskTracker,
    pub(crate) permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl Default for CallContext {
    fn default() -> Self {
        Self { tracker: remex_core::detached(), permit: None }
    }
}
