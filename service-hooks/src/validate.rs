//! Data checked by a type of your own, and by what a closure says beyond that.

use std::future::{Ready, ready};

use remex_core::{Document, ErrorKind, HookContext, Patch, Result, Service};
use serde::de::DeserializeOwned;

use crate::check::{Fault, applied, check_data, is_left_out, refuse};

/// Checks data against a type, and then by a closure for what a type cannot say; to go before methods that write.
///
/// - For `create`, `create_many` and `update` the data must be a `T`, and the closure has its say.
/// - A patch has some fields only. Those that it has must fit `T`, while none is required, and the closure is not asked:
///   [`validate_patch`] checks what can be said of a patch. A patch that would not be valid as a whole record makes none:
///   `modify` answers 404 for an id without a record instead of creating it.
///
/// Data stays as it was sent. `T` is what callers send: what the store, a scope or another hook fills in is not there yet.
///
/// ```
/// use remex_core::{App, Error, Method, Result};
/// use remex_hooks::validate;
///
/// #[derive(serde::Deserialize)]
/// struct Booking { from: i64, until: i64 }
///
/// fn in_order(booking: &Booking) -> Result<()> {
///     match booking.from < booking.until {
///         true => Ok(()),
///         false => Err(Error::unprocessable("it ends before it begins").with_field("until", "order", "is too early")),
///     }
/// }
///
/// let app = App::new();
/// app.hooks("bookings", |hooks| {
///     hooks.before([Method::Create, Method::Modify, Method::Update], validate(in_order))
/// })?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors of the hook
/// [`ErrorKind::Unprocessable`] naming every field that does not fit, and whatever the closure answers.
pub fn validate<T, S, C>(check: C) -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    T: DeserializeOwned + 'static,
    S: Service<Input = Document> + ?Sized + 'static,
    C: Fn(&T) -> Result<()> + Send + Sync + 'static,
{
    move |ctx| ready(check_data(ctx, |data| check(&data.to_typed()?), check_part::<T>))
}

/// Checks patches against a type of which any field may be missing, and then by a closure; to go before `modify`.
///
/// ```
/// use remex_core::{App, Error, Method};
/// use remex_hooks::validate_patch;
///
/// #[derive(serde::Deserialize)]
/// struct Change { age: Option<u8> }
///
/// let of_age = |change: &Change| match change.age {
///     Some(..18) => Err(Error::unprocessable("too young").with_field("age", "minimum", "must be 18 or more")),
///     _ => Ok(()),
/// };
/// let app = App::new();
/// app.hooks("people", |hooks| hooks.before(Method::Modify, validate_patch(of_age)))?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors of the hook
/// As [`validate`].
pub fn validate_patch<T, S, C>(
    check: C,
) -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    T: DeserializeOwned + 'static,
    S: Service<Input = Document> + ?Sized + 'static,
    C: Fn(&T) -> Result<()> + Send + Sync + 'static,
{
    move |ctx| {
        let checked = ctx.patch().map_or(Ok(()), |patch| check(&patch.data().to_typed()?));
        ready(checked.map(|()| ctx))
    }
}

/// Checks the fields that a patch has.
fn check_part<T: DeserializeOwned>(patch: &Patch) -> Result<()> {
    match applied(patch).to_typed::<T>() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::Unprocessable => {
            let faults = error.fields().iter();
            let faults = faults.filter(|fault| fault.code != "required" || !is_left_out(patch, fault.field.split('.')));
            refuse(faults.map(Fault::from).collect())
        }
        Err(error) => Err(error),
    }
}
