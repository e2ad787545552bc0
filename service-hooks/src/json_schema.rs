//! Data checked by JSON Schema.

use std::future::{Ready, ready};

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{PatternOptions, ValidationError, Validator};
use remex_core::{Document, Error, HookContext, Patch, Result, Service, Value};
use serde::Serialize;

use crate::check::{Fault, applied, check_data, is_left_out, refuse};

/// Checks data against a [JSON Schema](https://json-schema.org); to go before methods that write.
///
/// The schema is anything that serde writes as one: a [`Document`], `serde_json::json!`, a generated one. It is compiled here,
/// once. Its draft is what `$schema` says, else 2020-12. A `$ref` may lead to another place of the schema, never to a file or
/// into the network. `format` is checked. A `pattern` is matched in linear time, without look-around and back-references.
///
/// - For `create`, `create_many` and `update` the data must be valid.
/// - A patch has some fields only. What it has is checked, and what says something of the object as a whole is left out:
///   `required`, `minProperties`, `dependentRequired`, `not` and `if`; of `anyOf` and `oneOf` one branch must do for what is
///   there. An object inside a patch is whole, unless the patch is a merge patch of RFC 7396, which goes into objects. A patch
///   that would not be valid as a whole record makes none: `modify` answers 404 for an id without a record.
///
/// ```
/// use remex_core::{App, Document, Method};
/// use remex_hooks::json_schema;
///
/// let schema = Document::from_json(br#"{
///     "type": "object",
///     "required": ["name"],
///     "properties": { "name": { "type": "string", "minLength": 1 }, "age": { "type": "integer", "minimum": 0 } },
///     "additionalProperties": false
/// }"#)?;
/// let valid = json_schema(&schema)?;
/// let app = App::new();
/// app.hooks("people", |hooks| hooks.before([Method::Create, Method::Modify, Method::Update], valid))?;
/// # Ok::<(), remex_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Internal`](remex_core::ErrorKind::Internal) for a schema that is none, or leads outside of itself.
///
/// # Errors of the hook
/// [`ErrorKind::Unprocessable`](remex_core::ErrorKind::Unprocessable) naming every field that fails by its dotted path, with
/// the keyword as its code.
pub fn json_schema<S, T>(
    schema: &T,
) -> Result<impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static + use<S, T>>
where
    S: Service<Input = Document> + ?Sized + 'static,
    T: Serialize + ?Sized,
{
    let validator = compile(schema)?;
    Ok(move |ctx| {
        let whole = |data: &Document| refuse(faults(&validator, data, None)?);
        let part = |patch: &Patch| refuse(faults(&validator, &applied(patch), Some(patch))?);
        ready(check_data(ctx, whole, part))
    })
}

fn compile(schema: &(impl Serialize + ?Sized)) -> Result<Validator> {
    let schema = serde_json::to_value(schema)
        .map_err(|error| Error::internal("the schema cannot be written as JSON").with_source(error))?;
    jsonschema::options()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|error| Error::internal(format!("the JSON schema is none: {error}")))
}

/// Lists what is wrong with a record, or with the fields of a patch.
fn faults(validator: &Validator, data: &Document, patch: Option<&Patch>) -> Result<Vec<Fault>> {
    let data = serde_json::to_value(data)
        .map_err(|error| Error::internal("the data cannot be written as JSON").with_source(error))?;
    let errors = validator.iter_errors(&data);
    let errors = errors.filter(|error| !patch.is_some_and(|patch| is_of_whole(error, patch)));
    Ok(errors.flat_map(|error| faults_of(&error)).collect())
}

fn faults_of(error: &ValidationError<'_>) -> Vec<Fault> {
    let place = names(error.instance_path());
    let fault = |name: Option<&str>, message: String| {
        let field: Vec<_> = place.iter().map(String::as_str).chain(name).collect();
        Fault { field: field.join("."), code: error.kind().keyword().to_owned(), message }
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => vec![fault(property.as_str(), "is required".to_owned())],
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| fault(Some(name), "is not a field of this record".to_owned())).collect()
        }
        _ => vec![fault(None, format!("does not fit: {}", error.masked_with("it")))],
    }
}

/// Returns whether an error is about an object as a whole of which a patch has only a part.
fn is_of_whole(error: &ValidationError<'_>, patch: &Patch) -> bool {
    let place = names(error.instance_path());
    let one_branch_does = |branches: &[Vec<ValidationError<'static>>]| {
        branches.iter().any(|errors| errors.iter().all(|error| is_of_whole(error, patch)))
    };
    if is_conditional(error.evaluation_path(), patch) {
        return true;
    }
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            is_part(patch, &place) && is_left_out(patch, place.iter().map(String::as_str).chain(property.as_str()))
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            is_part(patch, &place) && one_branch_does(context)
        }
        ValidationErrorKind::MinProperties { .. }
        | ValidationErrorKind::Not { .. }
        | ValidationErrorKind::OneOfMultipleValid { .. } => is_part(patch, &place),
        _ => false,
    }
}

/// Returns whether a patch has only a part of the object at this place.
fn is_part(patch: &Patch, place: &[String]) -> bool {
    let mut document = patch.data();
    for name in place {
        match (patch, document.get(name)) {
            (Patch::MergeDeep(_), Some(Value::Document(inner))) => document = inner,
            _ => return false,
        }
    }
    true
}

/// Returns whether what failed applies only on a condition about an object of which a patch has a part.
fn is_conditional(way: &Location, patch: &Patch) -> bool {
    let mut segments = way.iter();
    while let Some(LocationSegment::Property(keyword)) = segments.next() {
        match &*keyword {
            "if" | "then" | "else" => return true,
            "$ref" | "$dynamicRef" => {}
            // Behind these stands which of them.
            "allOf" | "anyOf" | "oneOf" | "dependentSchemas" => drop(segments.next()),
            // Further inside, an object is a part in a deep patch only.
            "properties" if matches!(patch, Patch::MergeDeep(_)) => drop(segments.next()),
            _ => return false,
        }
    }
    false
}

fn names(place: &Location) -> Vec<String> {
    place.iter().map(|segment| segment.to_string()).collect()
}
