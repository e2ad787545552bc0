//! Services of remex over HTTP: routes for axum, and a server that runs them.
//!
//! [`rest()`] turns an [`App`](remex_core::App) into an axum router, [`routes`] a single service; [`serve`](serve()) runs a
//! router with bounds on everything that a client can take.
//!
//! ```no_run
//! use remex_axum::{ServeOptions, rest, serve};
//! use remex_core::{App, Document, FnService, Id};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let app = App::new();
//! app.mount("birds", FnService::<Id>::new("birds").on_read(|id, _| async move {
//!     Ok(Document::new().with("id", id.as_str()).with("name", "Wren"))
//! }))?;
//! // `curl http://127.0.0.1:3030/birds/7` answers `{"id":"7","name":"Wren"}`.
//! serve(rest(&app), ServeOptions::new("127.0.0.1:3030".parse()?)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds for every request
//! - What axum's layers put into the extensions of a request is in [`Params::extensions`](remex_core::Params::extensions),
//!   and [`edit_params`] lets a layer change the query and the scope.
//! - A call whose client has gone runs to its end, see [`Shield`].
//! - Bodies, and the time for them and for services, have bounds, see [`RestLimits`].
//! - Every error is a JSON body, see [`error_response`]; a service that panics is a 500 and nothing worse.
//!
//! Routers need a tokio runtime with its timers on. Under `axum::serve` all of this holds too; what only
//! [`serve`](serve()) adds is bounds on connections, on the heads of requests and on the calls in flight, and a stop
//! that waits for work without a client ([`finish_detached`] does so elsewhere).

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
