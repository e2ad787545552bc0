#![doc = include_str!("../README.md")]

mod index;
mod key;
mod page;
mod record;
mod scan;
mod service;
mod store;
mod table;

pub use service::MemoryService;
