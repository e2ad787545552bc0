//! How much memory a million records take: as bare Rust values in a map, in the memory adapter as a type of your own, and
//! there as documents. A good figure for the adapter is under twice the bare values; it should need less than these where
//! records hold text.
//!
//! Each is measured in a process of its own, by the resident set in `/proc`, so it runs on Linux only.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;

use remex::{Document, MemoryService, Options, Params, Service};
use serde::de::DeserializeOwned;
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

/// A record of nothing but small numbers, 26 bytes of them: what is kept beside the values weighs most here.
#[derive(Clone, Serialize, Deserialize)]
struct Reading {
    id: i64,
    sensor: i64,
    degrees: i32,
    pressure: i32,
    valid: bool,
    battery: u8,
}

fn reading(number: i64) -> Reading {
    Reading {
        id: number,
        sensor: 70_000 + number % 5000,
        degrees: (number % 70) as i32 - 20,
        pressure: 100_000 + (number % 3000) as i32,
        valid: number % 50 != 0,
        battery: (number % 101) as u8,
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// In which form records are kept.
#[derive(Clone, Copy)]
enum Form {
    Bare,
    Typed,
    Documents,
}

const FORMS: [(&str, Form); 3] = [("bare values", Form::Bare), ("typed", Form::Typed), ("documents", Form::Documents)];

/// Makes the records in one form and answers by how many KiB the process grew.
async fn grown_kib<T>(form: Form, record: impl Fn(i64) -> T) -> Result<u64, Box<dyn Error>>
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let (before, params) = (resident_kib(), Params::new());
    let grown = || resident_kib().saturating_sub(before);
    match form {
        Form::Bare => {
            let records: BTreeMap<i64, T> = (1..=RECORDS).map(|number| (number, record(number))).collect();
            let grown = grown();
            drop(records);
            Ok(grown)
        }
        Form::Typed => {
            let service = MemoryService::<T>::new(Options::new("records"))?;
            for number in 1..=RECORDS {
                service.create(record(number), &params).await?;
            }
            Ok(grown())
        }
        Form::Documents => {
            let service = MemoryService::<Document>::new(Options::new("records"))?;
            for number in 1..=RECORDS {
                service.create(Document::from_serialize(&record(number))?, &params).await?;
            }
            Ok(grown())
        }
    }
}

/// Runs this program again to measure one form of one kind of record.
fn measured(kind: &str, form: &str) -> Result<u64, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?).args([kind, form]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [kind, form] = arguments.as_slice() {
        let (_, form) = FORMS.into_iter().find(|(name, _)| name == form).ok_or("no such form")?;
        let grown = if kind == "todos" { grown_kib(form, todo).await? } else { grown_kib(form, reading).await? };
        println!("{grown}");
        return Ok(());
    }
    println!("{:<12}{:<14}{:>6}{:>16}{:>14}", RECORDS, "", "MiB", "bytes a record", "times bare");
    for kind in ["todos", "readings"] {
        let bare = measured(kind, "bare values")?;
        for (form, _) in FORMS {
            let kib = measured(kind, form)?;
            let (bytes, times) = (kib * 1024 / RECORDS as u64, kib as f64 / bare as f64);
            println!("{kind:<12}{form:<14}{:>6}{bytes:>16}{times:>14.2}", kib / 1024);
        }
    }
    Ok(())
}
