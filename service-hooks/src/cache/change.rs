//! [`Changes`]: which version of the records an answer is of.
//!
//! Two counters tell writes that have begun from those that have ended. Where both are equal, no write is under way, and
//! their value is the version of the records.
//!
//! A reader notes the version before it asks the store, and its answer is of that version only. An answer is good for
//! whoever asks while the records still have its version: no write has begun since before it was read, so that nothing
//! can have changed it. What a write changes, it changes between the two counters; hence
//!
//! - an answer that was read before a write is not good any more once the write has begun, and so not when it is
//!   acknowledged, however late the reader comes to keep it;
//! - an answer that was read during a write has no version and is not kept.
//!
//! That holds for any number of writes at once, for a version never comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many writes have begun, and how many have ended.
#[derive(Debug, Default)]
pub(super) struct Changes {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Changes {
    /// Returns the version of the records, unless a write is under way.
    pub(super) fn settled(&self) -> Option<u64> {
        // In this order a write that begins in between makes them differ. In the other, one that ends in between could make
        // them equal while a third is under way.
        let ended = self.ended.load(Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        (begun == ended).then_some(begun)
    }
}

/// A write that is under way, until it is dropped: it may succeed, fail, be given up or panic.
#[derive(Debug)]
pub(super) struct Change(Arc<Changes>);

impl Change {
    pub(super) fn begin(changes: &Arc<Changes>) -> Self {
        changes.begun.fetch_add(1, Ordering::SeqCst);
        Self(changes.clone())
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}
