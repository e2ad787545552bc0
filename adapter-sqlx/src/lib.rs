#![doc = include_str!("../README.md")]
// Each database needs a part of what is here, and a build may be for one of them, or for none.
#![cfg_attr(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")), allow(dead_code))]

mod cell;
mod change;
mod condition;
mod dialect;
mod error;
mod find;
mod introspect;
mod lease;
mod limits;
mod options;
mod pool;
mod query;
mod service;
mod sql;
mod store;
mod table;

pub use condition::SqlCondition;
pub use dialect::Dialect;
pub use options::{SqlOptions, TextOrder};
pub use pool::SqlPool;
pub use service::SqlService;
#[cfg(feature = "mysql")]
pub use sqlx::MySql;
#[cfg(feature = "postgres")]
pub use sqlx::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlx::Sqlite;
