#![doc = include_str!("../README.md")]

mod answer;
mod glance;
mod index;
mod key;
mod packed;
mod page;
mod records;
mod scan;
mod service;
mod store;
mod table;
mod transaction;

pub use service::MemoryService;
