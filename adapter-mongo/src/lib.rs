#![doc = include_str!("../README.md")]

mod change;
mod driver;
mod error;
mod find;
mod options;
mod order;
mod patch;
mod pattern;
mod query;
mod service;
mod spelled;
mod store;
mod transaction;
mod value;

pub use mongodb;
pub use options::MongoOptions;
pub use service::{MongoService, open_database};
