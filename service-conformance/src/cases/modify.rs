//! Merging fields into records, one or many.

use std::time::{Duration, Instant};

use remex_core::{ErrorKind, Filter, Method, Missing, Paginate, Params, Patch, Query, Stored, Timestamps, Value};
use serde_json::json;

use crate::check::{
    all_same, document, equal, holds, id, is_record, mentions, named, named_somehow, names_field, refused, same,
};
use crate::suite::{client, server};
use crate::{Case, Failed, Need, Outcome, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(fields_are_merged_and_the_stored_record_answered, &[42]),
        Case::new(id_and_times_in_the_data_are_looked_past, &[43]),
        Case::new(the_time_of_change_advances, &[43]),
        Case::new(null_sets_null, &[44]),
        Case::new(nothing_changes_nothing, &[44]),
        Case::new(missing_is_created_under_exactly_that_id, &[45, 78]),
        Case::new(missing_can_be_not_found, &[45]),
        Case::new(missing_can_be_decided_by_the_call, &[45]),
        Case::new(an_unparsable_id_is_not_found, &[10]),
        Case::new(a_query_that_does_not_match_changes_nothing, &[46, 77]),
        Case::new(a_query_that_does_not_match_makes_no_second_record, &[46]),
        Case::new(a_query_on_the_changed_field_holds_for_the_old_record, &[47]),
        Case::new(select_shows_the_id_and_what_is_selected, &[51]),
        Case::new(an_object_replaces_an_object, &[52]),
        Case::new(a_merge_patch_goes_deep, &[52]),
        Case::new(a_merge_patch_takes_fields_away, &[52]),
        Case::new(a_merge_patch_makes_what_is_missing, &[45, 52]),
        Case::new(data_that_does_not_fit_changes_nothing, &[42]),
        Case::new(a_value_that_is_taken_is_a_conflict, &[42]),
        Case::new(many_are_answered_as_they_are_now, &[48]),
        Case::new(many_are_all_that_match_whatever_the_page, &[48]),
        Case::new(many_that_are_none_are_none, &[48]),
        Case::new(many_are_never_made, &[45, 48]),
        Case::new(many_with_paging_are_refused, &[49]),
        Case::new(an_empty_filter_is_never_all, &[48, 49]).needs(&[Need::InProgram]),
        Case::new(clients_change_many_only_where_they_may, &[48]),
        Case::new(many_are_changed_all_or_none, &[48]),
        Case::new(many_may_merge_deep, &[48, 52]),
    ]
}

fn merge(data: serde_json::Value) -> Patch {
    Patch::Merge(document(data))
}

fn merge_deep(data: serde_json::Value) -> Patch {
    Patch::MergeDeep(document(data))
}

async fn fields_are_merged_and_the_stored_record_answered(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    for (age, params) in [(33, server()), (34, client())] {
        let patch = merge(json!({"age": age, "admin": true}));
        let stored = people.modify(&id(&doug)?, patch.clone(), &params).await?;
        holds(!stored.is_created(), "a record that was there is changed, not created")?;
        is_record(stored.get(), json!({"name": "Doug", "age": age, "admin": true}))?;
        equal("the id", &stored.get()["id"], &doug["id"])?;
        same(&people.read(&id(&doug)?, &server()).await?, stored.get())?;
    }
    named(&people.all().await?, &["Bob", "Doug", "Alice"])?;
    is_record(&people.person("Alice").await?, json!({"name": "Alice", "age": 19}))
}

async fn id_and_times_in_the_data_are_looked_past(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.timestamps(Timestamps::Snake)).await?;
    let (doug, alice) = (people.person("Doug").await?, people.person("Alice").await?);
    for other in [alice["id"].clone(), people.id_value(&people.free_id()), Value::Null, Value::from(1.5)] {
        let data = document(json!({"name": "Doug", "created_at": "1999-01-01T00:00:00Z", "updated_at": null}));
        let found = people.modify(&id(&doug)?, data.with("id", other).into(), &client()).await?.into_inner();
        equal("the id", &found["id"], &doug["id"])?;
        equal("the time of making", &found["created_at"], &doug["created_at"])?;
        holds(found["updated_at"].compare(&doug["updated_at"]).is_ge(), "the time of change is the service's")?;
    }
    named(&people.all().await?, &["Bob", "Doug", "Alice"])?;
    same(&people.person("Alice").await?, &alice)
}

async fn the_time_of_change_advances(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.timestamps(Timestamps::Camel)).await?;
    let alice = people.add(json!({"name": "Alice"})).await?;
    // A clock may stand still for a moment.
    let begun = Instant::now();
    let mut age = 0;
    loop {
        age += 1;
        let found = people.modify(&id(&alice)?, merge(json!({"age": age})), &server()).await?.into_inner();
        equal("the time of making", &found["createdAt"], &alice["createdAt"])?;
        holds(super::create::is_moment(&found["updatedAt"]), "the time is written as RFC 3339 in UTC")?;
        if found["updatedAt"].compare(&alice["updatedAt"]).is_gt() {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(10) {
            return Err(Failed::new("the time of change did not advance in ten seconds of changes"));
        }
    }
}

async fn null_sets_null(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let found = people.modify(&id(&doug)?, merge(json!({"age": null})), &client()).await?.into_inner();
    is_record(&found, json!({"name": "Doug", "age": null}))?;
    let ageless = people.list(Query::new().filter(Filter::eq("age", Value::Null))).await?;
    named(&ageless, &["Doug"])
}

async fn nothing_changes_nothing(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.timestamps(Timestamps::Snake)).await?;
    let doug = people.person("Doug").await?;
    for patch in [merge(json!({})), merge_deep(json!({}))] {
        let stored = people.modify(&id(&doug)?, patch, &client()).await?;
        holds(!stored.is_created(), "the record was there")?;
        same(stored.get(), &doug)?;
        same(&people.read(&id(&doug)?, &server()).await?, &doug)?;
    }
    Ok(())
}

async fn missing_is_created_under_exactly_that_id(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.timestamps(Timestamps::Snake)).await?;
    for (count, params) in [(4, server()), (5, client())] {
        let missing = people.free_id();
        let data = document(json!({"name": "Eve", "age": 50})).with("id", people.id_value(&people.free_id()));
        let stored = people.modify(&missing, data.into(), &params).await?;
        holds(stored.is_created(), "a record that was not there is created")?;
        is_record(stored.get(), json!({"name": "Eve", "age": 50}))?;
        equal("the id", &stored.get()["id"], &people.id_value(&missing))?;
        equal("the time of change", &stored.get()["updated_at"], &stored.get()["created_at"])?;
        same(&people.read(&missing, &server()).await?, stored.get())?;
        equal("how many records there are", people.all().await?.len(), count)?;
        // Now it is there, and the next change is one.
        let stored = people.modify(&missing, merge(json!({"age": 51})), &params).await?;
        holds(!stored.is_created(), "the record is there now")?;
        is_record(stored.get(), json!({"name": "Eve", "age": 51}))?;
    }
    Ok(())
}

async fn missing_can_be_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.missing(Missing::NotFound)).await?;
    let before = people.all().await?;
    let missing = people.free_id();
    for params in [server(), client()] {
        let error =
            refused(people.modify(&missing, merge(json!({"name": "Eve"})), &params).await, ErrorKind::NotFound)?;
        mentions(&error, missing.as_str())?;
    }
    all_same(&people.all().await?, &before)
}

async fn missing_can_be_decided_by_the_call(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let missing = people.free_id();
    let not_found = Params { missing: Some(Missing::NotFound), ..server() };
    refused(people.modify(&missing, merge(json!({"name": "Eve"})), &not_found).await, ErrorKind::NotFound)?;
    equal("how many records there are", people.all().await?.len(), 3)?;
    let people = suite.three(|options| options.missing(Missing::NotFound)).await?;
    let create = Params { missing: Some(Missing::Create), ..client() };
    let stored = people.modify(&missing, merge(json!({"name": "Eve"})), &create).await?;
    holds(matches!(stored, Stored::Created(_)), "the call has the last word")
}

async fn an_unparsable_id_is_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.missing(Missing::NotFound)).await?;
    let before = people.all().await?;
    for unparsable in people.unparsable_ids() {
        refused(people.modify(&unparsable, merge(json!({"name": "Eve"})), &client()).await, ErrorKind::NotFound)?;
    }
    all_same(&people.all().await?, &before)
}

async fn a_query_that_does_not_match_changes_nothing(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.missing(Missing::NotFound)).await?;
    let before = people.all().await?;
    let tester = Query::new().filter(Filter::eq("name", "Tester"));
    for params in [server(), client()] {
        let params = params.with_query(tester.clone());
        let outcome = people.modify(&id(&before[1])?, merge(json!({"age": 1})), &params).await;
        refused(outcome, ErrorKind::NotFound)?;
    }
    all_same(&people.all().await?, &before)
}

async fn a_query_that_does_not_match_makes_no_second_record(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let params = client().with_query(Query::new().filter(Filter::eq("name", "Tester")));
    for patch in [merge(json!({"name": "Tester"})), merge_deep(json!({"name": "Tester"}))] {
        refused(people.modify(&id(&before[1])?, patch, &params).await, ErrorKind::NotFound)?;
    }
    all_same(&people.all().await?, &before)
}

async fn a_query_on_the_changed_field_holds_for_the_old_record(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let params = client().with_query(Query::new().filter(Filter::eq("name", "Doug")));
    let found = people.modify(&id(&doug)?, merge(json!({"name": "Douglas"})), &params).await?.into_inner();
    is_record(&found, json!({"name": "Douglas", "age": 32}))
}

async fn select_shows_the_id_and_what_is_selected(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let params = client().with_query(Query::new().select(["age"]));
    let found = people.modify(&id(&doug)?, merge(json!({"age": 33})), &params).await?.into_inner();
    equal("the names of the fields", found.names().collect::<Vec<_>>(), ["id", "age"])?;
    is_record(&found, json!({"age": 33}))?;
    is_record(&people.read(&id(&doug)?, &server()).await?, json!({"name": "Doug", "age": 33}))
}

async fn an_object_replaces_an_object(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = people.add(json!({"name": "Alice", "address": {"city": "Bonn", "street": {"name": "Am Hof"}}})).await?;
    let patch = merge(json!({"address": {"city": "Köln", "zip": null}}));
    let found = people.modify(&id(&alice)?, patch, &client()).await?.into_inner();
    is_record(&found, json!({"name": "Alice", "address": {"city": "Köln", "zip": null}}))?;
    same(&people.read(&id(&alice)?, &server()).await?, &found)
}

async fn a_merge_patch_goes_deep(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let address = json!({"city": "Bonn", "street": {"name": "Am Hof", "number": 1}});
    let alice = people.add(json!({"name": "Alice", "age": 19, "address": address, "tags": [1, 2]})).await?;
    let patch = merge_deep(json!({"address": {"street": {"number": 2}, "zip": "53113"}, "tags": [3]}));
    let found = people.modify(&id(&alice)?, patch, &client()).await?.into_inner();
    let address = json!({"city": "Bonn", "street": {"name": "Am Hof", "number": 2}, "zip": "53113"});
    is_record(&found, json!({"name": "Alice", "age": 19, "address": address, "tags": [3]}))?;
    same(&people.read(&id(&alice)?, &server()).await?, &found)
}

async fn a_merge_patch_takes_fields_away(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = people.add(json!({"name": "Alice", "age": 19, "address": {"city": "Bonn", "zip": "53113"}})).await?;
    let patch = merge_deep(json!({"age": null, "note": null, "address": {"zip": null, "floor": null}}));
    let found = people.modify(&id(&alice)?, patch, &client()).await?.into_inner();
    is_record(&found, json!({"name": "Alice", "address": {"city": "Bonn"}}))?;
    let address = found["address"].as_document().map(|address| address.names().collect::<Vec<_>>());
    equal("the names inside the object", address, Some(vec!["city"]))?;
    // What is no object gives way to one, and an object to what is none.
    let patch = merge_deep(json!({"address": "nowhere", "tags": {"a": {"b": 1, "c": null}}}));
    let found = people.modify(&id(&alice)?, patch, &client()).await?.into_inner();
    is_record(&found, json!({"name": "Alice", "address": "nowhere", "tags": {"a": {"b": 1}}}))
}

async fn a_merge_patch_makes_what_is_missing(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let missing = people.free_id();
    let patch = merge_deep(json!({"name": "Eve", "age": null, "address": {"city": "Bonn", "zip": null}}));
    let stored = people.modify(&missing, patch, &client()).await?;
    holds(stored.is_created(), "a record that was not there is created")?;
    is_record(stored.get(), json!({"name": "Eve", "address": {"city": "Bonn"}}))?;
    let address = stored.get()["address"].as_document().map(|address| address.names().collect::<Vec<_>>());
    equal("the names inside the object, of which null is none", address, Some(vec!["city"]))?;
    same(&people.read(&missing, &server()).await?, stored.get())
}

async fn data_that_does_not_fit_changes_nothing(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    let before = people.all().await?;
    let unfit = json!({"name": "Douglas", "age": "old", "admin": 1});
    for patch in [merge(unfit.clone()), merge_deep(unfit)] {
        let error = refused(people.modify(&id(&before[1])?, patch.clone(), &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, "age")?;
        names_field(&error, "admin")?;
        refused(people.modify(&people.free_id(), patch.clone(), &client()).await, ErrorKind::Unprocessable)?;
        refused(people.modify_many(patch, &server()).await, ErrorKind::Unprocessable)?;
    }
    let unknown = merge(json!({"nickname": "D"}));
    let error = refused(people.modify(&id(&before[1])?, unknown, &client()).await, ErrorKind::Unprocessable)?;
    names_field(&error, "nickname")?;
    all_same(&people.all().await?, &before)
}

async fn a_value_that_is_taken_is_a_conflict(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.unique("email")).await?;
    let (bob, doug) = (id(&people.person("Bob").await?)?, id(&people.person("Doug").await?)?);
    people.modify(&bob, merge(json!({"email": "b@example.org"})), &server()).await?;
    let before = people.all().await?;
    let taken = merge(json!({"email": "b@example.org", "age": 1}));
    for missing_or_not in [doug, people.free_id()] {
        let error = refused(people.modify(&missing_or_not, taken.clone(), &client()).await, ErrorKind::Conflict)?;
        names_field(&error, "email")?;
    }
    all_same(&people.all().await?, &before)?;
    // A record does not collide with itself.
    people.modify(&bob, taken, &client()).await?;
    is_record(&people.read(&bob, &server()).await?, json!({"name": "Bob", "age": 1, "email": "b@example.org"}))
}

async fn many_are_answered_as_they_are_now(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.multi([Method::Modify])).await?;
    let young = client().with_query(Query::new().filter(Filter::lt("age", 30)));
    // They no longer match, and are answered all the same.
    let changed = people.modify_many(merge(json!({"age": 60, "admin": true})), &young).await?;
    named_somehow(&changed, &["Bob", "Alice"])?;
    for record in &changed {
        equal("the new age", &record["age"], &Value::from(60))?;
        same(&people.read(&id(record)?, &server()).await?, record)?;
    }
    is_record(&people.person("Doug").await?, json!({"name": "Doug", "age": 32}))?;
    let names = Params::from(Query::new().filter(Filter::eq("name", "Doug")).select(["name"]));
    let changed = people.modify_many(merge(json!({"age": 33})), &names).await?;
    equal("the names of the fields", changed[0].names().collect::<Vec<_>>(), ["id", "name"])
}

async fn many_are_all_that_match_whatever_the_page(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Modify]).paginate(Paginate::new(10, 10))).await?;
    people.add_all((0..14).map(|number| json!({"name": format!("{number:02}"), "age": 1}))).await?;
    let ones = client().with_query(Query::new().filter(Filter::eq("age", 1)));
    equal("how many are changed", people.modify_many(merge(json!({"age": 2})), &ones).await?.len(), 14)?;
    equal("how many are left", people.count(&ones).await?, 0)?;
    // From inside the program a query without a filter is all.
    equal("how many are changed", people.modify_many(merge(json!({"age": 3})), &server()).await?.len(), 14)
}

async fn many_that_are_none_are_none(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.multi([Method::Modify])).await?;
    let before = people.all().await?;
    for filter in [Filter::eq("name", "Tester"), Filter::is_in("name", Vec::<Value>::new())] {
        let nobody = client().with_query(Query::new().filter(filter));
        equal("the changed records", people.modify_many(merge(json!({"age": 1})), &nobody).await?, vec![])?;
    }
    all_same(&people.all().await?, &before)
}

async fn many_are_never_made(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    equal("the changed records", people.modify_many(merge(json!({"age": 1})), &server()).await?, vec![])?;
    let missing = people.id_value(&people.free_id());
    let by_id = Params::from(Query::new().filter(Filter::eq("id", missing)));
    equal("the changed records", people.modify_many(merge(json!({"age": 1})), &by_id).await?, vec![])?;
    equal("the records", people.all().await?, vec![])
}

async fn many_with_paging_are_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.multi([Method::Modify])).await?;
    let before = people.all().await?;
    let young = || Query::new().filter(Filter::lt("age", 30));
    for query in [young().limit(1), young().skip(1)] {
        for params in [client(), server()] {
            let params = params.with_query(query.clone());
            refused(people.modify_many(merge(json!({"age": 1})), &params).await, ErrorKind::BadRequest)?;
        }
    }
    all_same(&people.all().await?, &before)
}

/// Whoever says an empty filter has lost one.
async fn an_empty_filter_is_never_all(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.multi([Method::Modify])).await?;
    let before = people.all().await?;
    for params in [server(), client(), server().with_scope(Filter::lt("age", 30))] {
        let nothing = params.with_query(Query::new().filter(Filter::And(vec![])));
        refused(people.modify_many(merge(json!({"age": 1})), &nothing).await, ErrorKind::BadRequest)?;
        all_same(&people.all().await?, &before)?;
    }
    Ok(())
}

async fn clients_change_many_only_where_they_may(suite: Suite) -> Outcome {
    let young = || client().with_query(Query::new().filter(Filter::lt("age", 30)));
    let people = suite.three(|options| options.multi([Method::Create, Method::Remove])).await?;
    let before = people.all().await?;
    refused(people.modify_many(merge(json!({"age": 1})), &young()).await, ErrorKind::MethodNotAllowed)?;
    refused(people.modify_many(merge(json!({"age": 1})), &client()).await, ErrorKind::MethodNotAllowed)?;
    all_same(&people.all().await?, &before)?;

    let people = suite.three(|options| options.multi([Method::Modify])).await?;
    let before = people.all().await?;
    // A client that says no filter has forgotten it.
    refused(people.modify_many(merge(json!({"age": 1})), &client()).await, ErrorKind::BadRequest)?;
    all_same(&people.all().await?, &before)?;

    let people = suite.three(|options| options.multi([Method::Modify]).allow_query(false)).await?;
    let before = people.all().await?;
    // Its filter would be looked past, and the change be wider than it says.
    refused(people.modify_many(merge(json!({"age": 1})), &young()).await, ErrorKind::Forbidden)?;
    all_same(&people.all().await?, &before)
}

async fn many_are_changed_all_or_none(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.unique("email")).await?;
    people.add(json!({"name": "Eve", "email": "e@example.org"})).await?;
    let before = people.all().await?;
    // Two records cannot have the value, and the second one is found out late.
    for (email, filter) in [("new", Filter::lt("age", 100)), ("e@example.org", Filter::eq("name", "Bob"))] {
        let params = Params::from(Query::new().filter(filter));
        let error = refused(people.modify_many(merge(json!({"email": email})), &params).await, ErrorKind::Conflict)?;
        names_field(&error, "email")?;
        all_same(&people.all().await?, &before)?;
    }
    let bob = Params::from(Query::new().filter(Filter::eq("name", "Bob")));
    equal("how many are changed", people.modify_many(merge(json!({"email": "new"})), &bob).await?.len(), 1)
}

async fn many_may_merge_deep(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Modify])).await?;
    people
        .add_all([
            json!({"name": "a", "address": {"city": "Bonn", "zip": "53113"}}),
            json!({"name": "b", "address": {"city": "Köln"}}),
        ])
        .await?;
    let both = client().with_query(Query::new().filter(Filter::is_in("name", ["a", "b"])));
    people.modify_many(merge_deep(json!({"address": {"zip": null, "country": "DE"}})), &both).await?;
    let all = people.all().await?;
    is_record(&all[0], json!({"name": "a", "address": {"city": "Bonn", "country": "DE"}}))?;
    is_record(&all[1], json!({"name": "b", "address": {"city": "Köln", "country": "DE"}}))
}
