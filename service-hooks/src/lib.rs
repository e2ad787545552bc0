#![doc = include_str!("../README.md")]

#[cfg(feature = "cache")]
mod cache;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod trace;

#[cfg(feature = "cache")]
pub use self::cache::{CacheOptions, CacheStatistics, Cached, CachedExt};
#[cfg(feature = "metrics")]
pub use self::metrics::{Metrics, describe_metrics, metrics};
#[cfg(feature = "rate-limit")]
pub use self::rate_limit::RateLimit;
pub use self::trace::{Trace, trace};
