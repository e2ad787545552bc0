//! What is true of the hooks.

#[cfg(feature = "cache")]
mod cache;
#[cfg(feature = "cache")]
mod cache_races;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod trace;
