//! What is true of tables alone: what the writer says is what the evaluator means, faults, and tables that were there.

mod faults;
mod oracle;
mod tables;
mod types;
mod urls;
