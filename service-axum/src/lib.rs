#![doc = include_str!("../README.md")]

mod context;
mod edit;
mod layers;
mod rest;
mod serve;

pub use edit::edit_params;
pub use layers::Endpoint;
pub use remex_core::{Shield, finish_detached};
pub use rest::{RestLimits, RestRoutes, ServiceRoutes, error_response, rest, routes};
pub use serve::{ServeOptions, Server, serve};
