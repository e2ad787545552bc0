//! The suite that every adapter must pass, on records in memory.

mod backends;

use std::process::ExitCode;

use remex_conformance::{in_process, run};

fn main() -> ExitCode {
    run(backends::backends(), in_process())
}
