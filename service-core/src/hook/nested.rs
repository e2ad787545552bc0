//! How deep calls are nested: a service whose hooks call another, whose hooks call the first, must come to an end.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

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

/// A call that runs deeper than whatever made it. It is pinned by the caller, so that it lies in memory once.
pub(crate) struct Nested<'a, F: ?Sized> {
    call: Pin<&'a mut F>,
    /// How deep it runs; as deep as whatever polls it, where there is none.
    depth: Option<u32>,
}

impl<F: Future + ?Sized> Future for Nested<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _reset = self.depth.map(|depth| Reset(DEPTH.replace(depth)));
        self.call.as_mut().poll(cx)
    }
}

/// Makes a call run one deeper than the code that is running.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where that is too deep, naming the call.
pub(crate) fn nested<'a, F: ?Sized>(path: &str, name: &'static str, call: Pin<&'a mut F>) -> Result<Nested<'a, F>> {
    nested_in(depth(), path, name, call)
}

/// Leaves it to a call to count how deep it runs.
pub(crate) const fn counted<F: ?Sized>(call: Pin<&mut F>) -> Nested<'_, F> {
    Nested { call, depth: None }
}

/// Returns how deep the code that is running is nested.
pub(super) fn depth() -> u32 {
    DEPTH.get()
}

/// Makes a call run one deeper than so deep: for work that is begun here and done elsewhere.
pub(super) fn nested_in<'a, F: ?Sized>(
    depth: u32,
    path: &str,
    name: &'static str,
    call: Pin<&'a mut F>,
) -> Result<Nested<'a, F>> {
    Ok(Nested { call, depth: Some(deeper(depth, path, name)?) })
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

#[inline]
fn deeper(depth: u32, path: &str, name: &'static str) -> Result<u32> {
    if depth < NESTING_MAX { Ok(depth + 1) } else { Err(too_deep(path, name)) }
}

#[cold]
fn too_deep(path: &str, name: &'static str) -> Error {
    Error::internal(format!(
        "services call each other more than {NESTING_MAX} deep, the last one `{name}` of `{path}`: do their hooks call \
         each other without an end?"
    ))
}
