#![doc = include_str!("../README.md")]

pub mod guide;

pub use remex_core::*;

#[cfg(feature = "axum")]
pub use remex_axum::*;
#[cfg(feature = "hooks")]
pub use remex_hooks as hooks;
#[cfg(feature = "memory")]
pub use remex_memory::MemoryService;
