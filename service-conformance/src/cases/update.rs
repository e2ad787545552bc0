//! Replacing records.

use remex_core::{ErrorKind, Filter, Missing, Params, Query, Timestamps};
use serde_json::json;

use crate::check::{all_same, document, equal, holds, id, is_record, mentions, named, names_field, refused, same};
use crate::suite::{client, server};
use crate::{Case, Need, Outcome, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(what_is_not_given_is_gone, &[53, 59]),
        Case::new(fields_that_nobody_gave_are_absent, &[53]).needs(&[Need::AnyField]),
        Case::new(the_id_in_the_data_is_looked_past, &[53]),
        Case::new(the_time_of_making_stays, &[54]),
        Case::new(missing_is_created_under_exactly_that_id, &[55, 78]),
        Case::new(missing_can_be_not_found, &[55]),
        Case::new(an_unparsable_id_is_a_bad_request, &[10]),
        Case::new(a_query_that_does_not_match_changes_nothing, &[56, 77]),
        Case::new(a_query_that_does_not_match_makes_no_second_record, &[46, 56]),
        Case::new(a_query_on_the_changed_field_holds_for_the_old_record, &[57]),
        Case::new(select_shows_the_id_and_what_is_selected, &[51]),
        Case::new(the_place_in_the_order_stays, &[60]),
        Case::new(data_that_does_not_fit_changes_nothing, &[53]),
        Case::new(a_value_that_is_taken_is_a_conflict, &[53]),
        Case::new(nothing_is_a_record_too, &[53]),
    ]
}

async fn what_is_not_given_is_gone(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    for (name, params) in [("Douglas", server()), ("Dougal", client())] {
        people.modify(&id(&doug)?, document(json!({"age": 32, "tags": [1]})).into(), &server()).await?;
        let stored = people.update(&id(&doug)?, document(json!({"name": name, "admin": false})), &params).await?;
        holds(!stored.is_created(), "a record that was there is changed, not created")?;
        is_record(stored.get(), json!({"name": name, "admin": false}))?;
        equal("the id", &stored.get()["id"], &doug["id"])?;
        same(&people.read(&id(&doug)?, &server()).await?, stored.get())?;
    }
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn fields_that_nobody_gave_are_absent(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = people.add(json!({"name": "Alice", "nickname": "Al", "age": 19})).await?;
    let found = people.update(&id(&alice)?, document(json!({"nickname": "Ali"})), &client()).await?.into_inner();
    let mut names: Vec<&str> = found.names().collect();
    names.sort_unstable();
    equal("the names of the fields", names, ["id", "nickname"])
}

async fn the_id_in_the_data_is_looked_past(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let (doug, alice) = (people.person("Doug").await?, people.person("Alice").await?);
    for other in [alice["id"].clone(), people.id_value(&people.free_id()), 1.5.into()] {
        let data = document(json!({"name": "Doug"})).with("id", other);
        let found = people.update(&id(&doug)?, data, &client()).await?.into_inner();
        equal("the id", &found["id"], &doug["id"])?;
    }
    named(&people.all().await?, &["Bob", "Doug", "Alice"])?;
    same(&people.person("Alice").await?, &alice)
}

async fn the_time_of_making_stays(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.timestamps(Timestamps::Snake)).await?;
    let doug = people.person("Doug").await?;
    let data =
        document(json!({"name": "Doug", "created_at": "1999-01-01T00:00:00Z", "updated_at": "1999-01-01T00:00:00Z"}));
    let found = people.update(&id(&doug)?, data, &client()).await?.into_inner();
    equal("the time of making", &found["created_at"], &doug["created_at"])?;
    holds(found["updated_at"].compare(&doug["updated_at"]).is_ge(), "the time of change is the service's")?;
    is_record(&found, json!({"name": "Doug"}))?;
    same(&people.read(&id(&doug)?, &server()).await?, &found)
}

async fn missing_is_created_under_exactly_that_id(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.timestamps(Timestamps::Camel)).await?;
    for (count, params) in [(4, server()), (5, client())] {
        let missing = people.free_id();
        let data = document(json!({"name": "Eve", "age": 50})).with("id", people.id_value(&people.free_id()));
        let stored = people.update(&missing, data.clone(), &params).await?;
        holds(stored.is_created(), "a record that was not there is created")?;
        is_record(stored.get(), json!({"name": "Eve", "age": 50}))?;
        equal("the id", &stored.get()["id"], &people.id_value(&missing))?;
        equal("the time of change", &stored.get()["updatedAt"], &stored.get()["createdAt"])?;
        same(&people.read(&missing, &server()).await?, stored.get())?;
        equal("how many records there are", people.all().await?.len(), count)?;
        holds(!people.update(&missing, data, &params).await?.is_created(), "the record is there now")?;
    }
    Ok(())
}

async fn missing_can_be_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.missing(Missing::NotFound)).await?;
    let before = people.all().await?;
    let missing = people.free_id();
    for params in [server(), client()] {
        let error =
            refused(people.update(&missing, document(json!({"name": "Eve"})), &params).await, ErrorKind::NotFound)?;
        mentions(&error, missing.as_str())?;
    }
    all_same(&people.all().await?, &before)?;
    let create = Params { missing: Some(Missing::Create), ..server() };
    holds(
        people.update(&missing, document(json!({"name": "Eve"})), &create).await?.is_created(),
        "the call has the last word",
    )
}

async fn an_unparsable_id_is_a_bad_request(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let not_found = Params { missing: Some(Missing::NotFound), ..client() };
    for unparsable in people.unparsable_ids() {
        // It would have to be created, and cannot be.
        refused(people.update(&unparsable, document(json!({"name": "Eve"})), &client()).await, ErrorKind::BadRequest)?;
        refused(people.update(&unparsable, document(json!({"name": "Eve"})), &not_found).await, ErrorKind::NotFound)?;
    }
    all_same(&people.all().await?, &before)
}

async fn a_query_that_does_not_match_changes_nothing(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.missing(Missing::NotFound)).await?;
    let before = people.all().await?;
    let tester = Query::new().filter(Filter::eq("name", "Tester"));
    for params in [server(), client()] {
        let params = params.with_query(tester.clone());
        let outcome = people.update(&id(&before[1])?, document(json!({"name": "Tester"})), &params).await;
        refused(outcome, ErrorKind::NotFound)?;
    }
    all_same(&people.all().await?, &before)
}

async fn a_query_that_does_not_match_makes_no_second_record(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let params = client().with_query(Query::new().filter(Filter::eq("name", "Tester")));
    let outcome = people.update(&id(&before[1])?, document(json!({"name": "Tester"})), &params).await;
    refused(outcome, ErrorKind::NotFound)?;
    all_same(&people.all().await?, &before)
}

async fn a_query_on_the_changed_field_holds_for_the_old_record(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let params = client().with_query(Query::new().filter(Filter::eq("name", "Doug").and(Filter::eq("age", 32))));
    let found = people.update(&id(&doug)?, document(json!({"name": "Douglas"})), &params).await?.into_inner();
    is_record(&found, json!({"name": "Douglas"}))
}

async fn select_shows_the_id_and_what_is_selected(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let params = client().with_query(Query::new().select(["age"]));
    let found = people.update(&id(&doug)?, document(json!({"name": "D", "age": 33})), &params).await?.into_inner();
    equal("the names of the fields", found.names().collect::<Vec<_>>(), ["id", "age"])?;
    is_record(&people.read(&id(&doug)?, &server()).await?, json!({"name": "D", "age": 33}))
}

async fn the_place_in_the_order_stays(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let bob = people.person("Bob").await?;
    people.update(&id(&bob)?, document(json!({"name": "Bobby"})), &client()).await?;
    named(&people.all().await?, &["Bobby", "Doug", "Alice"])
}

async fn data_that_does_not_fit_changes_nothing(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    let before = people.all().await?;
    let unfit = document(json!({"name": "Doug", "age": "old", "admin": 1}));
    for missing_or_not in [id(&before[1])?, people.free_id()] {
        let error = refused(people.update(&missing_or_not, unfit.clone(), &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, "age")?;
        names_field(&error, "admin")?;
    }
    all_same(&people.all().await?, &before)
}

async fn a_value_that_is_taken_is_a_conflict(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.unique("email")).await?;
    let made = people
        .add_all([json!({"name": "Alice", "email": "a@example.org"}), json!({"name": "Bob", "email": "b@example.org"})])
        .await?;
    let taken = document(json!({"name": "Mallory", "email": "a@example.org"}));
    for missing_or_not in [id(&made[1])?, people.free_id()] {
        let error = refused(people.update(&missing_or_not, taken.clone(), &client()).await, ErrorKind::Conflict)?;
        names_field(&error, "email")?;
    }
    all_same(&people.all().await?, &made)?;
    // A record does not collide with itself, and gives its value up by not having it any more.
    people.update(&id(&made[0])?, taken.clone(), &client()).await?;
    people.update(&id(&made[0])?, document(json!({"name": "Alice"})), &client()).await?;
    people.update(&id(&made[1])?, taken, &client()).await?;
    Ok(())
}

async fn nothing_is_a_record_too(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let found = people.update(&id(&doug)?, document(json!({})), &client()).await?.into_inner();
    is_record(&found, json!({}))?;
    equal("the id", &found["id"], &doug["id"])
}
