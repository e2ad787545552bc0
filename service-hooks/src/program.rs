//! Calls that hooks make as the program.

use remex_core::{FieldType, Params, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns params for a call that the program makes on behalf of another: what layers and hooks handed on goes along, such
/// as the user, and nothing that came from a client.
pub(crate) fn on_behalf(params: &Params) -> Params {
    Params { route: params.route.clone(), extensions: params.extensions.clone(), ..Params::default() }
}

/// Returns this moment in the form in which times are kept.
pub(crate) fn now() -> Value {
    let text = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    FieldType::DateTime.keep(Value::from(text)).unwrap_or_default()
}
