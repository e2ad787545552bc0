//! Each hook for every operation, as a hook of a service and of an app, by the methods and as HTTP calls.

mod disallow;
mod fields;
#[cfg(feature = "json-schema")]
mod json_schema;
mod owner;
mod places;
mod relation;
mod soft_delete;
mod time_fields;
mod validate;
