//! [`RestLimits`]: how much a request may take.

use std::time::Duration;

/// How much a request may take. Past each of these it is refused.
///
/// ```
/// use remex_axum::RestLimits;
///
/// let limits = RestLimits { body_bytes_max: 64 * 1024, ..RestLimits::default() };
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestLimits {
    /// Bytes of a body; more is answered with 413. Defaults to 2 MiB.
    pub body_bytes_max: usize,
    /// For how long a body is waited for; past it the answer is 408. Defaults to 30 seconds.
    pub body_time: Duration,
    /// For how long a client waits for a service; past it the answer is 503, and the work goes on to its end without the
    /// client. The time for the body does not count. Defaults to 30 seconds.
    pub call_time: Duration,
    /// For how long a client may leave the next part of a long list unread; past it the list is given up, so that the
    /// store is not held, and the body ends in an error. Defaults to 30 seconds.
    pub stall_time: Duration,
}

impl Default for RestLimits {
    fn default() -> Self {
        const PATIENCE: Duration = Duration::from_secs(30);
        Self { body_bytes_max: 2 * 1024 * 1024, body_time: PATIENCE, call_time: PATIENCE, stall_time: PATIENCE }
    }
}
