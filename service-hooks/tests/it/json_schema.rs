use std::sync::Arc;

use remex_core::{Call, Document, ErrorKind, HookSet, Hooks, Id, MethodSet, Operation, Params, Patch, Service};
use remex_hooks::json_schema;
use serde_json::{Value, json};

use crate::places::{Place, asking, calls, client, client_for, document, named, open, places};

#[derive(Clone)]
struct Schema(Arc<Value>);

impl<S: Service<Input = Document> + ?Sized + 'static> HookSet<S> for Schema {
    fn add_to(self, hooks: &mut Hooks<S>) {
        hooks.before(MethodSet::ALL, json_schema(&*self.0).expect("a schema"));
    }
}

fn of(schema: Value) -> Vec<Place> {
    places(&open(), &Schema(Arc::new(schema)))
}

fn person() -> Value {
    json!({
        "type": "object",
        "required": ["name", "home"],
        "minProperties": 2,
        "additionalProperties": false,
        "dependentRequired": { "age": ["name"] },
        "properties": {
            "name": { "type": "string", "minLength": 1, "pattern": "^[A-Z]" },
            "age": { "type": "integer", "minimum": 0 },
            "email": { "type": "string", "format": "email" },
            "tags": { "type": "array", "items": { "enum": ["a", "b"] }, "uniqueItems": true },
            "home": { "$ref": "#/$defs/home" },
            "homes": { "type": "array", "items": { "$ref": "#/$defs/home" } },
        },
        "$defs": {
            "home": {
                "type": "object",
                "required": ["city"],
                "properties": { "city": { "type": "string" }, "zip": { "type": "integer" } },
            },
        },
    })
}

async fn check(place: &Place, call: Call<Id, Document>, params: &Params, expected: &str) {
    let shown = format!("{} {call:?}", place.name);
    match place.call(call, params).await {
        Ok(_) => assert_eq!(expected, "", "{shown}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unprocessable, "{shown}: {error:?}");
            assert_eq!(named(error.fields()), expected, "{shown}: {error}");
        }
    }
}

#[tokio::test]
async fn whole_records_must_be_valid() {
    for place in of(person()) {
        for (data, expected) in [
            (
                r#"{"name":"","age":-1,"email":"x","tags":["a","c"],"home":{"zip":"x"},"more":1}"#,
                "age minimum, email format, home.city required, home.zip type, more additionalProperties, \
                 name minLength, name pattern, tags.1 enum",
            ),
            (
                r#"{"homes":[{"city":"Rome"},{"city":1}]}"#,
                "home required, homes.1.city type, name required,  minProperties",
            ),
            (r#"{"name":"Ada","home":{"city":"Rome"},"tags":["a","a"]}"#, "tags uniqueItems"),
        ] {
            let mut expected: Vec<_> = expected.split(", ").collect();
            expected.sort_unstable();
            let expected = expected.join(", ");
            let (data, good) = (document(data), document(r#"{"name":"Ada","home":{"city":"Rome"}}"#));
            for call in [
                Call::Create(data.clone()),
                Call::CreateMany(vec![good, data.clone()]),
                Call::Update(1.into(), data.clone()),
            ] {
                check(&place, call, &client(), &expected).await;
            }
        }
        assert_eq!(place.stored().await, "[]");
        for call in calls(&document(r#"{"name":"Ada","home":{"city":"Rome"}}"#)) {
            place.put(r#"{"id":1}"#).await;
            check(&place, call.clone(), &client_for(call.operation()), "").await;
            place.service.remove_many(&Params::new()).await.expect("emptied");
        }
    }
}

/// Checks a patch in both forms on a record that is there.
async fn check_patches(place: &Place, data: &str, merged: &str, deep: &str) {
    let data = document(data);
    for (patch, expected) in [(Patch::Merge(data.clone()), merged), (Patch::MergeDeep(data), deep)] {
        for call in [Call::Modify(1.into(), patch.clone()), Call::ModifyMany(patch.clone())] {
            let params = if call.operation() == Operation::ModifyMany { asking("id=1") } else { client() };
            check(place, call, &params, expected).await;
        }
    }
}

#[tokio::test]
async fn of_a_patch_its_own_fields_must_be_valid() {
    for place in of(person()) {
        place.put(r#"{"id":1}"#).await;
        for (data, merged, deep) in [
            ("{}", "", ""),
            (r#"{"age":7}"#, "", ""),
            (r#"{"age":-1}"#, "age minimum", "age minimum"),
            (r#"{"name":null}"#, "name type", "name required"),
            (r#"{"age":null}"#, "age type", ""),
            (r#"{"home":{"zip":1}}"#, "home.city required", ""),
            (r#"{"home":{"zip":"x"}}"#, "home.city required, home.zip type", "home.zip type"),
            (r#"{"home":{"city":null}}"#, "home.city type", "home.city required"),
            (r#"{"homes":[{"zip":1}]}"#, "homes.0.city required", "homes.0.city required"),
            (r#"{"more":1}"#, "more additionalProperties", "more additionalProperties"),
        ] {
            check_patches(&place, data, merged, deep).await;
        }
        // What is no record by itself makes none.
        let part = Patch::Merge(document(r#"{"age":7}"#));
        assert_eq!(place.refused(Call::Modify(7.into(), part), &client()).await, ErrorKind::NotFound);
        let whole = Patch::Merge(document(r#"{"name":"Ada","home":{"city":"Rome"}}"#));
        place.call(Call::Modify(7.into(), whole), &client()).await.expect("made");
    }
}

#[tokio::test]
async fn branches_and_conditions_do_not_hold_a_patch_up() {
    let shape = json!({
        "oneOf": [
            { "required": ["kind", "radius"], "properties": { "kind": { "const": "circle" }, "radius": { "type": "number" } } },
            { "required": ["kind", "side"], "properties": { "kind": { "const": "square" }, "side": { "type": "number" } } },
        ],
        "allOf": [{ "$ref": "#/$defs/colour" }],
        "anyOf": [{ "required": ["a"] }, { "required": ["b"] }],
        "not": { "properties": { "a": {}, "never": false } },
        "$defs": {
            "colour": {
                "if": { "properties": { "paint": { "const": true } } },
                "then": { "required": ["colour"], "properties": { "colour": { "type": "string" } } },
            },
        },
    });
    for place in of(shape) {
        place.put(r#"{"id":1}"#).await;
        for (data, expected) in [
            (r#"{"radius":5}"#, ""),
            (r#"{"radius":"x","side":"x"}"#, " oneOf"),
            (r#"{"kind":"circle","radius":5}"#, ""),
            (r#"{"kind":"oval"}"#, " oneOf"),
            (r#"{"c":1}"#, ""),
            // Whether this must be text depends on what the patch does not say.
            (r#"{"colour":5}"#, ""),
        ] {
            check_patches(&place, data, expected, expected).await;
        }
    }
}

#[tokio::test]
async fn several_branches_may_do_for_a_patch() {
    let branch = |kind: &str| json!({ "properties": { "kind": { "const": kind } } });
    for place in of(json!({ "oneOf": [branch("circle"), branch("square")] })) {
        place.put(r#"{"id":1}"#).await;
        check_patches(&place, r#"{"size":5}"#, "", "").await;
        check_patches(&place, r#"{"kind":"oval"}"#, " oneOf", " oneOf").await;
        check(&place, Call::Create(document(r#"{"size":5}"#)), &client(), " oneOf").await;
    }
}

#[tokio::test]
async fn an_object_in_a_patch_is_whole_unless_the_patch_is_deep() {
    let colour = json!({
        "minProperties": 2,
        "if": { "properties": { "paint": { "const": true } } },
        "then": { "properties": { "colour": { "type": "string" } } },
    });
    for place in of(json!({ "properties": { "wall": colour } })) {
        place.put(r#"{"id":1}"#).await;
        for (data, merged, deep) in [
            (r#"{"wall":{"colour":5}}"#, "wall minProperties, wall.colour type", ""),
            (r#"{"wall":{"colour":5,"paint":false}}"#, "", ""),
            (r#"{"wall":[]}"#, "", ""),
        ] {
            check_patches(&place, data, merged, deep).await;
        }
    }
}

#[test]
fn a_bad_schema_is_an_error_when_the_hook_is_made() {
    fn error(schema: &Value) -> ErrorKind {
        match json_schema::<remex_core::DynService, _>(schema) {
            Ok(_) => panic!("{schema} was taken"),
            Err(error) => error.kind(),
        }
    }
    for schema in [
        json!({ "type": "nothing" }),
        json!({ "type": 1 }),
        json!({ "pattern": "(" }),
        json!({ "pattern": "(?=x)" }),
        json!({ "$ref": "#/$defs/missing" }),
        json!({ "$ref": "file:///etc/passwd" }),
        json!({ "$ref": "https://example.com/schema.json" }),
        json!([]),
    ] {
        assert_eq!(error(&schema), ErrorKind::Internal, "{schema}");
    }
}

#[test]
fn a_schema_is_anything_that_writes_one() {
    let text = document(r#"{"type":"object"}"#);
    assert!(json_schema::<remex_core::DynService, _>(&text).is_ok());
    assert!(
        json_schema::<remex_core::DynService, _>(&json!({ "$schema": "http://json-schema.org/draft-07/schema#" }))
            .is_ok()
    );
}
