//! Making records, one or many.

use std::collections::HashSet;

use remex_core::{
    Call, ClientIds, ErrorKind, FieldType, Fields, Filter, Id, Method, Paginate, Query, Timestamps, Value,
};
use serde_json::json;

use crate::check::{
    all_same, document, equal, holds, id, ids, is_record, named, names_field, refused, refused_as, same,
};
use crate::suite::{client, server};
use crate::{Case, Failed, Need, Outcome, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(the_stored_record_is_answered, &[1]),
        Case::new(what_is_stored_is_a_copy, &[2]),
        Case::new(ids_differ_even_after_removal, &[3]).needs(&[Need::GeneratedIds]),
        Case::new(a_filter_makes_no_difference, &[4]),
        Case::new(select_shows_the_id_and_what_is_selected, &[4]),
        Case::new(an_id_that_is_given_is_kept, &[5]),
        Case::new(an_id_that_is_falsy_is_kept, &[5]).needs(&[Need::IntegerIds]),
        Case::new(an_id_that_cannot_be_one_is_refused, &[5]),
        Case::new(a_null_id_is_none, &[5]).needs(&[Need::GeneratedIds]),
        Case::new(an_id_must_be_given_where_none_is_made, &[5]).needs(&[Need::TextIds]),
        Case::new(a_taken_id_is_a_conflict, &[5]),
        Case::new(clients_ids_can_be_replaced, &[5]).needs(&[Need::GeneratedIds]),
        Case::new(ids_that_are_made_pass_those_given, &[3, 5]).needs(&[Need::IntegerIds]),
        Case::new(ids_that_are_made_pass_those_of_changes, &[3, 45, 55]).needs(&[Need::IntegerIds]),
        Case::new(ids_that_are_made_pass_those_that_are_gone, &[3, 5]).needs(&[Need::IntegerIds]),
        Case::new(reserved_ids_are_refused, &[5]).needs(&[Need::TextIds]),
        Case::new(no_change_makes_a_reserved_id, &[5, 45]).needs(&[Need::TextIds, Need::InProgram]),
        Case::new(steps_of_a_path_are_no_ids, &[5]).needs(&[Need::TextIds]),
        Case::new(no_change_makes_a_step_of_a_path, &[5, 45]).needs(&[Need::TextIds, Need::InProgram]),
        Case::new(ids_have_a_longest_length, &[5]).needs(&[Need::TextIds]),
        Case::new(the_id_may_have_another_name, &[5]).needs(&[Need::AnyField]),
        Case::new(times_are_set, &[6]),
        Case::new(data_that_does_not_fit_is_refused_with_every_field_named, &[13]),
        Case::new(fields_that_are_not_known_are_refused, &[13]),
        Case::new(fields_can_be_required, &[13]),
        Case::new(a_value_can_have_to_be_unique, &[5]),
        Case::new(many_are_answered_in_their_order, &[8]),
        Case::new(many_are_made_all_or_none, &[8]),
        Case::new(many_may_not_collide_among_themselves, &[8]),
        Case::new(clients_make_many_only_where_they_may, &[7]),
        Case::new(clients_make_so_many_at_once, &[7]),
    ]
}

async fn the_stored_record_is_answered(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for params in [server(), client()] {
        let made = people.create(people.new_data(json!({"name": "Alice", "age": 19})), &params).await?;
        is_record(&made, json!({"name": "Alice", "age": 19}))?;
        same(&people.read(&id(&made)?, &params).await?, &made)?;
    }
    equal("how many records there are", people.all().await?.len(), 2)
}

async fn what_is_stored_is_a_copy(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let mut data = people.new_data(json!({"name": "Alice", "address": {"city": "Bonn"}}));
    let before = data.clone();
    let mut made = people.create(data.clone(), &server()).await?;
    equal("the caller's data", &data, &before)?;
    let stored = made.clone();
    data.insert("name", "Mallory");
    made.insert("name", "Mallory");
    made.insert("address", Value::Null);
    same(&people.read(&id(&stored)?, &server()).await?, &stored)
}

async fn ids_differ_even_after_removal(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let made = people.add_all([json!({"name": "a"}), json!({"name": "b"})]).await?;
    let mut seen: HashSet<Id> = ids(&made)?.into_iter().collect();
    equal("how many ids there are", seen.len(), 2)?;
    // Neither a free place nor the last number is given out again.
    people.remove(&id(&made[0])?, &server()).await?;
    holds(
        seen.insert(id(&people.add(json!({"name": "c"})).await?)?),
        "an id is new after an early record was removed",
    )?;
    let last = people.add(json!({"name": "d"})).await?;
    seen.insert(id(&last)?);
    people.remove(&id(&last)?, &server()).await?;
    holds(
        seen.insert(id(&people.add(json!({"name": "e"})).await?)?),
        "an id is new after the last record was removed",
    )?;
    people.remove_many(&server()).await?;
    holds(seen.insert(id(&people.add(json!({"name": "f"})).await?)?), "an id is new after all records were removed")
}

async fn a_filter_makes_no_difference(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let params = client().with_query(Query::new().filter(Filter::eq("name", "Dave")));
    let made = people.create(people.new_data(json!({"name": "Alice", "age": 19})), &params).await?;
    is_record(&made, json!({"name": "Alice", "age": 19}))?;
    named(&people.all().await?, &["Alice"])
}

async fn select_shows_the_id_and_what_is_selected(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let params = client().with_query(Query::new().select(["name"]));
    let made = people.create(people.new_data(json!({"name": "Alice", "age": 19})), &params).await?;
    equal("the names of the fields", made.names().collect::<Vec<_>>(), ["id", "name"])?;
    is_record(&people.read(&id(&made)?, &server()).await?, json!({"name": "Alice", "age": 19}))
}

async fn an_id_that_is_given_is_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for params in [server(), client()] {
        let given = people.free_id();
        let data = document(json!({"name": "Alice"})).with("id", people.id_value(&given));
        let made = people.create(data, &params).await?;
        equal("the id of the record", id(&made)?, given.clone())?;
        named(&[people.read(&given, &server()).await?], &["Alice"])?;
    }
    Ok(())
}

async fn an_id_that_is_falsy_is_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for number in [0, -1, i64::MIN] {
        let made = people.create(document(json!({"id": number, "name": "Zero"})), &client()).await?;
        equal("the id of the record", &made["id"], &Value::from(number))?;
        named(&[people.read(&Id::from(number), &client()).await?], &["Zero"])?;
    }
    Ok(())
}

async fn an_id_that_cannot_be_one_is_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let unfit = [json!(""), json!(true), json!(1.5), json!([1]), json!({"a": 1})];
    for value in unfit {
        let data = document(json!({"name": "Unfit", "id": value}));
        refused_as(people.create(data, &client()).await, &[ErrorKind::BadRequest, ErrorKind::Unprocessable])?;
    }
    for unparsable in people.unparsable_ids() {
        let data = document(json!({"name": "Unfit", "id": unparsable.as_str()}));
        refused(people.create(data, &client()).await, ErrorKind::BadRequest)?;
    }
    all_same(&people.all().await?, &before)
}

async fn a_null_id_is_none(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let made = people.create(document(json!({"id": null, "name": "Alice"})), &client()).await?;
    named(&[people.read(&id(&made)?, &client()).await?], &["Alice"])
}

async fn an_id_must_be_given_where_none_is_made(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for data in [json!({"name": "Alice"}), json!({"name": "Alice", "id": null})] {
        let error = refused(people.create(document(data), &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, "id")?;
    }
    Ok(())
}

async fn a_taken_id_is_a_conflict(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    for params in [server(), client()] {
        let data = document(json!({"name": "Mallory"})).with("id", before[1]["id"].clone());
        refused(people.create(data, &params).await, ErrorKind::Conflict)?;
    }
    all_same(&people.all().await?, &before)
}

async fn clients_ids_can_be_replaced(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.client_ids(ClientIds::Ignore)).await?;
    let given = people.free_id();
    let data = || document(json!({"name": "Alice"})).with("id", people.id_value(&given));
    let made = people.create(data(), &client()).await?;
    holds(id(&made)? != given, "the id that a client gave is replaced")?;
    // Even one that cannot be an id is of no importance.
    people.create(document(json!({"name": "Alice", "id": "?"})), &client()).await?;
    equal("the id that the program gave", id(&people.create(data(), &server()).await?)?, given.clone())?;
    // A client whose ids are not taken makes none by changing what is not there.
    let missing = people.free_id();
    let change = document(json!({"name": "Bob"}));
    refused(people.modify(&missing, change.clone().into(), &client()).await, ErrorKind::NotFound)?;
    refused(people.update(&missing, change.clone(), &client()).await, ErrorKind::NotFound)?;
    holds(people.modify(&missing, change.into(), &server()).await?.is_created(), "the program may")
}

async fn ids_that_are_made_pass_those_given(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let mut seen = HashSet::new();
    for given in [1, 50, 10, -5, 1_000] {
        seen.insert(id(&people.add(json!({"id": given, "name": "given"})).await?)?);
        for _ in 0..3 {
            let made = id(&people.add(json!({"name": "made"})).await?)?;
            holds(seen.insert(made), "an id that is made is new")?;
        }
    }
    // Also one that came about by changing what was not there.
    let last: i64 = seen.iter().filter_map(|id| id.as_str().parse().ok()).max().unwrap_or(0);
    people.modify(&Id::from(last + 1), document(json!({"name": "given"})).into(), &server()).await?;
    people.update(&Id::from(last + 2), document(json!({"name": "given"})), &server()).await?;
    let made = id(&people.add(json!({"name": "made"})).await?)?;
    holds(seen.insert(made), "an id that is made is new")
}

async fn ids_that_are_made_pass_those_of_changes(suite: Suite) -> Outcome {
    let data = || document(json!({"name": "given"}));
    for (update, removed) in [(false, false), (false, true), (true, false), (true, true)] {
        for params in [server(), client()] {
            let people = suite.people(|options| options).await?;
            let given = Id::from(50);
            let stored = match update {
                true => people.update(&given, data(), &params).await?,
                false => people.modify(&given, data().into(), &params).await?,
            };
            holds(stored.is_created(), "a record that was not there is created")?;
            if removed {
                people.remove(&given, &params).await?;
            }
            for _ in 0..60 {
                let made = people.add(json!({"name": "made"})).await?;
                holds(made["id"].as_i64() != Some(50), "an id that is made was not given before")?;
            }
        }
    }
    Ok(())
}

async fn ids_that_are_made_pass_those_that_are_gone(suite: Suite) -> Outcome {
    let ten = || document(json!({"id": 10, "name": "given"}));
    for (many, all) in [(false, false), (false, true), (true, false), (true, true)] {
        let people = suite.people(|options| options).await?;
        match many {
            true => people.create_many(vec![ten()], &server()).await.map(drop)?,
            false => people.create(ten(), &client()).await.map(drop)?,
        }
        match all {
            true => people.remove_many(&server()).await.map(drop)?,
            false => people.remove(&Id::from(10), &client()).await.map(drop)?,
        }
        for _ in 0..12 {
            let made = people.add(json!({"name": "made"})).await?;
            holds(made["id"].as_i64() != Some(10), "an id that is made was not given before")?;
        }
    }
    Ok(())
}

async fn reserved_ids_are_refused(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let data = || document(json!({"name": "Alice"}));
    for reserved in ["_count", "_x", "_"] {
        refused(people.create(data().with("id", reserved), &client()).await, ErrorKind::BadRequest)?;
        refused(people.create(data().with("id", reserved), &server()).await, ErrorKind::BadRequest)?;
    }
    equal("the records", people.all().await?, vec![])
}

/// Over a wire such a path is another route, or none.
async fn no_change_makes_a_reserved_id(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let data = || document(json!({"name": "Alice"}));
    for reserved in ["_count", "_x", "_"] {
        refused(people.update(&Id::from(reserved), data(), &client()).await, ErrorKind::BadRequest)?;
        refused(people.modify(&Id::from(reserved), data().into(), &client()).await, ErrorKind::BadRequest)?;
    }
    equal("the records", people.all().await?, vec![])
}

/// Clients and proxies shorten a path before it comes to be routed, and would mean another record.
async fn steps_of_a_path_are_no_ids(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let data = || document(json!({"name": "Alice"}));
    for step in [".", ".."] {
        for params in [client(), server()] {
            refused(people.create(data().with("id", step), &params).await, ErrorKind::BadRequest)?;
        }
        let many = people.create_many(vec![data().with("id", "other"), data().with("id", step)], &server()).await;
        refused(many, ErrorKind::BadRequest)?;
    }
    equal("the records", people.all().await?, vec![])?;
    for harmless in ["...", ".a", "a..b"] {
        people.create(data().with("id", harmless), &client()).await?;
        named(&[people.read(&Id::from(harmless), &client()).await?], &["Alice"])?;
    }
    Ok(())
}

/// Over a wire such a path is another one.
async fn no_change_makes_a_step_of_a_path(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let data = || document(json!({"name": "Alice"}));
    for step in [".", ".."].map(Id::from) {
        for params in [client(), server()] {
            refused(people.update(&step, data(), &params).await, ErrorKind::BadRequest)?;
            refused(people.modify(&step, data().into(), &params).await, ErrorKind::BadRequest)?;
        }
    }
    equal("the records", people.all().await?, vec![])
}

async fn ids_have_a_longest_length(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let longest = "é".repeat(127) + "x";
    people.create(document(json!({"id": longest, "name": "Alice"})), &client()).await?;
    named(&[people.read(&Id::from(longest.as_str()), &client()).await?], &["Alice"])?;
    let data = document(json!({"id": longest + "y", "name": "Alice"}));
    refused(people.create(data, &client()).await, ErrorKind::BadRequest)?;
    Ok(())
}

async fn the_id_may_have_another_name(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.id_field("key").paginate(Paginate::new(1, 10))).await?;
    let mut keys = [people.free_id(), people.free_id(), people.free_id()];
    keys.sort_unstable();
    let [one, two, three] = &keys;
    for (key, name) in [(two, "two"), (one, "one")] {
        let data = document(json!({"name": name, "id": "an ordinary field"})).with("key", people.id_value(key));
        let made = people.create(data.clone(), &client()).await?;
        equal("the record", &made, &data)?;
        equal("the record when it is read", &people.read(key, &client()).await?, &data)?;
    }
    let made = people.modify(three, document(json!({"name": "three", "key": null})).into(), &client()).await?;
    equal("the id of what was missing", &made.get()["key"], &people.id_value(three))?;
    let replaced = people.update(two, document(json!({"name": "two"})), &client()).await?.into_inner();
    equal("the replaced record", &replaced, &document(json!({"name": "two"})).with("key", people.id_value(two)))?;
    named(&people.all().await?, &["one", "two", "three"])?;
    let page = people.index(&client().with_query(Query::new().select(["name"]).sort_descending("key"))).await?;
    equal("the names of the fields", page.data[0].names().collect::<Vec<_>>(), ["key", "name"])?;
    let Some(next) = page.info.next else { return Err(Failed::new("a full page says where the next begins")) };
    let page = people.index(&client().with_query(Query::new().sort_descending("key").after(next))).await?;
    named(&page.data, &["two"])?;
    let by_key = Query::new().filter(Filter::eq("key", people.id_value(one)));
    named(&people.list(by_key).await?, &["one"])?;
    named(&people.read_many(&[three.clone(), one.clone()], &server()).await?, &["three", "one"])?;
    let answer =
        people.answer(Call::Create(document(json!({"key": people.id_value(&people.free_id())}))), &client()).await?;
    holds(answer.id.is_some(), "the answer has the id")?;
    named(&[people.remove(three, &client()).await?], &["three"])
}

/// Whether a value is a moment in the one form in which the service keeps moments.
pub(super) fn is_moment(value: &Value) -> bool {
    let form = "0000-00-00T00:00:00.000000Z";
    value.as_str().is_some_and(|text| {
        let fits = |(found, wanted): (u8, u8)| if wanted == b'0' { found.is_ascii_digit() } else { found == wanted };
        text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
    })
}

async fn times_are_set(suite: Suite) -> Outcome {
    for times in [Timestamps::Snake, Timestamps::Camel] {
        let people = suite.people(|options| options.timestamps(times)).await?;
        let Some((made_at, changed_at)) = times.names() else { continue };
        for params in [client(), server()] {
            let data = people.new_data(json!({"name": "Alice"})).with(made_at, "1999-01-01T00:00:00Z");
            let made = people.create(data.with(changed_at, "1999-01-01T00:00:00Z"), &params).await?;
            holds(is_moment(&made[made_at]), "the time is written as RFC 3339 in UTC")?;
            equal("the time of the change beside that of making", &made[changed_at], &made[made_at])?;
            holds(made[made_at].as_str() > Some("2020"), "what the caller sends as the time makes no difference")?;
            same(&people.read(&id(&made)?, &server()).await?, &made)?;
        }
    }
    Ok(())
}

async fn data_that_does_not_fit_is_refused_with_every_field_named(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    let unfit = || people.new_data(json!({"name": "Alice", "age": "nineteen", "admin": "yes", "score": [1]}));
    for params in [client(), server()] {
        let error = refused(people.create(unfit(), &params).await, ErrorKind::Unprocessable)?;
        for field in ["age", "admin", "score"] {
            names_field(&error, field)?;
        }
        equal("how many fields are named", error.fields().len(), 3)?;
    }
    equal("the records", people.all().await?, vec![])
}

async fn fields_that_are_not_known_are_refused(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    let unknown = people.new_data(json!({"name": "Alice", "nickname": "Al"}));
    let error = refused(people.create(unknown, &client()).await, ErrorKind::Unprocessable)?;
    names_field(&error, "nickname")?;
    equal("the records", people.all().await?, vec![])
}

async fn fields_can_be_required(suite: Suite) -> Outcome {
    let fields = || {
        people_fields().iter().fold(Fields::new().required("name", FieldType::Text), |fields, field| {
            if field.name == "name" { fields } else { fields.optional(field.name.clone(), field.kind) }
        })
    };
    let people = suite.people(|options| options.fields(fields())).await?;
    for data in [json!({"age": 19}), json!({"age": 19, "name": null})] {
        let error = refused(people.create(people.new_data(data.clone()), &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, "name")?;
        let free = people.free_id();
        let error = refused(people.update(&free, document(data.clone()), &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, "name")?;
        let error = refused(people.modify(&free, document(data).into(), &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, "name")?;
    }
    equal("the records", people.all().await?, vec![])?;
    // What is there needs it no second time, but cannot lose it.
    let alice = people.add(json!({"name": "Alice"})).await?;
    let older = people.modify(&id(&alice)?, document(json!({"age": 20})).into(), &client()).await?;
    is_record(older.get(), json!({"name": "Alice", "age": 20}))?;
    let nameless = document(json!({"name": null}));
    let error = refused(people.modify(&id(&alice)?, nameless.into(), &client()).await, ErrorKind::Unprocessable)?;
    names_field(&error, "name")
}

async fn a_value_can_have_to_be_unique(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.unique("email")).await?;
    people.add(json!({"name": "Alice", "email": "a@example.org"})).await?;
    let twin = people.new_data(json!({"name": "Twin", "email": "a@example.org"}));
    for params in [client(), server()] {
        let error = refused(people.create(twin.clone(), &params).await, ErrorKind::Conflict)?;
        names_field(&error, "email")?;
    }
    // Any number of records may have no value.
    people.add_all([json!({"name": "a"}), json!({"name": "b"}), json!({"name": "c", "email": null})]).await?;
    // Values are the same only if they are so to the letter.
    people.add(json!({"name": "d", "email": "A@example.org"})).await?;
    people.add(json!({"name": "e", "email": "a@example.org "})).await?;
    named(&people.all().await?, &["Alice", "a", "b", "c", "d", "e"])?;
    // A value that is given up is free again.
    people.remove(&id(&people.person("Alice").await?)?, &server()).await?;
    people.create(twin, &client()).await?;
    Ok(())
}

async fn many_are_answered_in_their_order(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Create])).await?;
    let data = |names: &[&str]| names.iter().map(|name| people.new_data(json!({"name": name}))).collect::<Vec<_>>();
    let made = people.create_many(data(&["c", "a", "b"]), &client()).await?;
    named(&made, &["c", "a", "b"])?;
    equal("how many ids there are", ids(&made)?.into_iter().collect::<HashSet<_>>().len(), 3)?;
    all_same(&people.all().await?, &made)?;
    named(&people.create_many(data(&["d"]), &server()).await?, &["d"])?;
    equal("none are none", people.create_many(vec![], &client()).await?, vec![])?;
    let names = client().with_query(Query::new().select(["name"]));
    let made = people.create_many(data(&["e"]), &names).await?;
    equal("the names of the fields", made[0].names().collect::<Vec<_>>(), ["id", "name"])
}

async fn many_are_made_all_or_none(suite: Suite) -> Outcome {
    let people =
        suite.people(|options| options.unique("email").fields(people_fields()).multi([Method::Create])).await?;
    let alice = people.add(json!({"name": "Alice", "email": "a@example.org"})).await?;
    let taken_id = document(json!({"name": "c"})).with("id", alice["id"].clone());
    let taken_value = people.new_data(json!({"name": "c", "email": "a@example.org"}));
    let unfit = people.new_data(json!({"name": "c", "age": "x"}));
    let faults =
        [(taken_id, ErrorKind::Conflict), (taken_value, ErrorKind::Conflict), (unfit, ErrorKind::Unprocessable)];
    for (fault, kind) in faults {
        for params in [client(), server()] {
            let data = vec![
                people.new_data(json!({"name": "a"})),
                people.new_data(json!({"name": "b", "email": "b@example.org"})),
                fault.clone(),
            ];
            refused(people.create_many(data, &params).await, kind)?;
            all_same(&people.all().await?, std::slice::from_ref(&alice))?;
        }
    }
    // Nor is a value taken by a record that was never made.
    people.add(json!({"name": "b", "email": "b@example.org"})).await?;
    Ok(())
}

async fn many_may_not_collide_among_themselves(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.unique("email")).await?;
    let twins = || {
        let free = people.id_value(&people.free_id());
        let one = document(json!({"name": "a"})).with("id", free.clone());
        let other = document(json!({"name": "b"})).with("id", free);
        vec![one, other]
    };
    refused(people.create_many(twins(), &server()).await, ErrorKind::Conflict)?;
    let twins = vec![
        people.new_data(json!({"name": "a", "email": "same"})),
        people.new_data(json!({"name": "b", "email": "same"})),
    ];
    let error = refused(people.create_many(twins, &server()).await, ErrorKind::Conflict)?;
    names_field(&error, "email")?;
    equal("the records", people.all().await?, vec![])
}

async fn clients_make_many_only_where_they_may(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Modify, Method::Remove])).await?;
    let data = vec![people.new_data(json!({"name": "a"}))];
    refused(people.create_many(data.clone(), &client()).await, ErrorKind::MethodNotAllowed)?;
    refused(people.create_many(vec![], &client()).await, ErrorKind::MethodNotAllowed)?;
    equal("the records", people.all().await?, vec![])?;
    named(&people.create_many(data, &server()).await?, &["a"])
}

async fn clients_make_so_many_at_once(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Create]).batch_max(2)).await?;
    let data = |count: usize| (0..count).map(|number| people.new_data(json!({"age": number}))).collect::<Vec<_>>();
    equal("how many are made", people.create_many(data(2), &client()).await?.len(), 2)?;
    refused(people.create_many(data(3), &client()).await, ErrorKind::BadRequest)?;
    equal("how many there are", people.all().await?.len(), 2)?;
    equal("how many the program makes", people.create_many(data(3), &server()).await?.len(), 3)
}
