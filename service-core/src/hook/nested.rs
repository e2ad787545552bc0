//! How deep calls are nested: a service whose hooks call another, whose hooks call the first, must come to an end.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use crate::{Error, Result};

/// How deep calls may be nested in each other.
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

/// Runs a call one deeper than whatever made it.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where that is too deep, naming the call.
pub(crate) async fn nested<T>(path: &str, call: &'static str, future: impl Future<Output = Result<T>>) -> Result<T> {
    let depth = DEPTH.get() + 1;
    if depth > NESTING_MAX {
        return Err(Error::internal(format!(
            "services call each other more than {NESTING_MAX} deep, the last one `{call}` of `{path}`: do their hooks \
             call each other without an end?"
        )));
    }
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _reset = Reset(DEPTH.replace(depth));
        future.as_mut().poll(cx)
    })
    .await
}
