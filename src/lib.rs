#![doc = include_str!("../README.md")]

pub mod guide;
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres", feature = "mysql", feature = "mongodb"))]
mod store;

pub use remex_core::*;

#[cfg(feature = "axum")]
pub use remex_axum::*;
#[cfg(feature = "hooks")]
pub use remex_hooks as hooks;
#[cfg(feature = "memory")]
pub use remex_memory::MemoryService;
#[cfg(feature = "mongodb")]
pub use remex_mongo::{MongoOptions, MongoService};
#[cfg(feature = "mysql")]
pub use remex_sqlx::MySql;
#[cfg(feature = "postgres")]
pub use remex_sqlx::Postgres;
#[cfg(feature = "sqlite")]
pub use remex_sqlx::Sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use remex_sqlx::{SqlCondition, SqlOptions, SqlPool, SqlService, TextOrder};
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres", feature = "mysql", feature = "mongodb"))]
pub use store::{Store, StoreService};
