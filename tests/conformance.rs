//! The suite that every adapter must pass, over HTTP: what is promised of a service holds for its routes.

#[path = "../adapter-memory/tests/backends/mod.rs"]
mod backends;
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use remex_conformance::run;

fn main() -> ExitCode {
    run(backends::backends(), vec![Arc::new(support::Http), Arc::new(support::HttpHooked)])
}
