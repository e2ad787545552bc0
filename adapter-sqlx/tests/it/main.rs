//! What is true of tables alone: what the writer says is what the evaluator means, faults, and tables that were there.

mod durability;
mod faults;
mod oracle;
mod outage;
mod proxy;
mod tables;
mod transactions;
mod types;
mod urls;
