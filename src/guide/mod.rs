//! Guides: how things are done, each with a program that runs.

#[doc = include_str!("hooks.md")]
pub mod hooks {}

#[doc = include_str!("scope.md")]
pub mod scope {}

#[doc = include_str!("events.md")]
pub mod events {}

#[cfg(feature = "hooks")]
#[doc = include_str!("relations.md")]
pub mod relations {}

#[cfg(feature = "memory")]
#[doc = include_str!("transactions.md")]
pub mod transactions {}
