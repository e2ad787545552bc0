//! How much memory a million records take: as bare Rust values in a map, in the memory adapter as a type of your own, and
//! there as documents. A good figure for the adapter is under twice the bare values.
//!
//! Each is measured in a process of its own, by the resident set in `/proc`, so it runs on Linux only.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;

use remex::{Document, MemoryService, Options, Params, Service};
use serde::{Deserialize, Serialize};

const RECORDS: i64 = 1_000_000;

#[derive(Clone, Serialize, Deserialize)]
struct Todo {
    id: i64,
    title: String,
    done: bool,
    priority: i64,
    created_at: String,
}

fn todo(number: i64) -> Todo {
    Todo {
        id: number,
        title: format!("todo number {number}"),
        done: number % 2 == 0,
        priority: number % 5,
        created_at: "2026-11-22T04:34:02Z".to_owned(),
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Fills one of the three and prints by how much the process grew.
async fn measure(kind: &str) -> Result<(), Box<dyn Error>> {
    let (before, params) = (resident_kib(), Params::new());
    let grown = || resident_kib().saturating_sub(before) / 1024;
    let grown = match kind {
        "bare values" => {
            let todos: BTreeMap<i64, Todo> = (1..=RECORDS).map(|number| (number, todo(number))).collect();
            let grown = grown();
            drop(todos);
            grown
        }
        "typed" => {
            let todos = MemoryService::<Todo>::new(Options::new("todos"))?;
            for number in 1..=RECORDS {
                todos.create(todo(number), &params).await?;
            }
            grown()
        }
        _ => {
            let todos = MemoryService::<Document>::new(Options::new("todos"))?;
            for number in 1..=RECORDS {
                todos.create(Document::from_serialize(&todo(number))?, &params).await?;
            }
            grown()
        }
    };
    println!("{kind:<14}{grown:>6} MiB");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(kind) = std::env::args().nth(1) {
        return measure(&kind).await;
    }
    println!("{RECORDS} records");
    for kind in ["bare values", "typed", "documents"] {
        Command::new(std::env::current_exe()?).arg(kind).status()?;
    }
    Ok(())
}
