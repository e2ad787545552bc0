//! How deep calls are nested: a service whose hooks call another, whose hooks call the first, must come to an end.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;

use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::{Error, Result};

/// How deep calls may be nested in each other.
///
/// Detached hooks are one deeper than the call that they belong to. A task that a hook spawns by itself is not counted.
pub const NESTING_MAX: u32 = 16;

thread_local! {
    /// How many calls the future that is being polled is nested in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Sets the depth back when polling has ended, be it by a panic.
struct Reset(u32);

impl Drop for Reset {
    fn drop(&mut self) {
        DEPTH.set(self.0);
    }
}

/// Runs a call one deeper than whatever made it. It is pinned by the caller, so that it lies in memory once.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where that is too deep, naming the call.
pub(crate) async fn nested<T>(
    path: &str,
    call: &'static str,
    future: Pin<&mut (impl Future<Output = Result<T>> + ?Sized)>,
) -> Result<T> {
    nested_in(depth(), path, call, future).await
}

/// Returns how deep the code that is running is nested.
pub(super) fn depth() -> u32 {
    DEPTH.get()
}

/// Runs a call one deeper than so deep: for work that is begun here and done elsewhere.
pub(super) async fn nested_in<T>(
    depth: u32,
    path: &str,
    call: &'static str,
    mut future: Pin<&mut (impl Future<Output = Result<T>> + ?Sized)>,
) -> Result<T> {
    let depth = deeper(depth, path, call)?;
    poll_fn(|cx| {
        let _reset = Reset(DEPTH.replace(depth));
        future.as_mut().poll(cx)
    })
    .await
}

/// Reads a list one deeper than whatever asked for it, as [`nested`] makes a call.
pub(crate) fn nested_stream<'a, T: Send + 'a>(
    path: &str,
    mut records: BoxStream<'a, Result<T>>,
) -> BoxStream<'a, Result<T>> {
    match deeper(depth(), path, "index") {
        Ok(depth) => stream::poll_fn(move |cx| {
            let _reset = Reset(DEPTH.replace(depth));
            records.poll_next_unpin(cx)
        })
        .boxed(),
        Err(error) => stream::once(async { Err(error) }).boxed(),
    }
}

fn deeper(depth: u32, path: &str, call: &'static str) -> Result<u32> {
    if depth < NESTING_MAX {
        return Ok(depth + 1);
    }
    Err(Error::internal(format!(
        "services call each other more than {NESTING_MAX} deep, the last one `{call}` of `{path}`: do their hooks call \
         each other without an end?"
    )))
}
