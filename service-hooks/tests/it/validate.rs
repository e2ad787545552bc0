use remex_core::{
    Call, Document, Error, ErrorKind, HookSet, Hooks, Id, MethodSet, Missing, Operation, Params, Patch, Result, Service,
};
use remex_hooks::{validate, validate_patch};
use serde::Deserialize;

use crate::places::{asking, calls, client, client_for, document, named, open, places};

#[derive(Deserialize)]
struct Person {
    name: String,
    age: Option<u8>,
    #[serde(rename = "home")]
    _home: Option<Home>,
    #[serde(default, rename = "homes")]
    _homes: Vec<Home>,
}

#[derive(Deserialize)]
struct Home {
    #[serde(rename = "city")]
    _city: String,
    #[serde(rename = "zip")]
    _zip: Option<u32>,
}

#[derive(Deserialize)]
struct Change {
    age: Option<u8>,
}

#[derive(Clone)]
struct Checked;

impl<S: Service<Input = Document> + ?Sized + 'static> HookSet<S> for Checked {
    fn add_to(self, hooks: &mut Hooks<S>) {
        hooks.before(
            MethodSet::ALL,
            validate(|person: &Person| match person.name == "nobody" && person.age.is_none() {
                true => Err(Error::unprocessable("who?").with_field("name", "unknown_person", "is nobody")),
                false => Ok(()),
            }),
        );
        hooks.before(MethodSet::ALL, validate_patch(of_age));
    }
}

fn of_age(change: &Change) -> Result<()> {
    match change.age {
        Some(200) => Err(Error::unprocessable("too old").with_field("age", "maximum", "must be below 200")),
        _ => Ok(()),
    }
}

async fn fields_of(place: &crate::places::Place, call: Call<Id, Document>, params: &Params) -> String {
    let error = place.call(call, params).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unprocessable, "{error:?}");
    named(error.fields())
}

#[tokio::test]
async fn whole_records_must_fit() {
    for place in places(&open(), &Checked) {
        for (data, expected) in [
            (r#"{"name":1,"age":"x","home":{"zip":"x"}}"#, "age type, home.city required, home.zip type, name type"),
            (r#"{"homes":[{"city":"Rome"},{"zip":1}]}"#, "homes.1.city required, name required"),
            (r#"{"name":"nobody"}"#, "name unknown_person"),
        ] {
            let data = document(data);
            let good = document(r#"{"name":"Ada"}"#);
            for call in [
                Call::Create(data.clone()),
                Call::CreateMany(vec![good, data.clone()]),
                Call::Update(1.into(), data.clone()),
            ] {
                assert_eq!(fields_of(&place, call, &client()).await, expected, "{}", place.name);
            }
        }
        assert_eq!(place.stored().await, "[]");
        // Data stays as it is, with what the type does not know.
        let data = document(r#"{"name":"Ada","more":1}"#);
        for call in calls(&data) {
            place.call(call.clone(), &client_for(call.operation())).await.expect("fits");
            place.service.remove_many(&Params::new()).await.expect("emptied");
            place.put(r#"{"id":1,"name":"Ada"}"#).await;
        }
        place.call(Call::Update(1.into(), data), &client()).await.expect("fits");
        assert_eq!(place.stored().await, r#"[{"id":1,"name":"Ada","more":1}]"#);
    }
}

#[tokio::test]
async fn of_a_patch_its_own_fields_must_fit() {
    for place in places(&open(), &Checked) {
        place.put(r#"{"id":1,"name":"Ada"}"#).await;
        for (data, merged, deep) in [
            (r#"{"age":"x"}"#, "age type", "age type"),
            (r#"{"name":null}"#, "name type", "name required"),
            (r#"{"home":{"zip":"x"}}"#, "home.city required, home.zip type", "home.zip type"),
            (r#"{"home":{"zip":1}}"#, "home.city required", ""),
            (r#"{"home":{"city":null}}"#, "home.city type", "home.city required"),
            (r#"{"homes":[{"zip":1}]}"#, "homes.0.city required", "homes.0.city required"),
            (r#"{"age":200}"#, "age maximum", "age maximum"),
            (r#"{"age":7}"#, "", ""),
            (r#"{"age":null}"#, "", ""),
            (r#"{}"#, "", ""),
        ] {
            let data = document(data);
            for (patch, expected) in [(Patch::Merge(data.clone()), merged), (Patch::MergeDeep(data.clone()), deep)] {
                for call in [Call::Modify(1.into(), patch.clone()), Call::ModifyMany(patch.clone())] {
                    let params = if call.operation() == Operation::ModifyMany { asking("id=1") } else { client() };
                    if expected.is_empty() {
                        place.call(call, &params).await.expect("fits");
                    } else {
                        assert_eq!(fields_of(&place, call, &params).await, expected, "{} {patch:?}", place.name);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_patch_makes_only_what_is_valid() {
    for place in places(&open(), &Checked) {
        let create = Params { missing: Some(Missing::Create), ..client() };
        for data in [r#"{"age":7}"#, "{}", r#"{"name":"nobody"}"#] {
            for patch in [Patch::Merge(document(data)), Patch::MergeDeep(document(data))] {
                let kind = place.refused(Call::Modify(7.into(), patch), &create).await;
                assert_eq!(kind, ErrorKind::NotFound, "{} {data}", place.name);
            }
        }
        let valid = Patch::Merge(document(r#"{"name":"Ada","age":7}"#));
        place.call(Call::Modify(7.into(), valid), &client()).await.expect("made");
        // Of a record that is there a part may be changed that would be none by itself.
        let part = Patch::Merge(document(r#"{"age":8}"#));
        place.call(Call::Modify(7.into(), part), &client()).await.expect("modified");
        assert_eq!(place.stored().await, r#"[{"id":7,"name":"Ada","age":8}]"#);
    }
}
