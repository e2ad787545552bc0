//! What a call inside the program costs beside the bare service's: through the app, through hooks that do nothing.
//!
//! Times are medians of rounds that are taken in turns; allocations are counted. Good figures: through the app without
//! hooks at most 50 ns and one allocation more than the bare call, ten hooks that do nothing at most 500 ns. What was
//! measured, in instructions too, stands in the README beside it.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::alloc::System;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use remex::{
    App, Document, DynService, HookContext, Id, MemoryService, Method, Options, Params, Result, Service, ServiceExt,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 41;
const CALLS: u32 = 20_000;

async fn nothing<S: Service + ?Sized>(ctx: HookContext<S>) -> Result<HookContext<S>> {
    Ok(ctx)
}

fn todos() -> Result<MemoryService<Document>> {
    MemoryService::new(Options::new("todos"))
}

/// Calls `read` again and again; answers nanoseconds and allocations of one.
async fn measure(todos: &DynService, id: &Id, params: &Params) -> Result<(f64, f64)> {
    let region = Region::new(ALLOCATOR);
    let begun = Instant::now();
    for _ in 0..CALLS {
        std::hint::black_box(todos.read(id, params).await?);
    }
    let time = begun.elapsed();
    let allocations = region.change().allocations;
    Ok((time.as_secs_f64() * 1e9 / f64::from(CALLS), allocations as f64 / f64::from(CALLS)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let app = App::new();
    app.mount("plain", todos()?)?;
    app.mount("hooked", todos()?.hooked())?;
    let mut ten = todos()?.hooked();
    for _ in 0..10 {
        ten = ten.before(Method::Read, nothing);
    }
    app.mount("ten", ten)?;
    app.mount("app_ten", todos()?)?;
    app.hooks("app_ten", |hooks| {
        for _ in 0..10 {
            hooks.before(Method::Read, nothing);
        }
        hooks
    })?;
    let one = todos()?.hooked().before(Method::Read, nothing);
    app.mount("one", one)?;

    let bare: Arc<DynService> = Arc::new(todos()?);
    let services = [
        ("the bare service, dyn", bare),
        ("through the app, no hooks", app.documents("plain")?),
        ("through the app, hooked, no hooks", app.documents("hooked")?),
        ("one hook of the service", app.documents("one")?),
        ("ten hooks of the service", app.documents("ten")?),
        ("ten hooks of the app", app.documents("app_ten")?),
    ];
    let (id, params) = (Id::from(1), Params::new());
    for (_, service) in &services {
        service.create(Document::new().with("title", "a todo").with("done", false), &params).await?;
    }
    if let Some(at) = std::env::args().nth(1).and_then(|at| at.parse::<usize>().ok()) {
        // One alone, for a profiler.
        let (_, service) = services.get(at).ok_or("there is no such service")?;
        return Ok(measure(service.as_ref(), &id, &params).await.map(drop)?);
    }
    let mut times = vec![Vec::new(); services.len()];
    let mut allocations = vec![0.0; services.len()];
    for _ in 0..ROUNDS {
        for (at, (_, service)) in services.iter().enumerate() {
            let (time, count) = measure(service.as_ref(), &id, &params).await?;
            times[at].push(time);
            allocations[at] = count;
        }
    }
    let begun = Instant::now();
    for _ in 0..CALLS {
        std::hint::black_box(app.documents("plain")?);
    }
    let look_up = begun.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS);

    println!("{:<36} {:>8} {:>10} {:>12}", "read by id, in memory", "ns", "ns more", "allocations");
    let mut base = 0.0;
    for (at, (name, _)) in services.iter().enumerate() {
        times[at].sort_by(f64::total_cmp);
        let median = times[at][ROUNDS / 2];
        if at == 0 {
            base = median;
        }
        println!("{name:<36} {median:>8.0} {:>+10.0} {:>12.1}", median - base, allocations[at]);
    }
    println!("{:<36} {look_up:>8.0}", "a look-up by path");
    Ok(())
}
