//! How much memory records take, counted by the allocator; alone in its program, since it counts everything there.
#![allow(clippy::print_stdout, reason = "the figures are worth seeing")]

use std::alloc::System;
use std::collections::BTreeMap;

use remex_core::{Document, Options, Params, Service};
use remex_memory::MemoryService;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stats_alloc::{Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

const RECORDS: i64 = 100_000;

#[derive(Clone, Serialize, Deserialize)]
struct Todo {
    #[serde(default)]
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

/// A record of small numbers only: what is kept beside the values weighs most here.
#[derive(Clone, Serialize, Deserialize)]
struct Reading {
    #[serde(default)]
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

/// Measures what stays allocated, per record.
fn bytes_per_record<T>(fill: impl FnOnce() -> T) -> i64 {
    let region = Region::new(ALLOCATOR);
    let kept = fill();
    let change = region.change();
    drop(kept);
    let bytes = change.bytes_allocated as i64 - change.bytes_deallocated as i64;
    bytes / RECORDS
}

async fn filled<T>(record: impl Fn(i64) -> T) -> MemoryService<T>
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let service = MemoryService::new(Options::new("records")).expect("options");
    for number in 1..=RECORDS {
        service.create(record(number), &Params::new()).await.expect("created");
    }
    service
}

/// Compares bare values with what the adapter takes for them, which may be so many times as much.
fn check<T>(record: impl Fn(i64) -> T, times_max: f64)
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = bytes_per_record(|| (1..=RECORDS).map(|number| (number, record(number))).collect::<BTreeMap<_, _>>());
    let typed = bytes_per_record(|| runtime.block_on(filled(&record)));
    let documents = bytes_per_record(|| {
        runtime.block_on(filled(|number| Document::from_serialize(&record(number)).expect("a document")))
    });
    println!("{}: bytes a record: bare {bare}, typed {typed}, documents {documents}", std::any::type_name::<T>());
    for taken in [typed, documents] {
        assert!(taken as f64 <= times_max * bare as f64, "{taken}, bare {bare}");
    }
}

#[test]
fn records_take_little_more_than_their_bare_values_or_less() {
    check(todo, 0.8);
    check(reading, 1.5);
}
