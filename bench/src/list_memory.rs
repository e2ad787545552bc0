//! How much memory a server takes to answer a list of a million records.
//!
//! Three answers of the same list: the mounted service to a reader that reads as fast as it can, the mounted service to
//! one that stops reading for three seconds, and a handler that gathers the list into one buffer first. A good figure for
//! the first two is a few MiB, whatever the length of the list; the third takes the size of the list.
//!
//! It reads the resident set from `/proc`, so it runs on Linux only.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use remex::{App, Call, Document, DynService, MemoryService, Options, Params, ServeOptions, Service, rest, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const RECORDS: i64 = 1_000_000;

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What a request cost.
struct Figures {
    bytes: u64,
    first: Duration,
    whole: Duration,
    grown_kib: u64,
}

/// Requests a path, stops reading for a while after the first bytes, and watches the resident set.
async fn measure(address: SocketAddr, path: &str, pause: Duration) -> Result<Figures, Box<dyn Error>> {
    let before = resident_kib();
    let peak = Arc::new(AtomicU64::new(before));
    let watching = Arc::new(AtomicBool::new(true));
    let watcher = std::thread::spawn({
        let (peak, watching) = (peak.clone(), watching.clone());
        move || {
            while watching.load(Ordering::Relaxed) {
                peak.fetch_max(resident_kib(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let started = Instant::now();
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut bytes, mut first) = (0, Duration::ZERO);
    loop {
        let read = socket.read(&mut buffer).await?;
        if bytes == 0 {
            first = started.elapsed();
            tokio::time::sleep(pause).await;
        }
        bytes += read as u64;
        if read == 0 {
            break;
        }
    }
    let whole = started.elapsed();
    watching.store(false, Ordering::Relaxed);
    watcher.join().map_err(|_| "the watcher of the resident set panicked")?;
    Ok(Figures { bytes, first, whole, grown_kib: peak.load(Ordering::Relaxed).saturating_sub(before) })
}

/// What a handler by hand does without a stream: the whole list as one buffer.
async fn gathered(State(todos): State<Arc<DynService>>) -> Result<bytes::Bytes, String> {
    todos.answer(Call::Index, &Params::new()).await.map(|answer| answer.json).map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let todos = MemoryService::<Document>::new(Options::new("todos"))?;
    for number in 0..RECORDS {
        let todo = Document::new()
            .with("title", format!("todo number {number}"))
            .with("done", number % 2 == 0)
            .with("priority", number % 5)
            .with("created_at", "2026-11-22T04:34:02Z");
        todos.create(todo, &Params::new()).await?;
    }
    let app = App::new();
    app.mount("todos", todos)?;
    let by_hand = Router::new().route("/gathered", get(gathered)).with_state(app.documents("todos")?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(by_hand.merge(rest(&app)), ServeOptions::from_listener(listener)));

    println!("{RECORDS} records, resident set {} MiB before\n", resident_kib() / 1024);
    println!("{:<34}{:>10}{:>14}{:>12}{:>14}", "", "MiB sent", "first byte ms", "whole ms", "grown by MiB");
    let runs = [
        ("streamed", "/todos", Duration::ZERO),
        ("streamed, reader stops for 3 s", "/todos", Duration::from_secs(3)),
        ("gathered by hand", "/gathered", Duration::ZERO),
    ];
    for (name, path, pause) in runs {
        let figures = measure(address, path, pause).await?;
        println!(
            "{name:<34}{:>10}{:>14.1}{:>12}{:>14.1}",
            figures.bytes / 1024 / 1024,
            figures.first.as_secs_f64() * 1e3,
            figures.whole.as_millis(),
            figures.grown_kib as f64 / 1024.0
        );
    }
    Ok(())
}
