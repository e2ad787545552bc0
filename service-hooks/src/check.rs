//! What checks of data have in common: what is checked when, and how what does not fit is said.

use remex_core::{Document, Error, FieldError, HookContext, Missing, Operation, Patch, Result, Service, Value};

/// Checks the data of a call, whole records and patches each in their way.
///
/// A patch that would be no record by itself makes none: an id without a record is 404 then.
pub(crate) fn check_data<S>(
    mut ctx: HookContext<S>,
    check_whole: impl Fn(&Document) -> Result<()>,
    check_patch: impl Fn(&Patch) -> Result<()>,
) -> Result<HookContext<S>>
where
    S: Service<Input = Document> + ?Sized,
{
    ctx.inputs().iter().try_for_each(&check_whole)?;
    if let Some(patch) = ctx.patch() {
        check_patch(patch)?;
        if ctx.operation() == Operation::Modify && check_whole(&applied(patch)).is_err() {
            ctx.params_mut().missing = Some(Missing::NotFound);
        }
    }
    Ok(ctx)
}

/// Returns the record that a patch makes where there is none.
pub(crate) fn applied(patch: &Patch) -> Document {
    let mut record = Document::new();
    patch.clone().apply(&mut record);
    record
}

/// Returns whether a patch says nothing of a field, so that the record may well have it.
///
/// A field that a patch sets it sets whole, and what is missing inside is missing; but a deep patch goes into objects.
pub(crate) fn is_left_out(patch: &Patch, names: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
    let is_deep = matches!(patch, Patch::MergeDeep(_));
    let mut document = patch.data();
    for name in names {
        match document.get(name.as_ref()) {
            None => return true,
            Some(Value::Document(inner)) if is_deep => document = inner,
            Some(_) => return false,
        }
    }
    false
}

/// A field that does not fit: its name, its code and what is wrong.
pub(crate) struct Fault {
    pub(crate) field: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl From<&FieldError> for Fault {
    fn from(error: &FieldError) -> Self {
        Self { field: error.field.to_string(), code: error.code.to_string(), message: error.message.clone() }
    }
}

/// How many faults the message of an error tells; the error lists them all.
const TOLD: usize = 3;

/// How many faults an error lists at most; data with more than these is no slip of the pen.
const LISTED_MAX: usize = 100;

/// Refuses data, naming every field that does not fit; where none is, it is fine.
pub(crate) fn refuse(faults: Vec<Fault>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let told = faults.iter().take(TOLD).map(|fault| match fault.field.as_str() {
        "" => format!("the data {}", fault.message),
        field => format!("`{field}` {}", fault.message),
    });
    let mut message = told.collect::<Vec<_>>().join("; ");
    if faults.len() > TOLD {
        message += &format!("; and {} more", faults.len() - TOLD);
    }
    let error = Error::unprocessable(message);
    let listed = faults.into_iter().take(LISTED_MAX);
    Err(listed.fold(error, |error, fault| error.with_field(&fault.field, &fault.code, fault.message)))
}
