//! The suite that every adapter must pass, on tables of every database.

mod backends;

use std::process::ExitCode;

use remex_conformance::{in_process, run};

fn main() -> ExitCode {
    let code = run(backends::backends(), in_process());
    backends::clean_up();
    code
}
