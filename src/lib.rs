#![doc = include_str!("../README.md")]

pub use remex_core::*;

#[cfg(feature = "axum")]
pub use remex_axum::*;
#[cfg(feature = "memory")]
pub use remex_memory::MemoryService;
