//! Each hook for every operation, as a hook of a service and of an app, by the methods and as HTTP calls.

#[cfg(feature = "cache")]
mod cache;
#[cfg(feature = "cache")]
mod cache_races;
mod disallow;
mod fields;
#[cfg(feature = "json-schema")]
mod json_schema;
#[cfg(feature = "metrics")]
mod metrics;
mod owner;
mod places;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod relation;
mod soft_delete;
mod time_fields;
mod trace;
mod validate;
