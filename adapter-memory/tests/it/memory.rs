//! How much memory records take, counted by the allocator; alone in its program, since it counts everything there.
#![allow(clippy::print_stdout, reason = "the figures are worth seeing")]

use std::alloc::System;
use std::collections::BTreeMap;

use remex_core::{Document, Options, Params, Service};
use remex_memory::MemoryService;
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

/// Measures what stays allocated, per record.
fn bytes_per_record<T>(fill: impl FnOnce() -> T) -> i64 {
    let region = Region::new(ALLOCATOR);
    let kept = fill();
    let change = region.change();
    drop(kept);
    let bytes = change.bytes_allocated as i64 - change.bytes_deallocated as i64;
    bytes / RECORDS
}

async fn filled<T, In>(new: impl Fn(i64) -> In) -> MemoryService<T, In>
where
    T: Clone + Serialize + serde::de::DeserializeOwned + Send + Sync + 'static,
    In: Serialize + serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
{
    let todos = MemoryService::new(Options::new("todos")).expect("options");
    for number in 1..=RECORDS {
        todos.create(new(number), &Params::new()).await.expect("created");
    }
    todos
}

#[test]
fn records_take_no_more_than_twice_their_bare_values() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = bytes_per_record(|| (1..=RECORDS).map(|number| (number, todo(number))).collect::<BTreeMap<_, _>>());
    let typed = bytes_per_record(|| runtime.block_on(filled::<Todo, Todo>(todo)));
    let documents = bytes_per_record(|| {
        runtime.block_on(filled::<Document, Document>(|number| {
            Document::from_serialize(&todo(number)).expect("a document")
        }))
    });
    println!("bytes a record: bare {bare}, typed {typed}, documents {documents}");
    assert!(typed <= 2 * bare, "typed {typed}, bare {bare}");
    assert!(documents <= 2 * bare, "documents {documents}, bare {bare}");
}
