//! What is true of the routes and of the server.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod bodies;
mod errors;
mod layers;
mod lists;
mod paths;
mod refusals;
mod resilience;
mod routes;
mod server;
mod support;

/// What a program hands around can be handed around.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<remex_axum::Endpoint>();
    shared::<remex_axum::RestRoutes>();
    shared::<remex_axum::ServiceRoutes>();
    shared::<remex_axum::RestLimits>();
    sent::<remex_axum::ServeOptions>();
    sent::<remex_axum::Server>();
};
