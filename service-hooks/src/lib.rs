#![doc = include_str!("../README.md")]

#[cfg(feature = "cache")]
mod cache;
mod check;
mod condition;
mod disallow;
mod fields;
#[cfg(feature = "json-schema")]
mod json_schema;
#[cfg(feature = "metrics")]
mod metrics;
mod owner;
mod program;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod relation;
mod soft_delete;
mod time_fields;
mod trace;
mod validate;

#[cfg(feature = "cache")]
pub use self::cache::{CacheOptions, CacheStatistics, Cached, CachedExt};
#[cfg(feature = "metrics")]
pub use self::metrics::{Metrics, describe_metrics, metrics};
#[cfg(feature = "rate-limit")]
pub use self::rate_limit::RateLimit;
pub use self::trace::{Trace, trace};
pub use condition::{for_clients, when};
pub use disallow::{disallow, disallow_from};
pub use fields::{keep_data, keep_result, strip_data, strip_result};
#[cfg(feature = "json-schema")]
pub use json_schema::json_schema;
pub use owner::Owner;
pub use relation::{Relation, Through, belongs_to, has_many, has_one, many_to_many};
pub use soft_delete::SoftDelete;
pub use time_fields::TimeFields;
pub use validate::{validate, validate_patch};
