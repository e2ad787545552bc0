//! The suite that every adapter must pass, on collections of MongoDB.

mod backends;

use std::process::ExitCode;
use std::sync::Arc;

use remex_conformance::{Direct, Entrance, Hooked, in_process, run};

/// The shortest way in and the longest: the others are tried on records in memory, in a fraction of the time. All of them
/// are tried where `REMEX_TEST_ALL_WAYS` is set.
fn ways() -> Vec<Arc<dyn Entrance>> {
    match std::env::var_os("REMEX_TEST_ALL_WAYS") {
        Some(_) => in_process(),
        None => vec![Arc::new(Direct), Arc::new(Hooked)],
    }
}

fn main() -> ExitCode {
    let code = run(backends::backends(), ways());
    backends::clean_up();
    code
}
