//! Parses any text as a query string, with and without the types of the fields. What is parsed must come back the same
//! when it is written as JSON and read again, and writing it in brackets must not panic.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use remex_core::{FieldType, Fields, Filter, Query, QueryBounds, QuerySyntax};

/// Texts stay what they may be: a bare literal equals the string, the number and the boolean that are written so.
static UNTYPED: LazyLock<QuerySyntax> = LazyLock::new(|| QuerySyntax {
    extra: vec!["$search".into()],
    ignored: vec!["token".into()],
    ..QuerySyntax::default()
});

/// Texts are turned into the types of their fields.
static TYPED: LazyLock<QuerySyntax> = LazyLock::new(|| QuerySyntax {
    fields: Some(
        Fields::new()
            .required("id", FieldType::Integer)
            .required("name", FieldType::Text)
            .optional("age", FieldType::Integer)
            .optional("score", FieldType::Number)
            .optional("done", FieldType::Boolean)
            .optional("born", FieldType::Date)
            .optional("created_at", FieldType::DateTime)
            .optional("key", FieldType::Uuid)
            .optional("price", FieldType::Decimal)
            .optional("wakes", FieldType::Time)
            .optional("photo", FieldType::Binary)
            .optional("tags", FieldType::Json),
    ),
    ..UNTYPED.clone()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for syntax in [&*UNTYPED, &*TYPED] {
        check(text, syntax);
    }
});

fn check(text: &str, syntax: &QuerySyntax) {
    let Ok(mut query) = Query::parse(text, syntax) else { return };
    if query.filter.is_empty() {
        // In one object an empty filter cannot be told from none.
        query.filter = Filter::All;
    }

    let document = query.to_json();
    match Query::from_json(&document, &without_bounds(syntax)) {
        Ok(again) => assert_eq!(again, query, "written as {document}"),
        Err(error) => panic!("{error}, reading what was written: {document}"),
    }

    // Brackets cannot say everything, and where they can, types may be lost; but nothing may panic on the way.
    if let Ok(brackets) = query.to_brackets() {
        let _ = Query::parse(&brackets, syntax);
    }
}

/// Bounds are for what comes from outside. A query just within them may be past them as it is written here: `a=1`
/// without a type is a list of `"1"` and `1`, and brackets and JSON count their levels differently.
fn without_bounds(syntax: &QuerySyntax) -> QuerySyntax {
    let bounds = QueryBounds {
        bytes_max: usize::MAX,
        pairs_max: usize::MAX,
        list_max: usize::MAX,
        depth_max: usize::MAX,
        branches_max: usize::MAX,
        pattern_bytes_max: usize::MAX,
        sort_keys_max: usize::MAX,
        skip_max: u64::MAX,
    };
    QuerySyntax { bounds, ..syntax.clone() }
}
