#![doc = include_str!("../README.md")]

mod edit;
mod layers;
mod rest;
mod serve;
mod shield;

pub use edit::edit_params;
pub use layers::Endpoint;
pub use rest::{RestLimits, RestRoutes, ServiceRoutes, error_response, rest, routes};
pub use serve::{ServeOptions, Server, serve};
pub use shield::{Shield, finish_detached};
