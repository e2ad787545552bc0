//! Views of a service: typed, mapped, and under a path of an app.

use std::sync::Arc;

use remex_core::{
    App, Call, Document, DynService, ErrorKind, Filter, Params, Patch, Provider, Query, Service, ServiceExt, Value,
};
use serde_json::json;

use crate::check::{all_same, document, equal, holds, id, is_record, named, names_field, refused, same};
use crate::suite::{client, server};
use crate::{Case, Need, NewPerson, Outcome, Person, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(a_typed_view_stores_the_same_records, &[81]),
        Case::new(a_typed_view_refuses_what_does_not_fit, &[81]),
        Case::new(a_typed_caller_gets_whole_records, &[12, 81]),
        // Where the fields are known, one that is missing may be the store's to fill in.
        Case::new(a_typed_view_makes_nothing_that_it_could_not_read, &[45, 81]).needs(&[Need::UnknownFields]),
        Case::new(a_typed_view_keeps_what_is_hidden, &[53, 77, 81]),
        Case::new(a_merge_patch_goes_deep_through_a_typed_view, &[52, 81]),
        Case::new(no_patch_makes_what_a_typed_view_could_not_read, &[42, 48, 81]),
        Case::new(a_mapped_view_stores_the_same_records, &[81]),
        Case::new(an_app_finds_a_service_however_it_is_spelt, &[80]),
    ]
}

/// Ids that the helper makes are for documents; here they are made for a typed record.
fn new_person(people: &crate::People, name: &str, age: Option<i64>) -> NewPerson {
    let id = people.new_data(json!({})).get("id").cloned();
    NewPerson { id, name: Some(name.to_owned()), age, ..NewPerson::default() }
}

async fn a_typed_view_stores_the_same_records(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let typed = people.service().clone().typed::<Person, NewPerson>();
    let made: Person = typed.create(new_person(&people, "Alice", Some(19)), &client()).await?;
    equal("the name", made.name.as_deref(), Some("Alice"))?;
    let all = people.all().await?;
    is_record(&all[0], json!({"name": "Alice", "age": 19}))?;
    equal("the id", &made.id, &all[0]["id"])?;
    let alice = id(&all[0])?;
    equal("the person", typed.read(&alice, &server()).await?, made.clone())?;
    equal("the list", typed.index(&server()).await?.data, vec![made.clone()])?;
    let changed = typed.modify(&alice, document(json!({"age": 20})).into(), &client()).await?.into_inner();
    equal("the age", changed.age, Some(20))?;
    let replaced = typed.update(&alice, new_person(&people, "Alicia", None), &client()).await?.into_inner();
    equal("the age, which was not given", replaced.age, None)?;
    equal("the removed person", typed.remove(&alice, &client()).await?, replaced)?;
    equal("the records", people.all().await?, vec![])
}

async fn a_typed_view_refuses_what_does_not_fit(suite: Suite) -> Outcome {
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Adult {
        id: Value,
        name: String,
        age: u8,
    }

    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let adults = people.service().clone().typed::<Adult, Value>().untyped();
    let error = refused(
        adults.create(people.new_data(json!({"name": 5, "age": "x"})), &client()).await,
        ErrorKind::Unprocessable,
    )?;
    names_field(&error, "name")?;
    names_field(&error, "age")?;
    let bob = id(&before[0])?;
    for age in [json!(256), json!(-1), json!("x")] {
        let patch = document(json!({"age": age}));
        names_field(&refused(adults.modify(&bob, patch.into(), &client()).await, ErrorKind::Unprocessable)?, "age")?;
    }
    crate::check::all_same(&people.all().await?, &before)
}

async fn a_typed_caller_gets_whole_records(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let typed = people.service().clone().typed::<Person, NewPerson>();
    let params = client().with_query(Query::new().select(["name"]).filter(Filter::eq("name", "Doug")));
    let found = typed.index(&params).await?.data;
    equal("the age, which was not selected", found[0].age, Some(32))?;
    // On the wire it is what was selected.
    let answer = typed.answer(Call::Index, &params).await?;
    let text = String::from_utf8_lossy(&answer.json).into_owned();
    holds(text.contains("\"Doug\"") && !text.contains("\"age\""), "JSON text shows what was selected")
}

async fn a_typed_view_makes_nothing_that_it_could_not_read(suite: Suite) -> Outcome {
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Named {
        id: Value,
        name: String,
    }

    let people = suite.people(|options| options).await?;
    let typed = people.service().clone().typed::<Named, Value>();
    let missing = people.free_id();
    let nameless = typed.modify(&missing, document(json!({"age": 5})).into(), &client()).await;
    names_field(&refused(nameless.map(drop), ErrorKind::Unprocessable)?, "name")?;
    equal("the records", people.all().await?, vec![])?;
    let stored = typed.modify(&missing, document(json!({"name": "Eve"})).into(), &client()).await?;
    holds(stored.is_created(), "with a name it can be made")
}

async fn a_typed_view_keeps_what_is_hidden(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.hidden_field("note")).await?;
    let view = people.service().clone().typed::<Person, NewPerson>().untyped();
    let made = view.create(people.new_data(json!({"name": "Eve"})), &client()).await?;
    is_record(&made, json!({"name": "Eve"}))?;
    let alice = id(&people.add(json!({"name": "Alice", "age": 19, "note": "secret"})).await?)?;
    let mut shown = vec![
        view.read(&alice, &client()).await?,
        view.modify(&alice, document(json!({"age": 20})).into(), &client()).await?.into_inner(),
    ];
    is_record(&people.read(&alice, &server()).await?, json!({"name": "Alice", "age": 20, "note": "secret"}))?;
    let deep = Patch::MergeDeep(document(json!({"age": null, "address": {"city": "Bonn"}})));
    shown.push(view.modify(&alice, deep, &client()).await?.into_inner());
    shown.push(view.update(&alice, document(json!({"name": "Alicia"})), &client()).await?.into_inner());
    is_record(&people.read(&alice, &server()).await?, json!({"name": "Alicia", "note": "secret"}))?;
    is_record(&view.read(&alice, &server()).await?, json!({"name": "Alicia", "note": "secret"}))?;
    shown.push(view.remove(&alice, &client()).await?);
    for record in shown {
        holds(!record.contains("note"), &format!("`note` is hidden in {record}"))?;
    }
    named(&people.all().await?, &["Eve"])
}

async fn a_merge_patch_goes_deep_through_a_typed_view(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let view = people.service().clone().typed::<Person, NewPerson>();
    let alice = json!({"name": "Alice", "age": 19, "address": {"city": "Bonn", "zip": "53113", "street": {"n": 1}}});
    let alice = id(&people.add(alice).await?)?;
    let patch = Patch::MergeDeep(document(json!({"age": null, "address": {"zip": null, "street": {"n": null}}})));
    let changed = view.modify(&alice, patch, &client()).await?.into_inner();
    equal("the age", changed.age, None)?;
    let expected = Value::from(json!({"city": "Bonn", "street": {}}));
    equal("the address", changed.address, Some(expected.clone()))?;
    equal("the stored address", &people.read(&alice, &server()).await?["address"], &expected)
}

async fn no_patch_makes_what_a_typed_view_could_not_read(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let view = people.service().clone().typed::<Person, NewPerson>().untyped();
    let bob = id(&before[0])?;
    let bobs = server().with_query(Query::new().filter(Filter::eq("name", "Bob")));
    let missing = people.free_id();
    for (field, data) in [
        ("age", json!({"note": "x", "age": "old"})),
        ("age", json!({"note": "x", "age": {"years": 5}})),
        ("name", json!({"note": "x", "name": ["Bob"]})),
        ("nickname", json!({"note": "x", "nickname": "Bobby"})),
    ] {
        for patch in [Patch::Merge(document(data.clone())), Patch::MergeDeep(document(data))] {
            let outcomes = [
                view.modify(&bob, patch.clone(), &client()).await.map(drop),
                view.modify(&bob, patch.clone(), &server()).await.map(drop),
                view.modify(&missing, patch.clone(), &client()).await.map(drop),
                view.modify_many(patch, &bobs).await.map(drop),
            ];
            for outcome in outcomes {
                names_field(&refused(outcome, ErrorKind::Unprocessable)?, field)?;
            }
            all_same(&people.all().await?, &before)?;
        }
    }
    Ok(())
}

async fn a_mapped_view_stores_the_same_records(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    // Outside names are in capitals, inside they are not.
    let change = |to: fn(&str) -> String| {
        move |mut record: Document| {
            if let Some(name) = record.get("name").and_then(Value::as_str).map(to) {
                record.insert("name", name);
            }
            Ok(record)
        }
    };
    let view = people.service().clone().map(change(str::to_uppercase), change(str::to_lowercase));
    let made = view.create(people.new_data(json!({"name": "ALICE", "age": 19})), &client()).await?;
    is_record(&made, json!({"name": "ALICE", "age": 19}))?;
    named(&people.all().await?, &["alice"])?;
    let alice = id(&made)?;
    same(&view.read(&alice, &client()).await?, &made)?;
    named(&view.index(&client()).await?.data, &["ALICE"])?;
    named(&view.read_many(std::slice::from_ref(&alice), &client()).await?, &["ALICE"])?;
    let changed = view.modify(&alice, document(json!({"age": 20})).into(), &client()).await?.into_inner();
    is_record(&changed, json!({"name": "ALICE", "age": 20}))?;
    let replaced = view.update(&alice, document(json!({"name": "EVE"})), &client()).await?.into_inner();
    is_record(&replaced, json!({"name": "EVE"}))?;
    named(&people.all().await?, &["eve"])?;
    refused(view.read(&people.free_id(), &client()).await, ErrorKind::NotFound)?;
    named(&view.remove_many(&server()).await?, &["EVE"])
}

async fn an_app_finds_a_service_however_it_is_spelt(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let app = App::new();
    holds(app.documents("people").is_err(), "what is not mounted is not found")?;
    let service: Arc<DynService> = people.service().clone();
    app.mount("people", service)?;
    for path in ["people", "/people", "people/", "///people//"] {
        let found = app.documents(path)?;
        named(&found.index(&Params::client(Provider::Rest)).await?.data, &["Bob", "Doug", "Alice"])?;
    }
    equal(
        "the kind of the error of another path",
        app.documents("persons").err().map(|error| error.kind()),
        Some(ErrorKind::NotFound),
    )
}
