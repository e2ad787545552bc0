//! Services of remex over HTTP: routes for axum, and a server that runs them.

mod edit;
mod layers;
mod rest;
mod shield;

pub use edit::edit_params;
pub use layers::Endpoint;
pub use rest::{RestLimits, RestRoutes, ServiceRoutes, error_response, rest, routes};
pub use shield::{Shield, finish_detached};
