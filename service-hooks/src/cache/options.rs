//! [`CacheOptions`] and [`CacheStatistics`].

use std::time::Duration;

/// How much a [`Cached`](crate::Cached) service keeps, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct CacheOptions {
    pub(super) entries_max: usize,
    pub(super) bytes_max: u64,
    pub(super) time_to_live: Option<Duration>,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { entries_max: 10_000, bytes_max: 64 * 1024 * 1024, time_to_live: None }
    }
}

impl CacheOptions {
    /// Returns the options, all with their defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many answers are kept at most. Defaults to 10 000.
    #[must_use]
    pub const fn entries_max(mut self, count: usize) -> Self {
        self.entries_max = count;
        self
    }

    /// Sets how many bytes are kept at most, answers and questions as text. Defaults to 64 MiB.
    ///
    /// A small answer counts as its share of the bytes, one of [`entries_max`](Self::entries_max), so that both bounds
    /// hold. One that fills all of them by itself is not kept.
    #[must_use]
    pub const fn bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// Sets how old an answer may be. Defaults to any age: for stores that nobody else writes to.
    #[must_use]
    pub const fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// Returns what the smallest answer counts as, so that no more fit in than there may be.
    pub(super) fn bytes_min(&self) -> u64 {
        self.bytes_max.div_ceil((self.entries_max as u64).max(1)).max(1)
    }
}

/// What a [`Cached`](crate::Cached) service has done, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// How many calls were answered by what was kept.
    pub hits: u64,
    /// How many calls that read went to the store.
    pub misses: u64,
    /// How many answers are kept.
    pub entries: usize,
    /// How many bytes they count as.
    pub bytes: u64,
}
