//! What is true of the hooks.

#[cfg(feature = "metrics")]
mod metrics;
mod trace;
