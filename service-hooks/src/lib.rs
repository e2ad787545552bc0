#![doc = include_str!("../README.md")]

#[cfg(feature = "metrics")]
mod metrics;
mod trace;

#[cfg(feature = "metrics")]
pub use self::metrics::{Metrics, describe_metrics, metrics};
pub use self::trace::{Trace, trace};
